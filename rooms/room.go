package rooms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Room is a room of a Hub. It is a name and costs nothing: a room exists while it has members or messages.
type Room[M any] struct {
	hub  *Hub[M]
	name string
}

// Room returns the room of a name, any text that is not empty and has, with Options.Name, at most 191 bytes. Methods of a Room
// with another name fail with ErrName.
func (h *Hub[M]) Room(name string) *Room[M] { return &Room[M]{h, name} }

// Name returns the name of the room.
func (r *Room[M]) Name() string { return r.name }

// Position is a place in the messages of a room: behind the message with the number Seq. A client that joins again passes
// the Position of its Join, with the number of the last message that it has got.
type Position struct {
	Epoch string `json:"epoch"` // changes when the room loses its messages and counts anew
	Seq   uint64 `json:"seq"`
}

// JoinOptions are the options of a Join. Nil and the zero value mean the defaults.
type JoinOptions struct {
	// Channel is the connection that joins. Nil means that of the handler whose context is passed.
	Channel *kkrpc.Channel

	// After has the room send the messages after it first, and then new ones, without a gap. Nil means new ones only. If the
	// messages after it are not all kept, Join fails with ErrHistoryLost. Signals come once the member has caught up.
	After *Position

	// Args are the arguments of a method before the message, see JoinMethod.
	Args []any
}

// Errors of rooms. They reach TypeScript by their Name.
var (
	// ErrHistoryLost means that messages after a Position are not kept any more. The client reads the history anew.
	ErrHistoryLost = &kkrpc.Error{Name: "HistoryLostError", Message: "the history does not reach back that far; load it anew"}
	// ErrTooManyRooms means that the connection has joined as much as it may; see Options.Joins.
	ErrTooManyRooms = &kkrpc.Error{Name: "TooManyRoomsError", Message: "leave another room first"}
	// ErrNotMember means that the connection is no member of the room.
	ErrNotMember = &kkrpc.Error{Name: "NotAMemberError", Message: "join the room first"}
)

// Join makes the connection of ctx, the context of a handler, a member of the room. listen is a parameter of the handler, a
// function of the client. It is called with each message, in the order of the room. A message that the dialect of the client
// has no form for is skipped, such as NaN in JSON. The connection leaves when it closes or by Leave. If it joins again, its
// new listen is called in place of the old one.
//
// Join returns where the room is, or JoinOptions.After, if there is one. It does not wait for the messages after that. The first
// messages may reach the client before the answer of the handler does.
func (r *Room[M]) Join(ctx context.Context, listen func(message M), opts *JoinOptions) (Position, error) {
	m, err := newMember(ctx, listen, opts)
	if err != nil {
		return Position{}, r.failed("join", err)
	}
	return r.join(ctx, m, opts)
}

// JoinMethod is Join for a function that the client exposes at path. It gets JoinOptions.Args and the message, and its result
// is dropped.
func (r *Room[M]) JoinMethod(ctx context.Context, path string, opts *JoinOptions) (Position, error) {
	m, err := newMember(ctx, nil, opts)
	if err != nil {
		return Position{}, r.failed("join", err)
	}
	if path == "" || slices.Contains(strings.Split(path, "."), "") {
		return Position{}, r.failed("join", fmt.Errorf("%q is no path of a function", path))
	}
	if m.ch.Dialect() == 0 {
		return Position{}, r.failed("join", errors.New("the client has not sent a message yet, so that its dialect is not known"))
	}
	var args []any
	if opts != nil {
		args = opts.Args
	}
	m.method = r.hub.core.method(path, args)
	return r.join(ctx, m, opts)
}

var errNoHandler = errors.New("ctx is not that of a handler on a connection")

// newMember returns a member that is none yet. listen is a function of the peer, or nil.
func newMember(ctx context.Context, listen any, opts *JoinOptions) (*member, error) {
	m := &member{}
	if opts != nil {
		m.ch = opts.Channel
	}
	if m.ch == nil {
		m.ch = kkrpc.FromContext(ctx)
	}
	if m.ch == nil {
		return nil, errNoHandler
	}
	if listen != nil {
		if m.listen = kkrpc.CallbackOf(listen); m.listen == nil {
			return nil, errors.New("listen is no function that came from a client")
		}
	}
	return m, nil
}

