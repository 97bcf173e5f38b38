package kkrpc_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// The controls and their answers are those of the recording stream-raw-controls.
func TestProducerObeysCredit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := &generator{}
		_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() iter.Seq[int] { return g.seq(12) }}})
		write(t, peer, openStream)
		if got := read(t, peer); got != openedFirst {
			t.Fatal(got)
		}
		synctest.Wait()
		if n := g.produced.Load(); n != 0 {
			t.Fatalf("%d items before the first pull", n)
		}
		next := 1
		for _, step := range []struct {
			pull  string
			items int
		}{
			{`{"t":"sq","id":"p1","sid":"s1","op":"pull"}`, 1},
			{pull(0), 1},
			{pull(-5), 1},
			{pull(2.9), 2},
			{pull(`"3"`), 1},
			{pull("null"), 1},
			{`{"t":"sq","id":"p7","sid":"s1","op":"bogus","n":1}`, 0},
		} {
			write(t, peer, step.pull)
			wantItems(t, peer, next, next+step.items-1)
			next += step.items
			synctest.Wait()
			if n := g.produced.Load(); int(n) != next-1 {
				t.Fatalf("after %s: %d items produced, want %d", step.pull, n, next-1)
			}
		}
		write(t, peer, pull(1000000000))
		wantItems(t, peer, 8, 12)
		for _, step := range []struct{ control, want string }{
			{"", `{"t":"sr","sid":"s1","d":true}`},
			{`{"t":"sq","id":"p9","sid":"s1","op":"pull","n":1}`, `{"t":"sr","id":"p9","sid":"s1","e":{"n":"Error","m":"Unknown RPC stream s1"}}`},
			{`{"t":"sq","id":"u1","sid":"unknown","op":"pull","n":1}`, `{"t":"sr","id":"u1","sid":"unknown","e":{"n":"Error","m":"Unknown RPC stream unknown"}}`},
			{`{"t":"sq","id":"u2","sid":"unknown","op":"return","v":"rv"}`, `{"t":"sr","id":"u2","sid":"unknown","d":true,"v":"rv"}`},
			{`{"t":"sq","id":"u3","sid":"unknown","op":"throw","v":"tv"}`, `{"t":"sr","id":"u3","sid":"unknown","e":{"n":"Error","m":"Unknown RPC stream unknown"}}`},
		} {
			if step.control != "" {
				write(t, peer, step.control)
			}
			if got := read(t, peer); got != step.want && withoutID(got) != step.want {
				t.Errorf("%s: %s", step.control, got)
			}
		}
	})
}

func TestReturnAndThrowStopTheProducer(t *testing.T) {
	for _, test := range []struct{ name, control, want string }{
		{"return", `{"t":"sq","id":"c","sid":"s1","op":"return"}`, `{"t":"sr","id":"c","sid":"s1","d":true}`},
		{"return with a value", `{"t":"sq","id":"c","sid":"s1","op":"return","v":{"a":[1]}}`, `{"t":"sr","id":"c","sid":"s1","d":true,"v":{"a":[1]}}`},
		{"return with a large value", `{"t":"sq","id":"c","sid":"s1","op":"return","v":"` + strings.Repeat("x", 5000) + `"}`, `{"t":"sr","id":"c","sid":"s1","d":true}`},
		{"throw text", `{"t":"sq","id":"c","sid":"s1","op":"throw","v":"str"}`, `{"t":"sr","id":"c","sid":"s1","e":{"n":"Error","m":"Error: str"}}`},
		{"throw an error", `{"t":"sq","id":"c","sid":"s1","op":"throw","v":{}}`, `{"t":"sr","id":"c","sid":"s1","e":{"n":"Error","m":"Error: [object Object]"}}`},
		{"throw nothing", `{"t":"sq","id":"c","sid":"s1","op":"throw"}`, `{"t":"sr","id":"c","sid":"s1","e":{"n":"Error","m":"Error: undefined"}}`},
	} {
		for _, before := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s after %d", test.name, before), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					g := &generator{}
					_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"open": func(ctx context.Context) iter.Seq[int] {
						return func(yield func(int) bool) {
							g.seq(2)(yield)
							<-ctx.Done() // not in yield when it is stopped
							g.ended.Add(1)
						}
					}}})
					write(t, peer, openStream)
					read(t, peer)
					if before > 0 {
						write(t, peer, pull(9))
						wantItems(t, peer, 1, before)
					}
					write(t, peer, test.control)
					if got := read(t, peer); got != test.want {
						t.Errorf("answered %s", got)
					}
					if n := g.ended.Load(); before > 0 && n != 2 {
						t.Errorf("answered when the code had not returned")
					}
				})
			})
		}
	}
}

