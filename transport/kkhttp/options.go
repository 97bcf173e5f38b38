package kkhttp

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Defaults; those of kkrpc.Limits are as documented there.
const (
	defaultFrame          = 4 << 20
	defaultDepth          = 64
	defaultWrite          = 30 * time.Second
	defaultMaxRequests    = 10_000
	defaultClientRequests = 64
	defaultTimeout        = time.Minute
	defaultBodyTimeout    = 30 * time.Second
)

// Options configures a handler. Nil and the zero value mean the defaults.
type Options struct {
	// RPC configures how requests are answered, see kkrpc.API.Answer. Its Expose is ignored, because Handler and HandlerFor take the API.
	// With a zero Dialect, requests of all dialects are accepted, or of those in Dialects; any other Dialect is the only
	// one. Requests in another one are answered with 400. Limits.Frame bounds a body.
	RPC kkrpc.Options

	// Origins are the origins whose pages may call, beside the server's own, as in ws.Options. Pages of other origins
	// also need CORS middleware in front of the handler. Otherwise the browser hides the answers. Handler panics if an
	// entry is malformed.
	Origins []string

	// Hosts are the names and addresses in requests that are accepted, without port: "localhost", "127.0.0.1", or
	// "*.example.com" for every subdomain. A server for this machine alone should list its names. Otherwise a page
	// whose own name points to this machine (DNS rebinding) passes the check of origins. Nil accepts any host. Handler
	// panics if an entry is malformed.
	Hosts []string

	// MaxRequests is the number of unfinished requests; 0 means 10000, negative no bound. Further ones are answered
	// with 503. A request counts until its function has returned, even if the caller has left.
	MaxRequests int

	// Timeout is the time limit of a function; 0 means a minute, negative no bound. Then its context ends and the
	// caller gets an RPCTimeoutError, with status 504 for callers of kkrpc 2.
	Timeout time.Duration

	// BodyTimeout is the time limit for a body to arrive; 0 means 30 s, negative no bound. A slower body is answered
	// with 408. It is for servers without http.Server.ReadTimeout. RPC.Limits.Write bounds the time to send an answer,
	// for servers without http.Server.WriteTimeout.
	BodyTimeout time.Duration

	// Logger gets the errors before a function is called. If RPC.OnError is nil, it also gets the errors for that: 100 at
	// once, then one a second. Nil means slog.Default().
	Logger *slog.Logger
}

// ClientOptions configures NewClient. Nil and the zero value mean the defaults.
type ClientOptions struct {
	// RPC configures the calls, see kkrpc.Unary. With a zero Dialect, the first call asks the server for its generation of
	// kkrpc, by one request or two. A negative Negotiate means Compact without asking. Expose must be nil. Limits.Frame bounds an
	// answer.
	RPC kkrpc.Options

	// HTTP sends the requests. Nil means an http.Client of its own, which follows no redirects. Leave its Timeout
	// zero, because calls have their own deadlines.
	HTTP *http.Client

	// Header returns the headers of each request beside Content-Type and Accept. It may be called from any goroutine.
	// ctx is that of the call and ends with it. An error fails the call, whose error wraps it; a panic fails the
	// call too. Nil adds none.
	Header func(ctx context.Context) (http.Header, error)

	// MaxRequests is the number of running requests; 0 means 64. Further calls wait in order.
	MaxRequests int
}

func orDefault[T int | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// bound is a limit that a negative option takes away: 0 means none.
func bound[T int | time.Duration](option, def T) T {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return def
	default:
		return option
	}
}
