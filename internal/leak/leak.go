// Package leak finds goroutines that tests leave behind.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main is for a TestMain: it runs the tests and ends the process, with a failure if goroutines of this module outlive
// them by more than wait, which is what closing may take.
func Main(m *testing.M, wait time.Duration) {
	code := m.Run()
	if code == 0 {
		if left := after(wait); left != "" {
			fmt.Fprintf(os.Stderr, "goroutines left:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

// after returns the stacks that are left once wait is over, or "" as soon as there are none.
func after(wait time.Duration) string {
	buf := make([]byte, 1<<20)
	for end := time.Now().Add(wait); ; runtime.Gosched() {
		var left []string
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "kkrpc") && !strings.Contains(g, "leak.after") {
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
