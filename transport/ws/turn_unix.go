//go:build unix

package ws

import (
	"os"
	"runtime"
	"sync"
	"syscall"
)

// yield lets all goroutines run that are ready or whose files are. runtime.Gosched forgets the latter: it comes back at
// once if nothing else is ready, without asking the kernel. So yield waits for the kernel itself, in a pipe that it
// writes to.
func yield() {
	l, _ := loops.Get().(*loop)
	if l == nil {
		runtime.Gosched()
		return
	}
	l.written = false
	if l.raw.Read(l.turn) == nil {
		loops.Put(l)
	}
}

// loops are pipes for those who yield at a time. What the pool drops is closed by the garbage collector.
var loops = sync.Pool{New: func() any {
	r, w, err := os.Pipe()
	if err != nil {
		return (*loop)(nil) // there are no descriptors left
	}
	l := &loop{r: r, w: w}
	var to syscall.RawConn
	if l.raw, err = r.SyscallConn(); err == nil {
		to, err = w.SyscallConn()
	}
	if err == nil {
		err = to.Control(func(fd uintptr) { l.to = int(fd) })
	}
	if err != nil {
		return (*loop)(nil)
	}
	l.turn = l.around
	return l
}}

// loop is a pipe whose ends one goroutine has.
type loop struct {
	r, w    *os.File
	raw     syscall.RawConn // of r
	to      int             // descriptor of w, which stays open as long as l
	turn    func(fd uintptr) bool
	written bool
}

// around is called until it returns true, and in between once r is readable.
func (l *loop) around(fd uintptr) bool {
	b := [1]byte{}
	if !l.written {
		l.written = true
		_, err := syscall.Write(l.to, b[:]) // which finds room, since the pipe is empty
		return err != nil
	}
	_, _ = syscall.Read(int(fd), b[:])
	return true
}
