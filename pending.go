package kkrpc

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// pendingCalls are this side's requests that have not been answered. Guarded by Channel.mu.
type pendingCalls struct {
	table pendingTable
	timer *time.Timer // set while a call may time out
	free  []*pendingCall

	watched int // one-way calls among them
}

// pendingCall is one of them. Who removes it from the table fills it and signals done.
type pendingCall struct {
	id        uint64
	deadline  time.Duration // since epoch
	done      chan struct{}
	callbacks []*localCallback // that its arguments carry
	refs      []*localRef      // likewise
	then      func(err error)  // called instead of signalling done
	since     uint64           // invocations of callbacks before it was made
	answered  bool             // the response has arrived, and waits for callbacks
	result    any              // of outgoing, to know whether it takes a stream
	carried   []*outStream     // among its arguments

	dialect wire.Dialect
	value   []byte // raw JSON, a copy; nil: undefined
	meta    *superjson.Meta
	own     map[string]*Ref // of this side in value
	err     error

	stream *inStream // the answer, unless it is a value

	digits [20]byte  // of id, see name
	path   []string  // of the request; kept for the next one
	tail   wire.Tail // likewise
}

// name returns the digits of p's id, which stay as they are until p is freed.
func (p *pendingCall) name() string {
	// A string that changes later is one that nobody must keep: codecs copy it into the message. It saves an allocation
	// for each call.
	digits := strconv.AppendUint(p.digits[:0], p.id, 10)
	return unsafe.String(&digits[0], len(digits)) // of at least one digit and at most 20, so within p.digits
}

// maxFreeCalls is how many ended calls a channel keeps for the next ones. They are not in a sync.Pool, since a Go channel
// must not wander between the bubbles of testing/synctest.
const maxFreeCalls = 64

func (c *pendingCalls) freeLocked(p *pendingCall) {
	if len(c.free) == maxFreeCalls || cap(p.value) > idleBuffer {
		return
	}
	clear(p.callbacks)
	clear(p.refs)
	clear(p.path)
	*p = pendingCall{done: p.done, value: p.value[:0], callbacks: p.callbacks[:0], refs: p.refs[:0],
		path: p.path[:0], tail: wire.Tail{Metadata: p.tail.Metadata}}
	c.free = append(c.free, p)
}

func (ch *Channel) free(p *pendingCall) {
	ch.mu.Lock()
	ch.pending.freeLocked(p)
	ch.mu.Unlock()
}

func (c *pendingCalls) shedLocked() {
	c.free = nil
	c.table.shed()
}

func (c *pendingCalls) newLocked() *pendingCall {
	n := len(c.free)
	if n == 0 {
		return &pendingCall{done: make(chan struct{}, 1)}
	}
	p := c.free[n-1]
	c.free[n-1] = nil
	c.free = c.free[:n-1]
	return p
}

func (p *pendingCall) finish(err error) {
	p.err = err
	if p.then != nil {
		p.then(err)
		return
	}
	p.done <- struct{}{}
}

// register makes a pending call and starts its timeout.
func (ch *Channel) register(result any) (*pendingCall, error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.registerLocked(result)
}

func (ch *Channel) registerLocked(result any) (*pendingCall, error) {
	if ch.err != nil {
		return nil, ch.err
	}
	c := &ch.pending
	p := c.newLocked()
	c.table.add(p)
	p.since, p.result, p.deadline = ch.invocations, result, math.MaxInt64
	if ch.opts.callTimeout >= 0 {
		timeout := or(ch.opts.callTimeout, defaultCallTimeout)
		p.deadline = time.Since(epoch)
		p.deadline += min(timeout, math.MaxInt64-max(0, p.deadline))
		if c.timer == nil {
			c.timer = time.AfterFunc(timeout, ch.expire)
		}
	}
	return p, nil
}

// epoch is what deadlines of calls count from: asking how long something took is half as much work as asking for the time.
var epoch = time.Now()

// withdraw removes p and reports whether it was still pending.
func (ch *Channel) withdraw(p *pendingCall) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.pending.takeLocked(p.id) != nil
}

func (c *pendingCalls) takeLocked(id uint64) *pendingCall {
	p := c.table.find(id)
	if p == nil {
		return nil
	}
	c.table.remove(p)
	for _, cb := range p.callbacks {
		cb.carried--
	}
	return p
}

