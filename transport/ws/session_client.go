//go:build !js

package ws

import (
	"context"
	"errors"
	"fmt"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// sessionDialer makes the sockets of one session of a client.
type sessionDialer struct {
	opts    SessionOptions
	limits  kkrpc.Limits
	target  targetFunc
	backoff Backoff

	// Set by dial.
	link   *link
	ctx    context.Context // ends with the session
	cancel context.CancelFunc
}

const (
	closeProtocol = 1002
	// mostKeep is the longest time that a server can ask for.
	mostKeep = 1000 * time.Hour
)

// dial begins a session over c and makes its channel.
func (d *sessionDialer) dial(ctx context.Context, c *conn, rpc *kkrpc.Options) (*kkrpc.Channel, error) {
	answer, err := d.greet(ctx, c, controlFrame{kind: controlOpen})
	if err == nil && answer.kind != controlSession {
		err = fmt.Errorf("session: the server answered #open with %s", answer.kind)
	}
	if err != nil {
		_ = c.Close(closeProtocol, "no #session")
		return nil, err
	}
	l := newLink(answer.id, &d.opts, d.limits.Write, d.limits.Frame)
	l.dialer, l.bytes = d, c.bytes
	d.ctx, d.cancel = context.WithCancel(context.Background())
	l.keep = time.Duration(min(answer.keep, uint64(mostKeep/time.Millisecond))) * time.Millisecond
	if d.opts.Keep > 0 {
		l.keep = min(l.keep, d.opts.Keep)
	}
	l.ledger.bound = int(min(uint64(l.ledger.bound), answer.buffer))
	d.link = l
	ch, err := kkrpc.New(context.WithoutCancel(ctx), l, rpc)
	if err != nil {
		_ = c.Close(1000, "")
		return nil, err
	}
	if err := l.attach(c, 0, nil); err != nil {
		_ = c.Close(closeGoingAway, "")
		l.end(err, closeGoingAway, "")
	}
	l.setChannel(ch)
	return ch, nil
}

// greet sends the first frame of a socket and returns that of the server.
func (d *sessionDialer) greet(ctx context.Context, c *conn, first controlFrame) (answer controlFrame, err error) {
	limit := handshakeTime(d.limits)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("session: no answer within %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	stop := context.AfterFunc(ctx, func() { c.abort(context.Cause(ctx)) })
	defer stop()
	if err := c.WriteFrames([][]byte{first.append(nil)}); err != nil {
		return answer, err
	}
	p, _, err := c.LendFrame()
	if err != nil {
		return answer, err
	}
	if answer, err = parseControl(p); err != nil {
		return answer, fmt.Errorf("session: the server's first frame: %w", err)
	}
	if !stop() {
		return answer, context.Cause(ctx)
	}
	return answer, nil
}

// redial makes sockets until the session goes on or its time has passed. It is called for each pause.
func (d *sessionDialer) redial() {
	l := d.link
	ctx, cancel := context.WithTimeout(d.ctx, l.keep)
	defer cancel()
	backoff := d.backoff.within(l.keep)
	var last error
	for n := 0; ; n++ {
		timer := time.NewTimer(backoff.wait(n, last))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		if ctx.Err() == nil {
			if last = d.resume(ctx); last == nil {
				return
			}
		}
		if lost := errors.Is(last, ErrSessionLost); lost || ctx.Err() != nil {
			if !lost {
				last = fmt.Errorf("%w: not resumed within %v; before that: %v", ErrSessionLost, l.keep, last)
			}
			l.end(last, closeGoingAway, "")
			return
		}
	}
}

// resume makes one socket and has the session go on over it. An error that wraps ErrSessionLost is final.
func (d *sessionDialer) resume(ctx context.Context) error {
	url, opts, err := d.target(ctx)
	if err != nil {
		return err
	}
	u, where, err := parseURL(url)
	if err != nil {
		return err
	}
	nc, early, agreed, err := connect(ctx, u, opts)
	if err != nil {
		return fmt.Errorf("ws: dial %s: %w", where, err)
	}
	c := newConn(nc, early, opts.config(agreed, maxControl))
	if !agreed.session {
		_ = c.Close(1000, "")
		return fmt.Errorf("%w: the server has no sessions any more", ErrSessionLost)
	}
	l := d.link
	if l.bytes != c.bytes {
		_ = c.Close(1000, "")
		return fmt.Errorf("%w: the first socket and the new one differ in the subprotocol %s", ErrSessionLost, layers{bytes: true}.protocol())
	}
	l.mu.Lock()
	received := l.ledger.received // stays so while there is no socket
	l.mu.Unlock()
	answer, err := d.greet(ctx, c, controlFrame{kind: controlResume, id: l.id, n: received})
	switch {
	case err != nil:
	case answer.kind == controlRefused:
		err = fmt.Errorf("%w: the server refused to go on: %q: %q", ErrSessionLost, answer.reason, answer.text)
	case answer.kind != controlResumed:
		err = fmt.Errorf("%w: the server answered #resume with %s", ErrSessionLost, answer.kind)
	default:
		if err = l.attach(c, answer.n, nil); err == errBehind {
			err = fmt.Errorf("%w: the server has received %d messages, which cannot be", ErrSessionLost, answer.n)
		}
	}
	if err != nil {
		_ = c.Close(closeGoingAway, "")
	}
	return err
}
