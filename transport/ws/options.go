package ws

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

const (
	defaultMaxConns  = 100_000
	defaultHandshake = 10 * time.Second
	defaultCallTime  = 30 * time.Second
)

// Options configures a Server. Nil and the zero value mean the defaults.
type Options struct {
	// RPC is how each connection's channel behaves. Its Expose is ignored: Handler and HandlerFor say what is exposed.
	RPC kkrpc.Options

	// Origins are the origins whose pages may connect beside the server's own. Examples are "https://app.example.com",
	// "https://*.example.com" for every subdomain but not example.com itself, "http://localhost:*" for every port,
	// "*" for all. A malformed origin makes Handler panic.
	Origins []string

	// Hosts are the names and addresses that requests may be sent to, without port: "localhost", "127.0.0.1",
	// "*.example.com" for every subdomain. A server for this machine alone should list its names. Otherwise a page whose
	// own name points to this machine (DNS rebinding) passes the check of origins. Nil means any. A malformed name makes
	// Handler panic.
	Hosts []string

	// Subprotocols are those the server agrees to, beside kkrpc.<dialect>; of the client's list the first wins. A session
	// counts more. With one of them, bytes stay in the text of messages, since a WebSocket has one subprotocol.
	Subprotocols []string

	// Compression agrees to permessage-deflate with clients that offer it. It costs more CPU time than it saves for
	// small messages. Messages below 512 bytes are never compressed, and those with bytes neither.
	Compression bool

	// Session lets connections outlive their sockets, for clients that ask for it; nil means no sessions.
	Session *SessionOptions

	// MaxConns is how many connections may be open; 0 means 100000, negative no bound. Further ones get a 503. Sessions
	// count, also while they are paused.
	MaxConns int

	// Ping is the time of silence after which a connection gets a WebSocket ping. If it is silent for as long again, it is
	// closed with code 1001. 0 means 30 s, negative never.
	Ping time.Duration

	// MessageTime is how long a message may take from its first byte to its last. Each 64 KiB of it that have arrived add
	// as much again. A slower peer loses its connection with code 1008. 0 means 30 s, negative any time.
	MessageTime time.Duration

	// SendTime is the time in which a client must read the messages that wait for it. Each MiB that it has read, counted on
	// the network, adds SendTime once more. The connection of a slower client is cut. OnClose gets a CloseError of 1008,
	// which the client cannot see. A client that reads less than a MiB in SendTime delays the cut, but not for ever.
	// 0 means 1 min, which is 17 KiB/s. Negative means no bound.
	SendTime time.Duration

	// Memory bounds the bytes that all clients together can make the server hold; see kkrpc.Group.Memory. 0 means a quarter
	// of GOMEMLIMIT, or 1 GiB without one. Negative means no bound. Over the bound, the connections with the most
	// bytes × age close first, with code 1013. A client that does not read gets no close frame then. If RPC.Group is set,
	// the Memory of that Group counts instead.
	Memory int64

	// DrainWindow is the time over which Shutdown spreads the drains of the connections. Their clients then do not all
	// connect to another server at once. 0 means 1 ms for each connection, at most 2 s. Negative means all at once. Shutdown
	// uses at most half of the time that its ctx has left.
	DrainWindow time.Duration

	// OnOpen is called with each new channel and the request that opened it, on a goroutine of its own. Calls of the peer
	// may already be running. Do not read pooled values of a router here, such as chi's URL parameters: use HandlerFor.
	// Nil does nothing.
	OnOpen func(ch *kkrpc.Channel, r *http.Request)

	// OnClose is called after RPC.OnClose, and never before OnOpen has returned. r is the request that OnOpen and the function
	// of HandlerFor got, the same pointer. Its context has ended, and its values are still there. err is what ch.Err returns.
	// It must not block. To end what the API of this connection holds, use OnEnd in the function of HandlerFor. Nil does
	// nothing; else each connection keeps its request.
	OnClose func(ch *kkrpc.Channel, r *http.Request, err error)

	// Logger gets the errors that clients can cause: 100 at once, then one a second. These are errors of the function of
	// HandlerFor unless Reject made them, upgrades that failed, and panics in OnOpen. Errors for OnError are among them if
	// RPC.OnError is nil. The attribute left_out counts the lines that were left out before a line. Refused pages and
	// hosts get one line each 10 s. Each connection that has ended gets a line of level Info with channel, peer, reason and
	// err. Closings lists the reasons. Nil means slog.Default().
	Logger *slog.Logger
}

