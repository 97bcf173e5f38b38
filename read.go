package kkrpc

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Leader and follower. One goroutine, the leader, reads the channel and runs each handler at once. This keeps the order
// of arrival and costs no switch. A handler must not stop reading, so reading can be taken from a leader that is in a
// handler. The handler itself gives it away when it waits for the peer. The watchdog takes it when the handler takes
// too long. Then a new goroutine leads, and the old one ends after its handler.
//
// Channel.role carries the ownership. It is odd exactly while the leader runs a handler inline. The leader stores an
// odd number before the handler. Afterwards it tries to move role to the next even number, and handOver may try at any
// time. One of them succeeds, and owns everything that the leader owned.

// lead reads and handles messages until the channel closes or reading is handed over.
func (ch *Channel) lead() {
	for {
		ok, err := ch.in.Next(&ch.msg)
		switch {
		case err != nil:
			ch.refuse(&ch.msg, err)
		case ok:
			if ch.closed.Load() {
				ch.letGo()
				return
			}
			if !ch.handle(&ch.msg) {
				return
			}
		default:
			if !ch.read() {
				return
			}
		}
	}
}

// read brings the next frame. It reports false when the channel has closed or is parked.
func (ch *Channel) read() bool {
	ch.memory.Set(&ch.account, ch.in.Held()) // what was decoded is counted elsewhere, or done with
	if ch.turn >= turnBytes {
		ch.turn = 0
		ch.out.Settle()
		ch.yield()
	}
	if !ch.more {
		if k := ch.kindsMade.Load(); k != nil {
			k.news.tell()
		}
		ch.out.Settle()
		if ch.large {
			ch.readBuf, ch.large = nil, false
			ch.msg.Forget()
			ch.in.Forget()
		}
	}
	if ch.in.Incomplete() {
		ch.awaitLine()
	} else if !ch.more && ch.parker != nil && ch.park() {
		return false
	}
	frame, err := ch.frame()
	if err == nil && !ch.heard.Load() && ch.questioned(frame) {
		return true
	}
	if err == nil && ch.in.Incomplete() && ch.keeper != nil && ch.keeper.Repeats() {
		ch.keeper.Refused("the peer has sent half a message before it")
		return true
	}
	if err == nil {
		ch.large = ch.large || len(frame) > idleBuffer
		ch.turn += len(frame)
		err = ch.push(frame)
		ch.memory.Set(&ch.account, ch.in.Held())
	}
	if ch.line != nil && (err != nil || !ch.in.Incomplete()) {
		ch.lineArrived()
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, wire.ErrTooLong):
		ch.fail(errClosed(fmt.Errorf("%w: %w", ErrLimit, err)), closeTooLarge, err.Error())
	default:
		ch.lost(err)
	}
	ch.letGo()
	return false
}

// letGo frees what the last leader of a closed channel has read.
func (ch *Channel) letGo() {
	ch.readBuf, ch.in = nil, wire.Inbound{}
	ch.memory.Set(&ch.account, 0)
}

// push is Inbound.Push. A long line of the classic generation is copied when its buffer grows.
func (ch *Channel) push(frame []byte) error {
	if ch.in.Grows(frame) {
		defer ch.account.Turn(ch.in.Held())()
	}
	return ch.in.Push(frame)
}

// frame returns the next frame, which is valid until the next call.
func (ch *Channel) frame() (frame []byte, err error) {
	if l, ok := ch.transport.(FrameLender); ok {
		frame, ch.more, err = l.LendFrame()
		return frame, err
	}
	frame, ch.more, err = ch.transport.ReadFrame(ch.readBuf)
	if err == nil {
		ch.readBuf = frame
	}
	return frame, err
}

// turnBytes is after how much a leader lets others run. Otherwise a peer that always has the next request ready would
// keep the processor for 10 ms, until the scheduler acts. Transports that know when they wait can do better: transport/ws
// counts time. Here a turn of 200 µs would cost 14 % for small calls on many connections, since batches get smaller.
const turnBytes = 192 << 10

// handle acts on one message. It reports false when this goroutine no longer leads.
func (ch *Channel) handle(m *wire.Message) bool {
	if !ch.heard.Load() {
		if codec := ch.codec.Load(); codec == nil || (*codec).Dialect() != ch.in.Dialect() { // the latter after a guess
			ch.setCodec(ch.in.Dialect())
		}
		ch.heard.Store(true)
	}
	if owner := ch.owner(m.Kind); owner != nil {
		return owner.receive(m) || ch.serve(m)
	}
	switch m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New:
		return ch.serve(m)
	case wire.Response:
		ch.answered(m)
	case wire.Cancel:
		ch.cancelled(m.ID)
	case wire.Destroy:
		ch.fail(closedByPeer{": the peer sent __DESTROY__"}, closeNormal, "")
		ch.letGo()
		return false
	default:
		ch.refuse(m, wire.ErrNotMessage)
	}
	return true
}

