package kkrpc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// The lane runs the callbacks of a channel one at a time in the order of their arrival. It is a gate with room for one:
// a callback that waits for the peer with its ctx lets the next one in.

// invoked is one invocation of a callback of this side.
type invoked struct {
	scope
	callback *localCallback
	inv      bind.Invocation
	number   uint64 // of invocations on this channel
	bytes    int
	streams  []*inStream // among the arguments
}

// called queues an invocation of a callback by the peer. When too much is queued it holds up reading.
func (ch *Channel) called(m *wire.Message) {
	cb := ch.tables().callbacks.find(unquote(m.ID))
	if cb == nil {
		ch.dropped.Add(1)
		ch.refuseStreams(m)
		ch.unreadArgs(m, false)
		return
	}
	inv := cb.method.Begin()
	ch.request.reset(ch, m)
	if refusal, reported := ch.decode(inv, cb.method.Path); refusal != nil {
		ch.refuseStreams(m)
		ch.unreadArgs(m, true)
		if !reported {
			ch.report(fmt.Errorf("kkrpc: callback: %s: %s", refusal.Name, refusal.Message))
		}
		return
	}
	i := &invoked{callback: cb, inv: inv, bytes: messageSize(m)}
	i.scope = scope{ch: ch, inLane: true}
	i.streams, ch.request.streams = ch.request.streams, nil
	for _, s := range i.streams {
		s.scope = &i.scope
	}
	ch.mu.Lock()
	if ch.err != nil {
		ch.mu.Unlock()
		return
	}
	ch.invocations++
	i.number = ch.invocations
	cb.unfinished = append(cb.unfinished, i.number)
	in := ch.tables().lane.enterLocked(i)
	ch.mu.Unlock()
	if in {
		go runTasks(i) // ends with the lane's queue
		return
	}
	ch.awaitLane()
}

func (i *invoked) size() int { return i.bytes }

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
	ready := i.callback.finishedLocked(i.number)
	for _, r := range ready {
		r.call = i.ch.pending.takeLocked(r.id)
	}
	next, after := i.retireLocked()
	i.ch.laneMovedLocked()
	i.ch.mu.Unlock()
	for _, r := range ready {
		r.deliver(i.ch)
	}
	startAll(after)
	dropAll(i.streams)
	return next
}

// heldResponse is a response that waits for callbacks: those that its call carried, invoked after the call was made and
// before the response arrived. Others are left out, since a callback that waits for this very response would never end.
type heldResponse struct {
	id           uint64
	since, until uint64       // numbers of the invocations: above since, up to until
	waits        int          // how many of them have not returned
	answer       pendingCall  // only what fillCall sets
	call         *pendingCall // nil if it has ended otherwise
}

// holdLocked keeps the response m of p back if there are callbacks that it has to wait for.
func (ch *Channel) holdLocked(p *pendingCall, m *wire.Message, s *inStream, err error) bool {
	waits := 0
	for _, cb := range p.callbacks {
		waits += cb.unfinishedSince(p.since)
	}
	if waits == 0 {
		return false
	}
	p.answered = true
	r := &heldResponse{id: p.id, since: p.since, until: ch.invocations, waits: waits}
	r.answer.result = p.result
	ch.fillCall(&r.answer, m, s, err)
	for _, cb := range p.callbacks {
		cb.held = append(cb.held, r)
	}
	return true
}

func (r *heldResponse) deliver(ch *Channel) {
	if p := r.call; p != nil {
		p.dialect, p.meta, p.value, p.own = r.answer.dialect, r.answer.meta, r.answer.value, r.answer.own
		p.stream = r.answer.stream
		p.finish(r.answer.err)
	} else if r.answer.stream != nil {
		r.answer.stream.drop()
	} else {
		ch.unreadRefs(r.answer.dialect, r.answer.value, false)
	}
}

// unfinishedSince is how many invocations above number have not returned.
func (cb *localCallback) unfinishedSince(number uint64) int {
	at, _ := slices.BinarySearch(cb.unfinished, number+1)
	return len(cb.unfinished) - at
}

// finishedLocked notes that an invocation has returned, and gives back the responses that waited for it alone.
func (cb *localCallback) finishedLocked(number uint64) (ready []*heldResponse) {
	if at, found := slices.BinarySearch(cb.unfinished, number); found {
		cb.unfinished = slices.Delete(cb.unfinished, at, at+1)
	}
	cb.held = slices.DeleteFunc(cb.held, func(r *heldResponse) bool {
		if number <= r.since || number > r.until {
			return r.waits == 0
		}
		if r.waits--; r.waits == 0 {
			ready = append(ready, r)
		}
		return r.waits == 0
	})
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

// laneMovedLocked lets the reader go on that waits for the lane.
func (ch *Channel) laneMovedLocked() {
	if ch.room != nil {
		close(ch.room)
		ch.room = nil
	}
}

// awaitLane blocks the leader while more callbacks wait than Limits.CallbackQueue allows. If none of them finishes for
// long, they may be waiting for something that only the leader could read, and the channel closes.
func (ch *Channel) awaitLane() {
	for {
		ch.mu.Lock()
		if ch.tables().lane.queued <= ch.limits.CallbackQueue || ch.err != nil {
			ch.mu.Unlock()
			return
		}
		if ch.room == nil {
			ch.room = make(chan struct{})
		}
		room := ch.room
		ch.mu.Unlock()
		ch.out.Flush()
		stall := time.NewTimer(stallAllowance)
		select {
		case <-room:
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
