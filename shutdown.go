package kkrpc

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

const (
	closeGoingAway = 1001

	// lateTime is for how long requests are refused behind the last answer, before the channel closes. Many peers send their
	// next request when they have an answer. One on its way when the channel closes gets none, and kkrpc 0.2 then waits for ever.
	lateTime = 100 * time.Millisecond
	// cutTime is how long Shutdown takes once ctx has ended, to send what it has to tell.
	cutTime = 100 * time.Millisecond
	// settleTick is how often Shutdown looks whether the leader has queued the response of a handler that has returned.
	settleTick = time.Millisecond
)

// Shutdown closes the channel when the requests of the peer are answered, with the WebSocket code 1001. It returns nil once
// it has closed.
//
// From its start on, requests of the peer are refused with an RPCUnavailableError: none of them has run. The channel closes
// 100 ms after the last answer, so that requests on their way are refused too. Requests that came before it are answered,
// those that wait for Limits.Running included. Streams of this side go on until they end. Calls of this side go on until the
// channel closes, so that handlers can end; Shutdown waits for no other calls.
//
// When ctx ends first, Shutdown returns its cause, at most 100 ms later. Requests that have not begun get an
// RPCUnavailableError. Requests and streams that run get an RPCInterruptedError, and their contexts end. An ended ctx
// thus closes the channel at once.
//
// Handlers and streams that would go on for long watch Draining. A handler must not call Shutdown for its own channel and
// wait: it would wait for itself. Several Shutdowns may run; the first ctx that ends cuts for all.
func (ch *Channel) Shutdown(ctx context.Context) error {
	if ch == nil {
		return errNoChannel
	}
	ch.mu.Lock()
	ch.draining.Store(true)
	ch.leaveLocked()
	ch.mu.Unlock()
	cut := ch.awaitQuiet(ctx)
	if cut == nil {
		late := time.NewTimer(lateTime)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
		case <-ch.done:
		}
		cut = ch.flush(ctx)
	}
	if cut != nil {
		ch.interrupt()
	}
	ch.fail(fmt.Errorf("%w by this side: shutdown", ErrClosed), closeGoingAway, "going away")
	return cut
}

// Draining is closed when the channel is about to close. Either Shutdown was called, or the peer shuts down and has refused a
// request or cut one off. It is closed no later than Done. Until Done, requests that run are still answered.
func (ch *Channel) Draining() <-chan struct{} {
	if ch == nil {
		return closedChannel
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.leaving == nil {
		ch.leaving = make(chan struct{})
		if ch.left || ch.err != nil {
			close(ch.leaving)
		}
	}
	return ch.leaving
}

// awaitQuiet waits until no request of the peer is unanswered and no stream of this side is open, or until the channel
// closes. The error says that ctx has ended before.
func (ch *Channel) awaitQuiet(ctx context.Context) error {
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		ch.mu.Lock()
		role := ch.role.Load()
		running := role&1 == 1 // the leader runs a handler, which may not be counted as open
		busy := ch.open.Load() > 0
		moved := ch.serving.movedLocked()
		ch.mu.Unlock()
		busy = busy || ch.streaming() > 0
		settled := ch.out.Settled() == role
		switch {
		case ch.closed.Load(), !running && !busy && settled:
			return nil
		case running:
			ch.handOver(role)
		}
		var again <-chan time.Time
		if running || !busy {
			tick.Reset(settleTick)
			again = tick.C
		}
		select {
		case <-moved:
		case <-again:
		case <-ch.done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// streaming returns how many streams of this side live.
func (ch *Channel) streaming() int {
	if k := ch.kindsMade.Load(); k != nil {
		if streams, ok := k.list[streamIndex].(*streamKind); ok {
			return streams.out.size()
		}
	}
	return 0
}

// flush waits until everything is sent that was queued, or has room reserved. The error says that ctx has ended before.
func (ch *Channel) flush(ctx context.Context) error {
	for {
		empty := ch.out.Empty()
		if empty == nil {
			return nil
		}
		select {
		case <-empty:
		case <-ch.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// interrupt tells the peer which of its requests have not run, and which are cut off.
func (ch *Channel) interrupt() {
	if c := ch.codec.Load(); c != nil {
		ch.handOver(ch.role.Load()) // counts what the leader runs
		ch.refuseQueued(*c)
		ch.cutRunning(*c)
	}
	if k := ch.kindsMade.Load(); k != nil {
		if streams, ok := k.list[streamIndex].(*streamKind); ok {
			streams.out.cut(&Error{Name: interruptedError, Message: "the other side has shut down before the stream ended"})
		}
	}
	ch.out.FlushSoon()
	ctx, cancel := context.WithTimeout(context.Background(), cutTime)
	defer cancel()
	for ch.streaming() > 0 && ctx.Err() == nil && !ch.closed.Load() {
		ch.mu.Lock()
		moved := ch.serving.movedLocked()
		ch.mu.Unlock()
		if ch.streaming() == 0 {
			break
		}
		select {
		case <-moved:
		case <-ctx.Done():
		case <-ch.done:
		}
	}
	_ = ch.flush(ctx)
}

// refuseQueued answers the requests that wait for their turn.
func (ch *Channel) refuseQueued(codec wire.Codec) {
	ch.mu.Lock()
	queued := ch.serving.queue
	ch.serving.queue, ch.serving.queued = nil, 0
	for _, t := range queued {
		t.dropLocked()
	}
	ch.mu.Unlock()
	for _, t := range queued {
		c := t.(*call)
		ch.refused.Add(1)
		ch.sendError(codec, c.id, unavailable(c.textErrors), c.textErrors)
	}
}

// cutRunning answers the requests whose functions run. Their results come too late and are dropped with the channel.
func (ch *Channel) cutRunning(codec wire.Codec) {
	type request struct {
		id   []byte
		text bool
	}
	var running []request
	ch.mu.Lock()
	for s := ch.active.first; s != nil; s = s.next {
		if s.request != nil {
			running = append(running, request{bytes.Clone(*s.request), s.textErrors})
		}
	}
	ch.mu.Unlock()
	for _, r := range running {
		ch.sendError(codec, r.id, interrupted(r.text), r.text)
	}
}

func (ch *Channel) sendError(codec wire.Codec, id []byte, e *wire.Error, text bool) {
	b := outbox.NewBuffer()
	b.Bytes = ch.appendError(b.Bytes, codec, id, e, text)
	b.Excuse()
	ch.out.Add(b)
}

func interrupted(text bool) *wire.Error {
	return shutdownError(interruptedError, "the other side has shut down while the request ran; it may have been done", text)
}