func (r *Room[M]) join(ctx context.Context, m *member, opts *JoinOptions) (Position, error) {
	var after *Position
	if opts != nil {
		after = opts.After
	}
	at, err := r.hub.enter(ctx, r.name, m, after)
	if err != nil {
		return Position{}, r.failed("join", err)
	}
	return at, nil
}

func (r *Room[M]) failed(operation string, err error) error {
	return fmt.Errorf("rooms: %s %q: %w", operation, r.name, err)
}

// enter makes m a member of a room.
func (h *Hub[M]) enter(ctx context.Context, name string, m *member, after *Position) (Position, error) {
	if err := h.core.admits(h.feedOf(name), m.ch); err != nil {
		return Position{}, err
	}
	for {
		own, err := h.acquire(ctx, name)
		if err != nil {
			return Position{}, err
		}
		at, err := own.enter(ctx, m, after)
		if !errors.Is(err, errMembersClosed) {
			return at, err
		}
		m = &member{ch: m.ch, listen: m.listen, method: m.method} // the room was lost meanwhile; there is another one now
	}
}

// feedOf returns the feed of a room that has members, or nil.
func (h *Hub[M]) feedOf(name string) *feed {
	if own := h.existing(name); own != nil {
		return &own.feed
	}
	return nil
}

// enter makes m a member, for which the caller has acquired the room. It releases the room if it fails.
func (r *room[M]) enter(ctx context.Context, m *member, after *Position) (_ Position, err error) {
	m.home = r
	user := r.hub.users.nameOf(m.ch)
	var present *presence // nil: of nobody
	if user != "" {
		present, err = r.presence(ctx)
	}
	if err == nil && after != nil {
		err = r.reaches(ctx, *after)
		m.state, m.next = joining, after.Seq
	}
	if err == nil {
		err = r.hub.enter(&r.feed, m)
	}
	if err != nil {
		r.owner.release(r)
		return Position{}, err
	}
	// From here on left releases the room.
	at, catchUp := Position{Epoch: r.epoch}, false
	before, err := r.add(m, func() {
		at.Seq, catchUp = r.head, m.state == joining
		if catchUp {
			at.Seq = m.next
		}
		if present != nil {
			present.enter(m, user)
		}
	})
	if err != nil {
		r.hub.exit(m)
		return Position{}, err
	}
	if before != nil {
		r.hub.letGo(before)
	}
	if catchUp {
		r.hub.do(func() { r.catchUp(m) })
	}
	return at, nil
}

// Leave ends the membership of the connection of ctx in the room, and what JoinPresence has begun. It lets the client forget
// its functions. ErrNotMember means that there was nothing to end.
func (r *Room[M]) Leave(ctx context.Context) error {
	ch := kkrpc.FromContext(ctx)
	switch {
	case ch == nil:
		return r.failed("leave", errNoHandler)
	case !r.LeaveChannel(ch):
		return r.failed("leave", ErrNotMember)
	}
	return nil
}

// LeaveChannel is Leave for any connection. It reports whether there was something to end.
func (r *Room[M]) LeaveChannel(ch *kkrpc.Channel) bool {
	own := r.hub.existing(r.name)
	if own == nil {
		return false
	}
	watched := false
	if p := own.presentNow(); p != nil {
		watched = r.hub.core.leave(&p.users.feed, ch)
	}
	return r.hub.core.leave(&own.feed, ch) || watched
}

// Members returns the number of members of the room on this node.
func (r *Room[M]) Members() int {
	own := r.hub.existing(r.name)
	if own == nil {
		return 0
	}
	own.mu.Lock()
	defer own.mu.Unlock()
	return len(own.members)
}

