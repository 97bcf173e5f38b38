//go:build unix

package ws

import (
	"os"
	"runtime"
	"sync"
	"syscall"
)

// yield lets all goroutines run that are ready, and those whose files are ready. runtime.Gosched does not ask the kernel
// for ready files while a goroutine is ready. If some connections call it again and again, those that wait for data wait
// until the scheduler's monitor asks, after 10 ms. So all goroutines that yield wait together. One of them writes to a pipe
// and waits until the kernel reports it, which the scheduler learns once no goroutine is ready.
func yield() { turns.pass() }

var turns turnstile

// turnstile is where goroutines wait for their next turn.
type turnstile struct {
	mu      sync.Mutex
	polling bool // one of those who wait is in poll

	// gate is locked during poll. It is no sync.Cond, on which goroutines of different bubbles of testing/synctest cannot wait.
	gate sync.RWMutex
	pipe *pipe // owned by who has gate; nil if it is not open yet, or there are no descriptors left
}

func (t *turnstile) pass() {
	t.mu.Lock()
	if t.polling {
		t.mu.Unlock()
		t.gate.RLock()
		defer t.gate.RUnlock()
		return
	}
	t.polling = true
	t.gate.Lock() // those who passed the last time hold it for a moment at most
	t.mu.Unlock()
	t.poll()
	t.mu.Lock()
	t.polling = false
	t.mu.Unlock()
	t.gate.Unlock()
}

// poll returns once the scheduler has asked the kernel which files are ready.
func (t *turnstile) poll() {
	if t.pipe == nil {
		t.pipe = newPipe()
	}
	if t.pipe == nil || !t.pipe.around() {
		runtime.Gosched()
		t.pipe = nil // the garbage collector closes it
	}
}

// pipe is a pipe whose ends one goroutine has.
type pipe struct {
	r, w    *os.File
	from    syscall.RawConn // r
	to      int             // descriptor of w, which stays open as long as the pipe
	step    func(fd uintptr) bool
	written bool
	failed  bool
}

// newPipe returns nil if there are no descriptors left.
func newPipe() *pipe {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	p := &pipe{r: r, w: w}
	var to syscall.RawConn
	if p.from, err = r.SyscallConn(); err == nil {
		to, err = w.SyscallConn()
	}
	if err == nil {
		err = to.Control(func(fd uintptr) { p.to = int(fd) })
	}
	if err != nil {
		return nil
	}
	p.step = p.writeThenRead
	return p
}

// around sends a byte through the pipe.
func (p *pipe) around() (ok bool) {
	p.written = false
	return p.from.Read(p.step) == nil && !p.failed
}

// writeThenRead is called until it returns true, and in between once r is readable.
func (p *pipe) writeThenRead(fd uintptr) bool {
	b := [1]byte{}
	if !p.written {
		p.written = true
		_, err := syscall.Write(p.to, b[:]) // which finds room, since the pipe is empty
		p.failed = err != nil
		return p.failed
	}
	_, _ = syscall.Read(int(fd), b[:])
	return true
}
