package rooms

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// Options configures a Hub. Nil and the zero value mean the defaults.
type Options[M any] struct {
	// Name tells the hubs of one Backplane apart. Hubs of the same name on several nodes are one. It has 1 to 64 bytes; empty
	// means "rooms".
	Name string

	// Backplane connects the nodes and keeps the messages. Nil means Local(nil), one process without a database. The caller
	// closes it after the Hub.
	Backplane Backplane

	// Number is called with each message of Publish before it is sent, and with those of the history. seq is its number in
	// the room. Numbers grow and have gaps. Nil means that messages do not show their number. Number must not use the hub.
	Number func(message *M, seq uint64)

	// Joins is how many rooms, presences and Lives one connection may have joined at a time; 0 means 1000. Beyond it, Join
	// fails with ErrTooManyRooms.
	Joins int

	// History is how many messages Room.History returns at most; 0 means 1000.
	History int

	// Unsent is how many bytes may wait to be sent on the connection of a member; 0 means 64 KiB. Beyond it the member lags:
	// messages wait in the queue of the room, until the connection has sent what it has.
	Unsent int

	// Queue and QueueBytes bound the queue of a room, in messages and in bytes of them. 0 means 256 messages and 4 MiB. They
	// are counted once, however many members lag.
	Queue, QueueBytes int

	// SlowConsumer says what happens to a member that lags when the queue is full. Zero means Disconnect.
	SlowConsumer SlowConsumer

	// Ping is the time after which a node that is not heard of is taken for dead; 0 means 3 s, and the minimum is 100 ms. Its
	// users are no longer present then, and calls of them fail. Nodes with different values use the larger one.
	Ping time.Duration

	// OnError gets errors that no caller gets, such as those of the Backplane. Nil drops them. It is called by one goroutine
	// at a time. While it blocks, at most 100 errors are kept for it.
	OnError func(err error)
}

// SlowConsumer says what happens to a member that is slower than its room.
type SlowConsumer uint8

const (
	// Disconnect closes the connection of the member with code 1008. A client that joins again with the number of its last
	// message misses none.
	Disconnect SlowConsumer = iota
	// DropOldest leaves out the oldest messages that the member has not got. It suits messages that later ones replace.
	DropOldest
)

// Hub has the rooms of a program, in each of which messages are of type M. Its methods may be called from any goroutine.
type Hub[M any] struct {
	core   *core
	number func(*M, uint64)

	mu    sync.Mutex // guards rooms and room.uses; taken before the locks of core and feed
	rooms map[string]*room[M]
}

// core is what a Hub is without the type of its messages.
type core struct {
	name                      string
	node                      string // names this hub among those of the other nodes
	backplane                 Backplane
	joins, history            int
	unsent, queue, queueBytes int
	slow                      SlowConsumer
	ping                      time.Duration
	errors                    errorQueue

	ctx    context.Context // until Close is about to end
	cancel context.CancelFunc
	work   sync.WaitGroup // goroutines that use the Backplane, begun by do

	delivered, dropped, disconnected atomic.Uint64

	nodes  nodes
	users  users
	writer writer

	mu     sync.Mutex // guards what follows
	closed bool
	conns  map[*kkrpc.Channel]*conn
	lives  map[closer]struct{}
	called map[string]*method // methods without arguments, by path, which many members share
}

// closer is a Live of any type.
type closer interface{ Close() }

// conn is a connection that is a member of something, or bound to a user.
type conn struct {
	members []*member // of all feeds
	bound   bool
	stop    func() bool // undoes Channel.AfterClose; nil until that has returned
}

// ErrHubClosed means that the hub is closed.
var ErrHubClosed = errors.New("the hub is closed")

// mostHubName is the length in bytes of the longest Options.Name.
const mostHubName = 64

// minPing is the least Options.Ping.
const minPing = 100 * time.Millisecond

