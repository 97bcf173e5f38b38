//go:build unix

package ws

import (
	"bytes"
	"syscall"
	"testing"
)

// sockets returns the descriptors of two connected sockets that are set to block.
func sockets(t testing.TB) (a, b int) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Close(fds[0])
		_ = syscall.Close(fds[1])
	})
	return fds[0], fds[1]
}

// FuzzRecv: what send takes is what recv gives, which writes into its buffer and nowhere else.
func FuzzRecv(f *testing.F) {
	f.Add([]byte(nil), uint16(0), uint16(0))
	f.Add([]byte("hello"), uint16(0), uint16(5))
	f.Add(bytes.Repeat([]byte("0123456789"), 6000), uint16(17), uint16(40000))
	f.Fuzz(func(t *testing.T, data []byte, at, room uint16) {
		a, b := sockets(t)
		data = data[:min(len(data), 60_000)] // less than a socket has room for
		n, err := send(a, data)
		if n != len(data) || err != nil {
			t.Fatalf("send took %d of %d bytes: %v", n, len(data), err)
		}
		if len(data) == 0 || room == 0 {
			return // nothing to wait for
		}
		memory := bytes.Repeat([]byte{0xa5}, int(at)+int(room)+100)
		n, err = recv(b, memory[at:int(at)+int(room)])
		if want := min(len(data), int(room)); n != want || err != nil {
			t.Fatalf("recv gave %d of %d bytes: %v", n, want, err)
		}
		got := bytes.Repeat([]byte{0xa5}, len(memory))
		copy(got[at:], data[:n])
		if !bytes.Equal(got, memory) {
			t.Fatal("recv wrote elsewhere")
		}
	})
}
