package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Persistent is a client that connects again when its connection is lost. It is a Caller made by [kkrpc.Via]. Operations
// wait while there is no connection. An operation whose connection is lost fails with kkrpc.ErrClosed, unless its ctx is
// from [kkrpc.Idempotent]. References and callbacks end with the connection they came over. All methods may be called
// from any goroutine.
type Persistent struct {
	kkrpc.Caller

	// Immutable.
	url    string
	given  string // url without secrets, for the log
	opts   PersistentOptions
	log    *slog.Logger
	ctx    context.Context // ends with the Persistent, with why
	cancel context.CancelCauseFunc
	done   chan struct{}

	// Owned by run.
	connected bool   // some connection was for everyone
	where     string // the URL of the last attempt without secrets; empty for a malformed one

	// Guarded by mu.
	mu      sync.Mutex
	state   State
	live    *kkrpc.Channel // the last one made; nil before
	leaving *kkrpc.Channel // one before it, whose server shuts down and answers what is under way; nil for none
	ready   bool           // live is for everyone: connected
	changed chan struct{}  // closed when ready becomes true, or with the Persistent
}

// errByThisSide is why Close ends a Persistent.
var errByThisSide = fmt.Errorf("%w by this side", kkrpc.ErrClosed)

// DialPersistent connects to a kkrpc server like Dial, and again whenever the connection is lost. It goes on until Close
// is called or ctx ends. MaxAttempts and RetryIf can end it earlier. Unlike the ctx of Dial, ctx bounds the whole life of
// the Persistent. DialPersistent returns once the first connection is made, after any number of attempts, or has failed
// for good. PersistentOptions.Background makes it return at once.
func DialPersistent(ctx context.Context, url string, opts *PersistentOptions) (*Persistent, error) {
	if opts == nil {
		opts = &PersistentOptions{}
	}
	p := &Persistent{url: url, opts: *opts, done: make(chan struct{}), changed: make(chan struct{})}
	// Each attempt would fail for the same reasons, so they are errors at once.
	u, where, err := parseURL(url)
	if p.given = where; p.opts.Target == nil {
		if err != nil {
			return nil, err
		}
		if err := checkDial(u, &p.opts.Dial); err != nil {
			return nil, fmt.Errorf("ws: dial %s: %w", where, err)
		}
	}
	if p.log = p.opts.Logger; p.log == nil {
		p.log = slog.Default()
	}
	api, err := kkrpc.Expose(p.opts.Dial.RPC.Expose)
	if err != nil {
		return nil, err
	}
	p.opts.Dial.RPC.Expose = api
	p.opts.Backoff = p.opts.Backoff.withDefaults()
	p.Caller = kkrpc.Via(p.Channel)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	changed := p.changed
	go p.run() // ends with p.ctx, or when it gives up
	if p.opts.Background {
		return p, nil
	}
	<-changed
	if err := p.Err(); err != nil {
		<-p.done
		return nil, errors.Unwrap(err) // nothing was open that could be closed
	}
	return p, nil
}

// Channel returns the current connection. Without one it waits, within the deadline of ctx or else RPC.CallTimeout. If
// FailFast is set, it fails at once. A channel that has closed stays closed, so call Channel again for each use.
func (p *Persistent) Channel(ctx context.Context) (*kkrpc.Channel, error) {
	if ch, ok := ctx.Value(connectionKey{p}).(*kkrpc.Channel); ok { // in OnConnect, or since
		return ch, ch.Err()
	}
	var expired <-chan time.Time
	_, bounded := ctx.Deadline()
	for {
		ch, state, changed := p.look()
		switch {
		case state.Phase == Closed:
			return nil, state.Err
		case p.ctx.Err() != nil:
			return nil, p.ended(nil)
		case ch != nil:
			return ch, nil
		case p.opts.FailFast:
			return nil, withLast(fmt.Errorf("%w: no connection now", kkrpc.ErrClosed), state.Err)
		}
		if limit := p.opts.Dial.RPC.CallTimeout; limit >= 0 && !bounded && expired == nil {
			timer := time.NewTimer(callTime(limit))
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
		case <-ctx.Done():
			return nil, withLast(fmt.Errorf("waiting for a connection: %w", context.Cause(ctx)), state.Err)
		case <-expired:
			err := fmt.Errorf("no connection within %v", callTime(p.opts.Dial.RPC.CallTimeout))
			return nil, &kkrpc.Error{
				Name:    "RPCTimeoutError",
				Message: withLast(err, state.Err).Error(),
				Cause:   context.DeadlineExceeded,
			}
		}
	}
}

