package replay

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// replayClient repeats through the public API what the recorded client did, against the frames of the recorded server.
// It compares what the channel writes, and what each call returns.
func replayClient(t *testing.T, r *recording) mismatches {
	bad := mismatches{}
	synctest.Test(t, func(t *testing.T) { newClientReplay(t, r, bad).run() })
	return bad
}

type clientReplay struct {
	r         *recording
	bad       mismatches
	ids       *idPairs
	script    *script
	ch        *kkrpc.Channel
	results   []*node // of the calls, as the header has them; none when it does not have one for each
	calls     []*reissued
	callbacks map[string]*kkrpc.Callback // of this side, by recorded id
	refs      *clientRefs

	mu       sync.Mutex
	received [][]any                    // arguments of callbacks, in order of arrival
	handles  map[string]*kkrpc.Callback // of the peer, by the id on the wire
}

// reissued is one request.
type reissued struct {
	number   int // of its frame
	id       string
	response int // number of the first frame that answers it; 0 for none
	done     chan struct{}
	result   superjson.Value
	err      error

	request, opened message
	stream          *consumption // set if the answer is a stream
}

func newClientReplay(t *testing.T, r *recording, bad mismatches) *clientReplay {
	c := &clientReplay{r: r, bad: bad, ids: newIDPairs(r), script: newScript(),
		callbacks: map[string]*kkrpc.Callback{}, handles: map[string]*kkrpc.Callback{}, refs: newClientRefs()}
	opts := &kkrpc.Options{CallTimeout: -1, Dialect: r.client.dialect(), ErrorText: r.client.version == "0.2.2",
		References: r.client.variant == "remote-refs"}
	if r.scenario == "timeout" {
		opts.CallTimeout = recordedTimeout
	}
	requests := 0
	for _, f := range r.frames {
		if m, ok := parseMessage(f.text); ok && f.toServer && !f.injected && m.kind() == "request" {
			requests++
		}
	}
	for _, n := range r.results {
		if n.get("call") != nil {
			c.results = append(c.results, n)
		}
	}
	local := slices.ContainsFunc(c.results, func(n *node) bool {
		return n.get("threwSync") != nil || n.at("rejected", "name").str() == "RPCEncodeError" // nothing was sent for it
	})
	if len(c.results) != requests || local {
		c.results = nil
	}
	c.orderResults()
	if s := scenarios[r.scenario]; s.client != nil {
		opts.Expose = s.client(r)
	}
	var err error
	if c.ch, err = kkrpc.New(context.Background(), c.script, opts); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *clientReplay) run() {
	defer finish(c.ch)
	for i, f := range c.r.frames {
		if i == c.r.closedAt && c.r.closedBy != "" {
			c.closeAsRecorded()
		}
		switch {
		case !f.toServer:
			c.receive(f)
		case !f.injected:
			c.reissue(f)
		}
	}
	if len(c.r.frames) == c.r.closedAt && c.r.closedBy != "" {
		c.closeAsRecorded()
	}
	c.waitForLoops()
	for _, text := range c.script.written {
		if m, _ := parseMessage(text); m.kind() != "qc" && !c.r.left(c.bad, c.ids, m, message{}) {
			c.bad.add(0, fmt.Errorf("unexpected frame %s", text))
		}
	}
	c.checkOutcomes()
}

func (c *clientReplay) closeAsRecorded() {
	if c.r.closedBy != "client" {
		c.script.hangUp()
		return
	}
	if closed, _ := c.script.isClosed(); closed {
		return // by the __DESTROY__ it has received
	}
	c.ch.Close()
	if closed, _ := c.script.isClosed(); !closed {
		c.bad.add(0, fmt.Errorf("Close did not close the transport"))
	}
}

// receive delivers a frame of the server.
func (c *clientReplay) receive(f frame) {
	before := len(c.received)
	if m, ok := parseMessage(f.text); ok && m.kind() == "response" && c.timedOut(m.id()) {
		time.Sleep(recordedTimeout + time.Millisecond)
	}
	c.script.send(c.ids.toActual(f.text))
	m, ok := parseMessage(f.text)
	if !ok {
		return
	}
	switch m.kind() {
	case "response":
		for _, call := range c.calls {
			if call.id != m.id() || call.response != 0 {
				continue
			}
			call.response = f.number
			if err := c.refs.answered(call, m); err != nil {
				c.bad.add(f.number, err)
			}
			if call.stream != nil && m.classic && c.consumed(call) {
				c.consume(call)
			}
			break
		}
	case "sr":
		for _, call := range c.calls {
			if s := call.stream; s != nil && s.pause >= 0 && truthy(m.body.get("e")) {
				close(s.goOn)
			}
		}
		synctest.Wait()
	case "callback":
		c.mu.Lock()
		defer c.mu.Unlock()
		known := c.callbacks[m.callee()] != nil && c.released(m.callee(), f.number) == 0
		if called := len(c.received) > before; called != known {
			c.bad.add(f.number, fmt.Errorf("the callback was called: %v, want %v", called, known))
			return
		} else if !called {
			return
		}
		c.checkReceived(f, m, c.received[before])
	}
}

