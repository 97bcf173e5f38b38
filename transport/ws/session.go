package ws

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

const (
	defaultKeep   = 30 * time.Second
	defaultBuffer = 1 << 20
)

// ErrSessionLost is a part of the error of a channel whose connection broke and whose session could not go on. Either
// SessionOptions.Keep has passed, or the server has refused, for example because it was restarted.
var ErrSessionLost = errors.New("ws: session lost")

// SessionOptions configures sessions. A session is a connection that outlives its socket: pending calls, callbacks,
// references and streams go on over the next one. Both sides must have sessions, otherwise the connection is a plain one.
// The zero value means the defaults.
type SessionOptions struct {
	// Keep is how long a session lives without a socket; 0 means 30 s. The server decides. A client gives up earlier if its
	// own Keep is shorter; for a client, 0 means the time of the server. The channel then closes with ErrSessionLost.
	Keep time.Duration

	// Buffer is how many bytes of sent messages a side keeps until the other one acknowledges them; 0 means 1 MiB. One
	// larger message is kept too. Further messages wait in the channel, with a socket and while the session is paused, within
	// Limits.Outbound and Limits.Backlog. A client that does not come back is thus a slow consumer in the end. The Buffer
	// of a server bounds that of its clients as well.
	Buffer int

	// Identity returns who has sent a request, such as the name of a user. A session goes on only for requests with its
	// Origin header and its identity. Take the identity from what authenticated the request, and not from a token that
	// changes. Identity is called after the function of HandlerFor, once for each socket. Nil means that all clients have
	// one identity. Clients ignore it.
	Identity func(r *http.Request) string

	// OnEvent is called when a session is paused, resumed or ended, in order. It must not block. Nil does nothing.
	OnEvent func(ch *kkrpc.Channel, e SessionEvent)
}

// SessionEvent is what has happened to a session.
type SessionEvent struct {
	Kind SessionEventKind
	// Err is why the session was paused or ended; nil for SessionResumed.
	Err error
}

// SessionEventKind is the kind of a SessionEvent.
type SessionEventKind int

const (
	SessionPaused  SessionEventKind = iota + 1 // the socket is gone; messages are kept
	SessionResumed                             // there is a socket again
	SessionEnded                               // for good; the channel closes
)

func (k SessionEventKind) String() string {
	switch k {
	case SessionPaused:
		return "paused"
	case SessionResumed:
		return "resumed"
	case SessionEnded:
		return "ended"
	default:
		return fmt.Sprintf("SessionEventKind(%d)", int(k))
	}
}

// keep is what Keep stands for at a server.
func (o *SessionOptions) keep() time.Duration {
	if o.Keep > 0 {
		return max(o.Keep, time.Millisecond)
	}
	return defaultKeep
}

// buffer is what Buffer stands for.
func (o *SessionOptions) buffer() int {
	if o.Buffer > 0 {
		return o.Buffer
	}
	return defaultBuffer
}
