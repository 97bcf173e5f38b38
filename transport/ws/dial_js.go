package ws

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"syscall/js"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

// Dial connects to a kkrpc server by the WebSocket of the JavaScript host. url is ws://host[:port]/path or wss://…, and
// http and https mean the same. ctx bounds Dial alone, and its values are in the contexts of handlers. The channel lives
// until it is closed. The host does not tell why it could not connect. The package comment lists other differences.
func Dial(ctx context.Context, url string, opts *DialOptions) (*kkrpc.Channel, error) {
	return dialAgain(ctx, url, opts, nil, Backoff{})
}

// dialAgain is Dial: there are no sessions whose sockets could be replaced.
func dialAgain(ctx context.Context, url string, opts *DialOptions, _ targetFunc, _ Backoff) (*kkrpc.Channel, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	target, where, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	rpc := opts.RPC
	opts.settleDialect(&rpc, target, false)
	if rpc.Expose, err = kkrpc.Expose(rpc.Expose); err != nil {
		return nil, err
	}
	err = checkDial(target, opts)
	var c *conn
	if err == nil {
		c, err = connect(ctx, target, opts)
	}
	if err != nil {
		return nil, fmt.Errorf("ws: dial %s: %w", where, err)
	}
	ch, err := kkrpc.New(context.WithoutCancel(ctx), c, &rpc)
	if err != nil {
		_ = c.Close(1000, "")
		return nil, err
	}
	return awaitDialect(ctx, ch, where)
}

// hopelessError is what every further attempt would fail with too.
type hopelessError struct {
	text  string
	cause error // or nil
}

func (e *hopelessError) Error() string { return e.text }
func (e *hopelessError) Unwrap() error { return e.cause }

// hopeless reports whether every further attempt fails as this one.
func hopeless(err error) bool {
	_, ok := errors.AsType[*hopelessError](err)
	return ok
}

// checkDial says what is wrong with opts for every connection.
func checkDial(u *url.URL, opts *DialOptions) error {
	for _, option := range []struct {
		name string
		set  bool
	}{
		{"DialOptions.Header (or what Target added)", len(opts.Header) > 0},
		{"DialOptions.TLS", opts.TLS != nil},
		{"DialOptions.Compression", opts.Compression},
		{"DialOptions.Ping", opts.Ping > 0},
		{"DialOptions.MessageTime", opts.MessageTime > 0},
		{"DialOptions.NetDial", opts.NetDial != nil},
		{"DialOptions.Session", opts.Session != nil},
		{"user and password in the URL", u.User != nil},
	} {
		if option.set {
			const text = " is not possible in a js/wasm build: the WebSocket of the host has nothing of the kind"
			return &hopelessError{option.name + text, errors.ErrUnsupported}
		}
	}
	if js.Global().Get("WebSocket").Type() != js.TypeFunction {
		const text = "this host has no WebSocket: before Node 22, set globalThis.WebSocket to that of the package ws"
		return &hopelessError{text, errors.ErrUnsupported}
	}
	return nil
}

// connect opens a WebSocket of the host and waits until it is open.
func connect(ctx context.Context, u *url.URL, opts *DialOptions) (*conn, error) {
	limit := handshakeTime(opts.RPC.Limits)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not connected after %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !opts.announced(u) {
		// By the URL: a host fails the connection if the server picks none of the subprotocols, as one on Workers does.
		announcing := *u
		announcing.RawQuery = announce.AddTo(u.RawQuery, opts.dialect())
		u = &announcing
	}
	protocols := make([]any, len(opts.Subprotocols))
	for i, p := range opts.Subprotocols {
		protocols[i] = p
	}
	var socket js.Value
	err := try(func() { socket = js.Global().Get("WebSocket").New(u.String(), protocols) })
	if err != nil { // a malformed address or subprotocol, or a page over https that may not use ws://
		return nil, &hopelessError{text: withoutQuery(err.Error())}
	}
	c := newConn(socket, opts.RPC.Limits)
	c.bytes = announce.Bytes(u.Query())
	select {
	case <-c.opened:
		return c, nil
	case <-c.ended:
		return nil, c.refused()
	case <-ctx.Done():
		_ = c.Close(1000, "")
		return nil, context.Cause(ctx)
	}
}

// try runs f and returns what JavaScript has thrown.
func try(f func()) (err error) {
	defer func() {
		if value := recover(); value != nil {
			thrown, ok := value.(js.Error)
			if !ok {
				panic(value)
			}
			err = errors.New(strings.TrimPrefix(thrown.Error(), "JavaScript error: "))
		}
	}()
	f()
	return nil
}
