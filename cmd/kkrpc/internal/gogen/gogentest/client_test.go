package gogentest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/gogen/gogentest"
)

// server has the functions of gogentest.Server.
type server struct{ logged chan string }

func (server) Add(_ context.Context, a, b float64) (float64, error) { return a + b, nil }

func (server) Greet(_ context.Context, name string) (string, error) {
	return "Hello, " + name + "!", nil
}

func (server) Flip(_ context.Context, on bool) (bool, error) { return !on, nil }

func (server) Find(_ context.Context, id int) (*gogentest.User, error) {
	if id == 0 {
		return nil, nil
	}
	return &gogentest.User{ID: id, Name: "Ada"}, nil
}

func (server) List(_ context.Context, where gogentest.Filter, limit *int) (gogentest.Page[gogentest.User], error) {
	page := gogentest.Page[gogentest.User]{Items: []gogentest.User{{Name: fmt.Sprint(where["name"])}}}
	if limit != nil {
		page.Next = *limit
	}
	return page, nil
}

func (server) Factorial(n int64) (*big.Int, error) { return new(big.Int).MulRange(1, n), nil }

func (server) Tomorrow(_ context.Context, day time.Time) (time.Time, error) {
	return day.AddDate(0, 0, 1), nil
}

func (server) Reverse(_ context.Context, data []byte) ([]byte, error) {
	slices.Reverse(data)
	return data, nil
}

func (server) Sum(_ context.Context, start float64, numbers ...float64) (float64, error) {
	for _, n := range numbers {
		start += n
	}
	return start, nil
}

func (server) Copy(_ context.Context, files []string, progress func(done, total int) error) error {
	for i := range files {
		if err := progress(i+1, len(files)); err != nil {
			return err
		}
	}
	return nil
}

func (server) Count(_ context.Context, to int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range to {
			if !yield(i+1, nil) {
				return
			}
		}
		yield(0, errors.New("no more"))
	}
}

func (server) Total(_ context.Context, numbers iter.Seq[int]) (total int, err error) {
	panic("see stub")
}

func (server) Fail(context.Context) error {
	return &kkrpc.Error{Name: "DomainError", Message: "no"}
}

func (s server) Log(line string) { s.logged <- line }

func (server) Open(_ context.Context, owner string) (*kkrpc.Ref, error) {
	return kkrpc.Proxy(func() string { return owner }), nil
}

func (server) Account(_ context.Context, like *kkrpc.RefTo[gogentest.Account]) (kkrpc.RefTo[gogentest.Account], error) {
	if like != nil {
		return *like, nil
	}
	return kkrpc.ProxyTo[gogentest.Account](&account{}), nil
}

type account struct {
	balance int
	watcher kkrpc.RefTo[func(balance int) bool]
}

func (a *account) Deposit(ctx context.Context, amount int) (int, error) {
	a.balance += amount
	if a.watcher.Ref != nil {
		if more, err := kkrpc.Call[bool](ctx, a.watcher, "", a.balance); err != nil || !more {
			a.watcher.Ref = nil
		}
	}
	return a.balance, nil
}

func (a *account) Watch(_ context.Context, watcher kkrpc.RefTo[func(balance int) bool]) error {
	a.watcher = watcher
	return nil
}

// dial returns a channel to a peer that exposes api.
func dial(tb testing.TB, api any) *kkrpc.Channel {
	tb.Helper()
	a, b := kkrpc.Pipe()
	s, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: api})
	if err != nil {
		tb.Fatal(err)
	}
	c, err := kkrpc.New(context.Background(), b, &kkrpc.Options{Dialect: kkrpc.CompactSuperJSON})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close(); c.Close() })
	return c
}

