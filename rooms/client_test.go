package rooms_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// message is what the rooms of these tests carry.
type message struct {
	ID   uint64 `json:"id"`
	Text string `json:"text"`
}

func numbered(m *message, seq uint64) { m.ID = seq }

// api is what clients of these tests call.
type api struct {
	hub    *rooms.Hub[message]
	prices *rooms.Live[string, int]
}

func (a *api) functions() kkrpc.Object {
	return kkrpc.Object{
		"join": func(ctx context.Context, room string, after *rooms.Position, listen func(message)) (rooms.Position, error) {
			return a.hub.Room(room).Join(ctx, listen, &rooms.JoinOptions{After: after})
		},
		"joinMethod": func(ctx context.Context, room, path string, args []any) (rooms.Position, error) {
			return a.hub.Room(room).JoinMethod(ctx, path, &rooms.JoinOptions{Args: args})
		},
		"leave": func(ctx context.Context, room string) error { return a.hub.Room(room).Leave(ctx) },
		"say": func(ctx context.Context, room, text string) (uint64, error) {
			return a.hub.Room(room).Publish(ctx, message{Text: text})
		},
		"sayOnce": func(ctx context.Context, room, id, text string) (uint64, error) {
			return a.hub.Room(room).PublishOnce(ctx, id, message{Text: text})
		},
		"signal": func(room, text string) error { return a.hub.Room(room).Signal(message{Text: text}) },
		"bind":   func(ctx context.Context, user string) error { return a.hub.Bind(ctx, user) },
		"watch": func(ctx context.Context, room string, listen func(rooms.Update[string, int])) error {
			return a.hub.Room(room).JoinPresence(ctx, listen, nil)
		},
		"users": func(ctx context.Context, room string) ([]string, error) { return a.hub.Room(room).Users(ctx) },
		"ask": func(ctx context.Context, user, question string) (string, error) {
			return kkrpc.Call[string](ctx, a.hub.User(user), "answer", question)
		},
		"follow": func(ctx context.Context, listen func(rooms.Update[string, int])) error {
			return a.prices.Join(ctx, listen, nil)
		},
	}
}

func newHub(t *testing.T, opts *rooms.Options[message]) *api {
	t.Helper()
	given := rooms.Options[message]{}
	if opts != nil {
		given = *opts
	}
	given.Number = numbered
	if given.OnError == nil {
		given.OnError = func(err error) { t.Errorf("OnError: %v", err) }
	}
	h, err := rooms.NewHub(&given)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return &api{hub: h}
}

// client is a connection of a test.
type client struct {
	*kkrpc.Channel
	server *kkrpc.Channel // its other end
	t      *testing.T

	mu    sync.Mutex
	heard []message
	views map[string]map[string]int // by what was followed
}

// connect connects a client that exposes functions.
func (a *api) connect(t *testing.T, dialect kkrpc.Dialect, exposed kkrpc.Object) *client {
	t.Helper()
	near, far := kkrpc.Pipe()
	return a.connectOver(t, near, far, dialect, exposed)
}

// pausable is a transport whose peer does not read while it is paused.
type pausable struct {
	kkrpc.Transport
	reads chan struct{} // has one while the peer reads
}

func (p *pausable) pause()  { <-p.reads }
func (p *pausable) resume() { p.reads <- struct{}{} }

func (p *pausable) WriteFrames(frames [][]byte) error {
	p.pause()
	defer p.resume()
	return p.Transport.WriteFrames(frames)
}

// connectPausable connects a client that reads unless it is paused.
func (a *api) connectPausable(t *testing.T) (*client, *pausable) {
	t.Helper()
	near, far := kkrpc.Pipe()
	p := &pausable{far, make(chan struct{}, 1)}
	p.resume()
	return a.connectOver(t, near, p, kkrpc.Compact, nil), p
}

func (a *api) connectOver(t *testing.T, near, far kkrpc.Transport, dialect kkrpc.Dialect, exposed kkrpc.Object) *client {
	t.Helper()
	server, err := kkrpc.New(t.Context(), far, &kkrpc.Options{Expose: a.functions()})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{server: server, t: t, views: map[string]map[string]int{}}
	if c.Channel, err = kkrpc.New(t.Context(), near, &kkrpc.Options{Dialect: dialect, Expose: exposed}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); server.Close() })
	return c
}

func (c *client) listen(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, m)
}

func (c *client) messages() []message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.heard)
}

// texts is what the client has heard.
func (c *client) texts() string {
	var texts []string
	for _, m := range c.messages() {
		texts = append(texts, m.Text)
	}
	return strings.Join(texts, " ")
}

func (c *client) join(room string, after *rooms.Position) rooms.Position {
	c.t.Helper()
	at, err := kkrpc.Call[rooms.Position](c.t.Context(), c, "join", room, after, c.listen)
	if err != nil {
		c.t.Fatal(err)
	}
	return at
}

func (c *client) do(path string, args ...any) {
	c.t.Helper()
	if err := kkrpc.Do(c.t.Context(), c, path, args...); err != nil {
		c.t.Error(err)
	}
}

// follow returns a function that keeps a copy of the state that it is told about.
func (c *client) follow(what string) func(rooms.Update[string, int]) {
	return func(u rooms.Update[string, int]) {
		c.mu.Lock()
		defer c.mu.Unlock()
		state := c.views[what]
		if u.Reset || state == nil {
			if !u.Reset {
				c.t.Errorf("the first update of %s is no snapshot: %+v", what, u)
			}
			state = map[string]int{}
			c.views[what] = state
		}
		for _, item := range u.Set {
			state[item.Key] = item.Value
		}
		for _, key := range u.Deleted {
			delete(state, key)
		}
	}
}

func (c *client) view(what string) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	copied := map[string]int{}
	for key, value := range c.views[what] {
		copied[key] = value
	}
	return copied
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func isNamed(err error, name string) bool {
	e, ok := errors.AsType[*kkrpc.Error](err)
	return ok && e.Name == name
}
