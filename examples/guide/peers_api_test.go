package guide_test

import (
	"errors"
	"io"
	"iter"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func peerCalling(t *testing.T) {
	ctx, ch, _ := dial(t, "calling", "/ws", nil)
	want(t, "Hello, World!")(kkrpc.Call[string](ctx, ch, "greet", "World"))
	want(t, "Good morning, World!")(kkrpc.Call[string](ctx, ch, "greet", "World", "Good morning"))
	want(t, 24.0)(kkrpc.Call[float64](ctx, ch, "math.multiply", 4, 6))
	want(t, 6.0)(kkrpc.Call[float64](ctx, ch, "math.sum", 1, 2, 3))
	want(t, 1)(kkrpc.Call[int](ctx, ch, "books.add", map[string]any{"title": "Dune", "year": 1965}))
	want(t, map[string]any{"title": "Dune", "year": 1965.0})(kkrpc.Call[map[string]any](ctx, ch, "books.findByID", 1))
	want[*string](t, nil)(kkrpc.Call[*string](ctx, ch, "books.findByID", 99))
	for _, path := range []string{"books.clear", "calls", "shelf"} {
		fails(t, ch.Call(ctx, nil, path), "is not a function")
	}
}

func peerErrors(t *testing.T) {
	ctx, ch, _ := dial(t, "errors", "/ws", kkrpc.Object{
		"enterPIN": func() (string, error) {
			return "", &kkrpc.Error{Name: "Refused", Message: "the user gave up", Fields: map[string]any{"attempts": 3}}
		},
	})
	fails(t, ch.Call(ctx, nil, "withdraw", -1), "amount must not be negative")
	fails(t, ch.Call(ctx, nil, "withdraw", "ten"), "TypeError: withdraw: argument 1: expected integer, got string")
	err := ch.Call(ctx, nil, "withdraw", 500)
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) || thrown.Name != "NoFunds" || thrown.Fields["balance"] != 100.0 {
		t.Errorf("withdraw 500: %#v", thrown)
	}
	want(t, "the user gave up (Refused, attempts: 3)")(kkrpc.Call[string](ctx, ch, "ask"))
}

func peerValues(t *testing.T) {
	_, address := serve(t, program(t, "values"))
	ctx, ch := t.Context(), connect(t, kkrpc.CompactSuperJSON, "ws://"+address+"/ws", nil)
	noon := time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)
	want(t, noon.AddDate(0, 0, 1))(kkrpc.Call[time.Time](ctx, ch, "tomorrow", noon))
	factorial, _ := new(big.Int).SetString("15511210043330985984000000", 10)
	want(t, factorial)(kkrpc.Call[*big.Int](ctx, ch, "factorial", 25))
	want(t, []byte{3, 2, 1})(kkrpc.Call[[]byte](ctx, ch, "reverse", []byte{1, 2, 3}))
	lengths, err := kkrpc.Call[*superjson.Map](ctx, ch, "lengths", superjson.NewSet("a", "bcd"))
	want(t, []superjson.Entry{{Key: "a", Value: 1.0}, {Key: "bcd", Value: 3.0}})(lengths.Entries(), err)
	want[any](t, nil)(kkrpc.Call[any](ctx, ch, "find", "Bob"))
	want[any](t, nil)(kkrpc.Call[any](ctx, ch, "forget"))
	want(t, "*superjson.Set")(kkrpc.Call[string](ctx, ch, "goType", superjson.NewSet()))
}

func peerCallbacks(t *testing.T) {
	var steps []int
	prices := make(chan float64, 10)
	ctx, ch, server := dial(t, "callbacks", "/ws", kkrpc.Object{
		"onAlarm": func(reminder func(string)) { reminder("08:00") },
	})
	want(t, "copied")(kkrpc.Call[string](ctx, ch, "copy", []string{"a", "b"}, func(done, total int) { steps = append(steps, done, total) }))
	want(t, []int{1, 2, 2, 2})(steps, nil)
	id, err := kkrpc.Call[int](ctx, ch, "subscribe", func(price float64) { prices <- price })
	want(t, 1)(id, err)
	succeeds(t, ch.Call(ctx, nil, "publish", 10))
	want(t, 10.0)(<-prices, nil)
	succeeds(t, ch.Call(ctx, nil, "unsubscribe", id))
	succeeds(t, ch.Call(ctx, nil, "publish", 11))
	succeeds(t, ch.Call(ctx, nil, "remind", "tea"))
	want(t, 0)(len(prices), nil)
	want(t, "tea at 08:00\n")(server.stop(), nil)
}

