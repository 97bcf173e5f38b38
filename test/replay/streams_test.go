package replay

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// consumption is a stream that the recorded client got, and what its successor does with it.
type consumption struct {
	stream iter.Seq2[superjson.Value, error]
	leave  int           // the number of items after which the loop is left; -1 for the end of the stream
	delay  time.Duration // that the recorded client took for each item
	pause  int           // the number of items after which it waited for go on; -1 for never
	goOn   chan struct{}

	started bool
	done    chan struct{}
	items   []superjson.Value
	err     error
}

// consume ranges over the stream of call.
func (c *clientReplay) consume(call *reissued) {
	s := call.stream
	s.started = true
	go func() { // ends with the stream or the channel
		defer close(s.done)
		if s.leave == 0 || s.stream == nil { // the call has failed
			return
		}
		for v, err := range s.stream {
			if err != nil {
				s.err = err
				return
			}
			s.items = append(s.items, superjson.Value{JSON: slices.Clone(v.JSON), Meta: v.Meta})
			if len(s.items) == s.leave {
				return
			}
			if len(s.items) == s.pause {
				<-s.goOn
			}
			time.Sleep(s.delay)
		}
	}()
}

// consumed reports whether the recorded client ranged over the classic stream of call, which no frame of its says.
func (c *clientReplay) consumed(call *reissued) bool {
	return c.r.scenario != "stream-no-consume" && slices.ContainsFunc(c.r.frames, func(f frame) bool {
		m := parsed(f)
		return m.id() == call.id && strings.HasPrefix(m.kind(), "stream-")
	})
}

// opened is the recorded response that answers the request of frame f with a stream.
func (c *clientReplay) opened(f frame, id string) (m message, ok bool) {
	if !c.r.client.classic() && c.r.client.variant != "streaming" {
		return m, false // such a client takes the stream for data
	}
	for _, later := range c.r.frames[f.number:] {
		m, ok = parseMessage(later.text)
		if ok && !later.toServer && m.kind() == "response" && m.id() == id {
			return m, m.opensStream()
		}
	}
	return m, false
}

// plan finds in the recording what its client did with the stream that answers the given request.
func (c *clientReplay) plan(request, response message, want *node) *consumption {
	s := &consumption{leave: -1, pause: -1, goOn: make(chan struct{}), done: make(chan struct{})}
	if c.r.scenario == "stream-slow-consumer" {
		s.delay = 3 * time.Millisecond
	}
	if c.r.scenario == "stream-raw-to-client" {
		s.pause = 2
	}
	items := 0
	for _, f := range c.r.frames {
		m, _ := parseMessage(f.text)
		switch {
		case !f.toServer && m.itemOf(request, response):
			items++
		case f.toServer && m.leaves(request, response):
			s.leave = items
			if chunks := want.at("resolved", "chunks"); chunks != nil {
				s.leave = len(chunks.array()) // more were under way
			}
			return s
		}
	}
	return s
}

// itemOf reports whether m is an item of the stream that answers request.
func (m message) itemOf(request, response message) bool {
	if m.classic {
		return m.kind() == "stream-chunk" && m.id() == request.id()
	}
	return m.kind() == "sr" && m.body.get("sid").json() == response.streamID() && !truthy(m.body.get("e")) && !m.finished()
}

// finished reports whether m says that its stream is at its end.
func (m message) finished() bool {
	d := m.body.get("d")
	return d != nil && d.kind == 't'
}

// leaves reports whether m says that its consumer wants no more of that stream.
func (m message) leaves(request, response message) bool {
	if m.classic {
		return m.kind() == "stream-cancel" && m.id() == request.id()
	}
	return m.kind() == "sq" && m.body.get("op").str() != "pull" && m.body.get("sid").json() == response.streamID()
}

func (m message) streamID() string {
	if ids := m.streams(); len(ids) == 1 {
		return ids[0].json()
	}
	return ""
}

// open performs a request whose answer is a stream.
func (c *clientReplay) open(m message) (stream iter.Seq2[superjson.Value, error], err error) {
	ctx, path := context.Background(), m.path()
	if m.operation() == "get" {
		return kkrpc.Get[iter.Seq2[superjson.Value, error]](ctx, c.ch, path)
	}
	return kkrpc.Call[iter.Seq2[superjson.Value, error]](ctx, c.ch, path, c.arguments(m)...)
}

// control does what the recorded client did when it wrote a control of a stream. But for the first pull, which is the
// beginning of a loop, the loops do it on their own.
func (c *clientReplay) control(m message) {
	for _, call := range c.calls {
		if call.stream != nil && !call.stream.started && call.opened.streamID() == m.body.get("sid").json() && m.body.get("op").str() == "pull" {
			c.consume(call)
		}
	}
}

// source repeats the stream that the recorded client gave to the server as an argument.
func (c *clientReplay) source(id string) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for _, f := range c.r.frames {
			m, _ := parseMessage(f.text)
			if !f.toServer || m.kind() != "sr" || m.body.get("sid").str() != id || c.ids.controls[m.body.get("id").str()] {
				continue
			}
			switch e, v := m.body.get("e"), m.value(m.body.get("v"), "v"); {
			case e != nil:
				name, text, _ := strings.Cut(e.get("m").str(), ": ")
				yield(nil, &kkrpc.Error{Name: name, Message: text})
				return
			case m.finished():
				return
			case v.JSON == nil:
				if !yield(superjson.Undefined, nil) {
					return
				}
			default:
				if !yield(v, nil) {
					return
				}
			}
		}
		for yield("more than the server has asked for", nil) {
		}
	}
}

