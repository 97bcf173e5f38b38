package kkrpc

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Most values cross by copy. Three kinds of values cross by identity: callbacks, streams and references. One side keeps
// the value and the other side holds a handle, until it gives the handle back. Requests and answers know these kinds only
// by the interfaces on this page.

// kind is one of them. Its methods are called without a lock.
type kind interface {
	// write appends what stands for v and has out carry v. v is a func, a chan, an io.Reader or a *Callback. write reports false if v
	// is not of the kind, or cannot stand there. The goroutine that encodes calls it.
	write(out *values, dst []byte, at place, v any) (_ []byte, is bool, err error)
	// receive acts on a message of the kind. It reports false for a request, which is to be served like others. The leader
	// calls it, which it may block.
	receive(m *wire.Message) (done bool)
	// unreadable is called in place of receive for a message that cannot be read; why is Answerable. Only its kind and ids are
	// known. It reports false if nobody learns of it.
	unreadable(m *wire.Message, why error) (told bool)
	// discard gives back the handle that t stands for, or the handles in t. Nobody reads t; seen: a part of it may have
	// been read. Any goroutine.
	discard(t text, seen bool)
	// tell queues the releases of handles of the peer that this side no longer holds. all: also those that can wait.
	// more: there may be others later. The leader calls it, or the janitor.
	tell(all bool) (more bool)
	// clear forgets everything, as the channel has closed for err.
	clear(err error)
}

// place is where in an outgoing message a value stands. An argument is written with its envelope, other values are
// written into theirs.
type place struct {
	argument bool
	index    int // of the argument
}

// Roles that one kind has.
type (
	// holder is a kind whose handles the program can release.
	holder interface {
		forget(id string, handle any) // the program has released a handle of the peer. Any goroutine, without a lock.
	}
	// functions is the kind of the peer's functions.
	functions interface {
		holder
		function(id []byte) (bind.Handle, error) // id is raw JSON. The leader calls it.
	}
	// resulting is a kind that can stand in place of a result: streams.
	resulting interface {
		open(t text) (received, error) // nil and no error if t is none. The leader calls it.
		store(ctx context.Context, v received, result any)
	}
	// handleResult is a result that takes nothing but what resulting opens.
	handleResult interface{ takesHandle() }
	// insider is a kind that stands inside of data: references.
	insider interface {
		holder
		append(out *values, dst []byte, v any) ([]byte, error)
		// decoder decodes handles in a value of the peer; nil if there are none. pins is the result of pin for that
		// value.
		decoder(d wire.Dialect, raw []byte, pins any) superjson.ReferenceDecoder
		// pin keeps what t names and a later message may give back, for a value that is decoded later. The leader calls it.
		pin(t text) (pins any)
		// find finds what a request on a value of the kind asks for. on is that value. The leader calls it.
		find(m *wire.Message) (method *bind.Method, inv bind.Invocation, on any, refused *wire.Error)
	}
)

// carried is a value of this side that goes by identity with one outgoing message.
type carried interface {
	sent()   // the message is queued. The goroutine that queued it calls this without a lock.
	unsent() // the message never will be queued. Any goroutine, without a lock.
}

// delayer is a carried value that can hold up the answer to the call that carries it.
type delayer interface {
	// delaysLocked returns how many events the answer to call, which has come, waits for. Events up to since are older than
	// the call. Each event ends with pendingCalls.undelayLocked. The leader calls it with Channel.mu.
	delaysLocked(call, since uint64) int
	settledLocked() // the call has ended. Any goroutine, with Channel.mu.
}

// received is a value of the peer that ends with the request that it came with: a stream.
type received interface {
	belongTo(waiter) // the handler that will wait for it. The leader calls it.
	end()            // the request is over or refused. Does nothing if somebody uses the value.
}

func endAll(came []received) {
	for _, v := range came {
		v.end()
	}
}

// waiter is a handler that gives up its place while it waits for the peer.
type waiter interface {
	stepOut()
	stepIn()
}

// lasting is a context that lives until release.
type lasting interface {
	cancel()
	release()
}

// host is the inbound request whose result is being written.
type host interface {
	name() string   // dotted path, for messages to people
	rawID() []byte  // valid until the response is queued
	takeOver() stay // for a result that goes on when the function has returned
}

