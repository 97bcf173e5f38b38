package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/budget"
	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// Close codes of RFC 6455 that a channel closes its transport with.
const (
	closeNormal    = 1000
	closePolicy    = 1008 // a limit was exceeded
	closeTooLarge  = 1009
	closeInternal  = 1011
	closeTryAgain  = 1013             // the server is short of memory
	stallAllowance = 30 * time.Second // how long callbacks may make no progress while they hold up the reader
)

// Channel is one RPC connection: what either side exposes, the other calls. All methods may be called from any
// goroutine, also from inside handlers and callbacks. A nil Channel is one without a peer: its calls and Err fail with
// ErrUnsupported, and its Done is closed.
type Channel struct {
	// Immutable.
	id        uint64
	transport Transport
	parker    Parker        // transport, if it is one; else nil
	byteMark  func() string // that of transport, if bytes travel beside the text; else nil
	wake      func()        // unpark, which parker calls
	next      func()        // lead, which a goroutine runs that takes over reading
	api       *bind.API
	group     *Group
	opts      settings
	limits    *Limits
	base      context.Context                              // parent of every handler's context: values only
	inbound   Interceptor                                  // nil: none
	outbound  Interceptor                                  // nil: none
	accepts   wire.DialectSet                              // of the peer's messages
	strict    bool                                         // requests have all members that are required
	alone     func(ctx context.Context, op outgoing) error // exchange of a channel without a transport; nil for others
	keeper    hibernate.Keeper                             // of a connection that may outlive the channel; nil for most

	*leading      // owned by the leader, the one goroutine that reads; nil while the channel is parked
	parked   bool // likewise: the channel has been parked once

	role    atomic.Uint64
	watched atomic.Bool // the watchdog looks at role

	codec    atomic.Pointer[wire.Codec] // nil until the dialect is known
	closed   atomic.Bool                // what had been read already is not handled any more
	heard    atomic.Bool                // a message of the peer has been understood
	dropped  atomic.Uint64
	refused  atomic.Uint64
	skipped  atomic.Uint64 // one-way messages that were not sent, since the peer is slow
	slow     atomic.Bool   // it closes since the peer is slow
	notifies atomic.Bool   // this side has sent a notification
	open     atomic.Int32  // requests that are unfinished and not run by the leader
	onHold   atomic.Bool   // requests wait until keeper lets them run, but those that it repeats

	draining atomic.Bool // requests are refused. Set with mu.

	out       outbox.Outbox
	account   budget.Account
	kindsMade atomic.Pointer[kinds]  // see kinds
	makeKinds func(*Channel, *kinds) // immutable
	refsOn    atomic.Bool            // this side uses references, see Options.References

	mu       sync.Mutex // guards what follows
	err      error      // why the channel closed; nil while it is open
	done     chan struct{}
	stopBase func() bool   // undoes the watch over base
	known    chan struct{} // closed once codec is set; nil until somebody waits
	leaving  chan struct{} // of Draining; nil until somebody asks
	left     bool          // Draining is, or would be, closed
	serving  gate          // requests
	gates    *gate         // all others, see newGateLocked
	held     int           // bytes of requests and callbacks, see holdLocked
	outlived bool          // the channel has closed, and held counts apart from account
	requests budget.Meter  // of held
	active   scopeList     // scopes that have been asked for their context, or are not run by the leader
	pending  pendingCalls
	events   uint64    // counts what answers may have to wait for: invocations of callbacks
	begun    uint64    // requests that were run from the queue of serving; role counts the others
	told     uint64    // the role for which Stats has counted a handler that the leader runs
	onEnd    []*func() // of AfterClose
	ended    bool      // those have been called, or are about to be
}

// Close closes the channel with the WebSocket code 1000. Queued messages are sent first, within Limits.Write. Later
// messages are dropped. Pending calls on both sides fail with ErrClosed, and the contexts of running handlers end.
// Close does not wait for handlers.
func (ch *Channel) Close() error { return ch.CloseWith(closeNormal, "") }

// CloseWith is Close with a code and a reason for the peer, of at most 123 bytes.
func (ch *Channel) CloseWith(code int, reason string) error {
	if ch == nil {
		return errNoChannel
	}
	ch.out.Finish()
	ch.fail(fmt.Errorf("%w by this side", ErrClosed), code, reason)
	return nil
}

// public is ch as users see it: nil for a channel without a transport.
func (ch *Channel) public() *Channel {
	if ch.transport == nil {
		return nil
	}
	return ch
}

// lastID is the ID of the channel that was made last.
var lastID atomic.Uint64

// ID is the number of the channel in this process, from 1 on. It is for logs. A nil Channel has the ID 0.
func (ch *Channel) ID() uint64 {
	if ch == nil {
		return 0
	}
	return ch.id
}

