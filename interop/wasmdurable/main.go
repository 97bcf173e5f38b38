// Command wasmdurable is a room in a Durable Object that hibernates, as its tests use it.
package main

import (
	"context"
	"errors"
	"iter"
	"log"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/durable"
)

// program tells programs apart.
var program = rand.Int64N(1 << 50)

type message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

type room struct {
	*rooms.Room[message]
	hub *rooms.Hub[message]

	mu       sync.Mutex
	repeated []string // names that join was repeated with
	left     []string // whose connections have closed
}

func (r *room) join(ctx context.Context, name string, onMessage func(message)) error {
	if err := durable.Keep(ctx, "join"); err != nil {
		return err
	}
	if name == "banned" && durable.Waking(ctx) {
		return errors.New("this one is banned by now")
	}
	if err := r.hub.Bind(ctx, name); err != nil {
		return err
	}
	if _, err := r.Join(ctx, onMessage, nil); err != nil {
		return err
	}
	kkrpc.FromContext(ctx).AfterClose(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.left = append(r.left, name)
	})
	if !durable.Waking(ctx) {
		return r.Signal(message{name, "has joined"})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.repeated = append(r.repeated, name)
	return nil
}

func (r *room) leave(ctx context.Context) error {
	durable.Drop(ctx, "join")
	return r.Leave(ctx)
}

// introduce asks the peer for its name, also when it is repeated.
func (r *room) introduce(ctx context.Context, onMessage func(message)) error {
	if err := durable.Keep(ctx, "join"); err != nil {
		return err
	}
	name, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "name")
	if err != nil {
		return err
	}
	return r.join(ctx, name, onMessage)
}

func (r *room) say(ctx context.Context, text string) (reached int, err error) {
	ch := kkrpc.FromContext(ctx)
	if !r.Has(ch) {
		return 0, &kkrpc.Error{Name: "NotAMember", Message: "join first"}
	}
	return r.Members(), r.Signal(message{r.hub.UserOf(ch), text})
}

func (r *room) history() (repeated, left []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.repeated...), append([]string{}, r.left...)
}

// counter is an object that the peer holds.
type counter struct{ n int }

func (c *counter) Add(n int) int { c.n += n; return c.n }

// count returns two references to one counter, and one to another.
func count(ctx context.Context, keep bool) ([]*kkrpc.Ref, error) {
	if keep {
		if err := durable.Keep(ctx, "count"); err != nil {
			return nil, err
		}
	}
	a, b := kkrpc.Proxy(&counter{}), kkrpc.Proxy(&counter{n: 1000})
	return []*kkrpc.Ref{a, a, b}, nil
}

// held is a reference of the peer, by the connection.
var held sync.Map

func hold(ctx context.Context, r *kkrpc.Ref) error {
	held.Store(kkrpc.FromContext(ctx), r)
	return durable.Keep(ctx, "hold")
}

func useHeld(ctx context.Context, text string) (string, error) {
	r, ok := held.Load(kkrpc.FromContext(ctx))
	if !ok {
		return "", errors.New("nothing is held")
	}
	return kkrpc.Call[string](ctx, r.(*kkrpc.Ref), "say", text)
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// ticks yields once, and then nothing.
func ticks(ctx context.Context) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		if yield(1, nil) {
			<-ctx.Done()
		}
	}
}

// drain takes the items of a stream.
func drain(items iter.Seq2[int, error]) (sum int, err error) {
	for n, err := range items {
		if err != nil {
			return sum, err
		}
		sum += n
	}
	return sum, nil
}

// ask calls a function of the peer.
func ask(ctx context.Context, path string) (string, error) {
	return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), path)
}

// askLater does so when its own call is over.
func askLater(ctx context.Context, path string) {
	ch := kkrpc.FromContext(ctx)
	go func() { _, _ = kkrpc.Call[string](context.Background(), ch, path) }()
}

func keepLarge(ctx context.Context, name, _ string) error { return durable.Keep(ctx, name) }

// pictures are bytes by the connection.
var pictures sync.Map

func keepPicture(ctx context.Context, picture []byte) error {
	pictures.Store(kkrpc.FromContext(ctx), picture)
	return durable.Keep(ctx, "picture")
}

func picture(ctx context.Context) any {
	b, _ := pictures.Load(kkrpc.FromContext(ctx))
	return b
}

