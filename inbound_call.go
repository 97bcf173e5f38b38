package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// call is one request of the peer, from the moment its arguments are decoded until its response is queued.
type call struct {
	*scope  // kept for the next call unless it is known
	method  *bind.Method
	inv     bind.Invocation
	id      []byte        // raw JSON, a copy
	stalled bool          // counted in gate.stalled
	known   bool          // others than the leader may know the scope, even when the function has returned
	bytes   int           // see request.size
	ended   error         // of the context, when a call that waited for its turn begins
	hook    *interception // nil: there are no inbound interceptors
	came    []received    // with the arguments, and not taken over by the result
	carried []carried     // by the response
}

// tooSlow implements inlined.
func (c *call) tooSlow() { c.method.Slow.Store(slowCalls) }

var calls = sync.Pool{New: func() any { return new(call) }}

func newCall(ch *Channel, method *bind.Method, inv bind.Invocation, m *wire.Message) *call {
	came := ch.request.came
	ch.request.came = nil
	// The function, or an interceptor, may keep its context for ever.
	known := method.WantsContext || came != nil || ch.inbound != nil
	c := calls.Get().(*call)
	c.known = known
	switch {
	case known && came == nil && ch.inbound == nil && m.Meta == nil:
		c.scope = ch.scopes.take()
	case known || c.scope == nil:
		c.scope = new(scope)
	}
	c.method, c.inv, c.scope.textErrors = method, inv, m.TextErrors
	c.ch, c.gate = ch, &ch.serving
	c.id = append(c.id[:0], m.ID...)
	c.scope.request = &c.id
	c.came = came
	for _, v := range came {
		v.belongTo(c.scope)
	}
	if m.Meta != nil {
		c.meta = receiveMetadata(m, known)
	}
	if ch.inbound != nil {
		c.hook = newInterception(m, ch.request.on)
	}
	if ch.keeper != nil {
		ch.keeper.Begin(c.scope)
	}
	return c
}

// free gives c back, and its scope unless the function may have kept that. Nobody but the leader may have known c
// itself.
func (c *call) free() {
	s := c.scope
	if c.known {
		s = nil
	} else {
		*s = scope{}
	}
	id := c.id
	if cap(id) > idleBuffer {
		id = nil
	}
	*c = call{scope: s, id: id}
	calls.Put(c)
}

// beginLocked notes whether the context of a call that had to wait for its turn has ended.
func (c *call) beginLocked() any {
	startAll(c.expireLocked())
	if c.ended = c.err; c.ended == nil {
		c.ch.begun++
	}
	return c.scope
}

// run is a task of the gate: a call that had to wait for its turn.
func (c *call) run() task {
	var err error
	switch c.ended {
	case nil:
		err = c.invoke()
	case context.DeadlineExceeded:
		err = &Error{Name: "RPCTimeoutError", Message: "the caller's timeout ended before the request could start"}
	default:
		err = &Error{Name: "AbortError", Message: "cancelled by the caller"}
	}
	if c.ended != nil {
		c.ch.refused.Add(1)
	}
	return c.finish(err)
}

func (c *call) size() int { return c.bytes }

func (c *call) dropLocked() {
	c.ch.active.answeredLocked(c.scope)
	c.ch.active.removeLocked(c.scope)
	c.ch.open.Add(-1)
	c.ch.holdLocked(-c.bytes)
}

// countLocked makes c one of the calls that are no longer the leader's own.
func (c *call) countLocked() {
	if c.place != unplaced {
		return
	}
	c.place = placed
	c.ch.open.Add(1)
	c.ch.holdLocked(c.bytes)
	c.ch.serving.running++
	c.ch.active.addLocked(c.scope)
}

// finish responds for a counted call and retires it. A response waits for room before its call gives up its place, and no
// other call begins meanwhile. So a peer cannot make this side queue results faster than it reads them. It returns a task
// that has begun, or nil.
func (c *call) finish(err error) task {
	response := c.response(err)
	if response != nil && c.ch.out.Reserve(response) != nil {
		c.stall()
		c.ch.out.Admit(response)
	}
	if c.stalled {
		c.ch.resume(&c.ch.serving)
	}
	ready := c.retire()
	if response != nil {
		c.ch.out.Send(response)
	}
	c.sent()
	if !ready {
		return nil
	}
	return c.ch.takeTask(c.gate)
}

// stall keeps other calls from beginning until c has its response sent.
func (c *call) stall() {
	if c.stalled {
		return
	}
	c.stalled = true
	c.ch.mu.Lock()
	c.gate.stalled++
	c.ch.mu.Unlock()
}

// resume lets tasks of g begin again, one after another: the result of each may take the room that there is.
func (ch *Channel) resume(g *gate) {
	ch.mu.Lock()
	g.stalled--
	waits := len(g.queue) > 0
	ch.mu.Unlock()
	if waits {
		go ch.runQueue(g) // ends with the queue of the gate
	}
}

// retire reports whether its caller is to run the next task of the gate.
func (c *call) retire() (ready bool) {
	c.ch.mu.Lock()
	ready, after := c.retireLocked()
	c.ch.open.Add(-1)
	c.ch.holdLocked(-c.bytes)
	c.ch.mu.Unlock()
	startAll(after)
	return ready
}

// end ends a call that was never counted, and its context.
func (c *call) end() {
	if c.known {
		c.ch.mu.Lock()
		after := c.overLocked()
		c.ch.mu.Unlock()
		startAll(after)
	}
	if c.hook == nil { // else an interceptor that broke the rules may refer to c
		c.free()
	}
}

