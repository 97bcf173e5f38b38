package ws

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	defaultMaxConns  = 100_000
	defaultPing      = 30 * time.Second
	defaultHandshake = 10 * time.Second
)

// Options configures a Server. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how each connection's channel behaves. Its Expose is ignored: Handler and HandlerFor say what is exposed.
	RPC kkrpc.Options

	// Origins are the pages that may connect beside the server's own: "https://app.example.com",
	// "https://*.example.com" for every subdomain but not example.com itself, "http://localhost:*" for every port,
	// "*" for everyone. A malformed one makes Handler panic.
	Origins []string

	// Subprotocols are those the server agrees to, beside kkrpc.<dialect>; of the client's list the first wins.
	Subprotocols []string

	// Compression agrees to permessage-deflate with clients that offer it. It costs more CPU time than it saves for
	// small messages. Messages below 512 bytes are never compressed.
	Compression bool

	// MaxConns is how many connections may be open; 0 means 100000, negative no bound. Further ones get a 503.
	MaxConns int

	// Ping is after how long a silent connection gets a WebSocket ping; if it is still silent after as long again, it
	// is closed. 0 means 30 s, negative never.
	Ping time.Duration

	// OnOpen is called with each new channel and the request that opened it, on a goroutine of its own: calls of the
	// peer may already be running. What a router pools, such as chi's URL parameters, must not be read here: use
	// HandlerFor. Nil does nothing.
	OnOpen func(ch *kkrpc.Channel, r *http.Request)

	// OnClose is called after RPC.OnClose, and never before OnOpen has returned, with what ch.Err returns. It must not
	// block. Nil does nothing.
	OnClose func(ch *kkrpc.Channel, err error)

	// Logger gets what goes wrong while connecting, and what RPC.OnError would be told if that is nil. Nil means
	// slog.Default().
	Logger *slog.Logger
}

// DialOptions configures Dial. Nil and the zero value mean the defaults.
type DialOptions struct {
	// RPC is how the channel behaves. A zero Dialect means Compact here. Limits.Handshake bounds Dial as a whole.
	RPC kkrpc.Options

	// Header is sent with the handshake. Host is honoured; what the handshake itself sets is refused.
	Header http.Header

	// TLS is for wss; it is cloned. Nil means the defaults of crypto/tls.
	TLS *tls.Config

	// Subprotocols are offered to the server, most wanted first.
	Subprotocols []string

	// Compression offers permessage-deflate.
	Compression bool

	// Ping is that of Options.
	Ping time.Duration

	// NetDial opens the connection under TLS and WebSocket, for proxies and tests. Nil means net.Dialer.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// heartbeat is the interval that an option stands for; 0 means none.
func heartbeat(option time.Duration) time.Duration {
	switch {
	case option < 0:
		return 0
	case option == 0:
		return defaultPing
	default:
		return option
	}
}

// handshakeTime is how long connecting may take.
func handshakeTime(l kkrpc.Limits) time.Duration {
	if l.Handshake > 0 {
		return l.Handshake
	}
	return defaultHandshake
}
