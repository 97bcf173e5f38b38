package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// callbackKind are the functions that crossed a channel as arguments. The peer calls those of this side one way. They
// run one at a time, in the order of arrival, in the lane, a gate with room for one. A callback that waits for the peer
// with its ctx lets the next one in.
type callbackKind struct {
	ch   *Channel
	own  exports[*localCallback]
	held imports[Callback]
	lane *gate
}

// localCallback is a function of this side that the peer holds.
type localCallback struct {
	fn     any // keeps the address in the key of its export from being used again
	method *bind.Method

	// Guarded by Channel.mu.
	unfinished []uint64        // numbers of its invocations that are queued or running, rising
	delayed    []delayedAnswer // that wait for some of them
}

// newCallbacksLocked is called with Channel.mu.
func newCallbacksLocked(ch *Channel, n *news) *callbackKind {
	return &callbackKind{
		ch:   ch,
		own:  exports[*localCallback]{limit: ch.limits.Callbacks, prefix: "f"},
		held: imports[Callback]{limit: ch.limits.Callbacks, news: n, patient: true},
		lane: ch.newGateLocked(1),
	}
}

func (k *callbackKind) write(out *values, dst []byte, at place, v any) (_ []byte, is bool, err error) {
	if !at.argument || !isCallback(v) {
		return dst, false, nil
	}
	codec := *k.ch.codec.Load()
	id, err := k.export(codec.Dialect(), v, out)
	if err != nil {
		return dst, true, err
	}
	out.tail.CallbackIDs = append(out.tail.CallbackIDs, id)
	return codec.AppendCallbackArg(dst, at.index, id), true, nil
}

// isCallback reports whether v is a function that can be an argument.
func isCallback(v any) bool {
	if _, ok := v.(*Callback); ok {
		return true
	}
	t := reflect.TypeOf(v)
	return t != nil && t.Kind() == reflect.Func && !bind.IsStream(v)
}

func (k *callbackKind) receive(m *wire.Message) (done bool) {
	switch m.Kind {
	case wire.Callback:
		k.invoked(m)
	case wire.Release:
		for _, id := range m.IDs {
			k.own.giveBack(unquote(id), 0)
		}
	}
	return true
}

func (k *callbackKind) unreadable(*wire.Message, error) (told bool) { return false }

func (k *callbackKind) discard(t text, seen bool) {
	if t.Kind == wire.ArgCallback && !t.dialect.IsClassic() && wire.IsString(t.ID) && len(t.ID) <= maxHandleID {
		k.held.unread(unquote(t.ID), seen)
	}
}

func (k *callbackKind) tell(all bool) (more bool) {
	if gone := k.held.takeGone(all); len(gone) > 0 {
		b := outbox.NewBuffer()
		b.Bytes = (*k.ch.codec.Load()).AppendRelease(b.Bytes, slices.Sorted(maps.Keys(gone)))
		k.ch.out.Add(b)
	}
	return k.held.more()
}

func (k *callbackKind) forget(id string, handle any) { k.held.forget(id, handle.(*Callback)) }

func (k *callbackKind) clear(error) {
	k.own.clear()
	k.held.clear()
}

// export returns the id of fn, a func or *Callback, which out carries from now on.
func (k *callbackKind) export(d wire.Dialect, fn any, out *values) (id string, err error) {
	p := out.pending
	if p == nil && d.IsClassic() {
		return "", fmt.Errorf("a function as an argument of a one-way message: %w", ErrUnsupported)
	}
	var key identity
	var method *bind.Method
	if handle, ok := fn.(*Callback); !ok {
		key = funcIdentity(fn)
	} else {
		switch {
		case handle == nil:
			return "", errors.New("the *Callback is nil")
		case handle.fn == nil:
			return "", errors.New("a function of the peer cannot be passed back")
		}
		key, method = identity{reflect.TypeFor[*Callback](), uintptr(unsafe.Pointer(handle))}, handle.method
	}
	var cb *localCallback
	if p == nil {
		// A one-way message has no answer. Nothing shows whether the peer released an id before or after the message
		// arrived.
		key = identity{}
	} else if e := k.own.find(key); e != nil {
		if slices.Contains(out.carried, carried(e)) {
			return e.id, nil
		}
		cb = e.value
	}
	if cb == nil {
		if method == nil {
			if method, err = types.Callback(fn); err != nil {
				return "", err
			}
		}
		cb = &localCallback{fn: fn, method: method}
	}
	e, err := k.own.add(key, cb, p != nil)
	switch {
	case err == errFull:
		return "", k.tooMany(d)
	case err != nil:
		return "", err
	}
	out.carried = append(out.carried, e)
	if p != nil {
		k.ch.delay(p, callDelay{e})
	}
	return e.id, nil
}

