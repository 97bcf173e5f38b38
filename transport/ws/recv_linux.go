//go:build linux && !race && !msan && !386 && !s390x

package ws

import (
	"syscall"
	"unsafe"
)

// Go tells its scheduler of every system call, since it may block, and the first one after a quiet moment wakes the
// scheduler's monitor: a thread that runs and soon sleeps again, at the price of several system calls. These calls
// cannot block, so they are made without, but for some that monitor_linux.go wants told. The race and memory detectors
// would lose sight of what the kernel writes and what one end of a connection tells the other, and two processors name
// the calls differently: there recv_unix.go is in use.

// longestCall is how many bytes such a call copies at most: while it does, the collector waits for it.
const longestCall = largeBuffer

// recv is syscall.Read of a socket, and never blocks.
func recv(fd int, p []byte) (int, error) { return transfer(syscall.SYS_RECVFROM, fd, p) }

// send is syscall.Write to a socket, and never blocks. It may take less than there is room for.
func send(fd int, p []byte) (int, error) { return transfer(syscall.SYS_SENDTO, fd, p) }

// transfer passes the kernel a pointer to memory of p's length, which lives until the call returns, since the pointer
// is converted in the call's arguments. MSG_DONTWAIT makes it return at once even if the descriptor is set to block.
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
