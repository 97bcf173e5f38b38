//go:build unix && (!linux || race || msan || 386 || s390x)

package ws

import "syscall"

// recv reads from a socket that does not block.
func recv(fd int, p []byte) (int, error) { return syscall.Read(fd, p) }

// send writes to one.
func send(fd int, p []byte) (int, error) { return syscall.Write(fd, p) }
