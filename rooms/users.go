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
// joins afterwards, and lets User call its client. The name is any text that identifies the user, and that the program has
// verified. It has, with Options.Name, at most 191 bytes. Bind ends with the connection, or when the connection is bound to
// another user. In rooms that it has joined before, the connection stays present under the old name until it joins again.
func (h *Hub[M]) Bind(ctx context.Context, user string) error {
	return h.BindChannel(kkrpc.FromContext(ctx), user)
}

// BindChannel is Bind for any connection.
func (h *Hub[M]) BindChannel(ch *kkrpc.Channel, user string) error {
	err := h.core.check(user)
	if err == nil && ch == nil {
		err = errNoHandler
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

// User returns a Caller that calls functions which the client of a user exposes, on whichever node its connection is. Of
// several connections to one node, that which was bound last is called. This node comes before others. The Caller is a
// [kkrpc.UnaryCaller]: functions, streams and references cannot be arguments or results.
//
// A call fails with ErrNotConnected, with ErrNodeLost, with an RPCConnectionClosedError if the connection closes, or with what
// the client throws. It takes at most 30 s unless its context has a deadline.
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
	Error   *problem        `json:"error,omitzero"`
}

// problem is why there is no answer.
type problem struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// problemOf returns err as another node gets it.
func problemOf(err error) *problem {
	if e, ok := errors.AsType[*kkrpc.Error](err); ok {
		return &problem{e.Name, e.Message}
	}
	return &problem{"Error", err.Error()}
}

// reply is the outcome of a remoteCall.
type reply struct {
	answer []byte
	err    error
}

// bind binds ch to a user.
func (u *users) bind(ch *kkrpc.Channel, name string) (err error) {
	if err := u.start(); err != nil {
		return err
	}
	// It has unbind called when ch closes, perhaps at once, which takes binding.
	if err := u.hub.with(ch, func(c *conn) error { c.bound = true; return nil }); err != nil {
		return err
	}
	u.binding.Lock()
	defer u.binding.Unlock()
	before := u.nameOf(ch)
	defer func() {
		if err != nil && u.nameOf(ch) == "" {
			u.hub.unbound(ch)
		}
	}()
	if before == name {
		return nil
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
	if before != "" {
		u.leaveLocked(ch)
	}
	u.mu.Lock()
	one.channels = append(one.channels, ch)
	u.bound[name], u.of[ch] = one, name
	u.mu.Unlock()
	if err = ch.Err(); err == nil && u.hub.isClosed() {
		err = ErrHubClosed
	}
	if err != nil { // perhaps unbind was called before
		u.unbindLocked(ch)
	}
	return err
}

// unbind ends what bind has begun.
func (u *users) unbind(ch *kkrpc.Channel) {
	if u.nameOf(ch) == "" {
		return
	}
	u.binding.Lock()
	defer u.binding.Unlock()
	u.unbindLocked(ch)
}

// unbindLocked is unbind with the lock binding.
func (u *users) unbindLocked(ch *kkrpc.Channel) {
	u.leaveLocked(ch)
	u.hub.unbound(ch)
}

// leaveLocked takes ch from its user, with the lock binding.
func (u *users) leaveLocked(ch *kkrpc.Channel) {
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

// topic is where a node hears of calls.
func (u *users) topic(node string) string { return u.hub.topic("node", node) }

// everyNode is where all nodes hear of calls.
const everyNode = "calls"

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
	if u.hub.isClosed() {
		return ErrHubClosed
	}
	var stops []func()
	for _, topic := range []string{u.hub.node, everyNode} {
		stop, err := u.hub.backplane.Subscribe(u.topic(topic), u.receive)
		if err != nil {
			for _, stop := range stops {
				stop()
			}
			return err
		}
		stops = append(stops, stop)
	}
	u.stop = func() {
		for _, stop := range stops {
			stop()
		}
	}
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
	node, err := u.ask(ctx, name, encodeNote(asked))
	if err != nil {
		if ctx.Err() != nil || errors.Is(err, ErrNodeLost) { // it may be under way
			_ = u.hub.backplane.Publish(u.topic(everyNode), encodeNote(note{Call: id, Cancel: true}))
		}
		return nil, err
	}
	u.mu.Lock()
	call.node = node
	u.mu.Unlock()
	if !u.hub.nodes.see(node) { // else it dies unless it is heard of
		u.lost(node)
	}
	select {
	case r := <-call.answer:
		return r.answer, r.err
	case <-ctx.Done():
		_ = u.hub.backplane.Publish(u.topic(node), encodeNote(note{Call: id, Cancel: true}))
		return nil, context.Cause(ctx)
	case <-u.hub.ctx.Done():
		return nil, ErrHubClosed
	}
}

// ask has a node of the user make a call, and returns which one does. It asks again if the user has just gone from the node
// that was asked, as others may respond too. A node says at once that it makes the call. If it does not, it is lost.
func (u *users) ask(ctx context.Context, name string, asked []byte) (node string, err error) {
	for pause := 10 * time.Millisecond; pause < 2*time.Second; pause *= 2 {
		short, cancel := context.WithTimeout(ctx, u.hub.ping)
		answer, err := u.hub.backplane.Request(short, u.hub.topic("user", name), asked)
		late := short.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case errors.Is(err, ErrNoResponder):
			return "", ErrNotConnected
		case err != nil && late:
			return "", ErrNodeLost
		case err != nil || len(answer) > 0:
			return string(answer), err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	return "", ErrNotConnected
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
	timeout := time.Duration(asked.Timeout) * time.Millisecond
	if timeout <= 0 {
		timeout = longestCall
	}
	ctx, cancel := context.WithTimeout(u.hub.ctx, timeout)
	u.mu.Lock()
	u.serving[asked.Call] = cancel
	u.mu.Unlock()
	began := u.hub.do(func() { // ends with the call
		defer cancel()
		answer, err := kkrpc.Relay(ctx, ch, asked.Request.JSON, nil)
		if u.hub.ctx.Err() != nil { // it was cut off, as this node ends
			answer, err = nil, ErrNodeLost
		}
		u.mu.Lock()
		delete(u.serving, asked.Call)
		u.mu.Unlock()
		told := note{Call: asked.Call, Answer: superjson.Value{JSON: answer}}
		if err != nil {
			told.Error = problemOf(err)
		}
		err = u.hub.backplane.Publish(u.topic(asked.From), encodeNote(told))
		if errors.Is(err, ErrTooLarge) {
			err = u.hub.backplane.Publish(u.topic(asked.From), encodeNote(note{Call: asked.Call, Error: problemOf(err)}))
		}
		if err != nil {
			u.hub.report(fmt.Errorf("rooms: the answer of user %q: %w", name, err))
		}
	})
	if !began {
		cancel()
		return nil
	}
	return []byte(u.hub.node)
}

// longestCall is how long a call for another node may take that has no deadline.
const longestCall = time.Hour

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
	if told.Error != nil {
		r.err = &kkrpc.Error{Name: told.Error.Name, Message: told.Error.Message}
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
