package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/load"
)

// sample is one run.
type sample struct {
	CPU       float64       `json:"cpuMicros"` // of the server, µs for one of the scenario's units
	Rate      float64       `json:"perSecond"`
	P50       time.Duration `json:"p50,omitzero"`
	P99       time.Duration `json:"p99,omitzero"`
	Server    float64       `json:"serverBusy"`         // share of a core
	Generator float64       `json:"generatorBusy"`      // share of a core
	Others    float64       `json:"others"`             // share of both cores that something else had
	Parsed    float64       `json:"parsed"`             // share of answers that the generator had to parse
	Bytes     float64       `json:"bytes,omitzero"`     // of memory for one connection
	Resident  float64       `json:"resident,omitzero"`  // bytes of memory that the server has
	Collected float64       `json:"collected,omitzero"` // the same after it has collected its garbage
	Note      string        `json:"note,omitzero"`
}

// starved tells whether the generator could not give the server enough to do.
func (s sample) starved() bool { return s.Generator > 0.95 && s.Server < 0.90 }

// row is all runs of a subject in a scenario.
type row struct {
	Scenario string   `json:"scenario"`
	Peer     string   `json:"peer"`
	Dialect  string   `json:"dialect"`
	Samples  []sample `json:"samples,omitempty"`
	Absent   string   `json:"absent,omitempty"` // why there are no samples, or no more
}

func (r *row) name() string { return r.Peer + " " + r.Dialect }

// median is that of each number, and the spread of CPU: half of what lies between the lowest and the highest, as a share
// of the median.
func (r *row) median() (m sample, spread float64) {
	of := func(get func(sample) float64) float64 { return median(r.Samples, get) }
	m = sample{
		CPU:       of(func(s sample) float64 { return s.CPU }),
		Rate:      of(func(s sample) float64 { return s.Rate }),
		P50:       time.Duration(of(func(s sample) float64 { return float64(s.P50) })),
		P99:       time.Duration(of(func(s sample) float64 { return float64(s.P99) })),
		Server:    of(func(s sample) float64 { return s.Server }),
		Generator: of(func(s sample) float64 { return s.Generator }),
		Others:    of(func(s sample) float64 { return s.Others }),
		Parsed:    of(func(s sample) float64 { return s.Parsed }),
		Bytes:     of(func(s sample) float64 { return s.Bytes }),
		Resident:  of(func(s sample) float64 { return s.Resident }),
		Collected: of(func(s sample) float64 { return s.Collected }),
	}
	for _, s := range r.Samples {
		if s.Note != "" {
			m.Note = s.Note
		}
	}
	value := func(s sample) float64 { return s.cost() }
	low, high := value(r.Samples[0]), value(r.Samples[0])
	for _, s := range r.Samples {
		low, high = min(low, value(s)), max(high, value(s))
	}
	if cost := m.cost(); cost > 0 {
		spread = (high - low) / 2 / cost
	}
	return m, spread
}

// cost is what ratios compare.
func (s sample) cost() float64 {
	if s.Bytes != 0 {
		return s.Bytes
	}
	if s.Resident != 0 {
		return s.Resident
	}
	return s.CPU
}

func median(samples []sample, get func(sample) float64) float64 {
	var values []float64
	for _, s := range samples {
		values = append(values, get(s))
	}
	slices.Sort(values)
	return middle(values)
}

func middle(sorted []float64) float64 {
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}

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
	got.P50, got.P99 = times.Quantile(0.5), times.Quantile(0.99)
	return got, nil
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
