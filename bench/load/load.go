// Package load is the load generator: raw WebSocket frames over plain TCP, made by hand so that it costs less than any
// server does. Every answer is checked.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Load is calls in a closed loop: each answer is followed by the next call.
type Load struct {
	Target   Target
	Dialect  string // of Dialects
	Work     Work
	Conns    int
	InFlight int // calls on each connection
	// Each writes every request by itself. Otherwise requests that follow answers of one read are written together.
	Each bool
}

// Counts is what a Load has done so far.
type Counts struct {
	Calls  int64
	Frames int64 // received
	Parsed int64 // answers that were not recognised at once, which costs the generator time
}

// Running is a Load at work.
type Running struct {
	conns    []*caller
	wg       sync.WaitGroup
	stopping atomic.Bool
	timing   atomic.Bool           // whether to count durations
	failure  atomic.Pointer[error] // the first
}

// ring is how many calls of a connection have a place; a call that is as many behind another is overdue.
const ring = 4096

// caller is a connection with its calls.
type caller struct {
	*conn
	r       *Running
	load    *Load
	out     Out
	answers answers
	next    uint64
	waiting int
	sent    []call // by number, modulo its length
	calls   atomic.Int64
	frames  atomic.Int64
	parsed  atomic.Int64
	times   *Histogram
}

type call struct {
	id uint64
	at int64 // ns since began
}

var began = time.Now()

// Start connects and begins to call. Stop ends it.
func (l *Load) Start() (*Running, error) {
	d, ok := Dialects[l.Dialect]
	if !ok {
		return nil, fmt.Errorf("no dialect %q", l.Dialect)
	}
	if l.InFlight > ring/4 {
		return nil, fmt.Errorf("%d calls in flight are more than %d", l.InFlight, ring/4)
	}
	w := l.Work
	if _, ok := d.(echo); ok {
		w = echoed(w)
	}
	target := l.Target
	if p, ok := d.(interface{ protocol() string }); ok {
		target.Protocol = p.protocol()
	}
	r := new(Running)
	for range l.Conns {
		c, err := target.dial()
		if err == nil {
			r.conns = append(r.conns, &caller{
				conn: c, r: r, load: l, answers: answers{dialect: d, work: &w},
				sent: make([]call, ring), times: new(Histogram),
			})
			err = r.conns[len(r.conns)-1].hello(d)
		}
		if err != nil {
			r.close()
			return nil, err
		}
	}
	for _, c := range r.conns {
		r.wg.Go(func() {
			if err := c.run(); err != nil {
				r.failure.CompareAndSwap(nil, &err)
			}
		})
	}
	return r, nil
}

func (c *caller) hello(d Dialect) error {
	n := d.Hello(&c.out)
	if _, err := c.Write(c.out.take()); err != nil {
		return err
	}
	for range n {
		if _, err := c.message(); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) run() error {
	now := int64(time.Since(began))
	for range c.load.InFlight {
		if err := c.call(now); err != nil {
			return err
		}
	}
	for {
		if err := c.flush(); err != nil {
			return err
		}
		if c.waiting == 0 {
			return nil
		}
		if err := c.fill(); err != nil {
			return err
		}
		if err := c.drain(); err != nil {
			return err
		}
	}
}

// drain handles the answers that have been read.
func (c *caller) drain() error {
	now := int64(time.Since(began))
	timing, done := c.r.timing.Load(), int64(0)
	for {
		msg, ok, err := c.conn.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		for len(msg) > 0 {
			line := msg
			if msg = nil; c.answers.dialect.Lines() {
				line, msg = cutLine(line)
			}
			if len(line) == 0 || isControl(line) {
				continue
			}
			sent, err := c.answered(line)
			if err != nil {
				return err
			}
			if timing {
				c.times.Add(time.Duration(now-sent), 1)
			}
			done++
			if !c.r.stopping.Load() {
				if err := c.call(now); err != nil {
					return err
				}
			}
		}
	}
	c.calls.Add(done)
	c.frames.Store(c.received)
	c.parsed.Store(c.answers.slow)
	return nil
}

// answered returns when the call was sent that msg answers.
func (c *caller) answered(msg []byte) (sent int64, err error) {
	id, err := c.answers.check(msg)
	if err != nil {
		return 0, err
	}
	slot := &c.sent[id%ring]
	if slot.id != id || id == 0 {
		return 0, fmt.Errorf("an answer to call %d, which is not under way", id)
	}
	slot.id = 0
	c.waiting--
	if a, ok := c.answers.dialect.(interface{ answered(*Out, uint64) }); ok {
		a.answered(&c.out, id)
	}
	return slot.at, nil
}

// call adds the next call to what flush writes.
func (c *caller) call(now int64) error {
	c.next++
	slot := &c.sent[c.next%ring]
	if slot.id != 0 {
		return fmt.Errorf("call %d has no answer, but call %d does", slot.id, c.next-1)
	}
	*slot = call{c.next, now}
	c.waiting++
	c.answers.dialect.Call(&c.out, c.answers.work, c.next)
	if c.load.Each {
		return c.flush()
	}
	return nil
}

func (c *caller) flush() error {
	b := c.out.take()
	if len(b) == 0 {
		return nil
	}
	_, err := c.Write(b)
	return err
}

// Time says whether the durations of calls count from now on.
func (r *Running) Time(on bool) { r.timing.Store(on) }

// Counts returns what has been done.
func (r *Running) Counts() Counts {
	var n Counts
	for _, c := range r.conns {
		n.Calls += c.calls.Load()
		n.Frames += c.frames.Load()
		n.Parsed += c.parsed.Load()
	}
	return n
}

// Err returns what ended a connection too early, if something did.
func (r *Running) Err() error {
	if err := r.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// patience is how long the last answers may take.
const patience = 20 * time.Second

// Stop waits for the answers that are due, closes, and returns how long calls took.
func (r *Running) Stop() (*Histogram, error) {
	r.stopping.Store(true)
	for _, c := range r.conns {
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, net.ErrClosed) {
			return nil, err
		}
	}
	r.wg.Wait()
	err := r.Err()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		waiting := 0
		for _, c := range r.conns {
			waiting += c.waiting
		}
		err = fmt.Errorf("%d calls have had no answer for %v", waiting, patience)
	}
	all := new(Histogram)
	for _, c := range r.conns {
		all.Merge(c.times)
	}
	r.close()
	return all, err
}

func (r *Running) close() {
	for _, c := range r.conns {
		c.Close()
	}
}

// cutLine takes the first line off, and the newline.
func cutLine(msg []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(msg, []byte{'\n'})
	return line, rest
}