func TestCreditIsClamped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		g := &generator{}
		_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() iter.Seq[int] { return g.seq(1 << 30) }},
			Limits: kkrpc.Limits{StreamCredit: 50}})
		write(t, peer, openStream)
		read(t, peer)
		for range 3 {
			write(t, peer, pull(1e9))
		}
		synctest.Wait()
		if n := g.produced.Load(); n > 150 {
			t.Errorf("%d items for three pulls that are clamped to 50", n)
		}
	})
}

func TestStreamsThatAreNeverPulled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var ended atomic.Int64
		server := kkrpc.Object{"open": func(ctx context.Context) iter.Seq[int] {
			context.AfterFunc(ctx, func() { ended.Add(1) })
			return upTo(3)
		}}
		_, peer := raw(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{StreamIdle: time.Minute}})
		goroutines := runtime.NumGoroutine()
		opened, refused := 0, 0
		open := func() {
			write(t, peer, openStream)
			switch got := read(t, peer); {
			case strings.Contains(got, "__kkrpc_next_stream__"):
				opened++
			case strings.Contains(got, `"n":"RPCLimitError"`):
				refused++
			default:
				t.Fatal(got)
			}
		}
		for range 10_000 {
			open()
		}
		if opened != 1024 || refused != 10_000-1024 {
			t.Errorf("%d opened, %d refused", opened, refused)
		}
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > goroutines+opened/2 { // those of the whole process
			t.Errorf("%d goroutines more", n-goroutines)
		}
		write(t, peer, `{"t":"sq","id":"c","sid":"s1","op":"return"}`)
		if got := read(t, peer); got != `{"t":"sr","id":"c","sid":"s1","d":true}` {
			t.Error(got)
		}
		open()
		if opened != 1025 {
			t.Error("a stream that was returned still counts")
		}
		time.Sleep(30 * time.Second)
		write(t, peer, pull(1))
		if got := read(t, peer); !strings.Contains(got, "Unknown RPC stream s1") {
			t.Error(got)
		}
		write(t, peer, strings.Replace(pull(1), "s1", "s2", 1))
		read(t, peer)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if n := ended.Load(); n != 10_000 {
			t.Errorf("the contexts of %d handlers have ended after Limits.StreamIdle, want all but that which was pulled", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := ended.Load(); n != 10_001 {
			t.Errorf("%d contexts have ended; the one that was pulled once has waited as long", n)
		}
	})
}

// As in the recording stream-iterator-manual: an Error keeps its name.
func TestThrownErrorUnderSuperJSON(t *testing.T) {
	_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() iter.Seq[int] { return upTo(3) }}})
	write(t, peer, `{"json":`+openStream+`}`)
	read(t, peer)
	write(t, peer, `{"json":{"t":"sq","id":"4eb7","sid":"s1","op":"throw","v":{"name":"TypeError","message":"inject2"}},"meta":{"values":{"v":["Error"]},"v":1}}`)
	if got := read(t, peer); got != `{"json":{"t":"sr","id":"4eb7","sid":"s1","e":{"n":"Error","m":"TypeError: inject2"}}}` {
		t.Error(got)
	}
	write(t, peer, `{"json":`+openStream+`}`)
	read(t, peer)
	write(t, peer, `{"json":{"t":"sq","id":"4eb8","sid":"s2","op":"return","v":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"v":["Date"]},"v":1}}`)
	if got := read(t, peer); got != `{"json":{"t":"sr","id":"4eb8","sid":"s2","d":true,"v":"1970-01-01T00:00:00.000Z"},"meta":{"values":{"v":["Date"]},"v":1}}` {
		t.Error(got)
	}
}
