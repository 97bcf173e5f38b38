package replay

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func keepIgnored(*recording) any {
	return kkrpc.Object{"keep": func(*kkrpc.Callback) string { return "kept" }}
}

func callbackCounts(*recording) any {
	return kkrpc.Object{
		"never": func(func()) string { return "done" },
		"once": func(x int, cb func(int)) string {
			cb(x * 2)
			return "ok"
		},
		"many": func(n int, cb func(i, n int)) int {
			for i := range n {
				cb(i, n)
			}
			return n
		},
		"late": func(cb func(string)) string {
			time.AfterFunc(30*time.Millisecond, func() { cb("late") })
			return "early"
		},
	}
}

func callbackDedup(*recording) any {
	var kept []*kkrpc.Callback
	return kkrpc.Object{
		"same": func(a, b *kkrpc.Callback) bool { return a == b },
		"keep": func(cb *kkrpc.Callback) string {
			kept = append(kept, cb)
			switch {
			case len(kept) < 2:
				return "first"
			case kept[0] == kept[1]:
				return "identical facade"
			}
			return "distinct facades"
		},
	}
}

func callbackInCallback(r *recording) any {
	var mu sync.Mutex
	var answer string
	if r.server.variant == "remote-refs" {
		answer = "the reply to ask" // a global variable had it from the recording before
	}
	return kkrpc.Object{
		"start": func(cb *kkrpc.Callback) (string, error) {
			return "started", cb.Call("ask", func(a string) {
				mu.Lock()
				defer mu.Unlock()
				answer = a
			})
		},
		"answer": func() string {
			mu.Lock()
			defer mu.Unlock()
			return answer
		},
	}
}

func callbackInCallbackClassic(*recording) any {
	return kkrpc.Object{"start": func(cb *kkrpc.Callback) (string, error) {
		return "started", cb.Call("ask", func() {})
	}}
}

func callbackNested(*recording) any {
	return kkrpc.Object{"see": func(o map[string]any) string {
		if v, ok := o["cb"]; ok {
			return typeOf(v)
		}
		return "undefined"
	}}
}

func callbackRelease(*recording) any {
	var kept *kkrpc.Callback
	return kkrpc.Object{
		"keep": func(cb *kkrpc.Callback) (bool, error) {
			kept = cb
			return true, cb.Call("kept")
		},
		"release": func() (bool, error) { return true, kkrpc.Release(kept) },
		"fire": func() string {
			if err := kept.Call("after release"); errors.Is(err, kkrpc.ErrReleased) {
				return "RPCCallbackReleasedError: RPC callback <id> has been released"
			}
			return "sent"
		},
	}
}

func callbackThrows(*recording) any {
	return kkrpc.Object{
		"fire": func(cb func(string)) string {
			cb("x")
			return "callback returned undefined"
		},
		"ping": func() string { return "pong" },
	}
}

func callbackTwo(*recording) any {
	type point struct {
		X int `json:"x"`
	}
	return kkrpc.Object{"work": func(a int, onA *kkrpc.Callback, o point, onB func(map[string]bool)) (string, error) {
		err := onA.Call(a, o)
		onB(map[string]bool{"done": true})
		return "end", errors.Join(err, onA.Call(2))
	}}
}

func callbackValues(r *recording) any {
	return kkrpc.Object{"fire": func(cb func(any, any, time.Time, []any, []byte)) int {
		cb(superjson.Undefined, nil, time.Unix(0, 0), []any{1, superjson.Undefined}, []byte{1})
		return 1
	}}
}

func bidirectionalServer(*recording) any {
	return kkrpc.Object{
		"callMe": func(ctx context.Context, name string) (any, error) {
			ch := kkrpc.FromContext(ctx)
			info, err := kkrpc.Call[superjson.Value](ctx, ch, "getClientInfo")
			if err != nil {
				return nil, err
			}
			n, err := kkrpc.Call[string](ctx, ch, "notify", "hi "+name)
			return map[string]any{"info": info, "n": n}, err
		},
		"callFail": func(ctx context.Context) string {
			err := kkrpc.FromContext(ctx).Call(ctx, nil, "fail")
			e, ok := errors.AsType[*kkrpc.Error](err)
			if !ok {
				return "no error"
			}
			return "caught " + describeError(e).get("name").str() + ": " + e.Message
		},
		"both": func(ctx context.Context, x int) (string, error) {
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "ask", "q"+string(rune('0'+x)))
		},
	}
}

func bidirectionalClient(*recording) any {
	return kkrpc.Object{
		"getClientInfo": func() any {
			return struct {
				Name string `json:"name"`
				V    int    `json:"v"`
			}{"ts-client", 1}
		},
		"notify": func(m string) string { return "notified:" + m },
		"fail":   func() error { return errors.New("client failed") },
		"ask":    func(q string) string { return q + "?" },
	}
}

func askClientInfo(ctx context.Context, ch *kkrpc.Channel) { ch.Call(ctx, nil, "getClientInfo") }

// pokingServer does not wait for its assignment before it reads the property again, as the recorded one did not.
func pokingServer(*recording) any {
	return kkrpc.Object{"poke": func(ctx context.Context) (any, error) {
		ch := kkrpc.FromContext(ctx)
		before, err := kkrpc.Get[string](ctx, ch, "state.mode")
		if err != nil {
			return nil, err
		}
		set := make(chan error, 1)
		go func() { set <- kkrpc.Set(ctx, ch, "state.mode", "busy") }()
		time.Sleep(time.Microsecond) // of the test's clock: when Set has sent its request
		after, err := kkrpc.Get[string](ctx, ch, "state.mode")
		return []string{before, after}, errors.Join(err, <-set)
	}}
}

// pokedClient was one object for all recordings, first used in this one.
func pokedClient(r *recording) any {
	mode := "busy"
	if r.folder == "2.1.0-json" {
		mode = "idle"
	}
	return kkrpc.Object{"state": kkrpc.Object{"mode": kkrpc.NewProperty(mode)}}
}
