package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/load"
)

// memory measures what idle connections take.
func (b *bench) memory(s *scenario, srv *server, dialect string) (sample, error) {
	n, note := s.possible()
	before, err := settled(srv.PID())
	if err != nil {
		return sample{}, err
	}
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	idle, err := srv.target.Idle(dialect, n, load.Dialers)
	if err != nil {
		return sample{}, err
	}
	defer idle.Close()
	got, err := m.stop(int64(n))
	if err != nil {
		return sample{}, err
	}
	after, err := settled(srv.PID())
	got.Bytes, got.Note = float64(after-before)/float64(n), note
	return got, err
}

// possible is how many of a scenario's connections the limit of open files allows, and a note if it is not all.
func (s *scenario) possible() (n int, note string) {
	const others = 300 // files that this process has besides
	if n = host.MaxFiles() - others; n >= s.n {
		return s.n, ""
	}
	return n, fmt.Sprintf("%d connections, since the limit of open files is %d", n, host.MaxFiles())
}

// unforced is how long a server may return memory by itself before it is looked at.
const unforced = 3 * time.Second

// resident measures all memory that a server has after a call on each of many connections.
func (b *bench) resident(s *scenario, srv *server, dialect string) (sample, error) {
	n, note := s.possible()
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	if s.closed {
		err = srv.target.OneByOne(dialect, n)
	} else {
		var idle *load.Idle
		if idle, err = srv.target.Idle(dialect, n, 1); err == nil {
			defer idle.Close()
		}
	}
	if err != nil {
		return sample{}, err
	}
	got, err := m.stop(int64(n))
	if err != nil {
		return sample{}, err
	}
	got.Note = note
	time.Sleep(unforced)
	before, err := host.Resident(srv.PID())
	if err != nil {
		return sample{}, err
	}
	var line struct{ Collected bool }
	if err := srv.Ask("collect", &line, time.Minute); err != nil || !line.Collected {
		return sample{}, errors.Join(errors.New("it did not collect its garbage"), err)
	}
	after, err := host.Resident(srv.PID())
	got.Resident, got.Collected = float64(before), float64(after)
	return got, err
}

// settled waits until a process's memory hardly changes any more, but not for ever.
func settled(pid int) (int64, error) {
	const tick, most, small = 500 * time.Millisecond, 10, 64 << 10
	last, err := host.Memory(pid)
	for range most {
		if err != nil {
			return 0, err
		}
		time.Sleep(tick)
		var now int64
		now, err = host.Memory(pid)
		if change := now - last; change < small && change > -small {
			return now, err
		}
		last = now
	}
	return last, err
}
