package ws

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
)

// parked is where the connections of the process wait on which nothing happens. A goroutine for each would be half of
// their memory: its stack alone is 2 KB, 4 KB with TLS. Here one waits for all of them, by an epoll of its own.
var parked parkingLot

type parkingLot struct {
	mu       sync.Mutex
	file     *os.File // the epoll, in which the runtime in turn waits for events; nil until it is needed
	raw      syscall.RawConn
	places   []*conn // by number, which is that of the events; 0 is never used
	free     []int32 // places
	count    int     // of the places that are taken
	watching bool    // the goroutine runs; it ends when no place is taken
}

// add reports false if c cannot wait here. A place is kept until remove, but gives one event for each add. The caller
// holds lingers.
func (l *parkingLot) add(c *conn) bool {
	socket := c.socket()
	if socket == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.openLocked() {
		return false
	}
	op := syscall.EPOLL_CTL_MOD
	if c.place == 0 {
		op = syscall.EPOLL_CTL_ADD
		c.place = l.takeLocked(c)
	}
	ctl := errors.ErrUnsupported
	err := l.raw.Control(func(epoll uintptr) {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT, Fd: c.place}
		err := socket.Control(func(fd uintptr) { ctl = syscall.EpollCtl(int(epoll), op, int(fd), &event) })
		if err != nil {
			ctl = err
		}
	})
	if err == nil && ctl == nil {
		return true
	}
	if op == syscall.EPOLL_CTL_ADD {
		l.leaveLocked(c)
	}
	return false
}

// remove must be called when c is closed. The socket leaves the epoll when it is closed. At most one event can come until
// then. It finds the place empty, or wakes the new owner of the place for nothing. The caller holds lingers.
func (l *parkingLot) remove(c *conn) {
	if c.place == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaveLocked(c)
}

// socket is what c waits for, or nil if it is none.
func (c *conn) socket() syscall.RawConn {
	if c.raw != nil {
		return c.raw
	}
	if t, ok := c.nc.(*tls.Conn); ok {
		if tcp, ok := t.NetConn().(*net.TCPConn); ok {
			raw, _ := tcp.SyscallConn()
			return raw
		}
	}
	return nil
}

// openLocked makes the epoll, and the goroutine that waits for its events, if they are not there. What fails now may not
// the next time: a process has no file descriptors left while too many connect.
func (l *parkingLot) openLocked() bool {
	if l.file == nil && l.createLocked() != nil {
		return false
	}
	if !l.watching {
		if l.file.SetReadDeadline(noDeadline) != nil {
			return false
		}
		l.watching = true
		go l.watch() // ends when no place is taken any more
	}
	return true
}

func (l *parkingLot) createLocked() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return errors.Join(err, syscall.Close(fd))
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	l.file, l.raw, l.places = file, raw, make([]*conn, 1)
	return nil
}

func (l *parkingLot) takeLocked(c *conn) (place int32) {
	l.count++
	if n := len(l.free); n > 0 {
		place = l.free[n-1]
		l.free = l.free[:n-1]
		l.places[place] = c
		return place
	}
	l.places = append(l.places, c)
	return int32(len(l.places) - 1)
}

func (l *parkingLot) leaveLocked(c *conn) {
	l.places[c.place] = nil
	l.free = append(l.free, c.place)
	c.place = 0
	if l.count--; l.count == 0 {
		_ = l.file.SetReadDeadline(longAgo) // it worked when the goroutine was started
	}
}

// watch wakes the connections on whose sockets something has happened.
func (l *parkingLot) watch() {
	var events [64]syscall.EpollEvent
	for {
		n := 0
		_ = l.raw.Read(func(epoll uintptr) bool { // the deadline is the only error
			var err error
			for n, err = syscall.EpollWait(int(epoll), events[:], 0); err == syscall.EINTR; {
				n, err = syscall.EpollWait(int(epoll), events[:], 0)
			}
			return n > 0
		})
		l.mu.Lock()
		if l.count == 0 {
			l.watching = false
			l.mu.Unlock()
			return
		}
		for _, e := range events[:max(n, 0)] {
			if c := l.places[e.Fd]; c != nil {
				go c.unpark() // ends when it is parked again, or as the goroutine that reads
			}
		}
		if n <= 0 {
			_ = l.file.SetReadDeadline(noDeadline) // somebody came while the last one left
		}
		l.mu.Unlock()
	}
}
