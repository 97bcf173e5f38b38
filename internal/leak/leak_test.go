package leak

import (
	"strings"
	"testing"
	"time"
)

func TestAfter(t *testing.T) {
	stop := make(chan struct{})
	go func() { <-stop }()
	if left := after(time.Millisecond); !strings.Contains(left, "TestAfter.func") {
		t.Errorf("one goroutine waits, found %q", left)
	}
	close(stop)
	if left := after(10 * time.Second); left != "" {
		t.Errorf("none waits, found %q", left)
	}
}
