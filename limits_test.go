package kkrpc_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/kkrpc-go/kkrpc"
)

func named(err error, name string) bool {
	e, ok := errors.AsType[*kkrpc.Error](err)
	return ok && e.Name == name
}

func TestConcurrentLargeArgumentsWaitForRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"length": func(s string) int { return len(s) }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Limits: kkrpc.Limits{Outbound: 100_000}})
		var calls sync.WaitGroup
		for range 40 {
			calls.Go(func() {
				n, err := kkrpc.Call[int](t.Context(), c, "length", slowText(20_000))
				if n != 20_000 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		calls.Wait()
	})
}

func TestConcurrentLargeResultsWaitForRoom(t *testing.T) {
	for _, handler := range []struct {
		name string
		fn   any
	}{
		{"inline", func() string { return strings.Repeat("x", 200_000) }},
		{"slow", func() string { time.Sleep(5 * time.Millisecond); return strings.Repeat("x", 200_000) }},
	} {
		t.Run(handler.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"file": handler.fn}, Limits: kkrpc.Limits{Outbound: 1 << 20}}, kkrpc.Options{})
				var calls sync.WaitGroup
				for range 100 {
					calls.Go(func() {
						s, err := kkrpc.Call[string](t.Context(), c, "file")
						if len(s) != 200_000 || err != nil {
							t.Errorf("%d bytes, %v", len(s), err)
						}
					})
				}
				calls.Wait()
			})
		})
	}
}

// slowText takes so long to encode that concurrent calls are all about to send when the first does.
type slowText int

func (n slowText) MarshalText() ([]byte, error) {
	time.Sleep(time.Millisecond)
	return []byte(strings.Repeat("x", int(n))), nil
}

