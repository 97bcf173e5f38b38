//go:build !js

package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

const (
	// handshakeBytes bounds the response to a handshake.
	handshakeBytes = 64 << 10
	// bodyBytes is how much of a refusal's body is told.
	bodyBytes = 300
)

// Dial connects to a kkrpc server. url is ws://host[:port]/path or wss://…, and http and https mean the same. Dial sends
// user:password@ as basic authentication. ctx bounds Dial alone, and its values are in the contexts of handlers. The
// channel lives until it is closed.
//
// Dial uses the proxy that the environment names, like net/http: HTTPS_PROXY for wss, HTTP_PROXY for ws. NO_PROXY lists
// exceptions. Hosts on this machine need no proxy. The URL of a proxy begins with http:// or https://. For a SOCKS
// proxy set DialOptions.NetDial.
//
// An error wraps a *StatusError if the server or the proxy refused. It tells the HTTP status and the first part of the
// body.
func Dial(ctx context.Context, url string, opts *DialOptions) (*kkrpc.Channel, error) {
	return dialAgain(ctx, url, opts, nil, Backoff{})
}

// dialAgain is Dial. If there is a session, its further sockets connect to what target returns, or to url if it is nil.
func dialAgain(ctx context.Context, url string, opts *DialOptions, target targetFunc, backoff Backoff) (*kkrpc.Channel, error) {
	if opts == nil {
		opts = &DialOptions{}
	}
	u, where, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	rpc := opts.RPC
	api, err := kkrpc.Expose(rpc.Expose) // before the network: a mistake here is not the server's
	if err != nil {
		return nil, err
	}
	rpc.Expose = api
	nc, early, agreed, err := connect(ctx, u, opts)
	if err != nil {
		return nil, fmt.Errorf("ws: dial %s: %w", where, err)
	}
	if agreed.session {
		rpc.Dialect = opts.dialect()
		if target == nil {
			target = func(context.Context) (string, *DialOptions, error) { return url, opts, nil }
		}
		d := &sessionDialer{opts: *opts.Session, limits: rpc.Limits, target: target, backoff: backoff.withDefaults()}
		ch, err := d.dial(ctx, newConn(nc, early, opts.config(agreed, maxControl)), &rpc)
		if err != nil {
			return nil, fmt.Errorf("ws: dial %s: %w", where, err)
		}
		return ch, nil
	}
	opts.settleDialect(&rpc, u, agreed.layers != layers{})
	c := newConn(nc, early, opts.config(agreed, rpc.Limits.Frame))
	ch, err := kkrpc.New(context.WithoutCancel(ctx), c, &rpc)
	if err != nil {
		_ = c.Close(1000, "")
		return nil, err
	}
	return awaitDialect(ctx, ch, where)
}

// config is that of a connection whose messages have up to limit bytes.
func (o *DialOptions) config(agreed agreement, limit int) config {
	return config{
		client:      true,
		deflate:     agreed.deflate,
		bytes:       agreed.bytes,
		limit:       limit,
		timeout:     o.RPC.Limits.Write,
		ping:        heartbeat(o.Ping),
		messageTime: messageTime(o.MessageTime),
	}
}

// agreement is what client and server have agreed on.
type agreement struct {
	layers
	deflate bool
}

// layers are what a client offers.
func (o *DialOptions) layers() layers { return layers{session: o.Session != nil, bytes: true} }