func peerProperties(t *testing.T) {
	title := kkrpc.NewProperty("untitled")
	type size struct{ X, Y float64 }
	ctx, ch, _ := dial(t, "properties", "/ws", kkrpc.Object{
		"page": kkrpc.Object{"title": title},
		"Size": kkrpc.Constructor(func(x, y float64) map[string]any { return map[string]any{"x": x, "y": y} }),
	})
	want(t, "1.0.0")(kkrpc.Get[string](ctx, ch, "version"))
	want(t, "light")(kkrpc.Get[string](ctx, ch, "settings.theme"))
	succeeds(t, kkrpc.Set(ctx, ch, "settings.theme", "dark"))
	fails(t, kkrpc.Set(ctx, ch, "settings.theme", "pink"), "theme is light or dark")
	fails(t, kkrpc.Set(ctx, ch, "version", "2"), "version")
	want(t, map[string]any{"theme": "dark", "visits": 1.0})(kkrpc.Get[map[string]any](ctx, ch, "settings"))
	want(t, size{1, 2})(kkrpc.Construct[size](ctx, ch, "Point", 1, 2))
	want(t, "untitled")(kkrpc.Call[string](ctx, ch, "rename", "Guide"))
	want(t, "Guide")(title.Get(), nil)
	want(t, size{3, 4})(kkrpc.Call[size](ctx, ch, "size"))
}

func peerStreams(t *testing.T) {
	stopped := make(chan struct{})
	ctx, ch, server := dial(t, "streams", "/ws", kkrpc.Object{
		"tail": func(service string) iter.Seq[string] {
			return func(yield func(string) bool) {
				defer close(stopped)
				_ = yield(service+": starting") && yield(service+": ready") && yield("never sent")
			}
		},
	})
	want(t, []int{1, 2, 3})(items(kkrpc.Stream[int](ctx, ch, "count", 1), 3))
	readings, err := items(kkrpc.Stream[float64](ctx, ch, "readings"), 9)
	want(t, []float64{20.5, 21, 21.5})(readings, nil)
	fails(t, err, "sensor lost")
	want(t, []string{"build", "test"})(items(kkrpc.Stream[string](ctx, ch, "jobs"), 9))
	hundred := func(yield func(int, error) bool) {
		for n := 1; n <= 100 && yield(n, nil); n++ {
		}
	}
	want(t, 5050.0)(kkrpc.Call[float64](ctx, ch, "sum", iter.Seq2[int, error](hundred)))
	succeeds(t, ch.Call(ctx, nil, "follow"))
	<-stopped
	server.stdout.await(ctx, 3) // the first stream ends on its own
	lines := strings.Split(strings.TrimSpace(server.stop()), "\n")
	slices.Sort(lines)
	want(t, []string{"nobody reads any more", "web: ready", "web: starting"})(lines, nil)
}

func peerBytes(t *testing.T) {
	text := strings.Repeat("a line of the client\n", 5000)
	ctx, ch, server := dial(t, "bytes", "/ws", kkrpc.Object{
		"read": func(name string) io.Reader { return strings.NewReader(name + text) },
	})
	want(t, int64(len(text)))(kkrpc.Call[int64](ctx, ch, "save", "notes.txt", strings.NewReader(text)))
	file, err := kkrpc.Call[io.Reader](ctx, ch, "open", "notes.txt")
	succeeds(t, err)
	content, err := io.ReadAll(file)
	want(t, text)(string(content), err)
	want(t, int64(len(text)+len("more.txt")))(kkrpc.Call[int64](ctx, ch, "copyFrom", "more.txt"))
	export, err := kkrpc.Call[io.ReadCloser](ctx, ch, "export", "t")
	succeeds(t, err)
	rows := make([]byte, 8)
	_, err = io.ReadFull(export, rows)
	want(t, "t,1\nt,2\n")(string(rows), err)
	succeeds(t, export.Close())
	server.stdout.await(ctx, 1)
	want(t, "export stopped: io: read/write on closed pipe")(strings.TrimSpace(server.stop()), nil)
	_, err = kkrpc.Call[io.Reader](ctx, ch, "open", "../secret")
	if err == nil {
		t.Error("a file outside of the folder was opened")
	}
}

func peerReferences(t *testing.T) {
	ctx, ch, _ := dial(t, "references", "/ws", nil)
	open := func(owner string) *kkrpc.Ref {
		t.Helper()
		account, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "open", owner)
		if err != nil {
			t.Fatal(err)
		}
		return account
	}
	ada, eve := open("Ada"), open("Eve")
	want(t, "Ada")(kkrpc.Call[string](ctx, ada, "owner"))
	want(t, 100)(kkrpc.Call[int](ctx, ada, "deposit", 100))
	succeeds(t, ch.Call(ctx, nil, "transfer", ada, eve, 30))
	want(t, 70)(kkrpc.Call[int](ctx, ada, "deposit", 0))
	want(t, 30)(kkrpc.Call[int](ctx, eve, "deposit", 0))
	fails(t, ch.Call(ctx, nil, "transfer", ada, kkrpc.Proxy(func() {}), 1), "two accounts")

	var lines []string
	want(t, "1 lines in the log")(kkrpc.Call[string](ctx, ch, "run", map[string]any{
		"name":    "backup",
		"approve": kkrpc.Proxy(func(name string) bool { return name == "backup" }),
		"log": kkrpc.Proxy(kkrpc.Object{"append": func(line string) int {
			lines = append(lines, line)
			return len(lines)
		}}),
	}))
	want(t, []string{"backup approved: true"})(lines, nil)
}

// items reads at most n items of a stream.
func items[T any](stream iter.Seq2[T, error], n int) (list []T, err error) {
	for item, err := range stream {
		if err != nil {
			return list, err
		}
		if list = append(list, item); len(list) == n {
			break
		}
	}
	return list, nil
}
