package durable_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/durable"
)

// shown

type message struct{ From, Text string }

var (
	hub, _ = rooms.NewHub[message](nil)
	room   = hub.Room("here")
)

// join runs again when the object wakes.
func join(ctx context.Context, name string, onMessage func(message)) error {
	if err := durable.Keep(ctx, "join"); err != nil {
		return err
	}
	if err := hub.Bind(ctx, name); err != nil {
		return err
	}
	if _, err := room.Join(ctx, onMessage, nil); err != nil {
		return err
	}
	if durable.Waking(ctx) {
		return nil
	}
	return room.Signal(message{name, "has joined"})
}

func leave(ctx context.Context) error {
	durable.Drop(ctx, "join")
	return room.Leave(ctx)
}

// shown

// visits counts the visits of all times.
func visits(ctx context.Context) (n int, err error) {
	err = durable.Transaction(ctx, func(ctx context.Context) error {
		known, err := durable.List[int](ctx, &durable.ListOptions{Prefix: "visits", Limit: 1})
		if err != nil {
			return err
		}
		if n = 1; len(known) > 0 {
			n = known[0].Value + 1
		}
		return durable.Put(ctx, "visits", n)
	})
	return n, err
}

// remind says text to the room in an hour, also if it sleeps until then.
func remind(ctx context.Context, text string) error {
	if err := durable.Put(ctx, "reminder", text); err != nil {
		return err
	}
	return durable.SetAlarm(ctx, time.Now().Add(time.Hour))
}

func onAlarm(ctx context.Context, retries int) error {
	text, err := durable.Get[string](ctx, "reminder")
	if err != nil {
		return err
	}
	return room.Signal(message{"reminder", text})
}

// shown

func Example() {
	durable.Configure(&durable.Options{Hibernate: true, OnAlarm: onAlarm})
	panic(wasm.Serve(kkrpc.Object{"join": join, "leave": leave, "visits": visits, "remind": remind}, nil))
}

// TestGuideShowsTheExample keeps the code on the page about Durable Objects what is compiled here.
func TestGuideShowsTheExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/guide/durable-objects.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(source), "\n// shown\n\n")
	if len(parts) != 4 {
		t.Fatalf("%d parts", len(parts))
	}
	last, _, _ := strings.Cut(parts[3], "\n// TestGuide")
	parts[3] = strings.Replace(last, "func Example()", "func main()", 1)
	for _, part := range parts[1:] {
		if !strings.Contains(string(page), "```go\n"+strings.TrimSpace(part)+"\n```\n") {
			t.Errorf("docs/guide/durable-objects.md does not show\n%s", part)
		}
	}
}
