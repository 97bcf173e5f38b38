package kkrpc

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// Leader and follower. One goroutine, the leader, reads the channel and runs a request's handler at once, which keeps
// the order of arrival and costs no switch. A handler must not keep the channel from being read, so reading can be
// taken from the leader while it is in a handler: by the handler itself when it waits for the peer, or by the
// watchdog when it takes too long. Then a new goroutine leads, and the old one ends after its handler.
//
// Channel.role carries the ownership. It is odd exactly while the leader runs a handler inline: the leader stores an odd
// number before it, and whoever moves it from that odd number to the next even one owns what the leader owns: the leader
// itself when the handler returned first, handOver otherwise.

// leading is what the leader works with, borrowed from a pool until the channel is parked.
type leading struct {
	in      wire.Inbound
	msg     wire.Message
	readBuf []byte
	large   bool        // the last frames, which readBuf and msg may refer to, were larger than idleBuffer
	more    bool        // the transport has another message already
	turn    int         // bytes of messages read and answered since other goroutines had a turn
	line    *time.Timer // nil unless a classic line is incomplete
	inline  *call       // the request that the leader runs, while role is odd
	request request
	scopes  []scope // for the next calls, see newScope
	ahead   int     // how many were made at a time last
}

var leadings = sync.Pool{New: func() any { return new(leading) }}

func newLeading(d wire.Dialect, limits *Limits, t Transport) *leading {
	l := leadings.Get().(*leading)
	l.in = *wire.NewInbound(codecs.Of, d, limits.Frame, limits.Depth)
	_, checked := t.(validText)
	l.in.Trust(checked)
	return l
}

// validText is what a transport may have, found by its method: all that its ReadFrame returns is valid UTF-8, and needs not
// be looked at again.
type validText interface{ ValidText() }

// free gives l back, of which nothing is incomplete.
func (l *leading) free() {
	l.msg.Forget()
	*l = leading{msg: l.msg, readBuf: l.readBuf}
	leadings.Put(l)
}

// lead reads and handles messages until the channel closes or reading is handed over.
func (ch *Channel) lead() {
	for {
		ok, err := ch.in.Next(&ch.msg)
		switch {
		case err != nil:
			ch.refuse(&ch.msg, err)
		case ok:
			if ch.closed.Load() || !ch.handle(&ch.msg) {
				return
			}
		default:
			if !ch.read() {
				return
			}
		}
	}
}

// read brings the next frame. It reports false when the channel has closed, or the channel is parked.
func (ch *Channel) read() bool {
	if ch.turn >= turnBytes {
		ch.turn = 0
		ch.out.Flush()
		runtime.Gosched()
	}
	if !ch.more {
		if k := ch.kindsMade.Load(); k != nil {
			k.news.tell()
		}
		ch.out.Flush()
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
	if err == nil {
		ch.large = ch.large || len(frame) > idleBuffer
		ch.turn += len(frame)
		err = ch.in.Push(frame)
	}
	if ch.line != nil && (err != nil || !ch.in.Incomplete()) {
		ch.lineArrived()
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, wire.ErrTooLong):
		ch.fail(errClosed(err), closeTooLarge, err.Error())
	default:
		ch.lost(err)
	}
	return false
}

// lender is what a transport may have so that messages need not be copied. Like nonblocking it is found by its methods.
// LendFrame is ReadFrame, but msg is memory of the transport, valid until it or Park is called.
type lender interface {
	LendFrame() (msg []byte, more bool, err error)
}

// frame returns the next frame, which is valid until the next call.
func (ch *Channel) frame() (frame []byte, err error) {
	if l, ok := ch.transport.(lender); ok {
		frame, ch.more, err = l.LendFrame()
		return frame, err
	}
	frame, ch.more, err = ch.transport.ReadFrame(ch.readBuf)
	if err == nil {
		ch.readBuf = frame
	}
	return frame, err
}