func TestAnswerThatNestsTooDeepEndsTheCall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Depth: 8}})
		start := time.Now()
		go func() {
			read(t, peer)
			write(t, peer, `{"t":"r","id":"1","v":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`}`)
		}()
		err := ch.Call(t.Context(), nil, "x")
		if !errors.Is(err, kkrpc.ErrLimit) || time.Since(start) > time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestCallbacksThatWaitForThePeerAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Open: 4}})
		var started atomic.Int32
		go ch.Call(context.Background(), nil, "x", func(ctx context.Context) error {
			started.Add(1)
			return ch.Call(ctx, nil, "never")
		})
		read(t, peer)
		go func() {
			for {
				if _, _, err := peer.ReadFrame(nil); err != nil {
					return
				}
			}
		}()
		for range 100 {
			write(t, peer, `{"t":"cb","id":"f1","a":[]}`)
		}
		synctest.Wait()
		if n := started.Load(); n != 5 {
			t.Errorf("%d callbacks run, want 4 that wait and 1 in the lane", n)
		}
	})
}

// The leader waits for room in the queue of callbacks, and all of them wait for answers that only the leader can read.
func TestCallbacksThatWaitForThePeerMakeRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 20
		api := kkrpc.Object{
			"start": func(f func(int) error) error {
				for i := range n {
					if err := f(i); err != nil {
						return err
					}
				}
				return nil
			},
			"slow": func() { time.Sleep(time.Second) },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Limits: kkrpc.Limits{CallbackQueue: 1}})
		begin, done := time.Now(), make(chan error, n)
		err := ch.Call(t.Context(), nil, "start", kkrpc.NewCallback(func(ctx context.Context, _ int) {
			done <- ch.Call(ctx, nil, "slow")
		}))
		for range n {
			err = errors.Join(err, <-done)
		}
		if took := time.Since(begin); err != nil || took >= n*time.Second {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

func TestRequestQueueLimitRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		server := kkrpc.Object{"work": func(string) { <-release }}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Running: 1, RequestQueue: 25_000}}, kkrpc.Options{})
		var refused atomic.Int32
		var calls sync.WaitGroup
		for range 6 {
			calls.Go(func() {
				if err := c.Call(t.Context(), nil, "work", strings.Repeat("x", 10_000)); named(err, "RPCOverloadedError") {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Second)
		if refused.Load() != 3 { // one runs, two wait
			t.Errorf("%d calls were refused", refused.Load())
		}
		close(release)
		calls.Wait()
	})
}

func TestFrameLimitClosesTheChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Limits: kkrpc.Limits{Frame: 100}})
		write(t, peer, strings.Repeat("x", 101))
		<-ch.Done()
		if err := ch.Err(); !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "too long") {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestDepthLimitAnswersRequestsAndDropsTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(any) {}}, Limits: kkrpc.Limits{Depth: 8}})
		deep := strings.Repeat("[", 20) + strings.Repeat("]", 20)
		write(t, peer, `{"t":"q","id":"7","op":"call","p":["f"],"a":[`+deep+`]}`)
		if answer := read(t, peer); !strings.Contains(answer, `"id":"7"`) || !strings.Contains(answer, "RPCLimitError") {
			t.Errorf("answered %s", answer)
		}
		write(t, peer, `{"t":"cb","id":"f1","a":[`+deep+`]}`, `{"t":"q","id":"8","op":"call","p":["f"],"a":[1]}`)
		if answer := read(t, peer); !strings.Contains(answer, `"id":"8"`) {
			t.Errorf("answered %s", answer)
		}
		if ch.Dropped() != 2 {
			t.Errorf("dropped %d", ch.Dropped())
		}
	})
}

func TestOutboundLimitClosesTheChannelOfAPeerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Limits: kkrpc.Limits{Outbound: 10_000}})
		go func() {
			for peer.WriteFrames([][]byte{[]byte(`{"t":"q","id":"` + strings.Repeat("7", 1000) + `","op":"call","p":["nope"],"a":[]}`)}) == nil {
			}
		}()
		<-ch.Done()
		if err := ch.Err(); !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "Outbound") {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestCallbackLimitOfThePeersFunctions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var held []func()
		server := kkrpc.Object{"keep": func(f func()) { held = append(held, f) }}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Callbacks: 2}}, kkrpc.Options{})
		for i := range 3 {
			err := c.Call(t.Context(), nil, "keep", func() { _ = i })
			if (err == nil) != (i < 2) {
				t.Errorf("function %d: %v", i+1, err)
			}
		}
		if err := kkrpc.Release(held[0]); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(t.Context(), nil, "keep", func() {}); err != nil {
			t.Errorf("after a release: %v", err)
		}
	})
}

func TestLongIDsOfFunctionsAreRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"keep": func(func()) {}}})
		write(t, peer, `{"t":"q","id":"1","op":"call","p":["keep"],"a":[{"__kkrpc_next_arg__":"callback","id":"`+strings.Repeat("f", 1000)+`"}]}`)
		if answer := read(t, peer); !strings.Contains(answer, "RPCLimitError") {
			t.Errorf("answered %s", answer)
		}
	})
}

func TestWaitingForRoomEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		end  func(ch *kkrpc.Channel, cancel func())
		want error
	}{
		{"with its context", func(_ *kkrpc.Channel, cancel func()) { cancel() }, context.Canceled},
		{"with the channel", func(ch *kkrpc.Channel, _ func()) { go ch.Close() }, kkrpc.ErrClosed},
		{"with the timeout of calls", func(*kkrpc.Channel, func()) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch, _ := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Outbound: 1000, Callbacks: 1, Write: time.Second}})
				for range 3 { // one is in the pipe, one being written, one waits
					go ch.Call(context.Background(), nil, "x", strings.Repeat("x", 1<<20))
					synctest.Wait()
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				got := make(chan error, 1)
				go func() { got <- ch.Call(ctx, nil, "y", func() {}) }()
				synctest.Wait()
				test.end(ch, cancel)
				if err := <-got; !errors.Is(err, test.want) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestOpenLimitRefusesAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		server := kkrpc.Object{"work": func() { <-release }}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Running: 1, Open: 4}}, kkrpc.Options{})
		var done sync.WaitGroup
		for range 4 {
			done.Go(func() { c.Call(t.Context(), nil, "work") })
			time.Sleep(10 * time.Millisecond)
		}
		err := c.Call(t.Context(), nil, "work")
		var e *kkrpc.Error
		if !errors.As(err, &e) || e.Name != "RPCOverloadedError" {
			t.Errorf("the fifth call got %v", err)
		}
		close(release)
		done.Wait()
		if err := c.Call(t.Context(), nil, "work"); err != nil {
			t.Errorf("after the others have ended: %v", err)
		}
	})
}

func TestLargeMessageBehindASmallOneIsNoReasonToClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, _ := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Outbound: 2000, Write: time.Second}})
		go ch.Call(context.Background(), nil, "fills the pipe", strings.Repeat("x", 1<<20))
		synctest.Wait()
		for _, size := range []int{10, 10, 5000} {
			go ch.Call(context.Background(), nil, "x", strings.Repeat("x", size))
			synctest.Wait()
		}
		if err := ch.Err(); err != nil {
			t.Errorf("closed with %v", err)
		}
	})
}

func TestTooManyArguments(t *testing.T) {
	_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"count": func(args ...any) int { return len(args) }}})
	call := func(args string) string {
		write(t, peer, `{"t":"q","id":"1","op":"call","p":["count"],"a":[`+args+`]}`)
		return read(t, peer)
	}
	if answer := call(strings.Repeat("1,", 1<<16) + "1"); answer != `{"t":"r","id":"1","e":{"n":"RPCLimitError","m":"message has more than 65536 arguments"}}` {
		t.Error(answer)
	}
	if answer := call(strings.Repeat("1,", 1<<16-1) + "1"); answer != `{"t":"r","id":"1","v":65536}` {
		t.Error(answer)
	}
}

// watched is a transport that knows whether anybody still holds the last frame it has read.
type watched struct {
	kkrpc.Transport
	mu   sync.Mutex
	last weak.Pointer[byte]
}

func (w *watched) ReadFrame(buf []byte) ([]byte, bool, error) {
	msg, more, err := w.Transport.ReadFrame(buf)
	if len(msg) > 1000 {
		w.mu.Lock()
		w.last = weak.Make(&msg[0])
		w.mu.Unlock()
	}
	return msg, more, err
}

func (w *watched) held() bool {
	runtime.GC()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last.Value() != nil
}

func TestIdleChannelHoldsNoLargeFrame(t *testing.T) {
	for _, row := range []struct{ name, large, small string }{
		{"compact", `{"t":"q","id":"1","op":"call","p":["length"],"a":["","` + strings.Repeat("x", 100_000) + `"]}`, `{"t":"q","id":"2","op":"call","p":["length"],"a":["y"]}`},
		{"classic", `{"id":"1","method":"length","args":["","` + strings.Repeat("x", 100_000) + `"],"type":"request","version":"json"}` + "\n", `{"id":"2","method":"length","args":["y"],"type":"request","version":"json"}` + "\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, peer := kkrpc.Pipe()
			transport := &watched{Transport: a}
			ch, err := kkrpc.New(t.Context(), transport, &kkrpc.Options{Expose: kkrpc.Object{"length": func(s ...string) int { return len(s[len(s)-1]) }}})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			for _, step := range []struct{ text, want string }{{row.large, ":100000"}, {row.small, ":1}"}} {
				write(t, peer, step.text)
				if answer := read(t, peer); !strings.Contains(answer, step.want) {
					t.Fatal(answer)
				}
			}
			if transport.held() {
				t.Error("the frame of 100,000 bytes is still in memory")
			}
		})
	}
}

// The id of a request is kept until the answer, so that it has a bound. Those of kkrpc have up to 59 bytes.
func TestIDsHaveABound(t *testing.T) {
	for dialect, text := range requestsIn {
		for name, row := range map[string]struct {
			id  string
			ran bool
		}{
			"a UUID":             {`"0b82f2fb-9c0d-4e3a-8c5b-7a4f6a2b9d10"`, true},
			"the longest":        {`"` + strings.Repeat("x", 1022) + `"`, true},
			"a longer one":       {`"` + strings.Repeat("x", 1023) + `"`, false},
			"one that is huge":   {`"` + strings.Repeat("x", 1<<20) + `"`, false},
			"escaped":            {`"` + strings.Repeat(`\u0061`, 200) + `"`, false},
			"no string, classic": {`[` + strings.Repeat(`1,`, 1000) + `1]`, false},
		} {
			if row.id[0] == '[' && dialect != kkrpc.Classic && dialect != kkrpc.ClassicSuperJSON {
				continue // an id is a string there
			}
			request := strings.Replace(text, `"id":"1"`, `"id":`+row.id, 1)
			check := func(answer string, ran bool) {
				t.Helper()
				if ran != row.ran || !strings.Contains(answer, `"id":`+row.id) || ran == strings.Contains(answer, "id of the message is longer than 1024 bytes") {
					t.Errorf("%v, %s: ran %v, answered %.1200s", dialect, name, ran, answer)
				}
			}
			bubble(t, func(t *testing.T) {
				ran := false
				_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"f": func() { ran = true }}})
				write(t, peer, request)
				answer := read(t, peer)
				check(answer, ran)
			})
			ran := false
			api, err := kkrpc.Expose(kkrpc.Object{"f": func() { ran = true }})
			if err != nil {
				t.Fatal(err)
			}
			answer, err := api.Answer(t.Context(), []byte(request), nil)
			if err != nil {
				t.Error(err)
			}
			check(string(answer), ran)
		}
	}
}
