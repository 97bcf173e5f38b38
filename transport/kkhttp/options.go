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
	defaultOutbound       = 16 << 20
	defaultWrite          = 30 * time.Second
	defaultMaxRequests    = 10_000
	defaultClientRequests = 64
	defaultTimeout        = time.Minute
	defaultBodyTimeout    = 30 * time.Second
)

// Options configures a handler. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how the channel of each request behaves. Its Expose is ignored: Handler and HandlerFor say what is
	// exposed. A zero Dialect means that of each request; any other is the only one that is accepted.
	// Limits.Frame bounds a body.
	RPC kkrpc.Options

	// Origins are the pages that may call beside those of the server's own origin, as in ws.Options. Pages of other origins
	// need CORS middleware in front of the handler too, or the browser keeps the answers from them. A malformed one
	// makes Handler panic.
	Origins []string

	// Hosts are the names and addresses that requests may be sent to, without port: "localhost", "127.0.0.1",
	// "*.example.com" for every subdomain. A server for this machine alone should list its own: to a page whose name was
	// made to point here (DNS rebinding) the check of origins is no obstacle. Nil means any. A malformed one makes
	// Handler panic.
	Hosts []string

	// MaxRequests is how many requests may be unfinished at a time; 0 means 10000, negative no bound. Further ones get
	// a 503. A request counts until its function has returned, also when the caller has gone.
	MaxRequests int

	// Timeout is how long a function may take; 0 means a minute, negative no bound. Then its context ends and the caller
	// gets an RPCTimeoutError, with status 504 if it is of kkrpc 2.
	Timeout time.Duration

	// BodyTimeout is how long a body may take to arrive, for servers without http.Server.ReadTimeout; 0 means 30 s,
	// negative no bound. A slower one is answered with 408. How long an answer may take to be sent is
	// RPC.Limits.Write, for servers without http.Server.WriteTimeout.
	BodyTimeout time.Duration

	// Logger gets what goes wrong before a function is called, and what RPC.OnError would be told if that is nil. Nil
	// means slog.Default().
	Logger *slog.Logger
}

// ClientOptions configures NewClient. Nil and the zero value mean the defaults.
type ClientOptions struct {
	// RPC is how the channel behaves. A zero Dialect means Compact. Expose must be nil. Limits.Frame bounds an answer,
	// Limits.Outbound the bytes of the calls that wait because of MaxRequests.
	RPC kkrpc.Options

	// HTTP sends the requests. Nil means a client of the channel's own, which follows no redirects. Leave its Timeout
	// zero: calls have theirs.
	HTTP *http.Client

	// Header is asked, from any goroutine, for the headers of each request beside Content-Type and Accept. ctx ends
	// when the call does; it has no values. An error fails the call and is wrapped by what that returns; a panic fails it too. Nil adds none.
	Header func(ctx context.Context) (http.Header, error)

	// MaxRequests is how many requests are under way at a time; 0 means 64. Further calls wait in order.
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