// connect dials and does both handshakes. early is what the server sent behind its response.
func connect(ctx context.Context, u *url.URL, opts *DialOptions) (_ net.Conn, early []byte, agreed agreement, err error) {
	limit := handshakeTime(opts.RPC.Limits)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not connected after %v: %w", limit, context.DeadlineExceeded))
	defer cancel()
	dialer, err := handshakeOf(u, opts)
	if err != nil {
		return nil, nil, agreed, err
	}
	nc, err := dialHost(ctx, u, opts)
	if err != nil {
		return nil, nil, agreed, causeOr(ctx, err)
	}
	defer func() {
		if err != nil {
			_ = nc.Close()
		}
	}()
	if u.Scheme == "wss" {
		tc := tls.Client(nc, tlsConfig(opts.TLS, u.Hostname()))
		if err := tc.HandshakeContext(ctx); err != nil {
			return nil, nil, agreed, causeOr(ctx, err)
		}
		nc = tc
	}

	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = nc.SetDeadline(longAgo)
	})
	var refused error
	dialer.OnStatusError = func(_ int, _ []byte, resp io.Reader) { refused = refusal(resp) }
	br, hs, err := dialer.Upgrade(struct {
		io.Reader
		io.Writer
	}{io.LimitReader(nc, handshakeBytes), nc}, u)
	if br != nil {
		early = make([]byte, br.Buffered())
		_, _ = io.ReadFull(br, early) // it is all there
		ws.PutReader(br)
	}
	inTime := stop()
	if !inTime {
		<-interrupted
	}
	switch {
	case refused != nil:
		return nil, nil, agreed, refused
	case !inTime:
		return nil, nil, agreed, context.Cause(ctx)
	case err != nil:
		return nil, nil, agreed, fmt.Errorf("handshake: %w", err)
	}
	agreed.deflate, err = agreedDeflate(hs.Extensions)
	if l := layersOf(hs.Protocol); l.within(opts.layers()) {
		agreed.layers = l
	}
	agreed.bytes = agreed.bytes || announce.Bytes(u.Query())
	return nc, early, agreed, err
}

// causeOr is why ctx ended if it did, else err.
func causeOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// checkDial says what is wrong with opts for every connection.
func checkDial(u *url.URL, opts *DialOptions) error {
	_, err := handshakeOf(u, opts)
	return err
}

// hopeless reports whether every further attempt fails as this one.
func hopeless(error) bool { return false }

// handshakeOf returns what sends the request.
func handshakeOf(u *url.URL, opts *DialOptions) (ws.Dialer, error) {
	header := opts.Header.Clone()
	for name := range header {
		switch canonical := http.CanonicalHeaderKey(name); canonical {
		case "Connection", "Upgrade", "Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol":
			return ws.Dialer{}, fmt.Errorf("DialOptions.Header: %s is set by the handshake", canonical)
		}
	}
	if u.User != nil && header.Get("Authorization") == "" {
		if header == nil {
			header = http.Header{}
		}
		password, _ := u.User.Password()
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password)))
	}
	d := ws.Dialer{Protocols: opts.Subprotocols, Host: header.Get("Host")}
	if !opts.announced(u) {
		d.Protocols = append(slices.Clip(d.Protocols), announce.Protocol(opts.dialect()))
	}
	if len(d.Protocols) > 0 || opts.Session != nil { // else the program wants no subprotocols
		if len(d.Protocols) == 0 { // some servers select the first one unseen
			d.Protocols = append(d.Protocols, announce.Protocol(opts.dialect()))
		}
		d.Protocols = append(slices.Clip(d.Protocols), opts.layers().offers()...)
	}
	header.Del("Host")
	if header != nil {
		d.Header = ws.HandshakeHeaderHTTP(header)
	}
	if opts.Compression {
		d.Extensions = []httphead.Option{deflateParams.Option()}
	}
	return d, nil
}

// tlsConfig is config for one host; only HTTP/1.1 can be upgraded.
func tlsConfig(config *tls.Config, host string) *tls.Config {
	if config == nil {
		config = &tls.Config{}
	}
	config = config.Clone()
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config
}

// refusal is the error for a response that is no upgrade.
func refusal(r io.Reader) error {
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	return statusError(resp)
}

// statusError reads what a StatusError tells of a response.
func statusError(resp *http.Response) *StatusError {
	defer resp.Body.Close()
	text := resp.Status
	if to := resp.Header.Get("Location"); to != "" {
		text += " to " + to
	}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, bodyBytes))
	if b := strings.TrimSpace(strings.ToValidUTF8(string(body), "")); b != "" {
		text += ": " + b
	}
	return &StatusError{Status: resp.StatusCode, Text: text, RetryAfter: retryAfter(resp.Header)}
}

// retryAfter reads the header Retry-After in both of its forms.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// agreedDeflate reports whether the server agreed to compression, on the terms offered.
func agreedDeflate(extensions []httphead.Option) (bool, error) {
	if len(extensions) == 0 {
		return false, nil
	}
	var p wsflate.Parameters
	if err := p.Parse(extensions[0]); err != nil {
		return false, err
	}
	if len(extensions) > 1 || !wellFormed(extensions[0]) || !p.ServerNoContextTakeover || p.ClientMaxWindowBits != 0 {
		return false, errors.New("the server agreed to other terms of compression than were offered")
	}
	return true, nil
}
