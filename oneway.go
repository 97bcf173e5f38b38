package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
)

// One-way messages are notifications and invocations of the peer's functions. Nobody waits for an answer to them.
//
// A callback waits for room in the outbound queue. This slows a handler that reports progress down to what the peer
// reads. A notification never waits, so that many members can be told in one order, under a lock. In place of waiting
// it has a bound, Limits.Backlog. A peer beyond it is a slow consumer.

// fallBehind applies Options.SlowConsumer to a one-way message that cannot be sent, for this reason.
func (ch *Channel) fallBehind(reason string) error {
	if ch.opts.slow == Drop {
		ch.skipped.Add(1)
		return fmt.Errorf("%w: %s", ErrDropped, reason)
	}
	err := errClosed(fmt.Errorf("%w: %s", ErrSlowConsumer, reason))
	if !ch.slow.Swap(true) {
		go ch.fail(err, closePolicy, "slow consumer") // not here: the sender may hold a lock that OnClose takes
	}
	return err
}

// postNow queues b without waiting. With an error, b remains the caller's.
func (ch *Channel) postNow(b *outbox.Buffer) error {
	switch ch.out.PostNow(b, ch.limits.Backlog) {
	case outbox.Full:
		return ch.fallBehind(fmt.Sprintf("%d bytes of one-way messages may wait to be sent (Limits.Backlog)", ch.limits.Backlog))
	case outbox.Closing:
		if err := ch.Err(); err != nil {
			return err
		}
		return fmt.Errorf("%w by this side", ErrClosed)
	}
	return nil
}

// notify sends the request for op and waits for nothing. The id of the request says what an error is about, so that
// nothing is kept until the answer comes.
func (ch *Channel) notify(ctx context.Context, op outgoing) (err error) {
	known := ch.codec.Load()
	switch {
	case ch.transport == nil:
		return fmt.Errorf("%w: a single request has an answer", ErrUnsupported)
	case ch.closed.Load():
		return ch.Err()
	case known == nil:
		return fmt.Errorf("%w before its first message, which tells its dialect (set Options.Dialect to speak first)", ErrUnsupported)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	codec := *known
	if !codec.Dialect().IsClassic() {
		var handled *metadata
		if s := scopeOf(ctx); s != nil {
			handled = s.meta
		}
		op.meta = newOutgoingMetadata(ctx, ch.opts.metadata, handled)
	}
	out := newValues(ch, codec)
	out.tail.Values = out.annotations()
	out.carryBytes()
	b := outbox.NewBuffer()
	sent := false
	defer func() { // also after a panic of an argument's own marshaling
		if !sent {
			b.Free()
		}
		out.free()
	}()
	id := notificationID(op.path)
	if op.on != nil {
		b.Bytes, err = op.on.appendRequest(b.Bytes, codec, out, id, &op)
	} else {
		b.Bytes, err = ch.appendRequest(b.Bytes, codec, out, id, &op)
	}
	if err != nil {
		return err
	}
	b.Bytes = out.seal(b.Bytes)
	ch.notifies.Store(true)
	if err = ch.postNow(b); err != nil {
		return err
	}
	sent = true
	out.sent()
	return nil
}

// maxNotificationID is up to what length in bytes ids of notifications name the path.
const maxNotificationID = 128

// notificationID returns the id of a request whose answer nobody waits for. Ids are written without escapes.
func notificationID(path string) string {
	if len(path) > maxNotificationID {
		return unnamed
	}
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return unnamed
		}
	}
	return unawaited + path
}

// watch makes a pending call for a request that nobody waits for, and returns its id. Its only purpose is to report an
// error. It may end, and its pendingCall serve another call, at any time. 0: there are too many already.
func (ch *Channel) watch() (id uint64) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.pending.watched >= maxWatched {
		return 0
	}
	p, err := ch.registerLocked(nil, false)
	if err != nil {
		return 0
	}
	ch.pending.watched++
	p.then = func(err error) {
		ch.mu.Lock()
		ch.pending.watchedLocked(p)
		ch.mu.Unlock()
		if err != nil && !errors.Is(err, ErrClosed) {
			ch.report(fmt.Errorf("kkrpc: callback: %w", err))
		}
	}
	return p.id
}

// unwatch ends the call that watch has made, unless it has ended.
func (ch *Channel) unwatch(id uint64) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if p := ch.pending.takeLocked(id); p != nil {
		ch.pending.watchedLocked(p)
	}
}

// maxWatched is how many one-way calls of the peer's functions are watched for errors at a time. It bounds the memory
// that a peer can take by not answering.
const maxWatched = 1024

// awaitRoom blocks until b, a one-way message, is queued, at most for Limits.SendWait.
func (ch *Channel) awaitRoom(ctx context.Context, b *outbox.Buffer, full <-chan struct{}) error {
	if s := scopeOf(ctx); s != nil {
		s.stepOut()
		defer s.stepIn()
	}
	limit := time.NewTimer(ch.limits.SendWait)
	defer limit.Stop()
	defer ch.out.Block(b)()
	for ; full != nil; full = ch.out.Post(b) {
		select {
		case <-limit.C:
			return ch.fallBehind(fmt.Sprintf("there was no room in the outbound queue for %v (Limits.SendWait)", ch.limits.SendWait))
		case <-full:
		case <-ch.done:
			return ch.Err()
		case <-ctx.Done():
			return fmt.Errorf("waiting for room in the outbound queue (Limits.Outbound): %w", context.Cause(ctx))
		}
	}
	return nil
}
