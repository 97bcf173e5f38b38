package wasm

import "github.com/kkrpc-go/kkrpc"

// Options configures Serve. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how each connection's channel behaves. Its Expose is ignored: Serve and ServeFor say what is exposed.
	// Nil for its OnError means standard error, which is the JavaScript server's console.
	RPC kkrpc.Options

	// Origins are the pages that may connect beside those of the server's own host: "https://app.example.com",
	// "https://*.example.com" for every subdomain but not example.com itself, "http://localhost:*" for every port,
	// "*" for everyone. Others are closed with code 1008. The request has to be known: of createHonoWebSocketHandler()
	// without the Hono context every connection is let in if there are no Origins, and none unless "*" is among them.
	// With a malformed one Serve returns an error.
	Origins []string

	// MaxConns is how many connections may be open; 0 means 10000, negative no bound. Further ones are closed with
	// code 1013.
	MaxConns int

	// Inbox is how many bytes of a connection's messages may wait to be read; 0 means 16 MiB. Beyond it the connection
	// is closed with code 1013: a JavaScript server cannot make the peer wait.
	Inbox int

	// OnOpen is called with each new channel and the request that opened it, on a goroutine of its own: calls of the
	// peer may already be running. Nil does nothing.
	OnOpen func(ch *kkrpc.Channel, r *Request)

	// OnClose is called after RPC.OnClose, and never before OnOpen has returned, with what ch.Err returns. It must not
	// block. Nil does nothing.
	OnClose func(ch *kkrpc.Channel, err error)
}

const (
	defaultMaxConns = 10_000
	defaultInbox    = 16 << 20
	defaultFrame    = 4 << 20
)

// rejection is the error that Reject makes.
type rejection struct {
	code   int
	reason string
}

// Reject makes an error for the function given to ServeFor: the connection is closed with this code, of 1000 or of 3000
// to 4999, and this reason of at most 123 bytes, which the peer sees. A code that may not cross the network becomes 1011. The
// upgrade itself has been answered by then.
func Reject(code int, reason string) error { return &rejection{code, reason} }

func (r *rejection) Error() string { return r.reason }