// total takes a stream of the client, which is another type than that of the argument there.
func total(numbers iter.Seq2[int, error]) (total int, err error) {
	for n, err := range numbers {
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// TestServer calls a peer by the client of an interface.
func TestServer(t *testing.T) {
	ctx := t.Context()
	s := server{logged: make(chan string, 1)}
	api := kkrpc.Object{"total": total}
	for name, method := range map[string]any{
		"add": s.Add, "greet": s.Greet, "flip": s.Flip, "find": s.Find, "list": s.List, "factorial": s.Factorial, "tomorrow": s.Tomorrow,
		"reverse": s.Reverse, "sum": s.Sum, "copy": s.Copy, "count": s.Count, "fail": s.Fail, "log": s.Log, "open": s.Open,
		"account": s.Account,
	} {
		api[name] = method
	}
	var client gogentest.Server = gogentest.NewServerClient(dial(t, api))
	limit := 5
	day := time.Date(2024, 2, 28, 12, 0, 0, 0, time.UTC)
	var steps []string
	var counted []int
	var ended error
	for n, err := range client.Count(ctx, 3) {
		if ended = err; err == nil {
			counted = append(counted, n)
		}
	}
	client.Log("a line")
	var remote *kkrpc.Error
	for want, got := range map[string]any{
		"3 <nil>":                             results(client.Add(ctx, 1, 2)),
		"Hello, Ada! <nil>":                   results(client.Greet(ctx, "Ada")),
		"false <nil>":                         results(client.Flip(ctx, true)),
		"&{7 Ada []} <nil>":                   results(client.Find(ctx, 7)),
		"<nil> <nil>":                         results(client.Find(ctx, 0)),
		"{[{0 Ada []}] 5} <nil>":              results(client.List(ctx, gogentest.Filter{"name": "Ada"}, &limit)),
		"{[{0 <nil> []}] 0} <nil>":            results(client.List(ctx, nil, nil)),
		"15511210043330985984000000":          first(client.Factorial(25)),
		"2024-02-29 12:00:00 +0000 UTC <nil>": results(client.Tomorrow(ctx, day)),
		"[3 2 1] <nil>":                       results(client.Reverse(ctx, []byte{1, 2, 3})),
		"10 <nil>":                            results(client.Sum(ctx, 1, 2, 3, 4)),
		"1 <nil>":                             results(client.Sum(ctx, 1)),
		"<nil>": client.Copy(ctx, []string{"a", "b"}, func(done, total int) error {
			steps = append(steps, fmt.Sprint(done, "/", total))
			return nil
		}),
		"[1 2 3]":             counted,
		"6 <nil>":             results(client.Total(ctx, slices.Values([]int{1, 2, 3}))),
		"true":                errors.As(client.Fail(ctx), &remote) && remote.Name == "DomainError",
		"true Error: no more": fmt.Sprint(errors.As(ended, &remote), " ", remote.Message),
		"a line":              <-s.logged,
		"Ada Lovelace <nil>":  apply(ctx, first(client.Open(ctx, "Ada Lovelace"))),
	} {
		if fmt.Sprint(got) != want {
			t.Errorf("got %v, want %s", got, want)
		}
	}
	if fmt.Sprint(steps) != "[1/2 2/2]" {
		t.Errorf("progress was %v", steps)
	}
	ended2, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := client.Add(ended2, 1, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call returned %v", err)
	}
}

// TestReferences calls an object behind a reference by the client of its interface.
func TestReferences(t *testing.T) {
	ctx := t.Context()
	client := gogentest.NewServerClient(dial(t, kkrpc.Object{"account": server{}.Account}))
	ref, err := client.Account(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := client.Account(ctx, &ref)
	if err != nil || again != ref {
		t.Errorf("%v, %v, want %v", again, err, ref)
	}
	var account gogentest.Account = gogentest.NewAccountClient(ref)
	var seen []int
	watcher := kkrpc.ProxyTo(func(balance int) bool { seen = append(seen, balance); return len(seen) < 2 })
	if err := account.Watch(ctx, watcher); err != nil {
		t.Error(err)
	}
	for range 3 {
		if _, err := account.Deposit(ctx, 5); err != nil {
			t.Error(err)
		}
	}
	if fmt.Sprint(seen) != "[5 10]" {
		t.Errorf("the watcher saw %v", seen)
	}
}

func results[T any](v T, err error) string { return fmt.Sprintf("%v %v", v, err) }

func first[T any](v T, _ error) T { return v }

func apply(ctx context.Context, r *kkrpc.Ref) string {
	var text string
	err := r.Apply(ctx, &text)
	return fmt.Sprint(text, " ", err)
}

// TestFuncs has one client of a struct of funcs and one by kkrpc.Remote do the same.
func TestFuncs(t *testing.T) {
	ctx := t.Context()
	theme := kkrpc.NewProperty("")
	noted := make(chan string, 1)
	c := dial(t, kkrpc.Object{
		"sayHello": func(name string) string { return "Hello, " + name + "!" },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
			"deep":     kkrpc.Object{"ping": func() string { return "pong" }},
		},
		"theme": theme,
		"Point": kkrpc.Constructor(func(x, y float64) gogentest.Point { return gogentest.Point{X: x, Y: y} }),
		"note":  func(line string) { noted <- line },
		"ticks": func() iter.Seq[int] { return slices.Values([]int{1, 2}) },
	})
	remote, client := kkrpc.Remote[gogentest.Funcs](c), gogentest.NewFuncsClient(c)
	for _, api := range []struct {
		name  string
		calls gogentest.Funcs
	}{
		{"Remote", remote},
		{"generated", func() (f gogentest.Funcs) {
			f.Greet, f.Theme, f.SetTheme, f.Point, f.Note, f.Ticks = client.Greet, client.Theme, client.SetTheme, client.Point, client.Note, client.Ticks
			f.Math.Multiply, f.Math.Deep.Ping = client.Math.Multiply, client.Math.Deep.Ping
			return f
		}()},
	} {
		t.Run(api.name, func(t *testing.T) {
			theme.Set("light")
			var ticks []int
			for n, err := range api.calls.Ticks() {
				if err != nil {
					t.Fatal(err)
				}
				ticks = append(ticks, n)
			}
			got := fmt.Sprintln(results(api.calls.Greet(ctx, "Ada")), results(api.calls.Math.Multiply(ctx, 4, 6)), results(api.calls.Math.Deep.Ping()),
				results(api.calls.Theme(ctx)), api.calls.SetTheme(ctx, "dark"), theme.Get(), results(api.calls.Point(ctx, 1, 2)),
				api.calls.Note("a line"), <-noted, ticks)
			const want = "Hello, Ada! <nil> 24 <nil> pong <nil> light <nil> <nil> dark {1 2} <nil> <nil> a line [1 2]\n"
			if got != want {
				t.Errorf("got  %swant %s", got, want)
			}
		})
	}
}

// BenchmarkCall compares the client with kkrpc.Remote. The peer in the same process takes a part of the time.
func BenchmarkCall(b *testing.B) {
	type funcs struct {
		Add   func(ctx context.Context, a, b float64) (float64, error)
		Greet func(ctx context.Context, name string) (string, error)
		Find  func(ctx context.Context, id int) (*gogentest.User, error)
	}
	c := dial(b, kkrpc.Object{"add": server{}.Add, "greet": server{}.Greet, "find": server{}.Find})
	client := gogentest.NewServerClient(c)
	ctx := b.Context()
	for _, api := range []struct {
		name  string
		calls funcs
	}{
		{"generated", funcs{client.Add, client.Greet, client.Find}},
		{"Remote", kkrpc.Remote[funcs](c)},
	} {
		for _, call := range []struct {
			name string
			do   func() error
		}{
			{"add", func() error { _, err := api.calls.Add(ctx, 1, 2); return err }},
			{"greet", func() error { _, err := api.calls.Greet(ctx, "Ada"); return err }},
			{"find", func() error { _, err := api.calls.Find(ctx, 7); return err }},
		} {
			b.Run(call.name+"/"+api.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := call.do(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
