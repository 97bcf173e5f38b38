package kkhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// NewClient returns a channel that sends each call as a POST to url. url is http://host[:port]/path or https://…. A
// user:password@ is sent as basic authentication. NewClient itself sends nothing. The channel lives until it is closed,
// which aborts running requests. The end of a call's ctx aborts its own request.
//
// A call fails with a *StatusError if the answer is not a kkrpc response. Without an answer it fails with the error of
// net/http. Use errors.As and errors.Is to find them. Neither closes the channel, and no call is repeated.
func NewClient(url string, opts *ClientOptions) (*kkrpc.Channel, error) {
	if opts == nil {
		opts = &ClientOptions{}
	}
	target, where, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	rpc := opts.RPC
	if rpc.Expose != nil {
		return nil, errors.New("kkhttp: ClientOptions.RPC.Expose: over HTTP a server cannot call its client; use a WebSocket")
	}
	if rpc.Dialect == 0 {
		rpc.Dialect = kkrpc.Compact
	}
	t := &poster{
		url:       target,
		where:     where,
		http:      opts.HTTP,
		header:    opts.Header,
		codec:     codecs.Of(wire.Dialect(rpc.Dialect)),
		frame:     orDefault(rpc.Limits.Frame, defaultFrame),
		depth:     orDefault(rpc.Limits.Depth, defaultDepth),
		maxQueued: orDefault(rpc.Limits.Outbound, defaultOutbound),
		maxActive: orDefault(opts.MaxRequests, defaultClientRequests),
		answers:   make(chan []byte),
		posts:     map[string]*post{},
		cancelled: map[string]struct{}{},
		failures:  map[string]error{},
	}
	rpc.Limits.Frame = t.frame + ownBytes
	t.ctx, t.stop = context.WithCancel(context.Background())
	if t.http == nil {
		t.http, t.own = ownClient(t.maxActive)
	}
	ch, err := kkrpc.New(context.Background(), t, &rpc)
	if err != nil {
		_ = t.Close(0, "")
		return nil, err
	}
	return ch, nil
}

// parseURL returns raw and what errors may show of it: no password and no parameters, which often hold tokens.
func parseURL(raw string) (target, where string, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		if ue := (*url.Error)(nil); errors.As(err, &ue) {
			err = ue.Err
		}
		return "", "", fmt.Errorf("kkhttp: malformed URL: %w", err)
	}
	where = u.Scheme + "://" + u.Host + u.Path
	if scheme := strings.ToLower(u.Scheme); scheme != "http" && scheme != "https" {
		return "", "", fmt.Errorf("kkhttp: the URL must begin with http:// or https://, got scheme %q", u.Scheme)
	}
	if u.Hostname() == "" {
		return "", "", fmt.Errorf("kkhttp: %s: the URL has no host", where)
	}
	return raw, where, nil
}

// headerBytes bounds the header of an answer. The 10 MiB of net/http are more than an answer needs.
const headerBytes = 64 << 10

// ownClient keeps as many connections as requests may run at a time. The client of net/http keeps two to a host.
// transport is nil if a program has replaced that of net/http, which is then used.
func ownClient(requests int) (_ *http.Client, transport *http.Transport) {
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if standard, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = standard.Clone()
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = requests, requests
		transport.MaxResponseHeaderBytes = headerBytes
		c.Transport = transport
	}
	return c, transport
}

// StatusError is an answer of a server that is not a kkrpc response.
type StatusError struct {
	Code     int    // HTTP status
	Location string // where a redirect leads, which is not followed
	Text     string // the beginning of the body, at most 300 bytes
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.Code, http.StatusText(e.Code))
	if e.Code >= 200 && e.Code < 300 {
		text += " with a body that is no response to the request"
	}
	if e.Location != "" {
		text += " to " + e.Location
	}
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}