// invoke runs the function. A panic in it becomes an error that says nothing of its inside.
func (c *call) invoke() (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		err = c.ch.recovered(c.method.Path, value)
		if value == nil {
			c.abandoned(err)
		}
	}()
	if c.hook != nil {
		err = c.hook.run(c.scope, c.ch, c.inv, c.meta)
	} else {
		err = c.inv.Run(c.scope)
	}
	returned = true
	return err
}

// abandoned finishes a call whose function has called runtime.Goexit, which ends this goroutine too.
func (c *call) abandoned(err error) {
	if c.ch.transport == nil {
		return // the goroutine is not this side's
	}
	if c.seq != 0 && c.ch.role.CompareAndSwap(c.seq, c.seq+1) {
		c.ch.mu.Lock()
		c.countLocked()
		c.ch.mu.Unlock()
		go c.ch.next() // ends like the leader that New started
	}
	if next := c.finish(err); next != nil {
		go runTasks(next) // ends with the queue of the gate
	}
}

// recovered returns the error that the peer gets for a panic. The panic itself is reported on this side.
func (ch *Channel) recovered(path string, value any) error {
	if value == nil {
		ch.report(fmt.Errorf("kkrpc: %s called runtime.Goexit", path))
	} else {
		ch.report(fmt.Errorf("kkrpc: panic in %s: %v\n%s", path, value, debug.Stack()))
	}
	return &Error{Name: "InternalError", Message: "internal error"}
}

// response encodes the answer to the call. It is nil if the peer has the answer already.
func (c *call) response(err error) *outbox.Buffer {
	codec, b := *c.ch.codec.Load(), outbox.NewBuffer()
	if err == nil && c.hook == nil && c.came == nil {
		if dst, ok := c.inv.AppendPlain(codec.BeginResult(b.Bytes, c.id)); ok {
			b.Bytes = codec.EndResult(dst, nil)
			return c.wanted(b, nil)
		}
	}
	b.Bytes = c.appendResponse(b.Bytes, codec, err)
	return c.wanted(b, err)
}

// wanted returns the encoded response b, or nil if the peer has the answer already. err is that of the function.
func (c *call) wanted(b *outbox.Buffer, err error) *outbox.Buffer {
	if c.ch.keeper == nil || !c.ch.keeper.End(c.scope, c, err) {
		return b
	}
	b.Free()
	return nil
}

// appendResponse writes the response into the empty dst. A panic of a type's own marshaling, or of an error's method, is
// treated as one of the function.
func (c *call) appendResponse(dst []byte, codec wire.Codec, err error) (response []byte) {
	if c.came != nil {
		defer c.endCame(err)
	}
	defer func() {
		if value := recover(); value != nil {
			e := toWire(c.ch.recovered(c.method.Path, value))
			response = c.ch.appendError(nil, codec, c.id, e, c.textErrors)
		}
	}()
	if err == nil {
		out := newValues(c.ch, codec)
		defer out.free()
		out.host = c
		out.carryBytes()
		var absent bool
		var encodeErr error
		dst, absent, encodeErr = c.appendResult(codec.BeginResult(dst, c.id), out, codec.ResultPath())
		switch {
		case isUnsendable(encodeErr):
			err = &Error{Message: encodeErr.Error()}
		case errors.Is(encodeErr, ErrLimit):
			err = &Error{Name: "RPCLimitError", Message: fmt.Sprintf("%s: %v", c.method.Path, encodeErr)}
		case encodeErr != nil:
			err = typeErrorf("%s: result cannot be sent: %v", c.method.Path, encodeErr)
			c.ch.report(fmt.Errorf("kkrpc: %w", err))
		case absent:
			return codec.AppendNoResult(dst[:0], c.id)
		default:
			out.tail.Values = out.annotations()
			dst = out.seal(codec.EndResult(dst, &out.tail))
			if len(out.carried) > 0 {
				c.carried = slices.Clone(out.carried)
				out.letGo()
			}
			return dst
		}
	}
	return c.ch.appendError(dst[:0], codec, c.id, ofFunction(toWire(err)), c.textErrors)
}

// ofFunction is the error that a function has returned. It must not tell that the request did not run, as an error can that
// the function got from another peer.
func ofFunction(e *wire.Error) *wire.Error {
	if e.Name != unavailableError && e.Name != interruptedError {
		return e
	}
	own := *e
	own.Name, own.Message = "Error", e.Name+": "+e.Message
	return &own
}

// appendResult appends the result of the call, unless it is undefined.
func (c *call) appendResult(dst []byte, out *values, path string) (_ []byte, absent bool, err error) {
	switch {
	case c.hook == nil:
		return c.inv.AppendResult(dst, out, path)
	case c.hook.result == nil && !c.method.HasResult:
		return dst, true, nil
	default:
		return out.AppendAny(dst, path, c.hook.result)
	}
}

// endCame ends the streams among the arguments that the function has not taken over. A property takes the stream that
// it is set to.
func (c *call) endCame(err error) {
	if !c.method.Keeps || err != nil {
		endAll(c.came)
	}
}

// name implements host.
func (c *call) name() string { return c.method.Path }

// rawID implements host.
func (c *call) rawID() []byte { return c.id }

// takeOver implements host.
func (c *call) takeOver() stay {
	s := stay{came: c.came}
	c.came = nil
	if c.method.WantsContext {
		c.scope.keep()
		s.context = c.scope
	}
	s.undo = func() {
		c.came = s.came
		if s.context != nil {
			s.context.release()
		}
	}
	return s
}

// sent is called when the response has been queued.
func (c *call) sent() {
	for _, v := range c.carried {
		v.sent()
	}
}
