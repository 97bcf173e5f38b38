//go:build unix

package interop_test

import "syscall"

// setReceiveBuffer sets the receive buffer of a socket that is not connected yet, in bytes: its window is then small from the start.
func setReceiveBuffer(fd uintptr, n int) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, n)
}
