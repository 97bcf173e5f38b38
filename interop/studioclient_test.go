package interop_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/check"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/studioclient"
	"github.com/kkrpc-go/kkrpc/interop/typedclient"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestStudioClientsAreCurrent has kkrpc gen go compare the clients.
func TestStudioClientsAreCurrent(t *testing.T) {
	for name, args := range map[string][]string{
		"Studio": {"--ts", filepath.Join(typedProject(t, "typescript"), "studio-api.ts"), "--type", "Studio", "--package", "studioclient", "-o", "studioclient/studio.gen.go"},
		"Bank":   {"--ts", filepath.Join(typedProject(t, "typescript7"), "studio-api.ts"), "--type", "Bank", "--package", "studioclient", "-o", "studioclient/bank.gen.go"},
		"Funcs":  {"./studioclient", "--type", "Funcs", "-o", "studioclient/funcs.gen.go"},
	} {
		cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", "../cmd/kkrpc", "gen", "go", "--check"}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}

// TestTypedClientsOfKkrpc2Server calls the real kkrpc 2.1.0 on each of its channels by the clients that kkrpc gen go wrote.
func TestTypedClientsOfKkrpc2Server(t *testing.T) {
	const variable = "KKRPC_V2"
	haveCheckout(t, variable, "2.1.0")
	checkStudio(t)
	server, err := filepath.Abs("testdata/typed/studio.ts")
	if err != nil {
		t.Fatal(err)
	}
	for _, channel := range []check.Channel{check.Base, check.Streaming, check.RemoteRefs} {
		for _, codec := range codecs {
			t.Run(fmt.Sprint(channel, "/", codec), func(t *testing.T) {
				p := peer{"2.1.0", channel, codec, variable}
				cmd := p.command(t, js.Bun, "server.mjs")
				cmd.Args = append(cmd.Args, server)
				url, _ := startProcess(t, cmd)
				ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{RPC: kkrpc.Options{Dialect: p.dialect(t)}})
				if err != nil {
					t.Fatal(err)
				}
				defer ch.Close()
				callShop(t, typedclient.NewShopClient(ch))
				if codec == "superjson" {
					callRich(t, typedclient.NewShopClient(ch))
				}
				callStudio(t, studioclient.NewStudioClient(ch))
				callFuncs(t, studioclient.NewFuncsClient(ch))
				switch channel {
				case check.Streaming:
					callStreams(t, studioclient.NewStudioClient(ch))
					callFuncStreams(t, studioclient.NewFuncsClient(ch))
				case check.RemoteRefs:
					callBank(t, studioclient.NewBankClient(ch))
				}
			})
		}
	}
}

// checkStudio has the TypeScript compiler check that the server has the types that the clients were generated from.
func checkStudio(t *testing.T) {
	t.Helper()
	dir := js.TempDir(t, "testdata/typed/api.ts", "testdata/typed/shop.ts", "testdata/typed/studio-api.ts", "testdata/typed/studio.ts", filepath.Join(js.Dir(t), "tsconfig.json"))
	tsc := filepath.Join(dir, "node_modules", "typescript", "bin", "tsc")
	if out, err := exec.CommandContext(t.Context(), js.Node.Path(t), tsc, "-p", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// callStudio calls what any channel of kkrpc 2 carries.
func callStudio(t *testing.T, studio *studioclient.StudioClient) {
	ctx := t.Context()
	want := wants(t)

	type price struct {
		ID    string
		Price *float64
		At    time.Time
	}
	prices := make(chan price, 2)
	err := studio.Watch(ctx, func(id string, p *float64, at time.Time) { prices <- price{id, p, at.UTC()} })
	want(price{"a1", new(9.5), time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)}, <-prices, err)
	want(price{"a2", nil, time.Unix(0, 0).UTC()}, <-prices, nil)

	theme, err := studio.Theme(ctx)
	want("light", theme, err)
	err = studio.SetTheme(ctx, "dark")
	theme, err2 := studio.Theme(ctx)
	want("dark", theme, errors.Join(err, err2))
	want(nil, studio.SetTheme(ctx, "light"), nil)

	settings, err := studio.Settings(ctx)
	want(studioclient.Settings{Volume: 5}, settings, err)
	err = studio.SetSettings(ctx, studioclient.Settings{Volume: 7, Muted: new(true)})
	settings, err2 = studio.Settings(ctx)
	want(studioclient.Settings{Volume: 7, Muted: new(true)}, settings, errors.Join(err, err2))
	want(nil, studio.SetSettings(ctx, studioclient.Settings{Volume: 5}), nil)

	visits, err := studio.Visits(ctx)
	want(int64(1<<53-1), visits, err)
	want(nil, studio.SetVisits(ctx, 3), nil)
	visits, err = studio.Visits(ctx)
	want(int64(3), visits, err)
	version, err := studio.Version(ctx)
	want("2.1", version, err)
	want(nil, studio.Nested.SetLevel(ctx, 2), nil)
	level, err := studio.Nested.Level(ctx)
	want(2.0, level, err)
	want(nil, studio.Nested.SetLevel(ctx, 1), nil)

	counter, err := studio.NewCounter(ctx, 3, "a", "b")
	want(studioclient.Counter{Value: 3, Names: []string{"a", "b"}}, counter, err)
	counter, err = studio.Nested.NewCounter(ctx, 4)
	want(studioclient.Counter{Value: 4, Names: []string{}}, counter, err)

	want(nil, studio.Reserve(ctx, "a1", nil), nil)
	checkOutOfStock(t, studio.Reserve(ctx, "a1", new(3.0)))
}

// checkOutOfStock wants the error of reserve with all that a program may read of it.
func checkOutOfStock(t *testing.T, err error) {
	t.Helper()
	var e *kkrpc.Error
	if !errors.As(err, &e) || e.Name != "OutOfStock" || e.Message != "only 2 of a1 left" || e.Fields["id"] != "a1" || fmt.Sprint(e.Fields["left"]) != "2" {
		t.Errorf("got %#v, want an OutOfStock", err)
	}
}

// callStreams calls what has streams in either direction.
func callStreams(t *testing.T, studio *studioclient.StudioClient) {
	ctx := t.Context()
	want := wants(t)
	numbers, err := collect(studio.Count(ctx, 100), 200)
	if len(numbers) != 100 || numbers[99] != 100 || err != nil {
		t.Errorf("count: %v, %v", numbers, err)
	}
	articles, err := collect(studio.Articles(ctx, []string{"Lamp", "Table"}), 10)
	if len(articles) != 2 || articles[1].Title != "Table" || articles[1].Size != studioclient.SizeLarge || articles[1].Added.Year() != 2024 || err != nil {
		t.Errorf("articles: %v, %v", articles, err)
	}
	numbers, err = collect(studio.FailAfter(ctx, 2), 10)
	checkStreamError(t, len(numbers), err)
	before, err := studio.Finished(ctx)
	numbers, err2 := collect(studio.Count(ctx, 1e9), 3) // left early
	want([]float64{1, 2, 3}, numbers, errors.Join(err, err2))
	after, err := studio.Finished(ctx)
	want(before+1, after, err)

	sum, err := studio.Total(ctx, values(1.0, 2.5))
	want(3.5, sum, err)
	numbers, err = collect(studio.Double(ctx, values(1.0, 2.0)), 10)
	want([]float64{2, 4}, numbers, err)
	endless := func(yield func(float64, error) bool) {
		for n := 7.0; yield(n, nil); n++ {
		}
	}
	first, err := studio.FirstOf(ctx, endless)
	want(new(7.0), first, err)
	first, err = studio.FirstOf(ctx, values[float64]())
	want((*float64)(nil), first, err)
	_, err = studio.Total(ctx, func(yield func(float64, error) bool) {
		_ = yield(1, nil) && yield(0, &kkrpc.Error{Name: "Torn", Message: "torn off"})
	})
	var e *kkrpc.Error
	if !errors.As(err, &e) || e.Message != "Torn: torn off" {
		t.Errorf("a stream that fails: %#v", e)
	}
}

// checkStreamError wants the error of failAfter behind two items. kkrpc 2.1 writes the name of an error into its message if a
// stream ends with it, and no fields.
func checkStreamError(t *testing.T, items int, err error) {
	t.Helper()
	var e *kkrpc.Error
	if !errors.As(err, &e) || items != 2 || e.Message != "RangeError: failed after 2" {
		t.Errorf("after %d items: %#v", items, e)
	}
}

// goAccount is an account that kkrpc has a reference to.
type goAccount struct{ balance float64 }

func (a *goAccount) Deposit(_ context.Context, amount float64) (float64, error) {
	a.balance += amount
	return a.balance, nil
}

func (a *goAccount) Partner(context.Context) (*kkrpc.RefTo[studioclient.Account], error) {
	return nil, nil
}

type lines []string

func (l *lines) Append(_ context.Context, more ...string) (float64, error) {
	*l = append(*l, more...)
	return float64(len(*l)), nil
}

// callBank calls what has references in either direction.
func callBank(t *testing.T, bank *studioclient.BankClient) {
	ctx := t.Context()
	want := wants(t)
	ref, err := bank.Open(ctx, "Ada", nil)
	if err != nil {
		t.Fatal(err)
	}
	ada := studioclient.NewAccountClient(ref)
	owner, err := ada.Owner(ctx)
	want("Ada", owner, err)
	balance, err := ada.Deposit(ctx, 100)
	want(100.0, balance, err)
	partner, err := ada.Partner(ctx)
	want((*kkrpc.RefTo[studioclient.Account])(nil), partner, err)
	want(nil, ada.OnClose(ctx, "over"), nil)
	var e *kkrpc.Error
	if _, err := ada.Deposit(ctx, 5000); !errors.As(err, &e) || e.Name != "OutOfStock" || fmt.Sprint(e.Fields["left"]) != "1000" {
		t.Errorf("too much: %v", err)
	}
	if err := ada.OnClose(ctx, "why"); !errors.As(err, &e) || e.Name != "TypeError" || e.Message != "why" {
		t.Errorf("on-close: %v", err)
	}

	own := &goAccount{}
	eve := kkrpc.ProxyTo[studioclient.Account](own)
	want(nil, bank.Transfer(ctx, ref, eve, 30), nil)
	balance, err = ada.Deposit(ctx, 0)
	want([]float64{70, 30}, []float64{balance, own.balance}, err)
	again, err := bank.Open(ctx, "", &eve)
	back, ok := again.Value()
	want(true, ok && back == studioclient.Account(own), err)
	again, err = bank.Open(ctx, "", &ref)
	balance, err2 := studioclient.NewAccountClient(again).Deposit(ctx, 5)
	want(75.0, balance, errors.Join(err, err2))

	var log lines
	var asked []string
	approve := func(answer bool) kkrpc.RefTo[studioclient.Approve] {
		return kkrpc.ProxyTo[studioclient.Approve](func(_ context.Context, name string, amount *float64) (bool, error) {
			asked = append(asked, fmt.Sprint(name, " ", *amount))
			return answer, nil
		})
	}
	text, err := bank.Run(ctx, "backup", []kkrpc.RefTo[studioclient.Approve]{approve(true), approve(true)}, kkrpc.ProxyTo[studioclient.Log](&log))
	want("2: approved", text, err)
	text, err = bank.Run(ctx, "wipe", []kkrpc.RefTo[studioclient.Approve]{approve(false), approve(true)}, kkrpc.ProxyTo[studioclient.Log](&log))
	want("3: refused", text, err)
	want(lines{"backup", "approved", "no wipe"}, log, nil)
	want([]string{"backup 7", "backup 7", "wipe 7"}, asked, nil)
	adders, err := bank.Adder(ctx, 3)
	if err != nil || len(adders) != 1 {
		t.Fatalf("adder: %v, %v", adders, err)
	}
	sum, err := kkrpc.Call[float64](ctx, adders["add"], "", 4)
	want(7.0, sum, err)
	want(nil, adders["add"].Release(ctx), nil)
	if _, err := kkrpc.Call[float64](ctx, adders["add"], "", 4); !errors.Is(err, kkrpc.ErrReleased) {
		t.Errorf("after Release: %v", err)
	}
}

// callFuncs calls the same API by the client of a struct of funcs.
func callFuncs(t *testing.T, studio *studioclient.FuncsClient) {
	ctx := t.Context()
	want := wants(t)
	text, err := studio.Greet(ctx, "Ada")
	want("Hello, Ada!", text, err)
	text, err = studio.Greet(ctx, "Ada", "Hi")
	want("Hi, Ada!", text, err)
	ids := make(chan string, 2)
	err = studio.Watch(ctx, func(id string, _ *float64, _ time.Time) { ids <- id })
	want([]string{"a1", "a2"}, []string{<-ids, <-ids}, err)
	want(nil, studio.Reserve(ctx, "a1", nil), nil)
	checkOutOfStock(t, studio.Reserve(ctx, "a1", new(3)))
	err = studio.Note("told")
	notes, err2 := studio.Notes(ctx)
	want([]string{"told"}, notes, errors.Join(err, err2))
	want(nil, studio.SetTheme(ctx, "dark"), nil)
	theme, err := studio.Theme(ctx)
	want("dark", theme, err)
	settings, err := studio.Settings(ctx)
	want(map[string]any{"volume": 5.0}, settings, err)
	counter, err := studio.Counter(ctx, 3, "a")
	want(studioclient.Counter{Value: 3, Names: []string{"a"}}, counter, err)
	want(nil, studio.Nested.SetLevel(ctx, 5), nil)
	level, err := studio.Nested.Level(ctx)
	want(5, level, err)
	product, err := studio.Math.Multiply(ctx, 4, 6)
	want(24.0, product, err)
}

func callFuncStreams(t *testing.T, studio *studioclient.FuncsClient) {
	ctx := t.Context()
	want := wants(t)
	numbers, err := collect(studio.Count(ctx, 3), 10)
	want([]int{1, 2, 3}, numbers, err)
	numbers, err = collect(studio.FailAfter(ctx, 2), 10)
	checkStreamError(t, len(numbers), err)
	sum, err := studio.Total(ctx, slices.Values([]int{1, 2, 3}))
	want(6, sum, err)
	source := make(chan int, 2)
	source <- 1
	source <- 2
	close(source)
	numbers, err = collect(studio.Double(ctx, source), 10)
	want([]int{2, 4}, numbers, err)
}

// values is a stream of a list.
func values[T any](list ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// collect reads at most n items.
func collect[T any](stream iter.Seq2[T, error], n int) (items []T, err error) {
	for item, err := range stream {
		if err != nil {
			return items, err
		}
		if items = append(items, item); len(items) == n {
			break
		}
	}
	return items, nil
}
