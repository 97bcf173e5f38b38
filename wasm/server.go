package wasm

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Close codes of RFC 6455.
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeNoStatus    = 1005
	closeInvalidData = 1007
	closeTooLarge    = 1009
	closeInternal    = 1011
	closeTryLater    = 1013
)

// host is what the JavaScript side does for the program. It is called on any goroutine; there is one thread.
type host interface {
	// send hands msg, which is UTF-8, to the socket and returns what buffered does.
	send(id int32, msg []byte) (buffered int)
	// buffered is how many bytes the socket has not sent yet, 0 where the runtime does not tell.
	buffered(id int32) int
	// close closes the socket, unless it has closed.
	close(id int32, code int, reason string)
}

// server has the connections that the host opened. The host calls its methods one at a time, and none of them blocks.
type server struct {
	host host
	api  func(r *Request) (any, error)
	opts Options

	mu    sync.Mutex
	conns map[int32]*conn // until the host says that the socket has closed, or this side wants no more of it
}

func newServer(h host, api func(r *Request) (any, error), opts *Options) *server {
	if opts == nil {
		opts = &Options{}
	}
	s := &server{host: h, api: api, opts: *opts, conns: map[int32]*conn{}}
	if s.opts.MaxConns == 0 {
		s.opts.MaxConns = defaultMaxConns
	}
	if s.opts.Inbox <= 0 {
		s.opts.Inbox = defaultInbox
	}
	if s.opts.RPC.Limits.Frame <= 0 {
		s.opts.RPC.Limits.Frame = defaultFrame
	}
	return s
}

// open starts a connection, of whose request about says what is known: JSON, or nothing.
func (s *server) open(id int32, about []byte) {
	s.mu.Lock()
	full := s.opts.MaxConns > 0 && len(s.conns) >= s.opts.MaxConns
	s.mu.Unlock()
	if full {
		s.host.close(id, closeTryLater, "too many connections")
		return
	}
	r, err := newRequest(about)
	if err != nil {
		s.failed(id, fmt.Errorf("wasm: the host's account of the request: %w", err))
		return
	}
	c := newConn(s.host, id, s.opts.Inbox, s.opts.RPC.Limits)
	s.mu.Lock()
	s.conns[id] = c
	s.mu.Unlock()
	go s.start(c, r) // asking for the API may block; what arrives meanwhile waits in the inbox
}

// start makes c a channel.
func (s *server) start(c *conn, r *Request) {
	api, err := s.api(r)
	if err == nil {
		rpc := s.opts.RPC
		rpc.Expose, rpc.OnClose = api, s.opts.OnClose
		if own := s.opts.RPC.OnClose; own != nil {
			rpc.OnClose = func(ch *kkrpc.Channel, err error) {
				own(ch, err)
				if s.opts.OnClose != nil {
					s.opts.OnClose(ch, err)
				}
			}
		}
		var ch *kkrpc.Channel
		ch, err = kkrpc.New(context.WithValue(context.Background(), requestKey{}, r), c, &rpc)
		if err == nil {
			if s.opts.OnOpen != nil {
				s.opts.OnOpen(ch, r)
			}
			return
		}
	}
	s.forget(c.id)
	if rejected, ok := errors.AsType[*rejection](err); ok {
		_ = c.Close(rejected.code, rejected.reason)
		return
	}
	s.failed(c.id, err)
}

// failed closes a connection for a reason that the peer is not told.
func (s *server) failed(id int32, err error) {
	if s.opts.RPC.OnError != nil {
		s.opts.RPC.OnError(err)
	}
	s.host.close(id, closeInternal, "internal error")
}

// message takes a message of the connection. text tells that it is UTF-8 for certain.
func (s *server) message(id int32, msg []byte, text bool) {
	s.mu.Lock()
	c := s.conns[id]
	s.mu.Unlock()
	switch {
	case c == nil: // it was closed from this side, and the host has not known
	case len(msg) > s.opts.RPC.Limits.Frame:
		s.drop(c, closeTooLarge, "the message is over the limit (Limits.Frame)")
	case !text && !utf8.Valid(msg):
		s.drop(c, closeInvalidData, "binary message is not JSON in UTF-8")
	case errors.Is(c.in.Push(msg), kkrpc.ErrLimit):
		s.drop(c, closeTryLater, "too many messages wait to be read")
	}
}

// drop ends a connection for what the peer has done.
func (s *server) drop(c *conn, code int, reason string) {
	s.forget(c.id)
	c.in.Close(fmt.Errorf("wasm: %s: %w", reason, kkrpc.ErrLimit))
	_ = c.Close(code, reason)
}

// closed is told by the host that a socket has closed, with the code of its close frame: closeNoStatus if that had
// none, 0 if there was no close frame.
func (s *server) closed(id int32, code int) {
	c := s.forget(id)
	if c == nil {
		return
	}
	switch code {
	case closeNormal, closeGoingAway, closeNoStatus:
		c.gone(nil)
	case 0:
		c.gone(errors.New("wasm: the connection ended without a close frame"))
	default:
		c.gone(fmt.Errorf("wasm: the peer closed with code %d", code))
	}
}

// forget returns the connection, nil if it has been forgotten.
func (s *server) forget(id int32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[id]
	delete(s.conns, id)
	return c
}

// newRequest reads what createHonoWebSocketHandler tells of the Hono context.
func newRequest(about []byte) (*Request, error) {
	r := &Request{URL: &url.URL{}}
	if len(about) == 0 {
		return r, nil
	}
	var in struct {
		URL    string            `json:"url"`
		Params map[string]string `json:"params"`
		Header map[string]string `json:"header"`
	}
	if err := superjson.Decode(superjson.ModeJSON, about, nil, &in); err != nil {
		return nil, err
	}
	u, err := url.Parse(in.URL)
	if err != nil {
		return nil, err
	}
	return &Request{URL: u, Params: in.Params, Header: in.Header}, nil
}
