package guide_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func peerMetadata(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx, ch, server := dial(t, "metadata", "/ws", kkrpc.Object{
		"receive": func(ctx context.Context) (string, error) {
			meta := kkrpc.MetadataFrom(ctx)
			if _, ok := ctx.Deadline(); !ok || meta["server"] != "go-1" || meta["hop"] != 2.0 || meta["traceparent"] != trace {
				return "", fmt.Errorf("no deadline (%v) or wrong metadata %v", ok, meta)
			}
			return "received", nil
		},
	})
	with := kkrpc.WithMetadata(ctx, map[string]any{"tenant": "acme", "request": 1, "traceparent": trace})
	want(t, "Hello, Ada of acme (request 1)!")(kkrpc.Call[string](with, ch, "greet", "Ada"))
	want(t, "received")(kkrpc.Call[string](with, ch, "forward"))
	fails(t, ch.Call(kkrpc.WithMetadata(ctx, map[string]any{"timeout": 1}), nil, "wait"), "deadline exceeded")
	want(t, "gave up: true\n")(server.stop(), nil)
}

func peerInterceptors(t *testing.T) {
	busy := 2
	ctx, ch, server := dial(t, "interceptors", "/ws", kkrpc.Object{
		"print": func(what string) (string, error) {
			if busy--; busy >= 0 {
				return "", &kkrpc.Error{Name: "Busy", Message: "busy"}
			}
			return "printed " + what, nil
		},
	})
	want(t, "contents of a (read only)")(kkrpc.Call[string](ctx, ch, "read", "a"))
	fails(t, ch.Call(ctx, nil, "deleteAll"), "Maintenance: deleteAll has to wait")
	fails(t, ch.Call(ctx, nil, "crash"), "please report incident 42")
	want(t, "printed report (read only)")(kkrpc.Call[string](ctx, ch, "printout"))
	fails(t, ch.Call(ctx, nil, "read", "a"), "RPCRateLimitError")
	want(t, "print was busy, attempt 1\nprint was busy, attempt 2\n")(server.stop(), nil)
}

func peerLimits(t *testing.T) {
	ctx, ch, _ := dial(t, "limits", "/ws?token=secret-a", nil)
	want(t, "Ada")(kkrpc.Call[string](ctx, ch, "whoami"))
	want(t, "bye")(kkrpc.Call[string](ctx, ch, "shutDown"))
	fails(t, ch.Call(ctx, nil, "whoami", strings.Repeat("x", 65<<10)), "1009")

	ctx, ch, _ = dial(t, "limits", "/ws?token=secret-e", nil)
	want(t, "Eve")(kkrpc.Call[string](ctx, ch, "whoami"))
	fails(t, ch.Call(ctx, nil, "shutDown"), "is not a function")

	_, address := serve(t, program(t, "limits"))
	_, err := ws.Dial(t.Context(), "ws://"+address+"/ws", nil)
	fails(t, err, "401")
}

func peerValidation(t *testing.T) {
	ctx, ch, _ := dial(t, "validation", "/ws", nil)
	type user struct {
		ID   int    `json:"id"`
		Name string `json:"name"`
	}
	want(t, user{7, "Ada"})(kkrpc.Call[user](ctx, ch, "create", map[string]any{"name": "Ada", "email": "ada@example.com"}))
	issues := func(err error) (any, error) {
		var thrown *kkrpc.Error
		if !errors.As(err, &thrown) || thrown.Name != "RPCValidationError" {
			return nil, err
		}
		return thrown.Fields["issues"], nil
	}
	err := ch.Call(ctx, nil, "create", map[string]any{"name": "Ada", "email": "at home"})
	want[any](t, []any{map[string]any{"message": "email must satisfy email", "path": []any{0.0, "email"}}})(issues(err))
	err = ch.Call(ctx, nil, "broken")
	want[any](t, []any{map[string]any{"message": "id must satisfy min=1", "path": []any{"id"}}})(issues(err))
}

func peerFanOut(t *testing.T) {
	_, address := serve(t, program(t, "fan-out"))
	join := func(dialect kkrpc.Dialect, name string) (*kkrpc.Channel, <-chan any) {
		t.Helper()
		ch, heard := connect(t, dialect, "ws://"+address+"/ws", nil), make(chan any, 1)
		succeeds(t, ch.Call(t.Context(), nil, "join", name, func(message any) { heard <- message }))
		return ch, heard
	}
	ada, adaHeard := join(kkrpc.Compact, "Ada")
	_, eveHeard := join(kkrpc.ClassicSuperJSON, "Eve")
	want(t, 2)(kkrpc.Call[int](t.Context(), ada, "say", "Hello!"))
	for _, heard := range []<-chan any{adaHeard, eveHeard} {
		want[any](t, map[string]any{"from": "Ada", "text": "Hello!"})(<-heard, nil)
	}
}

func peerRooms(t *testing.T) {
	_, address := serve(t, program(t, "rooms"))
	heard, followed := make(chan string, 3), make(chan string, 3)
	type message struct{ From, Text string }
	ada := connect(t, kkrpc.Compact, "ws://"+address+"/ws", nil)
	eve := connect(t, kkrpc.ClassicSuperJSON, "ws://"+address+"/ws", kkrpc.Object{"chat": kkrpc.Object{
		"onMessage": func(room string, m message) { followed <- room + " " + m.From + ": " + m.Text },
	}})
	ctx := t.Context()
	succeeds(t, ada.Call(ctx, nil, "join", "kitchen", func(m message) { heard <- m.From + ": " + m.Text }))
	succeeds(t, eve.Call(ctx, nil, "follow", "kitchen"))
	succeeds(t, ada.Call(ctx, nil, "say", "garden", "Ada", "Nobody hears it."))
	succeeds(t, ada.Call(ctx, nil, "say", "kitchen", "Ada", "Tea?"))
	want(t, "Ada: Tea?")(<-heard, nil)
	want(t, "kitchen Ada: Tea?")(<-followed, nil)
	succeeds(t, eve.Call(ctx, nil, "leave", "kitchen"))
	fails(t, eve.Call(ctx, nil, "leave", "kitchen"), "join the room first")
}

func peerPresence(t *testing.T) {
	_, address := serve(t, program(t, "presence"))
	as := func(user string) *kkrpc.Channel {
		return connect(t, kkrpc.Compact, "ws://"+address+"/ws?user="+user, nil)
	}
	ctx, ada, eve := t.Context(), as("Ada"), as("Eve")
	heard, changed := make(chan string, 3), make(chan rooms.Update[string, int], 10)
	listen := func(m struct{ Text string }) { heard <- m.Text }
	place, err := kkrpc.Call[rooms.Position](ctx, eve, "join", listen)
	succeeds(t, err)
	succeeds(t, ada.Call(ctx, nil, "watch", func(u rooms.Update[string, int]) { changed <- u }))
	for people := map[string]int{}; people["Eve"] != 1; { // the node may not have told of her yet
		for _, item := range (<-changed).Set {
			people[item.Key] = item.Value
		}
	}
	succeeds(t, eve.Close())
	first, err := kkrpc.Call[uint64](ctx, ada, "say", "a1", "Eve?")
	succeeds(t, err)
	want(t, first)(kkrpc.Call[uint64](ctx, ada, "say", "a1", "Eve?"))
	succeeds(t, as("Eve").Call(ctx, nil, "join", listen, place))
	want(t, "Eve?")(<-heard, nil)
	history, err := kkrpc.Call[[]struct{ ID uint64 }](ctx, ada, "history")
	if err != nil || len(history) != 1 || history[0].ID != first {
		t.Errorf("the history is %v, %v", history, err)
	}
}
