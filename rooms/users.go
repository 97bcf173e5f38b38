package rooms

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Errors of calls of a user. They reach TypeScript by their Name.
var (
	// ErrNotConnected means that the user has no connection to any node.
	ErrNotConnected = &kkrpc.Error{Name: "UserNotConnectedError", Message: "the user is not connected"}
	// ErrNodeLost means that the node that holds the connection of the user died, or cannot be reached. The user's client may
	// have done what it was asked for.
	ErrNodeLost = &kkrpc.Error{Name: "NodeLostError", Message: "the node that holds the connection was lost before the answer came"}
)

// Bind says whose connection that of ctx is, the context of a handler. It has the user present in rooms that the connection
// joins afterwards, and lets User call its client. The name is any text that identifies the user, and that
// the program has verified. It ends with the connection, or when the connection is bound to another user.
func (h *Hub[M]) Bind(ctx context.Context, user string) error {
	return h.BindChannel(kkrpc.FromContext(ctx), user)
}

// BindChannel is Bind for any connection.
func (h *Hub[M]) BindChannel(ch *kkrpc.Channel, user string) error {
	err := h.core.check(user)
	if err == nil && ch == nil {
		err = errors.New("ctx is not that of a handler on a connection")
	}
	if err == nil {
		err = h.core.users.bind(ch, user)
	}
	if err != nil {
		return fmt.Errorf("rooms: bind to user %q: %w", user, err)
	}
	return nil
}

// UserOf returns the user that a connection is bound to, or "" if it is to none.
func (h *Hub[M]) UserOf(ch *kkrpc.Channel) string { return h.core.users.nameOf(ch) }

// User returns a Caller that calls functions which the client of a user exposes, on whichever node its connection is. With
// several connections, that which was bound last is called. It is a [kkrpc.UnaryCaller]: functions, streams and references
// cannot be arguments or results.
//
// A call fails with ErrNotConnected, with ErrNodeLost, or as one on a channel does. It takes at most 30 s unless its context
// has a deadline.
func (h *Hub[M]) User(user string) kkrpc.Caller {
	u := &h.core.users
	caller, err := kkrpc.Unary(func(ctx context.Context, request []byte) ([]byte, error) {
		if err := h.core.check(user); err != nil {
			return nil, err
		}
		return u.call(ctx, user, request)
	}, &kkrpc.Options{Dialect: kkrpc.CompactSuperJSON})
	if err != nil {
		panic(err) // of the options
	}
	return caller
}

// users knows the users that are connected to this node, and makes calls to those on others.
//
// The node of a user responds to requests on the user's topic, at once, with its own name. It then calls the client, and
// publishes the answer on the topic of the node that asked.
type users struct {
	hub *core

	binding sync.Mutex // held while a connection is bound or unbound; taken before mu

	stop func() // guarded by binding; ends the subscription to the topic of this node; nil: it has not begun

	mu      sync.Mutex // guards what follows
	bound   map[string]*user
	of      map[*kkrpc.Channel]string     // who is bound
	calls   map[string]*remoteCall        // that this node has made
	serving map[string]context.CancelFunc // calls of other nodes
}

// user is a user that is connected to this node.
type user struct {
	channels []*kkrpc.Channel // guarded by users.mu; the one that was bound last comes last
	stop     func()           // guarded by users.binding; ends Respond
}

// remoteCall is a call that another node makes for this one.
type remoteCall struct {
	node   string // empty until it is known
	answer chan reply
}

// note is what nodes tell each other about a call.
type note struct {
	Call    string          `json:"call"`
	From    string          `json:"from,omitzero"`    // the node that asks
	Request superjson.Value `json:"request,omitzero"` // of kkrpc.Unary
	Timeout int64           `json:"timeout,omitzero"` // milliseconds; 0: none
	Cancel  bool            `json:"cancel,omitzero"`  // nobody waits any more
	Answer  superjson.Value `json:"answer,omitzero"`
	Error   string          `json:"error,omitzero"`
}

// reply is the outcome of a remoteCall.
type reply struct {
	answer []byte
	err    error
}

// bind binds ch to a user.
func (u *users) bind(ch *kkrpc.Channel, name string) error {
	if err := u.start(); err != nil {
		return err
	}
	if err := u.hub.with(ch, func(*conn) error { return nil }); err != nil { // has unbind called when ch closes
		return err
	}
	u.binding.Lock()
	defer u.binding.Unlock()
	if before := u.nameOf(ch); before == name {
		return nil
	} else if before != "" {
		u.unbindLocked(ch)
	}
	u.mu.Lock()
	one := u.bound[name]
	u.mu.Unlock()
	if one == nil {
		stop, err := u.hub.backplane.Respond(u.hub.topic("user", name), func(data []byte) []byte { return u.serve(name, data) })
		if err != nil {
			return err
		}
		one = &user{stop: stop}
	}
	u.mu.Lock()
	one.channels = append(one.channels, ch)
	u.bound[name], u.of[ch] = one, name
	u.mu.Unlock()
	if ch.Err() != nil { // perhaps unbind was called before
		u.unbindLocked(ch)
		return ch.Err()
	}
	return nil
}

// unbind ends what bind has begun.
func (u *users) unbind(ch *kkrpc.Channel) {
	u.binding.Lock()
	defer u.binding.Unlock()
	u.unbindLocked(ch)
}

