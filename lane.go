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
	came     []received // with the arguments
}

// called queues an invocation of a callback by the peer. When too much is queued it holds up reading.
func (ch *Channel) called(m *wire.Message) {
	cb := ch.tables().callbacks.find(unquote(m.ID))
	if cb == nil {
		ch.dropped.Add(1)
		ch.discard(m, false)
		return
	}
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
	i := &invoked{callback: cb, inv: inv, bytes: messageSize(m)}
	i.scope = scope{ch: ch, gate: ch.tables().lane, place: placed}
	i.came, ch.request.came = ch.request.came, nil
	for _, v := range i.came {
		v.belongTo(&i.scope)
	}
	ch.mu.Lock()
	if ch.err != nil {
		ch.mu.Unlock()
		return
	}
	ch.invocations++
	i.number = ch.invocations
	cb.unfinished = append(cb.unfinished, i.number)
	in := i.gate.enterLocked(i)
	ch.mu.Unlock()
	if in {
		go runTasks(i) // ends with the lane's queue
		return
	}
	ch.awaitLane(i.gate)
}

func (i *invoked) size() int { return i.bytes }

func (i *invoked) dropLocked() {}

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
	next, after := i.retireLocked()
	i.ch.mu.Unlock()
	for _, p := range ready {
		p.finish(p.err)
	}
	startAll(after)
	endAll(i.came)
	return next
}

// An answer waits for callbacks: for those that its call carried, invoked after the call was made and before the answer
// came. It does not wait for others, since a callback that waits for this very answer would never end.

// delayedAnswer is the answer to one call that waits for invocations of one callback.
type delayedAnswer struct {
	call         uint64
	since, until uint64 // numbers of the invocations: above since, up to until
	waits        int    // how many of them have not returned
}

// delaysLocked implements delayer.
func (cb *localCallback) delaysLocked(call, since uint64) int {
	at, _ := slices.BinarySearch(cb.unfinished, since+1)
	waits := len(cb.unfinished) - at
	if waits > 0 {
		cb.delayed = append(cb.delayed, delayedAnswer{call, since, cb.unfinished[len(cb.unfinished)-1], waits})
	}
	return waits
}

// settledLocked implements delayer.
func (cb *localCallback) settledLocked() { cb.pending-- }

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

// awaitLane blocks the leader while more callbacks wait than Limits.CallbackQueue allows. If none of them begins for
// long, they may be waiting for something that only the leader could read, and the channel closes.
func (ch *Channel) awaitLane(lane *gate) {
	for {
		ch.mu.Lock()
		if lane.queued <= ch.limits.CallbackQueue || ch.err != nil {
			ch.mu.Unlock()
			return
		}
		shorter := lane.shorterLocked()
		ch.mu.Unlock()
		ch.out.Flush()
		stall := time.NewTimer(stallAllowance)
		select {
		case <-shorter:
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
