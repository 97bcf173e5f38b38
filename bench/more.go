package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/load"
)

// repeat measures what do does, n units each time, for as long as a run takes, after doing it without measuring.
func (b *bench) repeat(srv *server, n int, do func() error) (sample, error) {
	for warm := time.Now(); ; {
		if err := do(); err != nil {
			return sample{}, err
		}
		if time.Since(warm) > b.time/2 {
			break
		}
	}
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	var done int64
	for time.Since(m.at) < b.time {
		if err := do(); err != nil {
			return sample{}, err
		}
		done += int64(n)
	}
	return m.stop(done)
}

// pushes measures streams and callbacks.
func (b *bench) pushes(s *scenario, srv *server, dialect string) (_ sample, err error) {
	session, err := srv.target.Session(dialect)
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	do := session.Stream
	if s.kind == callbacks {
		do = session.Storm
	}
	return b.repeat(srv, s.n, func() error { return do(s.n) })
}

// fans are how the kinds of scenario send messages to members.
var fans = map[kind]load.Fan{rooms: load.Burst, paced: load.Burst, members: load.Tell, shared: load.TellShared}

// room measures fan-out.
func (b *bench) room(s *scenario, srv *server, dialect string) (_ sample, err error) {
	room, err := srv.target.Room(dialect, fans[s.kind], s.n)
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, room.Close()) }()
	text := strings.Repeat("sixteen letters ", 4)
	return b.repeat(srv, s.n*s.burst, func() error { return room.Send(s.burst, text) })
}

// pace is how many messages a second a room gets, for how long.
const (
	pace    = 1000
	pacedBy = 10 * time.Second
)

// paced measures how long messages take to the members of a room.
func (b *bench) paced(s *scenario, srv *server, dialect string) (_ sample, err error) {
	room, err := srv.target.Room(dialect, fans[s.kind], s.n)
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, room.Close()) }()
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	times, err := room.Paced(pace, pacedBy, s.stalled)
	if err != nil {
		return sample{}, err
	}
	got, err := m.stop(int64(s.n) * pace * int64(pacedBy/time.Second))
	quantiles(&got, times)
	return got, err
}

// connects measures how fast connections are made.
func (b *bench) connects(srv *server, dialect string) (sample, error) {
	if _, err := srv.target.Connect(dialect, b.time/2); err != nil {
		return sample{}, err
	}
	m, err := b.startMeter(srv.PID())
	if err != nil {
		return sample{}, err
	}
	n, err := srv.target.Connect(dialect, b.time)
	if err != nil {
		return sample{}, err
	}
	return m.stop(n)
}

// clients measures clients: how many calls one in JavaScript gets from a server, what a call costs one in Go.
func (b *bench) clients(s *scenario, sub subject, srv *server) (sample, error) {
	addr, inFlight := srv.target.Addr, strconv.Itoa(s.inFlight)
	if s.kind == goClients {
		exe, err := b.build(".", "./bench/client")
		if err != nil {
			return sample{}, err
		}
		cmd := b.oneThread(exec.Command(exe, "-addr", addr, "-inflight", inFlight, "-dialect", sub.dialect, "-time", b.time.String()))
		return b.external(cmd, srv, true)
	}
	version, variable := "npm", ""
	if strings.HasPrefix(sub.dialect, "compact") {
		version, variable = "2", "KKRPC_V2"
	}
	cmd, err := script(bun, variable, "client.mjs", addr, inFlight, strconv.FormatInt(b.time.Milliseconds(), 10), version)(b, sub.dialect)
	if err != nil {
		return sample{}, err
	}
	return b.external(cmd, srv, false)
}

// external measures a server while another program calls it, which prints {"event":"begin"}, {"event":"end","calls":…} and
// {"event":"times"} with durations in ns. With swap the processor time for a call is that program's.
func (b *bench) external(cmd *exec.Cmd, srv *server, swap bool) (sample, error) {
	generator, err := host.Start(cmd, b.generatorCore)
	if err != nil {
		return sample{}, err
	}
	defer generator.Stop()
	var line struct {
		Event    string
		Calls    int64
		P50, P99 time.Duration
	}
	next := func(event string) error {
		if err := generator.Line(&line, 3*b.time+time.Minute); err != nil {
			return fmt.Errorf("%s %w", cmd.Path, err)
		}
		if line.Event != event {
			return fmt.Errorf("%s says %q instead of %q", cmd.Path, line.Event, event)
		}
		return nil
	}
	if err := next("begin"); err != nil {
		return sample{}, err
	}
	measured, other := srv.PID(), generator.PID()
	if swap {
		measured, other = other, measured
	}
	m, err := b.startMeters(measured, other)
	if err != nil {
		return sample{}, err
	}
	if err := next("end"); err != nil {
		return sample{}, err
	}
	got, err := m.stop(line.Calls)
	if err != nil {
		return sample{}, err
	}
	err = next("times")
	got.P50, got.P99 = line.P50, line.P99
	return got, err
}
