package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/budget"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// serve answers a request, or sees to it that it is answered. It reports false when this goroutine no longer leads.
func (ch *Channel) serve(m *wire.Message) bool {
	busy := int(ch.open.Load())
	waits, repeats := busy > 0, false
	if ch.keeper != nil {
		repeats = ch.keeper.Repeats()
		waits = !repeats && (waits || ch.onHold.Load())
	}
	ch.request.reset(ch, m)
	if busy >= ch.limits.Open && !repeats {
		ch.decline(m, false, &wire.Error{Name: "RPCOverloadedError",
			Message: fmt.Sprintf("%d requests of this connection are unfinished; wait for some of them", busy)})
		return true
	}
	method, inv, refusal := ch.prepare(m)
	if refusal != nil {
		ch.decline(m, inv != nil, refusal)
		return true
	}
	c := newCall(ch, method, inv, m)
	c.bytes = ch.request.size()
	counted := false // c.place tells, but goroutines of the function may change it
	if waits {
		switch ch.admit(c) {
		case refused:
			ch.takeBack(c)
			why := &wire.Error{Name: "RPCOverloadedError",
				Message: "the requests of this connection that wait are too large together; wait for some of them"}
			if ch.draining.Load() {
				why = unavailable(m.TextErrors)
			}
			ch.decline(m, true, why)
			return true
		case queued:
			return true // whoever makes room runs it
		}
		counted = true
	}
	err, leads := errDraining, true
	if counted || !ch.draining.Load() {
		err, leads = ch.runInline(c, counted)
	}
	if err == errDraining {
		ch.takeBack(c)
		ch.decline(m, true, unavailable(m.TextErrors))
		return true
	}
	if !leads {
		runTasks(c.finish(err))
		return false
	}
	if response := c.response(err); response != nil {
		ch.turn += len(response.Bytes)
		response.Excuse() // beyond half of the limit, yieldIfCrowded has it wait
		ch.out.Queue(response)
	}
	c.sent()
	if !counted {
		c.end()
	} else if c.retire() {
		go ch.runQueue(&ch.serving) // ends with the queue of the gate
	}
	return true
}

// takeBack undoes newCall for a call that is about to be declined.
func (ch *Channel) takeBack(c *call) {
	ch.request.came = c.came
	if ch.keeper != nil {
		ch.keeper.Drop(c.scope)
	}
}

// prepare finds what m asks for and decodes the arguments. With a refusal, inv is nil if m was not decoded.
func (ch *Channel) prepare(m *wire.Message) (method *bind.Method, inv bind.Invocation, refusal *wire.Error) {
	if n := len(m.Meta); n > ch.limits.Metadata {
		return nil, nil, &wire.Error{Name: limitError,
			Message: fmt.Sprintf("the metadata of the request has %d bytes, at most %d are accepted", n, ch.limits.Metadata)}
	}
	if method, inv, refusal = ch.find(m); refusal != nil {
		return nil, nil, refusal
	}
	refusal, _ = ch.decode(inv, method.Path)
	return method, inv, refusal
}

// find finds what m asks for.
func (ch *Channel) find(m *wire.Message) (method *bind.Method, inv bind.Invocation, refusal *wire.Error) {
	if m.Kind != wire.Ref {
		return ch.api.Lookup(m)
	}
	method, inv, ch.request.on, refusal = ch.kinds().inside.find(m)
	return method, inv, refusal
}

// errDraining is why a request is not run, see Channel.runInline.
var errDraining = errors.New("the channel takes no requests any more")

// runInline runs c on the leader. It reports whether the goroutine still leads afterwards; if not, the caller finishes
// c as one that was handed over. The error is errDraining if c has not run. counted: c is open already.
func (ch *Channel) runInline(c *call, counted bool) (err error, leads bool) {
	c.seq = ch.role.Load() + 1
	ch.inline = c
	ch.role.Store(c.seq)
	if !ch.watched.Load() {
		ch.group.watch.add(ch)
	}
	// Shutdown sets draining before it looks at role. So it either sees that c runs, or c sees that it must not.
	if ch.draining.Load() && !counted && ch.retract(c.seq) {
		return errDraining, true
	}
	slow := c.method.Slow.Load()
	if slow == 0 {
		err = c.invoke()
		ch.yieldIfCrowded(c)
		return err, ch.role.CompareAndSwap(c.seq, c.seq+1)
	}
	seq := c.seq
	impatience := time.AfterFunc(slowInterval, func() { ch.handOver(seq) })
	err = c.invoke()
	impatience.Stop()
	ch.yieldIfCrowded(c)
	if leads = ch.role.CompareAndSwap(seq, seq+1); leads {
		c.method.Slow.CompareAndSwap(slow, slow-1)
	}
	return err, leads
}

// retract takes back that the leader runs the handler that seq stands for, since the channel drains. It reports false if
// others count on the handler: it has been handed over, or Stats has counted it.
func (ch *Channel) retract(seq uint64) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.told == seq || !ch.role.CompareAndSwap(seq, seq+1) {
		return false
	}
	ch.begun-- // role counts it
	return true
}

// yieldIfCrowded gives reading away if c's result has to wait until the peer has read what is queued for it.
func (ch *Channel) yieldIfCrowded(c *call) {
	if ch.out.Crowded() {
		c.stall()
		ch.handOver(c.seq)
	}
}

type admission int

const (
	refused admission = iota // or not wanted, since the channel has closed
	queued
	admitted
)

// admit counts c as open, and decides whether it may run now.
func (ch *Channel) admit(c *call) admission {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	g := &ch.serving
	if ch.err != nil || ch.draining.Load() || g.queued > 0 && g.queued+c.bytes > ch.limits.RequestQueue {
		return refused
	}
	ch.open.Add(1)
	ch.holdLocked(c.bytes)
	c.place = placed
	ch.active.addLocked(c.scope)
	if g.enterLocked(c) {
		return admitted
	}
	ch.settleLocked(g)
	return queued
}

// decode reads the arguments in ch.request. A panic of a type's own unmarshaling is the peer's InternalError, and has
// been reported.
func (ch *Channel) decode(inv bind.Invocation, path string) (refusal *wire.Error, reported bool) {
	defer func() {
		if value := recover(); value != nil {
			refusal, reported = toWire(ch.recovered(path, value)), true
		}
	}()
	if ch.msg.Size >= budget.Large {
		defer ch.account.Turn(ch.msg.Size)()
	}
	if err := inv.Decode(&ch.request.Request); err != nil {
		return toWire(err), false
	}
	return nil, false
}

// decline answers m with an error and gives back the handles in m. decoded: m may have been decoded in part.
func (ch *Channel) decline(m *wire.Message, decoded bool, e *wire.Error) {
	ch.refused.Add(1)
	ch.discard(m, decoded)
	ch.request.end()
	if ch.keeper != nil && ch.keeper.Refused(e.Name+": "+e.Message) {
		return
	}
	b := outbox.NewBuffer()
	b.Bytes = ch.appendError(b.Bytes, *ch.codec.Load(), m.ID, e, m.TextErrors)
	ch.out.Queue(b)
}

// cancelled ends the contexts of the peer's requests with this id. There may be several: kkrpc does not look whether an id
// comes twice.
func (ch *Channel) cancelled(id []byte) {
	ch.mu.Lock()
	for s := ch.active.takeLocked(id); s != nil; s = ch.active.takeLocked(id) {
		startAll(s.endLocked(context.Canceled)) // on goroutines of their own
	}
	ch.mu.Unlock()
}
