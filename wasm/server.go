package wasm

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/announce"
	"github.com/kkrpc-go/kkrpc/internal/errlog"
	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/internal/origin"
)

// Close codes of RFC 6455.
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeNoStatus    = 1005
	closeAbnormal    = 1006
	closeInvalidData = 1007
	closePolicy      = 1008
	closeTooLarge    = 1009
	closeInternal    = 1011
	closeTryLater    = 1013
)

// host is the JavaScript side. Any goroutine may call it, since there is one thread.
type host interface {
	// send hands msg, which is UTF-8, to the socket and returns what buffered does.
	send(id int32, msg []byte) (buffered int)
	// buffered is how many bytes the socket has not sent yet, 0 where the runtime does not tell.
	buffered(id int32) int
	// close closes the socket, unless it has closed.
	close(id int32, code int, reason string)
	// value looks for a value of the server around the program, for a connection. The answer has one of the bytes
	// answerUnset … first. It is empty if the connection has ended. A value of more than most bytes is a failure.
	value(id int32, kind valueKind, name string, most int) (answer []byte)
	// ask has a chain of calls run for a connection, as Binding.encode writes it. server.answered follows with the token. ok
	// is false if the connection has ended.
	ask(id, token int32, text, blob []byte, most int) (ok bool)
}

// server has the connections that the host opened. The host calls its methods one at a time. None of them blocks or
// runs the user's code, which may block.
type server struct {
	host    host
	api     func(r *Request) (any, error)
	opts    Options
	origins origin.Patterns

	mu      sync.Mutex
	conns   map[int32]*conn         // until the host says that the socket has closed, or this side wants no more of it
	reading map[*conn]struct{}      // those whose messages may be read
	waiting int                     // what the messages of all of these cost
	asked   map[int32]chan<- []byte // where those wait who have asked the host, by token
	lastAsk int32                   // the last token
}

func newServer(h host, api func(r *Request) (any, error), opts *Options) (*server, error) {
	if opts == nil {
		opts = &Options{}
	}
	origins, err := origin.Parse(opts.Origins)
	if err != nil {
		return nil, fmt.Errorf("wasm: %w", err)
	}
	s := &server{
		host: h, api: api, opts: *opts, origins: origins,
		conns: map[int32]*conn{}, reading: map[*conn]struct{}{}, asked: map[int32]chan<- []byte{},
	}
	if s.opts.MaxConns == 0 {
		s.opts.MaxConns = defaultMaxConns
	}
	if s.opts.Inbox <= 0 {
		s.opts.Inbox = defaultInbox
	}
	if s.opts.MaxValue <= 0 {
		s.opts.MaxValue = defaultMaxValue
	}
	if s.opts.RPC.Limits.Frame <= 0 {
		s.opts.RPC.Limits.Frame = defaultFrame
	}
	if s.opts.RPC.Group == nil {
		s.opts.RPC.Group = &kkrpc.Group{Memory: defaultMemory}
	}
	if s.opts.RPC.OnError == nil {
		s.opts.RPC.OnError = tellConsole(errlog.New())
	}
	return s, nil
}

// tellConsole returns the OnError of a server that is given none.
func tellConsole(bound *errlog.Bound) func(err error) {
	return func(err error) {
		switch leftOut, ok := bound.Allow(); {
		case !ok:
		case leftOut > 0:
			fmt.Fprintf(os.Stderr, "%v (%d errors before it are left out)\n", errlog.Clipped(err), leftOut)
		default:
			fmt.Fprintln(os.Stderr, errlog.Clipped(err))
		}
	}
}

// maxAbout is the number of bytes that are taken of a request's URL and header, whatever Limits.Frame is.
const maxAbout = 1 << 20

// frame is how many bytes the host may hand over at once.
func (s *server) frame() int { return max(s.opts.RPC.Limits.Frame, maxAbout) }