// stay is the part of a request that a result needs when it outlives the function.
type stay struct {
	came    []received // with the request; the result ends them
	context lasting    // lives on; nil if the function has none
	undo    func()     // gives both back
}

// kinds are made when a value first crosses by identity: many channels only ever have calls.
type kinds struct {
	list   [3]kind // in the order in which they are asked about a value
	called functions
	result resulting
	inside insider
	news   news
}

// The indexes of kinds.list.
const (
	callbackIndex = iota
	streamIndex
	refIndex
)

// ownedBy lists the kinds of messages that each kind receives.
var ownedBy = [...][]wire.Kind{
	callbackIndex: {wire.Callback, wire.Release},
	streamIndex:   {wire.StreamData, wire.StreamPull, wire.StreamReturn, wire.StreamThrow},
	refIndex:      {wire.Ref},
}

// owners has, by wire.Kind, 1 + the index of the kind that receives such messages. It is 0 for all other messages.
var owners = func() (owners [256]uint8) {
	for i, messages := range ownedBy {
		for _, m := range messages {
			owners[m] = uint8(i) + 1
		}
	}
	return owners
}()

func (k *kinds) clear(err error) {
	k.news.stop()
	for _, one := range k.list {
		one.clear(err)
	}
}

// news are the handles of the peer that this side no longer holds. The peer learns of them with the next messages, or
// by the janitor.
type news struct {
	kinds *kinds         // immutable
	out   *outbox.Outbox // immutable
	quiet bool           // immutable: without a janitor, since a timer keeps a Durable Object awake
	fresh atomic.Bool    // something is to be told with the next messages

	mu      sync.Mutex // a leaf
	janitor *time.Timer
	stopped bool
}

// janitorInterval is how long a quiet channel may take to release handles of the peer.
const janitorInterval = 5 * time.Second

// come notes that there is something to tell with the next messages.
func (n *news) come() { n.fresh.Store(true) }

// expect notes that there may be something to tell later, and so the janitor is needed.
func (n *news) expect() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.janitor == nil && !n.stopped && !n.quiet {
		n.janitor = time.AfterFunc(janitorInterval, n.clean)
	}
}

// tell queues the fresh news. The leader calls it before it waits.
func (n *news) tell() {
	if n.fresh.Load() {
		n.tellAll(false)
	}
}

func (n *news) tellAll(all bool) (more bool) {
	n.fresh.Store(false)
	for _, one := range n.kinds.list {
		more = one.tell(all) || more
	}
	return more
}

// clean is the function of the janitor.
func (n *news) clean() {
	n.mu.Lock()
	n.janitor = nil
	n.mu.Unlock()
	more := n.tellAll(true)
	n.out.FlushSoon()
	if more {
		n.expect()
	}
}

func (n *news) stop() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopped = true
	if n.janitor != nil {
		n.janitor.Stop()
	}
}

// text is one value of an inbound message, as it came: an argument, the value or the error.
type text struct {
	wire.Arg
	dialect wire.Dialect
	id      []byte // of the response whose value it is, raw JSON; nil elsewhere. A classic stream has no other id.
}

func valueText(m *wire.Message) text {
	t := text{Arg: wire.Arg{JSON: m.Value}, dialect: m.Dialect}
	if m.Kind == wire.Response {
		t.id = m.ID
	}
	return t
}

func errorText(m *wire.Message) text { return text{Arg: wire.Arg{JSON: m.Err}, dialect: m.Dialect} }

func argText(m *wire.Message, i int) text { return text{Arg: m.Args[i], dialect: m.Dialect} }

// handleMark begins the names of the members by which the originals mark handles.
const handleMark = `"__`

// maxHandle is how long a text can be that is nothing but a handle, in bytes.
const maxHandle = maxHandleID + 100

// maxHandleID bounds the ids of the peer's values in bytes, since they are kept.
const maxHandleID = 256

// marked reports whether a stream or a reference may stand in t.
func (t text) marked() bool {
	return len(t.JSON) > 0 && (t.JSON[0] == '{' || t.JSON[0] == '[') && bytes.Contains(t.JSON, []byte(handleMark))
}

// kept is a value of the peer that the goroutine which waits for it decodes later.
type kept struct {
	dialect wire.Dialect
	raw     []byte // nil: undefined
	meta    *superjson.Meta
	pins    any // of references of this side in it: a message behind it may give them back
}