func storage() kkrpc.Object {
	return kkrpc.Object{
		"put":      func(ctx context.Context, key string, value any) error { return durable.Put(ctx, key, value) },
		"get":      func(ctx context.Context, key string) (any, error) { return durable.Get[any](ctx, key) },
		"getInt":   func(ctx context.Context, key string) (int, error) { return durable.Get[int](ctx, key) },
		"putBytes": func(ctx context.Context, key, text string) error { return durable.Put(ctx, key, []byte(text)) },
		"getBytes": func(ctx context.Context, key string) (string, error) {
			b, err := durable.Get[[]byte](ctx, key)
			return string(b), err
		},
		"delete":    func(ctx context.Context, key string) (bool, error) { return durable.Delete(ctx, key) },
		"deleteAll": durable.DeleteAll,
		"unset": func(ctx context.Context, key string) (bool, error) {
			_, err := durable.Get[any](ctx, key)
			return errors.Is(err, wasm.ErrNotSet), nil
		},
		"list": func(ctx context.Context, prefix, start, end string, limit int, reverse bool) (string, error) {
			list, err := durable.List[int](ctx, &durable.ListOptions{Prefix: prefix, Start: start, End: end, Limit: limit, Reverse: reverse})
			var keys []string
			for _, e := range list {
				keys = append(keys, e.Key)
			}
			return strings.Join(keys, " "), err
		},
		"large": func(ctx context.Context, n int) error { return durable.Put(ctx, "large", strings.Repeat("x", n)) },
		"huge":  func(ctx context.Context) error { return durable.Put(ctx, "huge", int64(1)<<60) },
		"late": func(ctx context.Context) error {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(errors.New("too late"))
			return durable.Put(ctx, "late", 1)
		},
		// transfer moves an amount, and notices too late that it is not there.
		"transfer": func(ctx context.Context, from, to string, n int, how string) error {
			return durable.Transaction(ctx, func(ctx context.Context) error {
				left, err := durable.Get[int](ctx, from)
				if err != nil {
					return err
				}
				has, err := durable.Get[int](ctx, to)
				if err != nil {
					return err
				}
				if err := errors.Join(durable.Put(ctx, from, left-n), durable.Put(ctx, to, has+n), durable.SetAlarm(ctx, time.Now().Add(time.Hour))); err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
				switch {
				case how == "panic":
					panic("in a transaction")
				case how == "nested":
					return durable.Transaction(ctx, func(context.Context) error { return nil })
				case left < n:
					return &kkrpc.Error{Name: "Overdrawn", Message: from}
				}
				return nil
			})
		},
		// race counts up in so many transactions at the same time.
		"race": func(ctx context.Context, n int) (int, error) {
			failed := make(chan error)
			for range n {
				go func() {
					failed <- durable.Transaction(ctx, func(ctx context.Context) error {
						count, err := durable.Get[int](ctx, "count")
						if err != nil && !errors.Is(err, wasm.ErrNotSet) {
							return err
						}
						time.Sleep(time.Millisecond)
						return durable.Put(ctx, "count", count+1)
					})
				}()
			}
			for range n {
				if err := <-failed; err != nil {
					return 0, err
				}
			}
			return durable.Get[int](ctx, "count")
		},
		"escape": func(ctx context.Context) error {
			var kept context.Context
			if err := durable.Transaction(ctx, func(ctx context.Context) error { kept = ctx; return nil }); err != nil {
				return err
			}
			return durable.Put(kept, "escaped", 1)
		},
		"alarm": func(ctx context.Context) (bool, error) {
			at, err := durable.Alarm(ctx)
			return !at.IsZero(), err
		},
		"setAlarm": func(ctx context.Context, ms int) error {
			return durable.SetAlarm(ctx, time.Now().Add(time.Duration(ms)*time.Millisecond))
		},
		"deleteAlarm": durable.DeleteAlarm,
	}
}

func main() {
	hub, err := rooms.NewHub[message](nil)
	if err != nil {
		log.Fatal(err)
	}
	here := &room{Room: hub.Room("here"), hub: hub}
	durable.Configure(&durable.Options{
		Hibernate: true,
		Awake:     2 * time.Second,
		MaxValue:  1 << 20,
		OnAlarm: func(ctx context.Context, retries int) error {
			text, err := durable.Get[string](ctx, "alarm")
			if err != nil {
				return err
			}
			if text == "fails at first" && retries == 0 {
				return errors.New("not yet")
			}
			return here.Signal(message{"alarm", text})
		},
	})
	api := kkrpc.Object{
		"program":     func() int64 { return program },
		"join":        here.join,
		"leave":       here.leave,
		"introduce":   here.introduce,
		"say":         here.say,
		"users":       here.Users,
		"repeated":    func() []string { repeated, _ := here.history(); return repeated },
		"left":        func() []string { _, left := here.history(); return left },
		"count":       count,
		"hold":        hold,
		"useHeld":     useHeld,
		"hang":        hang,
		"ticks":       ticks,
		"drain":       drain,
		"ask":         ask,
		"askLater":    askLater,
		"keepLarge":   keepLarge,
		"keepPicture": keepPicture,
		"picture":     picture,
		"var":         func(ctx context.Context, name string) (any, error) { return wasm.Var[any](ctx, name) },
		"param":       func(ctx context.Context) string { return wasm.RequestFromContext(ctx).Params["room"] },
		"storage":     storage(),
	}
	log.Fatal(wasm.Serve(api, nil))
}
