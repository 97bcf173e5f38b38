package stdio_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVar makes the test binary one of children.
const childVar = "KKRPC_STDIO_CHILD"

// TestMain is a child if it is asked to be one. Otherwise it fails if goroutines outlive the tests.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVar); name != "" {
		children[name]()
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}