// left reports whether got leaves a stream that the original left open, and notes it with the frame that offered the
// stream. want is what the original wrote here.
func (r *recording) left(bad mismatches, ids *idPairs, got, want message) bool {
	if got.kind() == "stream-cancel" && want.kind() != "stream-cancel" {
		id := got.body.get("id").str()
		if recorded, ok := ids.recorded[id]; ok {
			id = recorded
		}
		for _, f := range r.frames {
			if m := parsed(f); m.kind() == "response" && m.body.get("id").str() == id {
				bad.add(f.number, errors.New("left the stream, which the original did not"))
				return true
			}
		}
		return false
	}
	if got.kind() != "sq" || got.body.get("op").str() != "return" {
		return false
	}
	sid := got.body.get("sid").json()
	if want.kind() == "sq" && want.body.get("op").str() != "pull" && want.body.get("sid").json() == sid {
		return false
	}
	for _, f := range r.frames {
		if strings.Contains(f.text, `"`+compactStream+`":"async-iterable","id":`+sid) {
			bad.add(f.number, errors.New("left the stream, which the original did not"))
			return true
		}
	}
	return false
}

// waitForLoops gives the loops over streams the time to take what has been received.
func (c *clientReplay) waitForLoops() {
	for _, call := range c.calls {
		if s := call.stream; s != nil && s.started {
			time.Sleep(time.Duration(len(c.r.frames)) * s.delay)
		}
	}
	synctest.Wait()
}

// checkStream compares what a loop got with the recording.
func (c *clientReplay) checkStream(call *reissued, want *node) error {
	if call.err != nil {
		return fmt.Errorf("the call failed: %w, want a stream", call.err)
	}
	s := call.stream
	if !s.started {
		return nil
	}
	select {
	case <-s.done:
	default:
		return errors.New("the loop is not at its end")
	}
	if s.leave >= 0 && len(s.items) != s.leave {
		return fmt.Errorf("the loop got %d items and %v, want %d", len(s.items), s.err, s.leave)
	}
	m := call.opened
	got := &node{kind: '['}
	for _, item := range s.items {
		v, err := m.decode(item)
		if err != nil {
			return err
		}
		got.items = append(got.items, describe(v))
	}
	chunks := want.at("resolved", "chunks")
	if chunks == nil {
		if chunks = want.get("resolved"); chunks == nil || chunks.kind != '[' {
			chunks = c.recordedItems(call)
		}
	}
	if err := sameNode("items", comparable(chunks), comparable(got)); err != nil {
		return err
	}
	return c.checkEnd(s, want.at("resolved", "error"))
}

// recordedItems are those that the server sent and the client had time to take.
func (c *clientReplay) recordedItems(call *reissued) *node {
	list := &node{kind: '['}
	for _, f := range c.r.frames {
		m, _ := parseMessage(f.text)
		if f.toServer || !m.itemOf(call.request, call.opened) || len(list.items) == call.stream.leave {
			continue
		}
		raw := m.value(m.body.get("v"), "v")
		if m.classic {
			raw = m.value(m.body.at("args", "value"), "args", "value")
		}
		v, err := m.decode(raw)
		if err != nil {
			v = err
		}
		list.items = append(list.items, describe(v))
	}
	return list
}

// checkEnd compares how a stream ended, want being the error that the recorded loop threw, if the header has one.
func (c *clientReplay) checkEnd(s *consumption, want *node) error {
	message := want.get("message").str()
	switch {
	case c.r.scenario == "stream-raw-to-client":
		for _, f := range c.r.frames {
			if e := parsed(f).body.get("e"); e != nil && !f.toServer {
				want = object("$", "Error", "name", e.get("n"), "message", e.get("m"), "props", object("code", e.get("code")))
			}
		}
	case message == "consumer threw":
		want = nil
	case strings.HasPrefix(message, "RPC transport closed"), strings.HasPrefix(message, "RPC channel destroyed"):
		if !errors.Is(s.err, kkrpc.ErrClosed) {
			return fmt.Errorf("the stream ended with %v, not with the channel", s.err)
		}
		return nil
	}
	switch {
	case want == nil:
		return s.err
	case s.err == nil:
		return fmt.Errorf("the stream ended well, want %s", want.json())
	}
	return sameNode("error", comparable(want), comparable(describeError(s.err)))
}

func parsed(f frame) message {
	m, ok := parseMessage(f.text)
	if !ok {
		m.body = &node{kind: '{'}
	}
	return m
}

// orderResults puts the entries of the header into the order of the requests, in the scenarios in which calls overlap.
func (c *clientReplay) orderResults() {
	if !slices.Contains([]string{"stream-concurrent", "stream-slow-consumer"}, c.r.scenario) {
		return
	}
	var ordered []*node
	for _, f := range c.r.frames {
		m, ok := parseMessage(f.text)
		if !ok || !f.toServer || m.kind() != "request" {
			continue
		}
		var args []string
		for _, arg := range m.args() {
			if !m.classic {
				arg = arg.get("v")
			}
			args = append(args, arg.json())
		}
		label := m.path() + "(" + strings.Join(args, ",") + ")"
		i := slices.IndexFunc(c.results, func(n *node) bool { return strings.HasPrefix(n.get("call").str(), label) })
		if i < 0 {
			return
		}
		ordered = append(ordered, c.results[i])
	}
	c.results = ordered
}