// Peer names the other end for logs, such as its network address. It is empty if the transport is no [PeerNamer].
func (ch *Channel) Peer() string {
	if ch == nil {
		return ""
	}
	if t, ok := ch.transport.(PeerNamer); ok {
		return t.Peer()
	}
	return ""
}

// Done is closed once the channel has closed.
func (ch *Channel) Done() <-chan struct{} {
	if ch == nil {
		return closedChannel
	}
	return ch.done
}

// Err is nil while the channel is open. Afterwards it wraps ErrClosed and says why, with the transport's error if there
// was one.
func (ch *Channel) Err() error {
	if ch == nil {
		return errNoChannel
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.err
}

// Dialect is the dialect of the channel. It is zero while the channel waits for the first message of the peer.
func (ch *Channel) Dialect() Dialect {
	if ch == nil {
		return 0
	}
	if c := ch.codec.Load(); c != nil {
		return Dialect((*c).Dialect())
	}
	return 0
}

// AwaitDialect waits until the dialect of the channel is known, or ctx ends. Calls do this by themselves. Notify does not
// wait.
func (ch *Channel) AwaitDialect(ctx context.Context) (Dialect, error) {
	if ch == nil {
		return 0, errNoChannel
	}
	codec, err := ch.awaitCodec(ctx)
	if err != nil {
		return 0, err
	}
	return Dialect(codec.Dialect()), nil
}

// Dropped is the number of inbound messages that could not be read or had no receiver on this side. Options.OnError is
// told of all but answers to calls that have ended, and requests that an error answers.
func (ch *Channel) Dropped() uint64 {
	if ch == nil {
		return 0
	}
	return ch.dropped.Load()
}

// errNoChannel is the error of a nil Channel, which FromContext returns for a request that came by itself.
var errNoChannel = fmt.Errorf("%w: over HTTP a server cannot call its client; use a WebSocket", ErrUnsupported)

// closedChannel is also Done of a nil Channel.
var closedChannel = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// fail closes the channel once: every later call does nothing.
func (ch *Channel) fail(err error, code int, reason string) {
	ch.mu.Lock()
	if ch.err != nil {
		ch.mu.Unlock()
		return
	}
	ch.err = err
	ch.leaveLocked()
	close(ch.done)
	ch.closed.Store(true)
	calls := ch.pending.takeAllLocked()
	scopes := ch.active.allLocked()
	stopBase := ch.stopBase
	ch.serving.clearLocked()
	for g := ch.gates; g != nil; g = g.next {
		g.clearLocked()
	}
	ch.outliveLocked()
	ch.mu.Unlock()

	ch.out.Shut()
	ch.transport.Close(code, reason)
	ch.account.Close()
	for _, p := range calls {
		p.finish(err)
	}
	for _, s := range scopes {
		s.cancel()
	}
	if k := ch.kindsMade.Load(); k != nil {
		k.clear(err)
	}
	if stopBase != nil {
		stopBase()
	}
	if ch.opts.onClose != nil {
		ch.opts.onClose(ch, err)
	}
	ch.mu.Lock()
	ended := ch.onEnd
	ch.onEnd, ch.ended = nil, true
	ch.mu.Unlock()
	for _, f := range ended {
		(*f)()
	}
}

// AfterClose has f called once when the channel has closed, after Options.OnClose. It is called at once, by AfterClose, if
// that is over. f must not block. A package that keeps something for each channel, such as package rooms, can thus let go of
// it. stop undoes AfterClose, and reports whether f will not be called. With a nil Channel, f is called at once.
func (ch *Channel) AfterClose(f func()) (stop func() bool) {
	if ch == nil || !ch.addEnd(&f) {
		f()
		return func() bool { return false }
	}
	return func() bool {
		ch.mu.Lock()
		defer ch.mu.Unlock()
		before := len(ch.onEnd)
		ch.onEnd = slices.DeleteFunc(ch.onEnd, func(other *func()) bool { return other == &f })
		return len(ch.onEnd) < before
	}
}

// addEnd reports false if it is too late.
func (ch *Channel) addEnd(f *func()) bool {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if !ch.ended {
		ch.onEnd = append(ch.onEnd, f)
	}
	return !ch.ended
}

// Unsent returns nil if at most n bytes wait to be sent to the peer. Otherwise it returns a channel that is closed when that
// is so. If the peer does not read, it never is, so select on Done as well. A sender of one-way messages can thus keep a
// bounded queue of its own for a slow consumer:
//
//	for wait := ch.Unsent(64 << 10); wait != nil; wait = ch.Unsent(64 << 10) {
//		select {
//		case <-wait:
//		case <-ch.Done():
//			return ch.Err()
//		}
//	}
func (ch *Channel) Unsent(n int) <-chan struct{} {
	if ch == nil || ch.transport == nil {
		return nil
	}
	return ch.out.Above(n)
}

// holdLocked counts n more bytes of requests and callbacks that are not the leader's own.
func (ch *Channel) holdLocked(n int) {
	ch.held += n
	if ch.outlived {
		ch.group.memory().Linger(n)
		return
	}
	ch.requests.Set(&ch.account, ch.held)
}

// outliveLocked has what running functions hold count on after the channel has closed. Else a peer that comes again and again
// could have any number of them run.
func (ch *Channel) outliveLocked() {
	ch.outlived = true
	ch.requests.Set(&ch.account, 0)
	ch.group.memory().Linger(ch.held)
}

// leaveLocked closes Draining.
func (ch *Channel) leaveLocked() {
	if !ch.left && ch.leaving != nil {
		close(ch.leaving)
	}
	ch.left = true
}

// lost is fail for an error of the transport.
func (ch *Channel) lost(err error) {
	switch {
	case errors.Is(err, io.EOF):
		ch.fail(closedByPeer{" by the peer"}, closeNormal, "")
	default:
		ch.fail(errClosed(err), closeInternal, "")
	}
}

// outboxOwner is the Channel as its outbox sees it.
type outboxOwner struct{ ch *Channel }

func (o outboxOwner) Overrun(waiting int) {
	o.ch.fail(errClosed(fmt.Errorf("%w: %d bytes wait to be sent and the peer does not read (Limits.Outbound)", ErrLimit, waiting)),
		closePolicy, "outbound limit")
}

func (o outboxOwner) Lost(err error) { o.ch.lost(err) }

// accountOwner is the Channel as its group's budget sees it.
type accountOwner struct{ ch *Channel }

func (o accountOwner) Evict(held, limit int64) {
	o.ch.fail(errClosed(fmt.Errorf("%w: %w: the connections of this server hold more than %d bytes together, and this one %d of them (Group.Memory)",
		ErrLimit, budget.ErrEvicted, limit, held)), closeTryAgain, "too much memory is in use, and this connection holds most")
}

// closedByPeer is an ErrClosed and io.EOF, so that a transport knows that the peer wanted the end.
type closedByPeer struct{ how string }

func (e closedByPeer) Error() string        { return ErrClosed.Error() + e.how }
func (e closedByPeer) Is(target error) bool { return target == ErrClosed || target == io.EOF }

func errClosed(err error) error { return fmt.Errorf("%w: %w", ErrClosed, err) }

// report tells Options.OnError.
func (ch *Channel) report(err error) {
	if ch.opts.onError != nil {
		ch.opts.onError(err)
	}
}

// setCodec fixes the dialect of this side and lets the calls go on that waited for it.
func (ch *Channel) setCodec(d wire.Dialect) {
	c := codecs.Of(d)
	ch.mu.Lock()
	ch.codec.Store(&c)
	if ch.known != nil {
		close(ch.known)
		ch.known = nil
	}
	ch.mu.Unlock()
}

// guessCodec is setCodec until the first message of the peer tells its dialect.
func (ch *Channel) guessCodec(d wire.Dialect) {
	c := codecs.Of(d)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.codec.CompareAndSwap(nil, &c) && ch.known != nil {
		close(ch.known)
		ch.known = nil
	}
}

// codecKnown is closed once the codec is known.
func (ch *Channel) codecKnown() <-chan struct{} {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.codec.Load() != nil {
		return closedChannel
	}
	if ch.known == nil {
		ch.known = make(chan struct{})
	}
	return ch.known
}

// awaitCodec returns the codec, waiting for the peer's first message if the dialect is not known yet.
func (ch *Channel) awaitCodec(ctx context.Context) (wire.Codec, error) {
	if c := ch.codec.Load(); c != nil {
		return *c, nil
	}
	select {
	case <-ch.codecKnown():
		return *ch.codec.Load(), nil
	case <-ch.done:
		return nil, ch.Err()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the peer's first message, which tells its dialect (set Options.Dialect to speak first): %w", context.Cause(ctx))
	}
}

// kinds returns the kinds of this channel, and makes them the first time. The caller must not hold ch.mu, unless a value
// is known to have crossed by identity.
func (ch *Channel) kinds() *kinds {
	if k := ch.kindsMade.Load(); k != nil {
		return k
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	k := ch.kindsMade.Load()
	if k == nil {
		k = &kinds{}
		k.news.kinds, k.news.out = k, &ch.out
		ch.makeKinds(ch, k)
		if ch.err != nil {
			k.clear(ch.err)
		}
		ch.kindsMade.Store(k)
	}
	return k
}

// settings are the Options that a channel keeps.
type settings struct {
	errorText   bool
	callTimeout time.Duration
	metadata    func(ctx context.Context) map[string]any
	slow        SlowConsumer
	onError     func(err error)
	onClose     func(ch *Channel, err error)
}
