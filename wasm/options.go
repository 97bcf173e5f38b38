package wasm

import (
	"context"
	"net/url"

	"github.com/kkrpc-go/kkrpc"
)

// Options configures Serve. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how each connection's channel behaves. Its Expose is ignored: Serve and ServeFor say what is exposed.
	// Limits.Frame is also what the host may hand over in one message.
	RPC kkrpc.Options

	// MaxConns is how many connections may be open; 0 means 10000, negative no bound. Further ones are closed with
	// code 1013.
	MaxConns int

	// Inbox is how many bytes of a connection's messages may wait to be read; 0 means 16 MiB. Beyond it the connection
	// is closed with code 1013: a JavaScript server cannot make the peer wait.
	Inbox int

	// OnOpen is called with each new channel and the request that opened it, on a goroutine of its own: calls of the
	// peer may already be running. Nil does nothing.
	OnOpen func(ch *kkrpc.Channel, r *Request)

	// OnClose is called after RPC.OnClose with what ch.Err returns, perhaps before OnOpen has returned. It must not block. Nil
	// does nothing.
	OnClose func(ch *kkrpc.Channel, err error)
}

const (
	defaultMaxConns = 10_000
	defaultInbox    = 16 << 20
	defaultFrame    = 4 << 20
)

// Request is what is known of the HTTP request that became a connection: what createHonoWebSocketHandler was given of it. If
// it was called without the Hono context, all of it is empty, and URL is not nil.
type Request struct {
	URL *url.URL
	// Params are the path parameters of the route: for "/chat/:room", "room".
	Params map[string]string
	// Header has the header's fields by their names in lower case. Of several of one name it has what the host has,
	// joined with ", ".
	Header map[string]string
}

type requestKey struct{}

// RequestFromContext returns the request of the connection that a handler's ctx belongs to, nil for any other ctx.
func RequestFromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// rejection is the error that Reject makes.
type rejection struct {
	code   int
	reason string
}

// Reject makes an error for the function given to ServeFor: the connection is closed with this code, of 1000 or of 3000
// to 4999, and this reason of at most 123 bytes, which the peer sees. The upgrade itself has been answered by then.
func Reject(code int, reason string) error { return &rejection{code, reason} }

func (r *rejection) Error() string { return r.reason }