// turnBytes is after how much a leader lets others run. A peer that always has the next request ready would otherwise keep
// the processor until the scheduler takes it away, 10 ms later, and other connections of a busy server would wait.
const turnBytes = 256 << 10

// idleBuffer is how many bytes of read buffer a channel keeps while it waits.
const idleBuffer = 4 << 10

// handle acts on one message. It reports false when this goroutine no longer leads.
func (ch *Channel) handle(m *wire.Message) bool {
	if ch.codec.Load() == nil {
		ch.setCodec(ch.in.Dialect())
	}
	ch.heard.Store(true)
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
		ch.fail(errClosedf("the peer sent __DESTROY__"), closeNormal, "")
		return false
	default:
		ch.dropped.Add(1)
	}
	return true
}

// refuse deals with a message that cannot be parsed: it is dropped, but a request that can be answered is, and a call
// that it answers ends.
func (ch *Channel) refuse(m *wire.Message, err error) {
	ch.dropped.Add(1)
	if !wire.Answerable(err) || m.ID == nil {
		return
	}
	reason := wire.ErrDepth
	if errors.Is(err, wire.ErrArgs) {
		reason = wire.ErrArgs
	}
	switch m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New, wire.Ref:
		if ch.codec.Load() == nil {
			if ch.in.Dialect() == wire.Unknown {
				return
			}
			ch.setCodec(ch.in.Dialect())
		}
		ch.decline(m, false, &wire.Error{Name: "RPCLimitError", Message: reason.Error()})
	case wire.Response:
		ch.unreadable(m.ID, reason)
	default:
		if owner := ch.owner(m.Kind); owner != nil {
			owner.unreadable(m, reason)
		}
	}
}

// runInline runs c on the leader. It reports whether the goroutine still leads afterwards; if not, the caller finishes
// c as one that was handed over.
func (ch *Channel) runInline(c *call) (err error, leads bool) {
	c.seq = ch.role.Load() + 1
	ch.inline = c
	ch.role.Store(c.seq)
	if !ch.watched.Load() {
		ch.api.watch.add(ch)
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

// yieldIfCrowded gives reading away if c's result has to wait until the peer has read what is queued for it.
func (ch *Channel) yieldIfCrowded(c *call) {
	if ch.out.Crowded() {
		ch.handOver(c.seq)
	}
}

// handOver takes reading from the leader if it still is in the handler that seq stands for. It returns that call, or
// nil if it was too late.
func (ch *Channel) handOver(seq uint64) *call {
	if seq&1 == 0 {
		return nil
	}
	ch.mu.Lock()
	if !ch.role.CompareAndSwap(seq, seq+1) {
		ch.mu.Unlock()
		return nil
	}
	c := ch.inline
	c.countLocked()
	ch.mu.Unlock()
	ch.out.Flush()
	go ch.lead() // ends like the leader that New started
	return c
}

// watchTick is called by the watchdog with what it saw of role one tick ago. It reports whether to look again.
func (ch *Channel) watchTick(seen uint64) (now uint64, again bool) {
	now = ch.role.Load()
	if now != seen {
		ch.out.Flush() // a leader that always has more to read does not come to it
		return now, true
	}
	if now&1 == 1 {
		if c := ch.handOver(now); c != nil {
			c.method.Slow.Store(slowCalls)
		}
		return now, true
	}
	ch.watched.Store(false)
	if ch.role.Load() != now && ch.watched.CompareAndSwap(false, true) {
		return ch.role.Load(), true
	}
	return now, false
}

const (
	watchInterval = time.Millisecond
	// slowInterval is what a method gets instead that was too slow lately: with slow handlers alone, it is what starting
	// each costs. Less would put at risk that the next handler begins after this one.
	slowInterval = 100 * time.Microsecond
	// slowCalls is for how many calls a method is known as slow; each quick one among them counts down.
	slowCalls = 64
)