// open starts a connection, of whose request about says what is known: JSON, or nothing.
func (s *server) open(id int32, about []byte) {
	s.mu.Lock()
	full := s.opts.MaxConns > 0 && len(s.conns) >= s.opts.MaxConns
	s.mu.Unlock()
	if full {
		s.host.close(id, closeTryLater, "too many connections")
		return
	}
	c := newConn(s.host, id, s.opts.RPC.Limits)
	c.took = func(n int) { s.count(c, -n-waitCost) }
	c.refuse = func() { s.drop(c, closeInvalidData, notText) }
	s.mu.Lock()
	s.conns[id] = c
	s.reading[c] = struct{}{}
	s.mu.Unlock()
	go s.start(c, about) // ends when OnOpen returns; what arrives meanwhile waits in the inbox
}

// start makes c a channel, or refuses it.
func (s *server) start(c *conn, about []byte) {
	err := s.serve(c, about)
	if err == nil {
		return
	}
	s.forget(c.id)
	s.release(c)
	if rejected, ok := errors.AsType[*rejection](err); ok {
		_ = c.Close(rejected.code, rejected.reason)
		return
	}
	s.opts.RPC.OnError(err)
	_ = c.Close(closeInternal, "internal error") // the peer is not told why
}

// serve makes c a channel and calls OnOpen. A panic in the user's code costs this connection alone.
func (s *server) serve(c *conn, about []byte) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("wasm: panic while a connection was opened: %v\n%s", value, debug.Stack())
		}
	}()
	r, known, err := newRequest(about)
	if err != nil {
		return err
	}
	if err := s.admit(r, known); err != nil {
		return err
	}
	r.server, r.conn = s, c
	s.keep(r)
	dialect, announced, err := announce.Dialect(r.URL.Query(), []string{r.Header["sec-websocket-protocol"]}, s.opts.RPC.Dialects)
	if err != nil {
		return Reject(closePolicy, err.Error())
	}
	c.bytes = announce.Bytes(r.URL.Query())
	api, err := s.api(r)
	if err != nil {
		return err
	}
	end := ending{tell: func(ch *kkrpc.Channel, err error) { s.ended(ch, r, err) }}
	rpc := s.opts.RPC
	if announced {
		rpc.Dialect = dialect
	}
	if c.keeper != nil {
		if text := c.keeper.Dialect(); text != "" {
			if err := rpc.Dialect.UnmarshalText([]byte(text)); err != nil {
				return err
			}
		}
	}
	rpc.Expose, rpc.OnClose = api, func(ch *kkrpc.Channel, err error) {
		s.release(c)
		end.closed(ch, err)
	}
	ch, err := kkrpc.New(r.Context(), c, &rpc)
	if err != nil {
		return err
	}
	defer end.opened()
	if s.opts.OnOpen != nil {
		s.opts.OnOpen(ch, r)
	}
	return nil
}

// admit refuses the pages of other servers.
func (s *server) admit(r *Request, known bool) error {
	if !known {
		if s.origins.Allow([]string{""}, "", false) {
			return nil
		}
		return Reject(closePolicy, "the server cannot tell the origin: createHonoWebSocketHandler was not given the Hono context")
	}
	page, ok := r.Header["origin"]
	if !ok {
		return nil
	}
	host := r.Header["host"]
	if host == "" {
		host = r.URL.Host
	}
	if s.origins.Allow([]string{page}, host, r.URL.Scheme == "https") {
		return nil
	}
	return Reject(closePolicy, fmt.Sprintf("not from this origin (Origins in wasm.Options): %s", page))
}

// ended tells the user that a channel has closed.
func (s *server) ended(ch *kkrpc.Channel, r *Request, err error) {
	if s.opts.RPC.OnClose != nil {
		s.opts.RPC.OnClose(ch, err)
	}
	if s.opts.OnClose != nil {
		s.opts.OnClose(ch, r, err)
	}
}

// ending reports the end of a channel after OnOpen has returned.
type ending struct {
	tell func(ch *kkrpc.Channel, err error)

	mu    sync.Mutex
	ready bool   // opened was called
	early func() // what it has to do
}

func (e *ending) closed(ch *kkrpc.Channel, err error) {
	e.mu.Lock()
	ready := e.ready
	if !ready {
		e.early = func() { e.tell(ch, err) }
	}
	e.mu.Unlock()
	if ready {
		e.tell(ch, err)
	}
}