// recordedTimeout is that of the clients in the scenario timeout.
const recordedTimeout = 60 * time.Millisecond

// timedOut reports whether the recorded client had given up the call before its answer came.
func (c *clientReplay) timedOut(id string) bool {
	for i, call := range c.calls {
		if call.id == id && i < len(c.results) && c.results[i].at("rejected", "name").str() == "RPCTimeoutError" {
			return true
		}
	}
	return false
}

// want is what the header says of the i-th call; nil if it says nothing.
func (c *clientReplay) want(i int) *node {
	if i < len(c.results) {
		return c.results[i]
	}
	return nil
}

// callee is the id of the function that a callback message calls.
func (m message) callee() string {
	if m.classic {
		return m.body.get("method").str()
	}
	return m.body.get("id").str()
}

// released is the number of a frame before the given one in which the server gives a callback back.
func (c *clientReplay) released(id string, before int) int {
	for _, f := range c.r.frames[:before] {
		m, ok := parseMessage(f.text)
		if !ok || f.toServer || m.kind() != "release" {
			continue
		}
		ids, has := m.body.get("ids").array(), false
		for _, n := range ids {
			if n.kind != '"' {
				has = false // one that is no string spoils the message
				break
			}
			has = has || n.str() == id
		}
		if has {
			return f.number
		}
	}
	return 0
}

// checkReceived compares the arguments that a callback got with those on the wire, and keeps the functions among them.
func (c *clientReplay) checkReceived(f frame, m message, got []any) {
	args := m.args()
	if len(args) != len(got) {
		c.bad.add(f.number, fmt.Errorf("the callback got %d arguments, want %d", len(got), len(args)))
		return
	}
	values := c.values(m)
	for i, arg := range args {
		id, isCallback := m.callbackID(arg)
		if handle, ok := got[i].(*kkrpc.Callback); ok && isCallback {
			c.handles[id] = handle
			continue
		}
		want, err := m.decode(values[i])
		if err != nil {
			continue // the argument must not have been understood, and the frame not delivered
		}
		if w, g := comparable(describe(want)).json(), comparable(describe(got[i])).json(); w != g {
			c.bad.add(f.number, fmt.Errorf("argument %d of the callback is %s, want %s", i, g, w))
		}
	}
}

// decode decodes a value of m as its codec does.
func (m message) decode(v superjson.Value) (any, error) {
	if v.JSON == nil {
		return superjson.Undefined, nil
	}
	mode := superjson.ModeJSON
	switch {
	case m.superJSON:
		mode = superjson.ModeSuperJSON
	case m.classic:
		mode = superjson.ModeTaggedJSON
	}
	var out any
	err := superjson.Decode(mode, v.JSON, v.Meta, &out)
	return out, err
}

// reissue does what the recorded client did when it wrote f.
func (c *clientReplay) reissue(f frame) {
	m, ok := parseMessage(f.text)
	if !ok {
		c.bad.add(f.number, fmt.Errorf("no operation writes %q", f.text))
		return
	}
	switch m.kind() {
	case "request":
		call := &reissued{number: f.number, id: m.id(), done: make(chan struct{}), request: m}
		c.calls = append(c.calls, call)
		if response, ok := c.opened(f, m.id()); ok {
			call.opened, call.stream = response, c.plan(m, response, c.want(len(c.calls)-1))
		}
		go func() { // ends with the answer or the channel
			defer close(call.done)
			if call.stream != nil {
				call.stream.stream, call.err = c.open(m)
				return
			}
			call.result, call.err = c.perform(m)
		}()
	case "sq":
		c.control(m)
	case "callback":
		if handle := c.handles[m.callee()]; handle != nil {
			go handle.Call(c.arguments(m)...) // ends when the message is queued
		}
	case "release":
		for _, id := range m.body.get("ids").array() {
			if handle := c.handles[id.str()]; handle != nil {
				go kkrpc.Release(handle) // ends when the message is queued
			}
		}
	}
	text, ok := c.take(m)
	if !ok {
		c.bad.add(f.number, fmt.Errorf("nothing was written, want %s", f.text))
		return
	}
	if err := sameFrame(c.ids, f.text, text); err != nil {
		c.bad.add(f.number, err)
	}
}

