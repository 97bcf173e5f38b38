package kkhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Client calls a server with one POST for each call. It is a kkrpc.Caller.
type Client struct {
	*kkrpc.UnaryCaller

	// Immutable.
	url, where string // where is url as far as errors may show it
	http       *http.Client
	own        *http.Transport // of http, if nobody else uses it; else nil
	header     func(ctx context.Context) (http.Header, error)
	frame      int             // limit of an answer, in bytes
	depth      int             // limit of its JSON
	running    chan struct{}   // has room for as many requests as may run
	ctx        context.Context // ends with the client
	stop       context.CancelFunc
}

// NewClient returns a client that sends each call as a POST to url. url is http://host[:port]/path or https://…. A
// user:password@ is sent as basic authentication. NewClient itself sends nothing. Close aborts running requests. The end
// of a call's ctx aborts its own request.
//
// A call fails with a *StatusError if the answer is not a kkrpc response. Without an answer it fails with the error of
// net/http. Use errors.As and errors.Is to find them. No call is repeated.
func NewClient(url string, opts *ClientOptions) (*Client, error) {
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
	switch {
	case rpc.Dialect != 0:
	case rpc.Negotiate < 0:
		rpc.Dialect = kkrpc.Compact
	default:
		rpc.Negotiate = time.Second // by answers: there is no silence
	}
	requests := orDefault(opts.MaxRequests, defaultClientRequests)
	c := &Client{
		url:     target,
		where:   where,
		http:    opts.HTTP,
		header:  opts.Header,
		frame:   orDefault(rpc.Limits.Frame, defaultFrame),
		depth:   orDefault(rpc.Limits.Depth, defaultDepth),
		running: make(chan struct{}, requests),
	}
	if c.UnaryCaller, err = kkrpc.Unary(c.roundTrip, &rpc); err != nil {
		return nil, err
	}
	c.ctx, c.stop = context.WithCancel(context.Background())
	if c.http == nil {
		c.http, c.own = ownClient(requests)
	}
	return c, nil
}

// Close aborts all requests. Calls fail with kkrpc.ErrClosed from then on. It returns nil.
func (c *Client) Close() error {
	c.stop()
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
	return nil
}

// roundTrip waits for its turn and posts request.
func (c *Client) roundTrip(ctx context.Context, request []byte) ([]byte, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.ctx, cancel)()
	var response []byte
	var err error
	select {
	case c.running <- struct{}{}:
		defer func() { <-c.running }()
		response, err = c.exchange(ctx, request)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if c.ctx.Err() != nil {
		if c.own != nil {
			c.own.CloseIdleConnections() // this one's may have become idle after Close
		}
		return nil, fmt.Errorf("%w by this side", kkrpc.ErrClosed)
	}
	return response, err
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