// Has reports whether ch is a member of the room.
func (r *Room[M]) Has(ch *kkrpc.Channel) bool {
	own := r.hub.existing(r.name)
	return own != nil && own.of(ch) != nil
}

// Publish stores message and sends it to all members of the room on all nodes, the sender too if it is one. It returns the
// number of the message when that is stored, and does not wait for members. After an error that wraps ErrUnavailable the
// message may have been stored; PublishOnce can be repeated then.
func (r *Room[M]) Publish(ctx context.Context, message M) (seq uint64, err error) {
	return r.publish(ctx, "", message)
}

// PublishOnce is Publish for a message that its sender may repeat, for instance after a connection was lost. id is a text of 1
// to 200 bytes that the sender has chosen for the message. A message of the room with the same id is not stored again, and has
// the number of the first. Ids are remembered for two minutes.
func (r *Room[M]) PublishOnce(ctx context.Context, id string, message M) (seq uint64, err error) {
	if err := CheckName(id); err != nil {
		return 0, r.failed("publish", fmt.Errorf("the id of the message: %w", err))
	}
	return r.publish(ctx, id, message)
}

func (r *Room[M]) publish(ctx context.Context, id string, message M) (seq uint64, err error) {
	c := r.hub.core
	data, err := superjson.Marshal(message)
	if err == nil {
		err = c.check(r.name)
	}
	if err == nil {
		seq, err = c.backplane.Append(ctx, c.topic("room", r.name), id, data)
	}
	if err != nil {
		return 0, r.failed("publish", err)
	}
	return seq, nil
}

// Signal sends message to all members of the room on all nodes. It is not stored and has no number. A node that cannot be
// reached misses it. It suits what is soon out of date, such as that somebody is typing.
func (r *Room[M]) Signal(message M) error {
	c := r.hub.core
	data, err := superjson.Marshal(message)
	if err == nil {
		err = c.check(r.name)
	}
	if err == nil {
		err = c.backplane.Publish(c.topic("room", r.name), data)
	}
	if err != nil {
		return r.failed("signal", err)
	}
	return nil
}

// History returns the last messages before a number, at most limit and Options.History, oldest first. The number 0 stands for
// the end. limit is at least 1. Messages that are no M, of another version of the program, are left out.
func (r *Room[M]) History(ctx context.Context, before uint64, limit int) ([]M, error) {
	c := r.hub.core
	err := c.check(r.name)
	if err == nil && limit < 1 {
		err = &kkrpc.Error{Name: "RangeError", Message: fmt.Sprintf("the limit is %d, and at least 1", limit)}
	}
	if err != nil {
		return nil, r.failed("history", err)
	}
	entries, err := c.backplane.Before(ctx, c.topic("room", r.name), before, min(limit, c.history))
	if err != nil {
		return nil, r.failed("history", err)
	}
	messages := make([]M, 0, len(entries)) // not nil, which is null in TypeScript
	for _, e := range entries {
		m, err := r.hub.decode(e)
		if err != nil {
			c.report(fmt.Errorf("rooms: room %q: a message is skipped: %w", r.name, err))
			continue
		}
		messages = append(messages, m)
	}
	return messages, nil
}

// check says why nothing can be done with the room of a name.
func (c *core) check(room string) error {
	const longest = "present" // of the names that are made of it
	switch {
	case room == "" || !utf8.ValidString(room):
		return ErrName
	case len(c.topic(longest, room)) > MaxName:
		most := MaxName - len(c.topic(longest, ""))
		return fmt.Errorf("%w: this one has %d, of at most %d beside the name of the hub", ErrName, len(room), most)
	}
	if c.isClosed() {
		return ErrHubClosed
	}
	return nil
}

// decode reads a message.
func (h *Hub[M]) decode(e Entry) (message M, err error) {
	if err = superjson.Unmarshal(e.Data, &message); err != nil {
		return message, fmt.Errorf("message %d: %w", e.Seq, err)
	}
	if h.number != nil && e.Seq != 0 {
		h.number(&message, e.Seq)
	}
	return message, nil
}
