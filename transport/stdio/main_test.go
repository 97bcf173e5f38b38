package stdio_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
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
	code := m.Run()
	if code == 0 {
		if left := leaked(10 * time.Second); left != "" {
			fmt.Fprintf(os.Stderr, "goroutines left:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

func leaked(wait time.Duration) string {
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(wait); ; runtime.Gosched() {
		var left []string
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "kkrpc") && !strings.Contains(g, "stdio_test.leaked") {
				left = append(left, g)
			}
		}
		if len(left) == 0 {
			return ""
		}
		if time.Now().After(end) {
			return strings.Join(left, "\n\n")
		}
	}
}