// owner returns the kind that receives messages of the wire.Kind k, or nil.
func (ch *Channel) owner(k wire.Kind) kind {
	if i := owners[k]; i > 0 {
		return ch.kinds().list[i-1]
	}
	return nil
}

// refuse drops a message that cannot be parsed. A request is answered if its id is known, and an answer or an item ends what
// waits for it. Everything else is told to Options.OnError.
func (ch *Channel) refuse(m *wire.Message, err error) {
	if errors.Is(err, wire.ErrDialect) {
		reason := fmt.Sprintf("the dialect %v is not accepted here (Options.Dialects)", Dialect(m.Dialect))
		ch.fail(errClosed(fmt.Errorf("%w: %s", ErrUnsupported, reason)), closePolicy, reason)
		return
	}
	ch.dropped.Add(1)
	if m.ID == nil || !wire.Answerable(err) || !ch.tellUnreadable(m, err) {
		ch.report(fmt.Errorf("kkrpc: message %w", err))
	}
}

// tellUnreadable tells the sender of m, or who waits for m, that m cannot be read. It reports whether there was anybody to tell.
func (ch *Channel) tellUnreadable(m *wire.Message, err error) bool {
	switch m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New, wire.Ref:
		if ch.codec.Load() == nil {
			if ch.in.Dialect() == wire.Unknown {
				return false
			}
			ch.setCodec(ch.in.Dialect())
		}
		ch.decline(m, false, refusalOf(m, err))
		return true
	case wire.Response:
		ch.discard(m, false)
		return ch.unreadable(m.ID, unreadableError("the answer", err))
	case wire.Cancel:
		ch.cancelled(m.ID)
		return true
	}
	owner := ch.owner(m.Kind)
	return owner != nil && owner.unreadable(m, err)
}

// awaitLine bounds how long a line of the classic generation may stay incomplete. The leader calls it before it waits for
// more of one; whole lines and compact messages never get here.
func (ch *Channel) awaitLine() {
	if ch.line != nil {
		return
	}
	limit := ch.limits.Line
	ch.line = time.AfterFunc(limit, func() {
		ch.fail(errClosed(fmt.Errorf("%w: a line of the peer was not complete after %v (Limits.Line)", ErrLimit, limit)),
			closePolicy, "incomplete line")
	})
}

// lineArrived is called when the line is complete, or when reading has failed.
func (ch *Channel) lineArrived() {
	ch.line.Stop()
	ch.line = nil
}

// Most connections of a server are idle most of the time. The leader of an idle connection holds buffers, and a stack
// that handlers have made grow. Go does not shrink the stack to the size of a new one. So the leader of an idle channel
// ends if the transport can wait without a goroutine. The next message starts another leader.

// parkPatience is how long a leader waits for the next message before the channel is parked.
const parkPatience = time.Second

// park reports whether the transport has parked the channel, so that its leader ends.
func (ch *Channel) park() bool {
	if !ch.heard.Load() {
		return false // the dialect may be unknown
	}
	patience := parkPatience
	if !ch.parked {
		ch.parked = true
		patience = 0 // thousands of connections may be made at once, each to make one call
	}
	l := ch.leading
	ch.leading = nil // before wake runs
	if !ch.parker.Park(patience, ch.wake) {
		ch.leading = l
		return false
	}
	l.memory.Set(&ch.account, 0)
	l.free()
	ch.out.Shrink()
	ch.mu.Lock()
	ch.pending.shedLocked()
	ch.mu.Unlock()
	return true
}

// unpark runs the next leader of a parked channel.
func (ch *Channel) unpark() {
	ch.leading = ch.newLeading((*ch.codec.Load()).Dialect())
	ch.lead()
}

// refusalOf is the answer to a request of which err is Answerable.
func refusalOf(m *wire.Message, err error) *wire.Error {
	if e, ok := errors.AsType[*wire.AnnotationError](err); ok {
		path, _ := m.Path.Segments(nil)
		return &wire.Error{Name: "TypeError", Message: strings.Join(path, ".") + ": " + e.Error()}
	}
	return &wire.Error{Name: limitError, Message: limitOf(err).Error()}
}

// unreadableError is the error for this side, of which err is Answerable.
func unreadableError(what string, err error) error {
	if e, ok := errors.AsType[*wire.AnnotationError](err); ok {
		return e
	}
	return fmt.Errorf("%w: %s: %w", ErrLimit, what, limitOf(err))
}

// limitOf returns the limit that an Answerable error is about.
func limitOf(err error) error {
	for _, limit := range []error{wire.ErrArgs, wire.ErrID} {
		if errors.Is(err, limit) {
			return limit
		}
	}
	return wire.ErrDepth
}