// NewHub returns a Hub. The error says which option is malformed.
func NewHub[M any](opts *Options[M]) (*Hub[M], error) {
	given := Options[M]{}
	if opts != nil {
		given = *opts
	}
	c := &core{
		name:       cmp.Or(given.Name, "rooms"),
		node:       rand.Text(),
		backplane:  given.Backplane,
		joins:      cmp.Or(given.Joins, 1000),
		history:    cmp.Or(given.History, 1000),
		unsent:     cmp.Or(given.Unsent, 64<<10),
		queue:      cmp.Or(given.Queue, 256),
		queueBytes: cmp.Or(given.QueueBytes, 4<<20),
		slow:       given.SlowConsumer,
		ping:       cmp.Or(given.Ping, 3*time.Second),
		errors:     errorQueue{onError: given.OnError},
		conns:      map[*kkrpc.Channel]*conn{},
		lives:      map[closer]struct{}{},
		called:     map[string]*method{},
	}
	switch {
	case CheckName(c.name) != nil || len(c.name) > mostHubName:
		return nil, fmt.Errorf("rooms: Options.Name has 1 to %d bytes of UTF-8: %q", mostHubName, c.name)
	case c.ping < minPing:
		return nil, fmt.Errorf("rooms: Options.Ping is %v: its minimum is %v", c.ping, minPing)
	case c.slow > DropOldest:
		return nil, fmt.Errorf("rooms: Options.SlowConsumer is %d: it is Disconnect or DropOldest", c.slow)
	}
	for name, value := range map[string]int{"Joins": c.joins, "History": c.history, "Unsent": c.unsent, "Queue": c.queue, "QueueBytes": c.queueBytes} {
		if value < 0 {
			return nil, fmt.Errorf("rooms: Options.%s is %d: it must not be negative", name, value)
		}
	}
	if c.backplane == nil {
		c.backplane = Local(nil)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	_, lone := c.backplane.(*local)
	c.nodes = nodes{hub: c, lone: lone, fresh: make(chan struct{}, 1), heard: map[string]heard{}, dead: map[string]time.Time{}, presences: map[*presence]struct{}{}, onDead: c.users.lost}
	c.users = users{hub: c, bound: map[string]*user{}, of: map[*kkrpc.Channel]string{}, calls: map[string]*remoteCall{}, serving: map[string]context.CancelFunc{}}
	c.writer = writer{hub: c, values: map[place][]byte{}, writing: map[place]bool{}}
	return &Hub[M]{core: c, number: given.Number, rooms: map[string]*room[M]{}}, nil
}

// topic names what the hub calls so on its Backplane.
func (c *core) topic(kind, name string) string { return c.name + "/" + kind + "/" + name }

func (c *core) report(err error) { c.errors.report(err) }

// do runs f on a goroutine of its own, for which Close waits. It reports false if the hub is closed.
func (c *core) do(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return false
	}
	c.work.Go(f)
	return true
}

// mostShared is how many methods are remembered, as a program has a few.
const mostShared = 100

// method returns the method of a path.
func (c *core) method(path string, args []any) *method {
	if len(args) > 0 {
		return &method{path, args}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	shared := c.called[path]
	if shared == nil {
		shared = &method{path: path}
		if len(c.called) < mostShared {
			c.called[path] = shared
		}
	}
	return shared
}

// isClosed reports whether Close was called.
func (c *core) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// enter notes that m is about to be a member of f. It calls left of its home when its channel closes.
func (c *core) enter(f *feed, m *member) error {
	again := f.of(m.ch) != nil
	return c.with(m.ch, func(of *conn) error {
		if len(of.members) >= c.joins && !again {
			return ErrTooManyRooms
		}
		of.members = append(of.members, m)
		return nil
	})
}

// admits says why ch cannot become a member of f, which is nil if nobody is one.
func (c *core) admits(f *feed, ch *kkrpc.Channel) error {
	again := f != nil && f.of(ch) != nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if of := c.conns[ch]; of != nil && len(of.members) >= c.joins && !again {
		return ErrTooManyRooms
	}
	return nil
}

// with changes what is known of ch.
func (c *core) with(ch *kkrpc.Channel, change func(*conn) error) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return ErrHubClosed
	}
	of := c.conns[ch]
	fresh := of == nil
	if fresh {
		of = &conn{}
		c.conns[ch] = of
	}
	err := change(of)
	c.forgetLocked(ch, of)
	fresh = fresh && c.conns[ch] == of
	c.mu.Unlock()
	if !fresh {
		return err
	}
	stop := ch.AfterClose(func() { c.ended(ch, of) }) // perhaps at once
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conns[ch] == of {
		of.stop = stop
		c.forgetLocked(ch, of)
	} else {
		stop()
	}
	return err
}

// forgetLocked forgets ch if it is a member of nothing and bound to nobody.
func (c *core) forgetLocked(ch *kkrpc.Channel, of *conn) {
	if len(of.members) > 0 || of.bound {
		return
	}
	if c.conns[ch] == of {
		delete(c.conns, ch)
	}
	if of.stop != nil {
		of.stop()
	}
}

