package load

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Idle is connections on which nothing happens any more.
type Idle struct {
	mu    sync.Mutex
	conns []*conn
}

// Dialers is how many connections Connect makes at the same time.
const Dialers = 32

// Idle opens n connections, so many at the same time as dialers says, and makes one call on each.
func (t Target) Idle(dialect string, n, dialers int) (*Idle, error) {
	idle := &Idle{conns: make([]*conn, 0, n)}
	var left atomic.Int64
	left.Store(int64(n))
	err := parallel(dialers, func() error {
		for left.Add(-1) >= 0 {
			c, err := t.first(dialect)
			if err != nil {
				left.Store(0)
				return err
			}
			c.in, c.out.buf = nil, nil
			idle.mu.Lock()
			idle.conns = append(idle.conns, c.conn)
			idle.mu.Unlock()
		}
		return nil
	})
	if err != nil {
		idle.Close()
		return nil, fmt.Errorf("after %d of %d connections: %w", len(idle.conns), n, err)
	}
	return idle, nil
}

// Close closes all connections.
func (i *Idle) Close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, c := range i.conns {
		c.Close()
	}
}

// Connect connects, makes one call and disconnects, again and again for a while. It returns how often.
func (t Target) Connect(dialect string, d time.Duration) (int64, error) {
	var n atomic.Int64
	until := time.Now().Add(d)
	err := parallel(Dialers, func() error {
		for time.Now().Before(until) {
			c, err := t.first(dialect)
			if err != nil {
				return err
			}
			c.Close()
			n.Add(1)
		}
		return nil
	})
	return n.Load(), err
}

// OneByOne connects, makes one call and disconnects, n times.
func (t Target) OneByOne(dialect string, n int) error {
	for i := range n {
		c, err := t.first(dialect)
		if err != nil {
			return fmt.Errorf("after %d of %d connections: %w", i, n, err)
		}
		c.Close()
	}
	return nil
}

func parallel(n int, run func() error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = run() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// first connects and makes the first call.
func (t Target) first(dialect string) (*caller, error) {
	d, ok := Dialects[dialect]
	if !ok {
		return nil, fmt.Errorf("no dialect %q", dialect)
	}
	w := Add()
	if _, ok := d.(echo); ok {
		w = echoed(w)
	}
	c, err := t.dial()
	if err != nil {
		return nil, err
	}
	// Its reader is small: there may be thousands.
	c.in = append(make([]byte, 0, 1024), c.in...)
	caller := &caller{conn: c, answers: answers{dialect: d, work: &w}}
	if err := caller.one(); err != nil {
		c.Close()
		return nil, err
	}
	return caller, nil
}

func (c *caller) one() error {
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if err := c.hello(c.answers.dialect); err != nil {
		return err
	}
	c.answers.dialect.Call(&c.out, c.answers.work, 1)
	if err := c.flush(); err != nil {
		return err
	}
	msg, err := c.message()
	if err != nil {
		return err
	}
	line, _ := cutLine(msg)
	if _, err := c.answers.check(line); err != nil {
		return err
	}
	return c.SetDeadline(time.Time{})
}
