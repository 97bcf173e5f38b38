//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"errors"
	"syscall"
	"testing"
)

// A call that the scheduler is not told of must not block, even on a descriptor that somebody has set to block.
func TestRecvNeverBlocks(t *testing.T) {
	a, b := sockets(t)
	if n, err := recv(b, make([]byte, 10)); n != 0 || !errors.Is(err, syscall.EAGAIN) {
		t.Errorf("recv of nothing: %d, %v", n, err)
	}
	full := make([]byte, 1<<20)
	for {
		n, err := send(a, full)
		if n > longestCall {
			t.Fatalf("%d bytes at once", n)
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("send without room: %v", err)
		}
		break
	}
	if err := syscall.Shutdown(b, syscall.SHUT_RDWR); err != nil {
		t.Fatal(err)
	}
	if _, err := send(a, full); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("send to a socket that is shut down: %v", err)
	}
}