func (k *callbackKind) tooMany(d wire.Dialect) error {
	hint := ""
	if d.IsClassic() {
		hint = " and classic kkrpc never gives one back; pass one NewCallback again and again instead of new functions"
	}
	return fmt.Errorf("%w: the peer holds %d functions of this channel%s (Limits.Callbacks)", ErrLimit, k.own.limit, hint)
}

// function implements functions.
func (k *callbackKind) function(id []byte) (bind.Handle, error) { return k.accept(id) }

// accept returns the peer's callback with this raw id, as an argument carries it. A compact id yields the same Callback as
// long as the program holds it. Classic peers never give an id up, so that nothing needs to be kept.
func (k *callbackKind) accept(raw []byte) (*Callback, error) {
	if len(raw) > maxHandleID {
		return nil, &Error{Name: limitError, Message: fmt.Sprintf("the id of a callback is longer than %d bytes", maxHandleID)}
	}
	id := unquote(raw)
	make := func() *Callback { return &Callback{ch: k.ch, id: id} }
	if (*k.ch.codec.Load()).Dialect().IsClassic() {
		return make(), nil
	}
	cb, err := k.held.accept(id, func(cb *Callback) bool { return !cb.released.Load() }, make)
	if err == errFull {
		err = &Error{Name: limitError, Message: fmt.Sprintf("this connection already holds %d callbacks; release some", k.held.limit)}
	}
	return cb, err
}

// invoked queues an invocation of a callback by the peer. When too much is queued it holds up reading.
func (k *callbackKind) invoked(m *wire.Message) {
	ch := k.ch
	e, _ := k.own.get(unquote(m.ID))
	if e == nil {
		ch.dropped.Add(1)
		ch.report(fmt.Errorf("kkrpc: message dropped: it calls function %s, which the peer does not hold", shortID(m.ID)))
		ch.discard(m, false)
		return
	}
	cb := e.value
	inv := cb.method.Begin()
	ch.request.reset(ch, m)
	if refusal, reported := ch.decode(inv, cb.method.Path); refusal != nil {
		ch.discard(m, true)
		ch.request.end()
		if !reported {
			ch.report(fmt.Errorf("kkrpc: callback: %s: %s", refusal.Name, refusal.Message))
		}
		return
	}
	i := &invoked{callback: cb, inv: inv, bytes: ch.request.size()}
	i.scope = scope{ch: ch, gate: k.lane, place: placed}
	i.came, ch.request.came = ch.request.came, nil
	for _, v := range i.came {
		v.belongTo(&i.scope)
	}
	ch.mu.Lock()
	if ch.err != nil {
		ch.mu.Unlock()
		return
	}
	ch.events++
	i.number = ch.events
	cb.unfinished = append(cb.unfinished, i.number)
	ch.holdLocked(i.bytes)
	in := k.lane.enterLocked(i)
	ch.mu.Unlock()
	if in {
		go runTasks(i) // ends with the lane's queue
		return
	}
	ch.awaitLane(k.lane)
}

// invoked is one invocation of a callback of this side.
type invoked struct {
	scope
	callback *localCallback
	inv      bind.Invocation
	number   uint64 // of Channel.events
	bytes    int
	came     []received // with the arguments
}