func (c *pendingCalls) takeAllLocked() (all []*pendingCall) {
	for p := range c.table.all() {
		all = append(all, p)
	}
	c.table = pendingTable{}
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	return all
}

// expire ends the calls that have waited too long. One timer serves all calls of a channel: since they all have the same
// timeout, the one that was set first ends first.
func (ch *Channel) expire() {
	var expired []*pendingCall
	ch.mu.Lock()
	now, next := time.Since(epoch), time.Duration(math.MaxInt64)
	for p := range ch.pending.table.all() {
		if p.deadline <= now {
			expired = append(expired, ch.pending.takeLocked(p.id))
		} else {
			next = min(next, p.deadline)
		}
	}
	ch.pending.timer = nil
	if next != math.MaxInt64 {
		ch.pending.timer = time.AfterFunc(next-now, ch.expire)
	}
	ch.mu.Unlock()
	codec := *ch.codec.Load()
	for _, p := range expired {
		ch.tellCancelled(codec, p.id)
		p.finish(timeoutError(or(ch.opts.callTimeout, defaultCallTimeout), ch.silence(codec)))
	}
}

// timeoutError has the name that kkrpc gives it.
func timeoutError(timeout time.Duration, hint string) *Error {
	return &Error{Name: "RPCTimeoutError", Message: fmt.Sprintf("no answer within %v%s", timeout, hint), Cause: context.DeadlineExceeded}
}

// silence explains a timeout on a channel that has never received anything.
func (ch *Channel) silence(codec wire.Codec) string {
	if ch.heard.Load() {
		return ""
	}
	other := "a kkrpc 0.x peer needs Options.Dialect kkrpc.Classic or kkrpc.ClassicSuperJSON"
	if codec.Dialect().IsClassic() {
		other = "a kkrpc 2.x peer needs Options.Dialect kkrpc.Compact or kkrpc.CompactSuperJSON"
	}
	return fmt.Sprintf("; nothing was ever received on this channel, which speaks %v: %s", Dialect(codec.Dialect()), other)
}

// answered delivers a response.
func (ch *Channel) answered(m *wire.Message) {
	id, ok := parseID(m.ID)
	stream, err := ch.openResult(id, m)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	if !ok || p == nil || p.answered {
		ch.mu.Unlock()
		if unquote(m.ID) != unawaited {
			ch.dropped.Add(1)
		}
		ch.discard(m, false)
		if stream != nil {
			stream.drop()
		}
		return
	}
	if ch.holdLocked(p, m, stream, err) {
		ch.mu.Unlock()
		return
	}
	ch.pending.takeLocked(id)
	ch.mu.Unlock()
	ch.fillCall(p, m, stream, err)
	if p.err != nil && ch.unary != nil {
		if err := ch.unary.RequestFailure(strconv.FormatUint(id, 10)); err != nil {
			p.err = err
		}
	}
	p.finish(p.err)
}

// unreadable ends the call whose response is over a limit.
func (ch *Channel) unreadable(rawID []byte, reason error) {
	id, _ := parseID(rawID)
	ch.mu.Lock()
	p := ch.pending.takeLocked(id)
	ch.mu.Unlock()
	if p != nil {
		p.finish(fmt.Errorf("%w: the answer: %w", ErrLimit, reason))
	}
}

// fillCall gives p its answer m, which is the stream s if that is not nil; err says why it could not be opened.
func (ch *Channel) fillCall(p *pendingCall, m *wire.Message, s *inStream, err error) {
	p.stream, p.err = s, err
	if m.Err != nil {
		p.err = fromWire(wire.ParseErrorReferences(m, ch.references(m.Dialect, m.Err)))
		return
	}
	p.dialect, p.meta, p.own = m.Dialect, m.ValueMeta(), nil
	if v := valueText(m); s == nil && v.marked() {
		if err != nil || !acceptsStream(p.result) {
			ch.tables().streams.discard(v)
		}
		if readsRefs(p.result) {
			p.own = ch.findRefs(m.Dialect, m.Value)
		} else {
			ch.tables().refs.discard(v, false)
		}
	}
	if m.Value == nil {
		p.value = nil
	} else {
		p.value = append(p.value[:0], m.Value...)
	}
}

// parseID reads one of this side's ids.
func parseID(raw []byte) (uint64, bool) {
	if len(raw) < 3 || raw[0] != '"' {
		return 0, false
	}
	id, err := strconv.ParseUint(string(raw[1:len(raw)-1]), 10, 64)
	return id, err == nil
}