// look returns the connection for calls. If ch is nil, state says why, and changed is closed when that changes.
func (p *Persistent) look() (ch *kkrpc.Channel, state State, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ready && isLeaving(p.live) { // run has not noticed yet
		p.ready, p.changed = false, make(chan struct{})
	}
	if p.ready {
		ch = p.live
	}
	return ch, p.state, p.changed
}

// isLeaving reports whether ch has closed or is about to.
func isLeaving(ch *kkrpc.Channel) bool {
	select {
	case <-ch.Draining():
		return true
	default:
		return false
	}
}

// State returns the current state of p.
func (p *Persistent) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Done returns a channel that is closed once p has closed for good.
func (p *Persistent) Done() <-chan struct{} { return p.done }

// Err returns nil until Done is closed, and then an error that wraps kkrpc.ErrClosed and says why.
func (p *Persistent) Err() error {
	if state := p.State(); state.Phase == Closed {
		return state.Err
	}
	return nil
}

// Close ends p and closes its connection as Channel.Close does. Operations that wait for a connection fail with
// kkrpc.ErrClosed.
func (p *Persistent) Close() error {
	p.cancel(errByThisSide)
	p.mu.Lock()
	open := []*kkrpc.Channel{p.leaving, p.live}
	p.mu.Unlock()
	for _, ch := range open {
		if ch != nil {
			_ = ch.Close() // run does it too, but here what is queued has been sent when Close returns
		}
	}
	return nil
}

// run connects again and again.
func (p *Persistent) run() {
	defer p.cancel(nil) // frees what waits for ctx
	var last error      // why there is no connection
	failures, waits := 0, 0
	for {
		p.enter(State{Phase: Connecting, Err: last, Failures: failures})
		steady, err := p.connection(failures)
		if steady {
			failures, waits = 0, 0
		} else {
			failures++
		}
		switch {
		case p.ctx.Err() != nil:
			err = p.ended(last)
		case !p.retry(err):
			err = &endError{err}
		case p.opts.MaxAttempts > 0 && failures >= p.opts.MaxAttempts:
			err = &endError{fmt.Errorf("gave up after %d attempts: %w", failures, err)}
		default:
			wait := p.opts.Backoff.wait(waits, err)
			waits++
			last = err
			p.enter(State{Phase: Waiting, Err: err, Failures: failures, Next: time.Now().Add(wait)})
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
				continue
			case <-p.ctx.Done():
				timer.Stop()
				err = p.ended(last)
			}
		}
		p.enter(State{Phase: Closed, Err: err, Failures: failures})
		close(p.done)
		return
	}
}

// retry reports whether to connect again after err.
func (p *Persistent) retry(err error) bool {
	if p.opts.RetryIf != nil {
		return p.opts.RetryIf(err)
	}
	return !hopeless(err) && (p.connected || !permanent(err))
}

// tell logs a state. There is at most one line for each attempt.
func (p *Persistent) tell(state State) {
	switch state.Phase {
	case Connected:
		p.log.Info("ws: connected", "url", p.where)
	case Waiting:
		p.log.Warn("ws: not connected", "url", p.where, "err", state.Err, "failures", state.Failures,
			"wait", time.Until(state.Next).Round(time.Millisecond))
	case Closed:
		if state.Err != errByThisSide {
			p.log.Warn("ws: not connected, for good", "url", p.where, "err", state.Err, "failures", state.Failures)
		}
	}
}

// enter makes state the current one and wakes the calls that wait for it.
func (p *Persistent) enter(state State) {
	p.mu.Lock()
	p.state = state
	wasReady := p.ready
	p.ready = state.Phase == Connected
	switch {
	case wasReady && !p.ready:
		p.changed = make(chan struct{})
	case !wasReady && p.ready:
		close(p.changed)
	}
	if state.Phase == Closed {
		close(p.changed)
	}
	p.mu.Unlock()
	p.tell(state)
	if p.opts.OnState != nil {
		p.opts.OnState(state)
	}
}

// errServerLeaves is why a connection is replaced that is still open.
var errServerLeaves = fmt.Errorf("%w: the server is shutting down", kkrpc.ErrClosed)

