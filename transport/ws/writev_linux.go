package ws

import (
	"syscall"
	"unsafe"
)

// writeSegments writes as much of segs, none of which is empty, as the kernel takes at once. One call sends all, since a
// header sent on its own would wake the peer twice.
func writeSegments(fd int, segs [][]byte) (int, error) {
	if len(segs) == 1 {
		return send(fd, segs[0])
	}
	var iov [maxSegments]syscall.Iovec
	for i, s := range segs {
		iov[i].Base = &s[0]
		iov[i].SetLen(len(s))
	}
	n, _, errno := syscall.Syscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&iov[0])), uintptr(len(segs)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
