package replay

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// mismatches are the frames of one recording that did not come out as recorded, by their numbers. For a frame that the
// replay sent, it means that the channel answered what the original did not. Number 0 stands for the close.
type mismatches map[int]error

func (m mismatches) add(number int, err error) { m[number] = errors.Join(m[number], err) }

// concurrent are the scenarios in which the order of answers is a matter of timing.
var concurrent = []string{"bidirectional", "malformed-to-server", "out-of-order", "request-id-reuse", "stream-as-argument", "stream-concurrent"}

// settling are the scenarios in which the recorded client gave the producers some time before it asked for statistics.
var settling = []string{"stream-break", "stream-break-custom-iterator", "stream-consumer-throws", "stream-iterator-manual", "stream-no-consume"}

const settleTime = 20 * time.Millisecond

// replayServer runs a channel against the frames that the recorded client sent, and compares its answers.
func replayServer(t *testing.T, r *recording) mismatches {
	bad := mismatches{}
	synctest.Test(t, func(t *testing.T) { newServerReplay(t, r, bad).run() })
	return bad
}

type serverReplay struct {
	t         *testing.T
	r         *recording
	scenario  scenario
	bad       mismatches
	ids       *idPairs
	script    *script
	ch        *kkrpc.Channel
	held      []string     // written, but not matched yet
	done      map[int]bool // frames of the server that have been matched
	initiated bool
	collected []string // releases by the garbage collector
}

func newServerReplay(t *testing.T, r *recording, bad mismatches) *serverReplay {
	s := &serverReplay{t: t, r: r, scenario: scenarios[r.scenario], bad: bad, ids: newIDPairs(r), script: newScript(), done: map[int]bool{}}
	opts := &kkrpc.Options{CallTimeout: -1, ErrorText: r.server.version == "0.2.2", References: r.server.variant == "remote-refs"}
	if s.scenario.server != nil {
		opts.Expose = s.scenario.server(r)
	}
	if s.scenario.plugin != nil {
		opts.Inbound = []kkrpc.Interceptor{s.scenario.plugin}
	}
	// Detection is under test wherever the client spoke the server's dialect.
	if r.client.dialect() != r.server.dialect() || slices.Contains([]string{"codec-crossing", "malformed-to-server", "malformed-to-server-tolerant"}, r.scenario) {
		opts.Dialect = r.server.dialect()
	}
	var err error
	if s.ch, err = kkrpc.New(context.Background(), s.script, opts); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *serverReplay) run() {
	defer finish(s.ch)
	for i, f := range s.r.frames {
		if i == s.r.closedAt && s.r.closedBy != "" {
			s.closeAsRecorded()
		}
		switch {
		case f.toServer:
			if m, ok := parseMessage(f.text); ok && m.path() == "stats" && slices.Contains(settling, s.r.scenario) {
				time.Sleep(settleTime)
			}
			s.script.send(s.ids.toActual(f.text))
		case s.r.scenario == "callback-in-callback" && strings.Contains(f.text, `"cbr"`):
			defer s.expectCollected(f)
		case !f.injected && !s.done[f.number]:
			s.expect(f, s.r.frames[i+1:])
		}
	}
	if len(s.r.frames) == s.r.closedAt && s.r.closedBy != "" {
		s.closeAsRecorded()
	}
	s.drain()
}

// expectCollected waits for a release that is due to the garbage collector, whose time is its own.
func (s *serverReplay) expectCollected(f frame) {
	for range 100 {
		runtime.GC()
		time.Sleep(time.Second) // of the test's clock: releases are gathered before they are sent
		synctest.Wait()
		s.script.mu.Lock()
		written := s.script.written
		s.script.written = nil
		s.script.mu.Unlock()
		for _, text := range append(s.collected, written...) {
			if sameFrame(s.ids, f.text, text) == nil {
				return
			}
		}
	}
	s.bad.add(f.number, errors.New("the callback was never released"))
}

