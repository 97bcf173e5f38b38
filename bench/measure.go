package main

import (
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/load"
	"github.com/kkrpc-go/kkrpc/bench/results"
)

type (
	sample = results.Sample
	row    = results.Row
)

// meter reads what a server and its generator use, and what runs on their cores.
type meter struct {
	pid, gen    int   // the server and the generator
	cores       []int // theirs, if they are kept on some
	at          time.Time
	server, own time.Duration
	idle        time.Duration // of the cores together
}

func (b *bench) startMeter(pid int) (meter, error) { return b.startMeters(pid, host.Self()) }

func (b *bench) startMeters(pid, gen int) (meter, error) {
	m := meter{pid: pid, gen: gen}
	if b.pinned {
		m.cores = []int{b.serverCore, b.generatorCore}
	}
	return m, m.read()
}

func (m *meter) read() (err error) {
	if m.server, err = host.CPU(m.pid); err != nil {
		return err
	}
	if m.own, err = host.CPU(m.gen); err != nil {
		return err
	}
	m.idle = 0
	for _, core := range m.cores {
		idle, err := host.Idle(core)
		if err != nil {
			return err
		}
		m.idle += idle
	}
	m.at = time.Now()
	return nil
}

// stop returns what was used since start for n units.
func (m meter) stop(n int64) (sample, error) {
	now := m
	if err := now.read(); err != nil {
		return sample{}, err
	}
	if n == 0 {
		return sample{}, fmt.Errorf("nothing was done in %v", now.at.Sub(m.at))
	}
	elapsed := now.at.Sub(m.at).Seconds()
	server, own := (now.server - m.server).Seconds(), (now.own - m.own).Seconds()
	got := sample{CPU: server * 1e6 / float64(n), Rate: float64(n) / elapsed, Server: server / elapsed, Generator: own / elapsed}
	if n := float64(len(m.cores)); n > 0 {
		got.Others = max(0, 1-((now.idle-m.idle).Seconds()+server+own)/elapsed/n)
	}
	return got, nil
}

// calls measures a closed loop of calls.
func (b *bench) calls(s *scenario, srv *server, dialect string) (sample, error) {
	l := load.Load{Target: srv.target, Dialect: dialect, Work: s.work(), Conns: s.conns, InFlight: s.inFlight, Each: b.each}
	r, err := l.Start()
	if err != nil {
		return sample{}, err
	}
	time.Sleep(b.time / 2) // until the compilers of the others have done their work
	got, err := b.window(r, srv)
	times, stopped := r.Stop()
	if stopped != nil {
		return sample{}, stopped
	}
	if err != nil {
		return sample{}, err
	}
	quantiles(&got, times)
	return got, nil
}

func quantiles(s *sample, times *load.Histogram) {
	s.P50, s.P90, s.P99, s.P999 = times.Quantile(0.5), times.Quantile(0.9), times.Quantile(0.99), times.Quantile(0.999)
}

const (
	enough  = 20 // calls, so that it hardly matters that one was half done
	longest = 10 // times as long as a run may take until they are done
)

func (b *bench) window(r *load.Running, srv *server) (sample, error) {
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	before := r.Counts()
	r.Time(true)
	for i := 0; i < longest && (i == 0 || r.Counts().Calls < before.Calls+enough) && r.Err() == nil; i++ {
		time.Sleep(b.time)
	}
	r.Time(false)
	after := r.Counts()
	got, err := m.stop(after.Calls - before.Calls)
	got.Parsed = float64(after.Parsed-before.Parsed) / float64(max(1, after.Calls-before.Calls))
	return got, err
}
