package wasm

import "github.com/kkrpc-go/kkrpc"

// Options configures Serve and ServeFor. Nil and the zero value mean the defaults.
type Options struct {
	// RPC configures the channel of each connection. Its Expose is ignored, because Serve and ServeFor take the API. A
	// nil OnError writes to standard error, which is the console of the JavaScript server: 100 errors at once, then one a
	// second. A nil Group is one whose Memory is 64 MiB, because an isolate of Cloudflare Workers has 128 MiB for all of it.
	RPC kkrpc.Options

	// Origins are the origins whose pages may connect, beside the server's own host. Examples are
	// "https://app.example.com", "https://*.example.com" for every subdomain but not example.com itself,
	// "http://localhost:*" for every port, "*" for all. Other pages are closed with code 1008. The check needs the Hono
	// context in createHonoWebSocketHandler(c). Without it every connection is closed with code 1008, unless "*" is an
	// entry. Serve returns an error if an entry is malformed.
	Origins []string

	// MaxConns is the number of open connections; 0 means 10000, negative no bound. Further ones are closed with code
	// 1013.
	MaxConns int

	// Inbox is the number of bytes of messages that may wait to be read, over all connections; 0 means 64 MiB. Beyond
	// it the connection whose messages hold most is closed with code 1013, because a JavaScript server cannot make a
	// peer wait. It should be several times RPC.Limits.Frame.
	Inbox int

	// MaxValue is the number of bytes that a value may have which Var, Env or Do returns, as JSON if it is no []byte; 0
	// means 1 MiB.
	MaxValue int

	// OnOpen is called with each new channel and its request, on a goroutine of its own. Calls of the peer may already
	// be running. Nil does nothing.
	OnOpen func(ch *kkrpc.Channel, r *Request)

	// OnClose is called after RPC.OnClose and never before OnOpen has returned. r is the request that OnOpen and the function
	// of ServeFor got, the same pointer. err is the channel's Err. It must not block. Nil does nothing.
	OnClose func(ch *kkrpc.Channel, r *Request, err error)
}

const (
	defaultMaxConns = 10_000
	defaultInbox    = 64 << 20
	defaultMemory   = 64 << 20
	defaultFrame    = 4 << 20
	defaultMaxValue = 1 << 20
)

// rejection is the error that Reject makes.
type rejection struct {
	code   int
	reason string
}

// Reject returns an error for the function given to ServeFor. It closes the connection with this code and reason, which
// the peer sees. The code is 1000 or 3000 to 4999, and the reason has at most 123 bytes. A code that may not cross the
// network becomes 1011. The upgrade has already been answered at that time.
func Reject(code int, reason string) error { return &rejection{code, reason} }

func (r *rejection) Error() string { return r.reason }
