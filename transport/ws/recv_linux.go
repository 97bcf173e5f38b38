//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"syscall"
	"unsafe"
)

// Package syscall tells the scheduler of every system call, because a call may block. The first call after a quiet moment
// wakes the scheduler's monitor. That thread runs and soon sleeps again, which costs several system calls. The calls here
// cannot block, so they are raw, but for those that monitor_linux.go reports. recv_unix.go is for two other cases. The
// race and memory detectors cannot see raw calls, and two processors name the calls differently.

// longestCall is how many bytes such a call copies at most: while it does, the collector waits for it.
const longestCall = largeBuffer

// recv is syscall.Read of a socket, and never blocks.
func recv(fd int, p []byte) (int, error) { return transfer(syscall.SYS_RECVFROM, fd, p) }

// send is syscall.Write to a socket, and never blocks. It may take less than there is room for.
func send(fd int, p []byte) (int, error) { return transfer(syscall.SYS_SENDTO, fd, p) }

// transfer passes p to the kernel by its pointer and length. p lives until the call returns, because the pointer is
// converted in the call's arguments. MSG_DONTWAIT makes the call return at once even on a blocking descriptor.
func transfer(call uintptr, fd int, p []byte) (int, error) {
	const flags = syscall.MSG_DONTWAIT | syscall.MSG_NOSIGNAL
	var n uintptr
	var errno syscall.Errno
	if size := uintptr(min(len(p), longestCall)); monitor.covers() {
		n, _, errno = syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), size, flags, 0, 0)
	} else {
		n, _, errno = syscall.Syscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), size, flags, 0, 0)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