func (i *invoked) size() int { return i.bytes }

// beginLocked returns nil, since the lane has one place.
func (i *invoked) beginLocked() any { return nil }

func (i *invoked) dropLocked() { i.ch.holdLocked(-i.bytes) }

// run is a task of the lane.
func (i *invoked) run() task {
	err := i.invoke()
	next := i.retire()
	if err != nil {
		i.ch.report(fmt.Errorf("kkrpc: callback: %w", err))
	}
	return next
}

func (i *invoked) retire() task {
	i.ch.mu.Lock()
	ready := i.callback.finishedLocked(i.number, &i.ch.pending)
	free, after := i.retireLocked()
	i.ch.holdLocked(-i.bytes)
	var next task
	if free {
		next = i.gate.takeLocked()
	}
	i.ch.mu.Unlock()
	for _, p := range ready {
		p.finish(p.err)
	}
	startAll(after)
	endAll(i.came)
	return next
}

// An answer waits for callbacks that its call carried and that were invoked between the call and the answer. It does
// not wait for others, since a callback that itself waits for the answer would never end.

// delayedAnswer is the answer to one call that waits for invocations of one callback.
type delayedAnswer struct {
	call         uint64
	since, until uint64 // numbers of the invocations: above since, up to until
	waits        int    // how many of them have not returned
}

// callDelay is a delayer: a callback that a call carries.
type callDelay struct{ *export[*localCallback] }

func (d callDelay) settledLocked() { d.settled() }

func (d callDelay) delaysLocked(call, since uint64) int {
	cb := d.value
	at, _ := slices.BinarySearch(cb.unfinished, since+1)
	waits := len(cb.unfinished) - at
	if waits > 0 {
		cb.delayed = append(cb.delayed, delayedAnswer{call, since, cb.unfinished[len(cb.unfinished)-1], waits})
	}
	return waits
}

// finishedLocked notes that an invocation has returned. It returns the calls whose answers have waited for it alone.
func (cb *localCallback) finishedLocked(number uint64, pending *pendingCalls) (ready []*pendingCall) {
	if at, found := slices.BinarySearch(cb.unfinished, number); found {
		cb.unfinished = slices.Delete(cb.unfinished, at, at+1)
	}
	still := cb.delayed[:0]
	for _, d := range cb.delayed {
		if number > d.since && number <= d.until {
			d.waits--
			if p := pending.undelayLocked(d.call); p != nil {
				ready = append(ready, p)
			}
		}
		if d.waits > 0 {
			still = append(still, d)
		}
	}
	cb.delayed = still
	return ready
}

func (i *invoked) invoke() (err error) {
	returned := false
	defer func() {
		if returned {
			return
		}
		value := recover()
		err = i.ch.recovered("a callback", value)
		if value == nil { // runtime.Goexit: this goroutine ends
			if next := i.retire(); next != nil {
				go runTasks(next) // ends with the lane's queue
			}
		}
	}()
	err = i.inv.Run(&i.scope)
	returned = true
	return err
}

// awaitLane blocks the leader while more callbacks wait than Limits.CallbackQueue allows. If none finishes or steps out
// for long, the channel closes. They may wait for a message that only the leader could read.
func (ch *Channel) awaitLane(lane *gate) {
	for {
		ch.mu.Lock()
		if lane.queued <= ch.limits.CallbackQueue || ch.err != nil {
			ch.mu.Unlock()
			return
		}
		moved := lane.movedLocked()
		ch.mu.Unlock()
		ch.out.Settle() // Shutdown may wait for that
		stall := time.NewTimer(stallAllowance)
		select {
		case <-moved:
			stall.Stop()
		case <-ch.done:
			stall.Stop()
			return
		case <-stall.C:
			ch.fail(errClosed(fmt.Errorf("%w: no callback has finished for %v while more of them wait than Limits.CallbackQueue allows", ErrLimit, stallAllowance)),
				closePolicy, "callback queue limit")
			return
		}
	}
}

var _ context.Context = (*invoked)(nil)