func (e *ending) opened() {
	e.mu.Lock()
	e.ready = true
	early := e.early
	e.mu.Unlock()
	if early != nil {
		early()
	}
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
	case !text && !isFrame(msg) && !utf8.Valid(msg): // whether a frame may come is known when its request has been read
		s.drop(c, closeInvalidData, notText)
	default:
		s.count(c, len(msg)+waitCost)
		s.makeRoom(len(msg) + waitCost)
		if c.in.Push(msg) != nil { // it is closed, which the channel has told
			s.count(c, -len(msg)-waitCost)
		}
	}
}

// notText is the reason of a close for a binary message.
const notText = "binary message is not JSON in UTF-8"

var errNotText = fmt.Errorf("wasm: closed with code %d: %s: %w", closeInvalidData, notText, kkrpc.ErrLimit)

// drop ends a connection for what the peer has done.
func (s *server) drop(c *conn, code int, reason string) {
	s.forget(c.id)
	c.in.Close(fmt.Errorf("wasm: closed with code %d: %s: %w", code, reason, kkrpc.ErrLimit))
	_ = c.Close(code, reason)
}

// waitCost is the cost of a message that waits to be read, beside its bytes.
const waitCost = 32

// count adds n to the cost of the messages of c that wait.
func (s *server) count(c *conn, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.ended {
		c.waiting += n
		s.waiting += n
	}
}

// release stops counting the messages of c, which nobody will read.
func (s *server) release(c *conn) {
	s.mu.Lock()
	defer func() {
		keeper := c.keeper
		s.mu.Unlock()
		if keeper != nil {
			keeper.Gone()
		}
	}()
	s.waiting -= c.waiting
	c.waiting, c.ended = 0, true
	delete(s.reading, c)
}

// keep has package wasm/durable keep what a connection needs that may outlive this program.
func (s *server) keep(r *Request) {
	c, o := r.conn, r.object
	if o == nil || hibernate.Open == nil {
		return
	}
	keeper := hibernate.Open(c.id, o.Wakes, o.State, func(frame []byte) {
		s.count(c, len(frame)+waitCost)
		if c.in.Push(frame) != nil {
			s.count(c, -len(frame)-waitCost)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	c.keeper = keeper
}

// makeRoom drops connections whose messages cost most until those of the others are within Options.Inbox. The message
// that has come, of this cost, may be larger if no other waits.
func (s *server) makeRoom(cost int) {
	for {
		s.mu.Lock()
		var worst *conn
		if s.waiting > max(s.opts.Inbox, cost) {
			for c := range s.reading {
				if worst == nil || c.waiting > worst.waiting {
					worst = c
				}
			}
		}
		s.mu.Unlock()
		if worst == nil {
			return
		}
		s.drop(worst, closeTryLater, "too many messages wait to be read")
		for msg, err := []byte(nil), error(nil); err == nil; { // its memory is wanted now
			msg, _, err = worst.in.ReadFrame(msg)
		}
		s.release(worst)
	}
}

// closed is called by the host when a socket has closed. reason is "" if the peer or the network has closed it: code is
// that of the close frame, closeNoStatus if the frame had none, and closeAbnormal or 0 without a close frame. Otherwise
// reason says why the connection failed, or why the JavaScript server has closed it.
func (s *server) closed(id int32, code int, reason string) {
	c := s.forget(id)
	if c == nil {
		return
	}
	switch {
	case reason != "" && (code == 0 || code == closeAbnormal):
		c.gone(fmt.Errorf("wasm: the connection ended without a close frame: %s", reason))
	case reason != "" && (code == closeTooLarge || code == closeTryLater):
		c.gone(fmt.Errorf("wasm: closed with code %d: %s: %w", code, reason, kkrpc.ErrLimit))
	case reason != "":
		c.gone(fmt.Errorf("wasm: closed with code %d: %s", code, reason))
	case code == closeNormal || code == closeGoingAway || code == closeNoStatus:
		c.gone(nil)
	case code == 0 || code == closeAbnormal:
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
