package stdio_test

import (
	"os"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/leak"
)

// childVar makes the test binary one of children.
const childVar = "KKRPC_STDIO_CHILD"

// TestMain is a child if it is asked to be one. Otherwise it fails if goroutines of this module outlive the tests by
// more than closing may take.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVar); name != "" {
		children[name]()
		os.Exit(0)
	}
	leak.Main(m, 10*time.Second)
}