// connection makes one connection. It waits for its end, or until the server refuses calls because it shuts down. err says
// why the connection is gone. steady reports whether it lasted for Backoff.Steady.
func (p *Persistent) connection(failures int) (steady bool, err error) {
	ctx, cancel := context.WithCancelCause(p.ctx)
	ch, err := p.dial(ctx, cancel)
	if err != nil {
		cancel(nil)
		return false, err
	}
	p.mu.Lock()
	p.live = ch
	p.mu.Unlock()
	stop := context.AfterFunc(p.ctx, func() { _ = ch.Close() })
	end := func() {
		_ = ch.Close()
		stop()
		cancel(nil)
	}
	err = p.prepare(context.WithValue(ctx, connectionKey{p}, ch), ch)
	if err == nil {
		err = ch.Err() // the hooks took no notice
	}
	if err != nil {
		end()
		return false, err
	}
	p.connected = true
	began := time.Now()
	p.enter(State{Phase: Connected, Failures: failures})
	<-ch.Draining()
	steady = time.Since(began) >= p.opts.Backoff.Steady
	if err := ch.Err(); err != nil {
		end()
		return steady, err
	}
	p.leave(ch)
	go func() { // ends with ch, which the server closes, or p
		<-ch.Done()
		end()
	}()
	return steady, errServerLeaves
}

// leave lets ch end by itself. Only one channel at a time does.
func (p *Persistent) leave(ch *kkrpc.Channel) {
	p.mu.Lock()
	before := p.leaving
	p.leaving = ch
	p.mu.Unlock()
	if before != nil {
		_ = before.Close()
	}
}

// connectionKey is the key, in the ctx of OnConnect, of the connection that calls of the Persistent use.
type connectionKey struct{ p *Persistent }

// dial makes one attempt. lost is called when the channel closes.
func (p *Persistent) dial(ctx context.Context, lost context.CancelCauseFunc) (*kkrpc.Channel, error) {
	p.where = p.given
	url, opts, err := p.target(ctx)
	if err != nil {
		return nil, err
	}
	if p.opts.Target != nil {
		_, p.where, _ = parseURL(url)
	}
	onClose := opts.RPC.OnClose
	opts.RPC.OnClose = func(ch *kkrpc.Channel, err error) {
		lost(err)
		if onClose != nil {
			onClose(ch, err)
		}
	}
	return dialAgain(ctx, url, opts, p.target, p.opts.Backoff)
}

// targetFunc returns where and how to make the next connection.
type targetFunc func(ctx context.Context) (url string, opts *DialOptions, err error)

// target is a targetFunc, which asks the user.
func (p *Persistent) target(ctx context.Context) (url string, _ *DialOptions, err error) {
	opts := p.opts.Dial
	opts.Header = opts.Header.Clone()
	if p.opts.Target == nil {
		return p.url, &opts, nil
	}
	if opts.Header == nil {
		opts.Header = http.Header{}
	}
	url, err = p.ask(ctx, opts.Header)
	return url, &opts, err
}

// ask calls Target.
func (p *Persistent) ask(ctx context.Context, header http.Header) (url string, err error) {
	limit := handshakeTime(p.opts.Dial.RPC.Limits)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer after %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("ws: panic in PersistentOptions.Target: %v\n%s", value, debug.Stack())
		}
	}()
	if url, err = p.opts.Target(ctx, p.url, header); err != nil {
		return "", fmt.Errorf("ws: PersistentOptions.Target: %w", err)
	}
	return url, nil
}

// prepare calls the hooks.
func (p *Persistent) prepare(ctx context.Context, ch *kkrpc.Channel) (err error) {
	hook := "OnConnect"
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("ws: panic in %s: %v\n%s", hook, value, debug.Stack())
		}
	}()
	if p.opts.OnConnect != nil {
		if err := p.opts.OnConnect(ctx, ch); err != nil {
			return fmt.Errorf("ws: %s: %w", hook, err)
		}
	}
	if p.opts.OnReconnect != nil && p.connected {
		hook = "OnReconnect"
		if err := p.opts.OnReconnect(ctx, ch); err != nil {
			return fmt.Errorf("ws: %s: %w", hook, err)
		}
	}
	return nil
}

// ended is why p.ctx ended. last is what went wrong before, or nil.
func (p *Persistent) ended(last error) error {
	err := context.Cause(p.ctx)
	if err == errByThisSide {
		return err
	}
	return &endError{withLast(err, last)}
}

// endError is why a Persistent closed other than by Close.
type endError struct{ cause error }

func (e *endError) Error() string {
	if errors.Is(e.cause, kkrpc.ErrClosed) {
		return e.cause.Error()
	}
	return fmt.Sprintf("%v: %v", kkrpc.ErrClosed, e.cause)
}

func (e *endError) Unwrap() error        { return e.cause }
func (e *endError) Is(target error) bool { return target == kkrpc.ErrClosed }

// withLast is err with what went wrong before it.
func withLast(err, last error) error {
	if last == nil {
		return err
	}
	return fmt.Errorf("%w; before that: %w", err, last)
}