// ended lets go of ch, which has closed.
func (c *core) ended(ch *kkrpc.Channel, of *conn) {
	c.mu.Lock()
	if c.conns[ch] == of {
		delete(c.conns, ch)
	}
	members := of.members
	of.members = nil
	c.mu.Unlock()
	c.users.unbind(ch)
	for _, m := range members {
		m.home.left(m)
	}
}

// unbound notes that ch is bound to nobody any more.
func (c *core) unbound(ch *kkrpc.Channel) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if of := c.conns[ch]; of != nil {
		of.bound = false
		c.forgetLocked(ch, of)
	}
}

// exit notes that m is no member any more. Only the first call for m does anything.
func (c *core) exit(m *member) {
	c.mu.Lock()
	of := c.conns[m.ch]
	known := false
	if of != nil {
		n := len(of.members)
		of.members = without(of.members, m)
		known = len(of.members) < n
		c.forgetLocked(m.ch, of)
	}
	c.mu.Unlock()
	if known {
		m.home.left(m)
	}
}

// letGo is exit for m, whose function the client may then forget unless it is one of another membership.
func (c *core) letGo(m *member) {
	c.exit(m)
	if m.listen == nil {
		return
	}
	c.mu.Lock()
	of := c.conns[m.ch]
	used := of != nil && slices.ContainsFunc(of.members, func(other *member) bool { return other.listen == m.listen })
	c.mu.Unlock()
	if !used {
		_ = kkrpc.Release(m.listen) // a classic peer has no message for it, and a closed channel needs none
	}
}

// leave ends the membership of ch. It reports whether ch was a member.
func (c *core) leave(f *feed, ch *kkrpc.Channel) bool {
	m := f.of(ch)
	if m == nil {
		return false
	}
	f.leave(m)
	c.letGo(m)
	return true
}

// again has begin called until it succeeds, in the background, since what it began was lost for the reason why.
func (c *core) again(what string, why error, begin func(context.Context) error) {
	c.report(fmt.Errorf("rooms: %s: %w", what, why))
	c.do(func() {
		for c.ctx.Err() == nil {
			ctx, cancel := context.WithTimeout(c.ctx, beginTime)
			err := begin(ctx)
			cancel()
			if err == nil || errors.Is(err, errEnded) {
				return
			}
			c.report(fmt.Errorf("rooms: %s: %w", what, err))
			select {
			case <-time.After(c.ping):
			case <-c.ctx.Done():
			}
		}
	})
}

// errEnded means that what was to begin again is not wanted any more.
var errEnded = errors.New("it has ended")

// beginTime is how long one try may take to begin something on the Backplane.
const beginTime = 30 * time.Second

// Stats counts the work of a Hub on this node so far and its load now.
type Stats struct {
	// Connections is the number of connections that are members of something, or bound to a user.
	Connections int
	// Rooms is the number of rooms that have members.
	Rooms int
	// Members is the number of members of all rooms. Lagging are those of them that are slower than their room.
	Members, Lagging int

	// Delivered is the number of messages that were queued for members, each counted once for each member.
	Delivered uint64
	// Dropped is the number of messages that SlowConsumer DropOldest kept from members.
	Dropped uint64
	// Disconnected is the number of members whose connection SlowConsumer Disconnect closed.
	Disconnected uint64
}

// Stats returns the counters of the Hub. It looks at every room.
func (h *Hub[M]) Stats() Stats {
	c := h.core
	s := Stats{Delivered: c.delivered.Load(), Dropped: c.dropped.Load(), Disconnected: c.disconnected.Load()}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.rooms {
		r.mu.Lock()
		if len(r.members) > 0 {
			s.Rooms++
		}
		s.Members += len(r.members)
		s.Lagging += len(r.lagging)
		r.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Connections = len(c.conns)
	return s
}

// Close ends the Hub: all members leave, and Join and Publish fail with ErrHubClosed. The other nodes learn of it, for which
// Close waits, at most 10 s. It closes neither the connections nor the Backplane, which the hub does not use afterwards.
func (h *Hub[M]) Close() {
	c := h.core
	c.mu.Lock()
	again := c.closed
	c.closed = true
	conns := maps.Clone(c.conns)
	lives := slices.Collect(maps.Keys(c.lives))
	c.mu.Unlock()
	if again {
		<-c.ctx.Done()
		c.work.Wait()
		return
	}
	for ch, of := range conns {
		c.ended(ch, of)
		c.mu.Lock()
		stop := of.stop
		c.mu.Unlock()
		if stop != nil {
			stop()
		}
	}
	for _, l := range lives {
		l.Close()
	}
	c.writer.drain()
	c.users.end()
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	c.work.Wait()
}