// unbindLocked is unbind with the lock binding.
func (u *users) unbindLocked(ch *kkrpc.Channel) {
	u.mu.Lock()
	name, was := u.of[ch]
	one := u.bound[name]
	last := false
	if was {
		delete(u.of, ch)
		one.channels = without(one.channels, ch)
		if last = len(one.channels) == 0; last {
			delete(u.bound, name)
		}
	}
	u.mu.Unlock()
	if last {
		one.stop()
	}
}

// nameOf returns who ch is bound to, or "".
func (u *users) nameOf(ch *kkrpc.Channel) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.of[ch]
}

// channel returns the connection of a user to this node, or nil.
func (u *users) channel(name string) *kkrpc.Channel {
	u.mu.Lock()
	defer u.mu.Unlock()
	one := u.bound[name]
	if one == nil {
		return nil
	}
	return one.channels[len(one.channels)-1]
}

func (u *users) topic(node string) string { return u.hub.topic("node", node) }

// start begins to listen to what other nodes say about calls.
func (u *users) start() error {
	if err := u.hub.nodes.start(); err != nil {
		return err
	}
	u.binding.Lock()
	defer u.binding.Unlock()
	if u.stop != nil {
		return nil
	}
	stop, err := u.hub.backplane.Subscribe(u.topic(u.hub.node), u.receive)
	if err != nil {
		return err
	}
	u.stop = stop
	return nil
}

// end ends what start has begun.
func (u *users) end() {
	u.binding.Lock()
	defer u.binding.Unlock()
	if u.stop != nil {
		u.stop()
	}
}

// call makes a call of a user's client, by a request of kkrpc.Unary.
func (u *users) call(ctx context.Context, name string, request []byte) ([]byte, error) {
	if ch := u.channel(name); ch != nil {
		return kkrpc.Relay(ctx, ch, request, nil)
	}
	if err := u.start(); err != nil {
		return nil, err
	}
	id, call := rand.Text(), &remoteCall{answer: make(chan reply, 1)}
	u.mu.Lock()
	u.calls[id] = call
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		delete(u.calls, id)
		u.mu.Unlock()
	}()
	asked := note{Call: id, From: u.hub.node, Request: superjson.Value{JSON: request}}
	if deadline, ok := ctx.Deadline(); ok {
		asked.Timeout = max(1, time.Until(deadline).Milliseconds())
	}
	node, err := u.hub.backplane.Request(ctx, u.hub.topic("user", name), encodeNote(asked))
	switch {
	case errors.Is(err, ErrNoResponder), err == nil && len(node) == 0:
		return nil, ErrNotConnected
	case err != nil:
		return nil, err
	}
	u.hub.nodes.see(string(node)) // so that it dies unless it is heard of
	u.mu.Lock()
	call.node = string(node)
	u.mu.Unlock()
	select {
	case r := <-call.answer:
		return r.answer, r.err
	case <-ctx.Done():
		_ = u.hub.backplane.Publish(u.topic(string(node)), encodeNote(note{Call: id, Cancel: true}))
		return nil, context.Cause(ctx)
	}
}

func encodeNote(n note) []byte {
	data, err := toJSON(n)
	if err != nil {
		panic(err) // a Value that is no JSON
	}
	return data
}

// serve makes a call for another node. It returns the name of this node, or nothing if the user has just gone.
func (u *users) serve(name string, data []byte) []byte {
	var asked note
	if err := fromJSON(data, &asked); err != nil {
		u.hub.report(fmt.Errorf("rooms: a call of user %q: %w", name, err))
		return nil
	}
	ch := u.channel(name)
	if ch == nil || u.hub.ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(u.hub.ctx)
	if asked.Timeout > 0 {
		ctx, cancel = context.WithTimeout(u.hub.ctx, time.Duration(asked.Timeout)*time.Millisecond)
	}
	u.mu.Lock()
	u.serving[asked.Call] = cancel
	u.mu.Unlock()
	go func() { // ends with the call
		defer cancel()
		answer, err := kkrpc.Relay(ctx, ch, asked.Request.JSON, nil)
		u.mu.Lock()
		delete(u.serving, asked.Call)
		u.mu.Unlock()
		told := note{Call: asked.Call, Answer: superjson.Value{JSON: answer}}
		if err != nil {
			told.Error = err.Error()
		}
		err = u.hub.backplane.Publish(u.topic(asked.From), encodeNote(told))
		if errors.Is(err, ErrTooLarge) {
			err = u.hub.backplane.Publish(u.topic(asked.From), encodeNote(note{Call: asked.Call, Error: err.Error()}))
		}
		if err != nil {
			u.hub.report(fmt.Errorf("rooms: the answer of user %q: %w", name, err))
		}
	}()
	return []byte(u.hub.node)
}

// receive handles what another node says about a call.
func (u *users) receive(data []byte) {
	var told note
	if err := fromJSON(data, &told); err != nil {
		u.hub.report(fmt.Errorf("rooms: a message of another node: %w", err))
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if told.Cancel {
		if cancel := u.serving[told.Call]; cancel != nil {
			cancel()
		}
		return
	}
	r := reply{answer: told.Answer.JSON}
	if told.Error != "" {
		r.err = errors.New(told.Error)
	}
	u.answerLocked(told.Call, r)
}

// answerLocked ends a call that this node has made.
func (u *users) answerLocked(id string, r reply) {
	if call := u.calls[id]; call != nil {
		delete(u.calls, id)
		call.answer <- r
	}
}

// lost ends the calls that a node makes for this one.
func (u *users) lost(node string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, call := range u.calls {
		if call.node == node {
			u.answerLocked(id, reply{err: ErrNodeLost})
		}
	}
}