// closeAsRecorded ends the connection where the recorded one ended.
func (s *serverReplay) closeAsRecorded() {
	switch s.r.closedBy {
	case "harness":
		var code int
		fmt.Sscan(s.r.closeCode, &code)
		s.ch.CloseWith(code, "")
		if closed, got := s.script.isClosed(); !closed || got != code {
			s.bad.add(0, fmt.Errorf("closed %v with code %d, want %d", closed, got, code))
		}
	case "client":
		s.script.hangUp()
		if s.ch.Err() == nil {
			s.bad.add(0, errors.New("still open after the peer has closed"))
		}
	case "server":
		if closed, code := s.script.isClosed(); !closed || code != 1000 {
			s.bad.add(0, fmt.Errorf("closed %v with code %d, want 1000", closed, code))
		}
	}
}

// expect waits for the recorded frame f. later are the frames behind it.
func (s *serverReplay) expect(f frame, later []frame) {
	want, _ := parseMessage(f.text)
	for {
		text, ok := s.next(want)
		if !ok {
			s.bad.add(f.number, fmt.Errorf("nothing was written, want %s", f.text))
			return
		}
		err := sameFrame(s.ids, f.text, text)
		if err == nil {
			return
		}
		got, _ := parseMessage(text)
		if got.kind() == "release" && want.kind() != "release" {
			s.collected = append(s.collected, text)
			continue
		}
		switch early := s.matchesLater(text, later); {
		case early && slices.Contains(concurrent, s.r.scenario):
		case early:
			s.bad.add(f.number, fmt.Errorf("out of order: %s before %s", text, f.text))
			s.held = append([]string{text}, s.held...)
			return
		case got.id() != want.id() && s.unasked(got, text):
		case s.r.left(s.bad, s.ids, got, want):
		default:
			s.bad.add(f.number, err)
			return
		}
	}
}

func (s *serverReplay) next(want message) (string, bool) {
	if len(s.held) > 0 {
		text := s.held[0]
		s.held = s.held[1:]
		return text, true
	}
	if want.kind() == "request" && s.scenario.initiate != nil && !s.initiated && s.quiet() {
		s.initiated = true
		go s.scenario.initiate(context.Background(), s.ch) // ends with its answer or the channel
	}
	return s.script.take()
}

// quiet reports whether nothing has been written that waits to be taken, and holds it if so.
func (s *serverReplay) quiet() bool {
	synctest.Wait()
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	return len(s.script.written) == 0
}

// matchesLater finds text among the frames that the server sends before the client speaks again. Where order is a
// matter of timing it counts as received.
func (s *serverReplay) matchesLater(text string, later []frame) bool {
	for _, f := range later {
		if f.toServer {
			if kind := parsed(f).kind(); kind == "sq" || kind == "sr" {
				continue // a loop that goes on
			}
			return false
		}
		if f.injected || s.done[f.number] {
			continue
		}
		switch err := sameFrame(s.ids, f.text, text); {
		case err == nil:
		case sameEnd(s.ids, f.text, text):
			s.bad.add(f.number, err)
		default:
			continue
		}
		s.done[f.number] = slices.Contains(concurrent, s.r.scenario)
		return true
	}
	return false
}

// unasked reports whether got answers a request that the original left unanswered.
func (s *serverReplay) unasked(got message, text string) bool {
	if kind := got.kind(); kind != "response" && kind != "sr" || got.id() == "" {
		return false
	}
	for _, f := range s.r.frames {
		if m, ok := parseMessage(f.text); ok && !f.toServer && m.kind() == got.kind() && m.id() == got.id() {
			return false
		}
	}
	for _, f := range s.r.frames {
		m, ok := parseMessage(f.text)
		if ok && f.toServer && m.id() == got.id() && (m.kind() == "sq") == (got.kind() == "sr") {
			s.bad.add(f.number, fmt.Errorf("answered with %s, which the original did not", text))
			return true
		}
	}
	return false
}

// drain looks at what was written beyond what was recorded.
func (s *serverReplay) drain() {
	synctest.Wait()
	s.script.mu.Lock()
	rest := append(s.held, s.script.written...)
	s.script.written = nil
	s.script.mu.Unlock()
	for _, text := range rest {
		got, _ := parseMessage(text)
		if got.kind() == "release" {
			s.collected = append(s.collected, text)
			continue
		}
		if !s.unasked(got, text) && !s.r.left(s.bad, s.ids, got, message{}) {
			s.bad.add(0, fmt.Errorf("unexpected frame %s", text))
		}
	}
	if closed, _ := s.script.isClosed(); closed && s.r.closedBy == "" {
		s.bad.add(0, fmt.Errorf("closed: %v", s.ch.Err()))
	}
}
