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

// pendingCall is one of them. Whoever removes it from the table fills in the answer and signals done.
type pendingCall struct {
	id       uint64
	deadline time.Duration // since epoch
	done     chan struct{}
	then     func(err error) // called instead of signalling done
	result   any             // of outgoing, to know whether it takes a stream
	carried  []carried       // with its arguments

	// Guarded by Channel.mu.
	state    callState
	since    uint64    // Channel.events when it was made
	delayers []delayer // among carried
	delays   int       // events that the answer waits for

	answer

	digits [20]byte  // of id, see name
	path   []string  // of the request; kept for the next one
	tail   wire.Tail // likewise
}

// callState is how far a call in the table is.
type callState uint8

const (
	awaited   callState = iota // there is no answer yet
	answering                  // the leader prepares the answer, which has to wait for callbacks
	delayed                    // the answer is there and waits for callbacks
)

// answer is what the peer answered.
type answer struct {
	dialect wire.Dialect
	value   []byte // raw JSON, a copy; nil: undefined
	meta    *superjson.Meta
	own     map[string]*Ref // of this side in value
	stream  *inStream       // in place of a value; nil for most
	err     error
}

// discard gives back the handles in an answer that nobody waits for any more.
func (a *answer) discard(ch *Channel) {
	if a.stream != nil {
		a.stream.end()
	} else {
		ch.discardText(text{Arg: wire.Arg{JSON: a.value}, dialect: a.dialect}, false)
	}
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
	clear(p.carried)
	clear(p.delayers)
	clear(p.path)
	*p = pendingCall{done: p.done, answer: answer{value: p.value[:0]}, carried: p.carried[:0], delayers: p.delayers[:0],
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

// unawaited is the id of requests whose answers are not waited for.
const unawaited = "-"

// delay has d delay the answer to p, unless p has ended already.
func (ch *Channel) delay(p *pendingCall, d delayer) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.pending.table.find(p.id) != p {
		d.settledLocked()
		return
	}
	p.delayers = append(p.delayers, d)
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
	p.since, p.result, p.deadline = ch.events, result, math.MaxInt64
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
	for _, d := range p.delayers {
		d.settledLocked()
	}
	return p
}

// undelayLocked notes that one event has ended that the answer to a call waited for. It removes and returns the call if it
// was the last one; the caller finishes it without the lock.
func (c *pendingCalls) undelayLocked(id uint64) *pendingCall {
	p := c.table.find(id)
	if p == nil {
		return nil
	}
	if p.delays--; p.delays > 0 {
		return nil
	}
	return c.takeLocked(id)
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
		switch {
		case p.state != awaited: // its answer has come
		case p.deadline <= now:
			expired = append(expired, ch.pending.takeLocked(p.id))
		default:
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

// answered takes a response.
func (ch *Channel) answered(m *wire.Message) {
	id, ok := parseID(m.ID)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	if !ok || p == nil || p.state != awaited {
		ch.mu.Unlock()
		if unquote(m.ID) != unawaited {
			ch.dropped.Add(1)
		}
		ch.discard(m, false)
		return
	}
	delays := 0
	for _, d := range p.delayers {
		delays += d.delaysLocked(id, p.since)
	}
	if delays > 0 {
		p.state, p.delays = answering, delays+1 // this goroutine delays it too
		result := p.result
		ch.mu.Unlock()
		ch.answerDelayed(id, m, result)
		return
	}
	ch.pending.takeLocked(id)
	ch.mu.Unlock()
	ch.fill(&p.answer, m, p.result)
	if p.err != nil && ch.unary != nil {
		if err := ch.unary.RequestFailure(strconv.FormatUint(id, 10)); err != nil {
			p.err = err
		}
	}
	p.finish(p.err)
}

// answerDelayed stores m, the answer to a call that has to wait for callbacks. The call may be given up at any time, and
// its pendingCall serve another call: only the id is sure.
func (ch *Channel) answerDelayed(id uint64, m *wire.Message, result any) {
	var a answer
	ch.fill(&a, m, result)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	if p != nil {
		p.answer, p.state = a, delayed
		p = ch.pending.undelayLocked(id)
	} else {
		defer a.discard(ch)
	}
	ch.mu.Unlock()
	if p != nil {
		p.finish(p.err)
	}
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

// fill makes a what m answers to a call with this result.
func (ch *Channel) fill(a *answer, m *wire.Message, result any) {
	if m.Err != nil {
		a.err = fromWire(wire.ParseErrorReferences(m, ch.references(m.Dialect, m.Err)))
		return
	}
	a.dialect, a.meta = m.Dialect, m.ValueMeta()
	if v := valueText(m); v.marked() {
		a.stream, a.err = ch.openResult(v, result)
		switch {
		case a.stream != nil:
		case readsRefs(result):
			a.own = ch.findRefs(m.Dialect, m.Value)
		default:
			ch.refs().discard(v, false)
		}
	}
	if m.Value != nil {
		a.value = append(a.value[:0], m.Value...)
	} else {
		a.value = nil
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
