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
	// Name tells the hubs of one Backplane apart. Hubs of the same name on several nodes are one. Empty means "rooms".
	Name string

	// Backplane connects the nodes and keeps the messages. Nil means Local(nil), one process without a database. The caller
	// closes it after the Hub.
	Backplane Backplane

	// Number is called with each message of Publish before it is sent, and with those of the history. seq is its number in
	// the room. Numbers grow and have gaps. Nil means that messages do not show their number.
	Number func(message *M, seq uint64)

	// Joins is how many rooms, presences and Lives one connection may have joined at a time; 0 means 1000. Beyond it, Join
	// fails with ErrTooManyRooms.
	Joins int

	// Unsent is how many bytes may wait to be sent on the connection of a member; 0 means 64 KiB. Beyond it the member lags:
	// messages wait in the queue of the room, until the connection has sent what it has.
	Unsent int

	// Queue and QueueBytes bound the queue of a room, in messages and in bytes of them. 0 means 256 messages and 4 MiB. They
	// are counted once, however many members lag.
	Queue, QueueBytes int

	// SlowConsumer says what happens to a member that lags when the queue is full. Zero means Disconnect.
	SlowConsumer SlowConsumer

	// Ping is the time after which a node that is not heard of is taken for dead; 0 means 3 s. Its users are no longer
	// present then, and calls of them fail.
	Ping time.Duration

	// OnError gets errors that no caller gets, such as those of the Backplane. Nil drops them. It must not block.
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
	joins                     int
	unsent, queue, queueBytes int
	slow                      SlowConsumer
	ping                      time.Duration
	onError                   func(error)

	ctx    context.Context // until Close
	cancel context.CancelFunc

	delivered, dropped, disconnected atomic.Uint64

	nodes  nodes
	users  users
	writer writer

	mu    sync.Mutex // guards what follows
	conns map[*kkrpc.Channel]*conn
	lives map[closer]struct{}
}

// closer is a Live of any type.
type closer interface{ Close() }

// conn is a connection that the hub knows.
type conn struct {
	members []*member // of all feeds
}

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
		unsent:     cmp.Or(given.Unsent, 64<<10),
		queue:      cmp.Or(given.Queue, 256),
		queueBytes: cmp.Or(given.QueueBytes, 4<<20),
		slow:       given.SlowConsumer,
		ping:       cmp.Or(given.Ping, 3*time.Second),
		onError:    given.OnError,
		conns:      map[*kkrpc.Channel]*conn{},
		lives:      map[closer]struct{}{},
	}
	if err := CheckName(c.name); err != nil {
		return nil, fmt.Errorf("rooms: Options.Name: %w", err)
	}
	for name, value := range map[string]int{"Joins": c.joins, "Unsent": c.unsent, "Queue": c.queue, "QueueBytes": c.queueBytes, "Ping": int(c.ping)} {
		if value < 0 {
			return nil, fmt.Errorf("rooms: Options.%s is negative", name)
		}
	}
	if c.backplane == nil {
		c.backplane = Local(nil)
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	_, lone := c.backplane.(*local)
	c.nodes = nodes{hub: c, lone: lone, heard: map[string]time.Time{}, presences: map[*presence]struct{}{}, onDead: c.users.lost}
	c.users = users{hub: c, bound: map[string]*user{}, of: map[*kkrpc.Channel]string{}, calls: map[string]*remoteCall{}, serving: map[string]context.CancelFunc{}}
	c.writer = writer{hub: c, values: map[place][]byte{}, writing: map[place]bool{}}
	return &Hub[M]{core: c, number: given.Number, rooms: map[string]*room[M]{}}, nil
}

// topic names what the hub calls so on its Backplane.
func (c *core) topic(kind, name string) string { return c.name + "/" + kind + "/" + name }

func (c *core) report(err error) {
	if c.onError != nil {
		c.onError(err)
	}
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

// with changes what is known of ch.
func (c *core) with(ch *kkrpc.Channel, change func(*conn) error) error {
	c.mu.Lock()
	if c.ctx.Err() != nil {
		c.mu.Unlock()
		return errHubClosed
	}
	of := c.conns[ch]
	fresh := of == nil
	if fresh {
		of = &conn{}
		c.conns[ch] = of
	}
	err := change(of)
	c.mu.Unlock()
	if fresh {
		ch.AfterClose(func() { c.closed(ch) }) // perhaps at once
	}
	return err
}

// closed lets go of ch, which has closed.
func (c *core) closed(ch *kkrpc.Channel) {
	c.mu.Lock()
	of := c.conns[ch]
	delete(c.conns, ch)
	c.mu.Unlock()
	if of == nil {
		return
	}
	c.users.unbind(ch)
	for _, m := range of.members {
		m.home.left(m)
	}
}

// again has begin called until it succeeds, in the background, since what it began was lost for the reason why.
func (c *core) again(what string, why error, begin func(context.Context) error) {
	c.report(fmt.Errorf("rooms: %s: %w", what, why))
	go func() { // ends when begin succeeds, or with the hub
		for c.ctx.Err() == nil {
			ctx, cancel := context.WithTimeout(c.ctx, beginTime)
			err := begin(ctx)
			cancel()
			if err == nil || errors.Is(err, errHubClosed) {
				return
			}
			c.report(fmt.Errorf("rooms: %s: %w", what, err))
			select {
			case <-time.After(c.ping):
			case <-c.ctx.Done():
			}
		}
	}()
}

// beginTime is how long one try may take to begin what was lost.
const beginTime = 30 * time.Second

// exit notes that m is no member any more. Only the first call for m does anything.
func (c *core) exit(m *member) {
	c.mu.Lock()
	of := c.conns[m.ch]
	known := false
	if of != nil {
		n := len(of.members)
		of.members = without(of.members, m)
		known = len(of.members) < n
	}
	c.mu.Unlock()
	if known {
		m.home.left(m)
	}
}

// replaced lets go of a member in whose place m came. It may be nil.
func (c *core) replaced(before, m *member) {
	if before == nil {
		return
	}
	if before.listen != m.listen {
		before.release()
	}
	c.exit(before)
}

// leave ends the membership of ch. It reports whether ch was a member.
func (c *core) leave(f *feed, ch *kkrpc.Channel) bool {
	m := f.of(ch)
	if m == nil {
		return false
	}
	f.leave(m)
	m.release()
	c.exit(m)
	return true
}

// Stats counts the work of a Hub on this node so far and its load now.
type Stats struct {
	// Connections is the number of connections that are members of something.
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

// Close ends the Hub: all members leave, and Join and Publish fail. The other nodes learn of it. It closes neither the
// connections nor the Backplane.
func (h *Hub[M]) Close() {
	c := h.core
	c.mu.Lock()
	c.cancel()
	channels := slices.Collect(maps.Keys(c.conns))
	lives := slices.Collect(maps.Keys(c.lives))
	c.mu.Unlock()
	for _, ch := range channels {
		c.closed(ch)
	}
	for _, l := range lives {
		l.Close()
	}
	c.users.end()
	c.nodes.end()
}

var errHubClosed = errors.New("rooms: the hub is closed")