// take is the next frame that the channel writes, but for the cancellation of a call that has timed out, which is ours,
// and the end of a stream that the original left open.
func (c *clientReplay) take(want message) (string, bool) {
	for {
		text, ok := c.script.take()
		if m, isMessage := parseMessage(text); !isMessage || m.kind() != "qc" && !c.r.left(c.bad, c.ids, m, want) {
			return text, ok
		}
	}
}

// perform calls the operation that m asks for.
func (c *clientReplay) perform(m message) (result superjson.Value, err error) {
	path, args := m.path(), c.arguments(m)
	ctx := kkrpc.WithMetadata(context.Background(), c.metadata(m))
	switch m.operation() {
	case "call":
		if c.answeredByRef(m.id()) {
			result.JSON, err = c.refs.call(ctx, c.ch, m.id(), path, args)
			break
		}
		err = c.ch.Call(ctx, &result, path, args...)
	case "ref":
		result, err = c.refs.perform(ctx, m, args, c.setValue(m))
	case "get":
		result, err = kkrpc.Get[superjson.Value](ctx, c.ch, path)
	case "set":
		err = kkrpc.Set(ctx, c.ch, path, c.setValue(m))
		result.JSON = []byte("true")
	case "new":
		result, err = kkrpc.Construct[superjson.Value](ctx, c.ch, path, args...)
	default:
		err = fmt.Errorf("operation %s", m.operation())
	}
	return result, err
}

// metadata is that of a request.
func (c *clientReplay) metadata(m message) map[string]any {
	n := m.body.get("meta")
	if n == nil || m.classic {
		return nil
	}
	all := map[string]any{}
	for i, key := range n.keys {
		all[key] = m.value(n.items[i], "meta", key)
	}
	return all
}

// operation is call, get, set or new.
func (m message) operation() string {
	if !m.classic {
		return m.body.get("op").str()
	}
	switch k := m.body.get("type").str(); k {
	case "request":
		return "call"
	case "construct":
		return "new"
	default:
		return k
	}
}

// path is the path of a request as the API takes it.
func (m message) path() string {
	segments := m.body.get("p")
	if m.classic {
		if segments = m.body.get("path"); segments == nil {
			return m.body.get("method").str()
		}
	}
	return joinPath(segments.array())
}

func joinPath(segments []*node) string {
	var parts []string
	for _, s := range segments {
		parts = append(parts, strings.ReplaceAll(strings.ReplaceAll(s.str(), `\`, `\\`), ".", `\.`))
	}
	return strings.Join(parts, ".")
}

// arguments are those of a request, with functions for its callbacks.
func (c *clientReplay) arguments(m message) []any {
	values := c.values(m)
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = c.refs.argument(v)
		if v.JSON == nil {
			args[i] = superjson.Undefined
		}
		if id, ok := m.callbackID(m.args()[i]); ok && id != "" {
			args[i] = c.callback(id)
		}
		for _, id := range m.streams() {
			if strings.Contains(string(v.JSON), id.str()) {
				args[i] = c.source(id.str())
			}
		}
	}
	if shared := m.sharedArguments(); len(args) > 1 && shared != nil {
		var together []any
		if err := shared.Decode(&together); err == nil {
			return together
		}
	}
	return args
}

func (c *clientReplay) callback(id string) *kkrpc.Callback {
	cb := c.callbacks[id]
	if cb == nil {
		cb = kkrpc.NewCallback(func(args ...any) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.received = append(c.received, args)
		})
		c.callbacks[id] = cb
	}
	return cb
}

// values are the arguments of m, each as it was written.
func (c *clientReplay) values(m message) []superjson.Value {
	values := make([]superjson.Value, len(m.args()))
	for i, arg := range m.args() {
		path := []string{"args", strconv.Itoa(i)}
		if !m.classic {
			path[0] = "a"
			if arg.get(compactArg).str() == "value" {
				arg = arg.get("v")
				path = append(path, "v")
			}
		}
		values[i] = m.value(arg, path...)
	}
	return values
}

func (c *clientReplay) setValue(m message) any {
	v := m.value(m.body.get("v"), "v")
	if m.classic {
		v = m.value(m.body.get("value"), "value")
	}
	if v.JSON == nil {
		return superjson.Undefined
	}
	return v
}