// DialOptions configures Dial. Nil and the zero value mean the defaults.
type DialOptions struct {
	// RPC configures the channel. Dial names the dialect to the server. A Go server can then call this client first. With
	// a zero Dialect, Dial names Compact, or another one of Dialects. It asks a server that is not in Go which generation of
	// kkrpc it has. A server of kkrpc 0.x answers at once, and one of kkrpc 2 after Negotiate, which is 100 ms if it is 0
	// here. Negative means that Dial speaks Compact and does not ask. Nor does it if the URL or Subprotocols name a dialect,
	// which it speaks then. Limits.Handshake bounds Dial without these questions.
	RPC kkrpc.Options

	// Header is sent with the handshake. Host is honoured; what the handshake itself sets is refused.
	Header http.Header

	// TLS is for wss and for a proxy whose URL begins with https://. It is cloned. ServerName is for wss alone. Nil means
	// the defaults of crypto/tls.
	TLS *tls.Config

	// Subprotocols are offered to the server, most wanted first. The one that names the dialect is offered behind them. It
	// is not added if Subprotocols or the parameter kkrpc of the URL name a dialect. Then follow those of bytes and
	// sessions, unless the URL names the dialect and nothing else is offered.
	Subprotocols []string

	// Compression offers permessage-deflate.
	Compression bool

	// Session asks the server for a session. When its socket breaks, the channel makes a new one by itself, with waits of
	// the default Backoff, or that of PersistentOptions. A server without sessions gives a plain connection. Nil asks for
	// none.
	Session *SessionOptions

	// Ping is that of Options.
	Ping time.Duration

	// MessageTime is that of Options.
	MessageTime time.Duration

	// NetDial opens the connection under TLS and WebSocket, for SOCKS proxies and tests. It is given the address of the
	// server and replaces the proxy of the environment. Nil means net.Dialer, through that proxy.
	NetDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// dialect is the one that Dial names to the server.
func (o *DialOptions) dialect() kkrpc.Dialect {
	switch list := o.RPC.Dialects; {
	case o.RPC.Dialect != 0:
		return o.RPC.Dialect
	case len(list) == 0 || slices.Contains(list, kkrpc.Compact):
		return kkrpc.Compact
	case slices.Contains(list, kkrpc.CompactSuperJSON):
		return kkrpc.CompactSuperJSON
	default:
		return list[0]
	}
}

// silence is Options.Negotiate of a client: a server of kkrpc 0.x answers within the time of a round trip.
const silence = 100 * time.Millisecond

// settleDialect says which dialect the client speaks, or that it asks for it. heeded reports that the server has heeded the
// one that Dial has named, as those in Go do.
func (o *DialOptions) settleDialect(rpc *kkrpc.Options, u *url.URL, heeded bool) {
	named, _, _ := announce.Dialect(u.Query(), o.Subprotocols, rpc.Dialects)
	switch {
	case rpc.Dialect != 0:
	case named != 0: // by the program
		rpc.Dialect = named
	case heeded, rpc.Negotiate < 0:
		rpc.Dialect = o.dialect()
	default:
		rpc.Negotiate = cmp.Or(rpc.Negotiate, silence)
	}
}

// awaitDialect returns ch when its dialect is known, or when it has closed, of which ch.Err says why.
func awaitDialect(ctx context.Context, ch *kkrpc.Channel, where string) (*kkrpc.Channel, error) {
	if _, err := ch.AwaitDialect(ctx); err != nil && ctx.Err() != nil {
		_ = ch.Close()
		return nil, fmt.Errorf("ws: dial %s: %w", where, err)
	}
	return ch, nil
}

// announced reports whether the program names a dialect to the server by itself, in the URL or as a subprotocol.
func (o *DialOptions) announced(u *url.URL) bool {
	return announce.In(u.Query()) || slices.ContainsFunc(o.Subprotocols, announce.IsProtocol)
}

// PersistentOptions configures DialPersistent. Nil and the zero value mean the defaults.
type PersistentOptions struct {
	// Dial is how each connection is made. Its RPC.Expose is exposed on each, and its RPC.OnClose is called for each. Its
	// RPC.CallTimeout also bounds how long a call without a deadline waits for a connection.
	Dial DialOptions

	// Target, if not nil, is called before each attempt and returns the URL to use. It is for tokens that expire. url is the
	// one that DialPersistent was given. header is a copy of Dial.Header, which Target may change. ctx ends after
	// Limits.Handshake. An error or a panic is a failed attempt. With sessions, Target is called before each socket, perhaps
	// by several goroutines at once.
	Target func(ctx context.Context, url string, header http.Header) (string, error)

	// Backoff is how long to wait before connecting again.
	Backoff Backoff

	// MaxAttempts is how many attempts in a row may fail until the Persistent closes; 0 means any number. An attempt also
	// fails if its connection does not last Backoff.Steady.
	MaxAttempts int

	// RetryIf reports whether to connect again after err. If a connection was lost, err wraps kkrpc.ErrClosed. Otherwise an
	// attempt failed. If RetryIf returns false, the Persistent closes. Nil means always, except for some errors before the
	// first connection. They are an unknown host, an untrusted certificate, a server without TLS, a malformed URL, and an
	// unsupported proxy. A StatusError with status 400 to 499 is one too, except for 408, 425 and 429.
	RetryIf func(err error) bool

	// Logger gets a line of level Info for each connection. It gets one of level Warn for each failed attempt and each
	// connection that was lost. Backoff thus bounds how many there are. Nil means slog.Default().
	Logger *slog.Logger

	// Background makes DialPersistent return before the first connection has been made.
	Background bool

	// FailFast makes calls fail with kkrpc.ErrClosed while there is no connection, instead of waiting for one.
	FailFast bool

	// OnConnect is called with each new connection, before other calls use it. Sign in here, because the server forgets the
	// client with the connection. ctx ends with the connection. Calls of the Persistent made with ctx use this connection.
	// An error or a panic closes the connection and counts as a failed attempt. Nil does nothing.
	OnConnect func(ctx context.Context, ch *kkrpc.Channel) error

	// OnReconnect is called like OnConnect and after it, with each connection but the first, to subscribe again.
	OnReconnect func(ctx context.Context, ch *kkrpc.Channel) error

	// OnState is called with each new state, in order. It must not block. Nil does nothing.
	OnState func(State)
}

// handshakeTime is how long connecting may take.
func handshakeTime(l kkrpc.Limits) time.Duration {
	if l.Handshake > 0 {
		return l.Handshake
	}
	return defaultHandshake
}

// callTime is what kkrpc.Options.CallTimeout stands for.
func callTime(option time.Duration) time.Duration {
	if option == 0 {
		return defaultCallTime
	}
	return option
}
