//go:build unix

package ws

import (
	"os"
	"runtime"
	"syscall"
)

// yield lets all goroutines run that are ready, and those whose files are ready. runtime.Gosched does not ask the kernel
// for ready files if no goroutine is ready. yield therefore writes to a pipe and waits until the kernel reports it.
func yield() {
	select {
	case l := <-loops:
		if l == nil {
			if l = newLoop(); l == nil {
				runtime.Gosched()
				loops <- nil
				return
			}
		}
		l.written = false
		if l.raw.Read(l.turn) != nil {
			l = nil // the garbage collector closes it
		}
		loops <- l
	default: // as many wait for the kernel already as can have an effect
		runtime.Gosched()
	}
}

// loops are pipes for the goroutines that yield at a time: two for each processor that the program has at its start. Nil
// stands for a pipe that is not open yet.
var loops = func() chan *loop {
	n := 2 * runtime.GOMAXPROCS(0)
	c := make(chan *loop, n)
	for range n {
		c <- nil
	}
	return c
}()

// newLoop returns nil if there are no descriptors left.
func newLoop() *loop {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
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
		return nil
	}
	l.turn = l.around
	return l
}

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
