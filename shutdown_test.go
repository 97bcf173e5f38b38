package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// outcomes are how calls have ended.
type outcomes struct {
	mu  sync.Mutex
	all map[string]int
}

func (o *outcomes) add(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[string]int{}
	}
	var e *kkrpc.Error
	switch {
	case err == nil:
		o.all["answered"]++
	case errors.As(err, &e):
		o.all[e.Name]++
	default:
		o.all[err.Error()]++
	}
}

func (o *outcomes) want(t *testing.T, want map[string]int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if fmt.Sprint(o.all) != fmt.Sprint(want) {
		t.Errorf("calls ended as %v, want %v", o.all, want)
	}
}

// every runs f in each dialect.
func every(t *testing.T, f func(t *testing.T, d kkrpc.Dialect)) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) { bubble(t, func(t *testing.T) { f(t, d) }) })
	}
}

// TestShutdownAnswers has requests that the leader runs, that were handed over, and that wait for their turn. All are
// answered, and later ones are refused by name.
func TestShutdownAnswers(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		for running := range 5 {
			release := make(chan struct{})
			var ran atomic.Int32
			s, c := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 2}, Expose: kkrpc.Object{
				"wait": func(ctx context.Context) error {
					ran.Add(1)
					<-release
					return ctx.Err()
				},
				"ask": func(ctx context.Context) error {
					ran.Add(1)
					return kkrpc.FromContext(ctx).Call(ctx, nil, "wait")
				},
			}}, kkrpc.Options{Dialect: d, Expose: kkrpc.Object{"wait": func() { <-release }}})
			var early, late outcomes
			var calls sync.WaitGroup
			for i := range running {
				calls.Go(func() { early.add(c.Call(t.Context(), nil, []string{"wait", "ask", "wait", "wait"}[i])) })
				if i > 0 {
					time.Sleep(10 * watch)
				}
				synctest.Wait() // the last one is run by the leader, if it is the only one
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Shutdown(t.Context()) }()
			synctest.Wait()
			for range 3 {
				late.add(c.Call(t.Context(), nil, "wait"))
			}
			select {
			case <-ended:
				t.Fatalf("it ended with %d requests under way", running)
			default:
			}
			select {
			case <-s.Draining():
			default:
				t.Error("Draining of the server is open")
			}
			select {
			case <-c.Draining():
			default:
				t.Error("Draining of the client is open")
			}
			close(release)
			calls.Wait()
			if err := <-ended; err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			want := map[string]int{"answered": running}
			if running == 0 {
				want = nil
			}
			early.want(t, want)
			late.want(t, map[string]int{"RPCUnavailableError": 3})
			if int(ran.Load()) != running {
				t.Errorf("%d functions ran, want %d", ran.Load(), running)
			}
			if got := s.Stats(); got.Served != uint64(running) || got.Refused != 3 {
				t.Errorf("%+v", got)
			}
			<-c.Done()
			if err := s.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown of a closed channel: %v", err)
			}
		}
	})
}

// TestShutdownIsCut ends the context first. What has not begun is refused as such, what runs is cut off.
func TestShutdownIsCut(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		var ran, cancelled atomic.Int32
		s, c := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 2}, Expose: kkrpc.Object{
			"wait": func(ctx context.Context) error {
				ran.Add(1)
				<-ctx.Done()
				cancelled.Add(1)
				return ctx.Err()
			},
		}}, kkrpc.Options{Dialect: d})
		var all outcomes
		var calls sync.WaitGroup
		for range 5 {
			calls.Go(func() { all.add(c.Call(t.Context(), nil, "wait")) })
		}
		time.Sleep(10 * watch)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
		if took := time.Since(start); took < 5*time.Second || took > 5*time.Second+100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		calls.Wait()
		synctest.Wait()
		all.want(t, map[string]int{"RPCInterruptedError": 2, "RPCUnavailableError": 3})
		if ran.Load() != 2 || cancelled.Load() != 2 {
			t.Errorf("%d ran, of which %d were cancelled", ran.Load(), cancelled.Load())
		}
	})
}

// TestShutdownWithStreams waits for streams, and ends those that go on by an error with a name.
func TestShutdownWithStreams(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		release := make(chan struct{})
		s, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
			"finite": func() iter.Seq[int] {
				return func(yield func(int) bool) {
					if yield(1) {
						<-release
						yield(2)
					}
				}
			},
			"endless": func(ctx context.Context) iter.Seq[int] {
				return func(yield func(int) bool) {
					yield(1)
					<-ctx.Done()
				}
			},
			"polite": func(ctx context.Context) iter.Seq[int] {
				return func(yield func(int) bool) {
					yield(1)
					<-kkrpc.FromContext(ctx).Draining()
					yield(3)
				}
			},
		}}, kkrpc.Options{Dialect: d})
		type result struct {
			items []int
			err   error
		}
		open := func(path string) chan result {
			ended := make(chan result, 1)
			go func() {
				items, err := collect(kkrpc.Stream[int](t.Context(), c, path))
				ended <- result{items, err}
			}()
			synctest.Wait()
			return ended
		}
		finite, endless, polite := open("finite"), open("endless"), open("polite")
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(ctx) }()
		if r := <-polite; fmt.Sprint(r) != "{[1 3] <nil>}" {
			t.Errorf("the polite stream: %v", r)
		}
		close(release)
		if r := <-finite; fmt.Sprint(r) != "{[1 2] <nil>}" {
			t.Errorf("the finite stream: %v", r)
		}
		r := <-endless
		if fmt.Sprint(r.items) != "[1]" || r.err == nil || !strings.Contains(r.err.Error(), "RPCInterruptedError: the other side has shut down") {
			t.Errorf("the endless stream: %v", r)
		}
		if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Shutdown: %v", err)
		}
	})
}

// TestShutdownLosesNothing has clients that never stop calling, with functions of every speed. Each call is either answered
// and has run, or is refused and has not.
func TestShutdownLosesNothing(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 40
	}
	for round := range rounds {
		bubble(t, func(t *testing.T) { loseNothing(t, dialects[round%len(dialects)], int64(1+round%50)) })
	}
}

// loseNothing shuts down when begin functions have begun.
func loseNothing(t *testing.T, d kkrpc.Dialect, begin int64) {
	var ran atomic.Int64
	begun := make(chan struct{})
	run := func() {
		if ran.Add(1) == begin {
			close(begun)
		}
	}
	s, c := pair(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 4}, Expose: kkrpc.Object{
		"quick": func(n int) int { run(); return n },
		"slow":  func(n int) int { run(); time.Sleep(time.Duration(n%7) * time.Millisecond); return n },
		"large": func(n int) string { run(); return strings.Repeat("x", 100<<10) },
	}}, kkrpc.Options{Dialect: d})
	var answered, refused atomic.Int64
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			for n := 0; ; n++ {
				var err error
				if path := []string{"quick", "slow", "large"}[(n+i)%3]; path == "large" {
					_, err = kkrpc.Call[string](context.Background(), c, path, n)
				} else {
					var got int
					if got, err = kkrpc.Call[int](context.Background(), c, path, n); err == nil && got != n {
						t.Errorf("%s(%d) = %d", path, n, got)
					}
				}
				var e *kkrpc.Error
				switch {
				case err == nil:
					answered.Add(1)
					continue
				case errors.As(err, &e) && e.Name == "RPCUnavailableError":
					refused.Add(1)
				default:
					t.Errorf("neither answered nor refused: %v", err)
				}
				return
			}
		})
	}
	<-begun
	if err := s.Shutdown(context.Background()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	callers.Wait()
	if ran.Load() != answered.Load() || refused.Load() != 8 {
		t.Fatalf("%v, begin %d: %d ran, %d answered, %d refused", d, begin, ran.Load(), answered.Load(), refused.Load())
	}
}

// TestErrorsOfOthersAreNoRefusals passes errors on that a function got from another peer, in which they told that a request
// had not run. Here it has.
func TestErrorsOfOthersAreNoRefusals(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"pass": func(name string) error {
			return fmt.Errorf("upstream: %w", &kkrpc.Error{Name: name, Message: "no"})
		}}}, kkrpc.Options{Dialect: d})
		for _, name := range []string{"RPCUnavailableError", "RPCInterruptedError"} {
			err := c.Call(t.Context(), nil, "pass", name)
			var e *kkrpc.Error
			if !errors.As(err, &e) || e.Name != "Error" || e.Message != name+": no" {
				t.Errorf("got %v", err)
			}
			select {
			case <-c.Draining():
				t.Error("the channel drains")
			default:
			}
		}
	})
}

// TestRefusalsToKkrpc02 have their name in the text, since an Error of kkrpc 0.2 has nothing else.
func TestRefusalsToKkrpc02(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		ch, peer := raw(t, kkrpc.Options{Limits: kkrpc.Limits{Running: 1}, Expose: kkrpc.Object{"wait": func() { <-release }}})
		defer close(release)
		request := func(id string) string {
			return fmt.Sprintf(`{"json":{"id":%q,"method":"wait","args":[],"type":"request","version":"superjson"}}`+"\n", id)
		}
		write(t, peer, request("1"))
		time.Sleep(10 * watch)
		write(t, peer, request("2"))
		time.Sleep(10 * watch)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go ch.Shutdown(ctx)
		synctest.Wait()
		write(t, peer, request("3"))
		for _, want := range []string{
			`{"json":{"id":"3","method":"","args":{"error":"RPCUnavailableError: the other side is shutting down; the request did not run"}`,
			`{"json":{"id":"2","method":"","args":{"error":"RPCUnavailableError: the other side is shutting down; the request did not run"}`,
			`{"json":{"id":"1","method":"","args":{"error":"RPCInterruptedError: the other side has shut down while the request ran; it may have been done"}`,
		} {
			if got := read(t, peer); !strings.HasPrefix(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	})
}

// TestViaAtShutdown repeats what a peer that shuts down has refused on the next channel, and what it has cut off if that may
// be repeated.
func TestViaAtShutdown(t *testing.T) {
	for _, test := range []struct {
		name  string
		begin bool // before Shutdown
		mark  bool
		want  string // of the error
	}{
		{"refused", false, false, ""},
		{"cut off", true, false, "kkrpc.Idempotent"},
		{"cut off, and may be repeated", true, true, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var servers []*kkrpc.Channel
				var clients []*kkrpc.Channel
				ran := 0
				for i := range 2 {
					s, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"get": func(ctx context.Context) int {
						ran++
						if i == 0 {
							<-ctx.Done()
						}
						return i
					}, "hold": func(ctx context.Context) { <-ctx.Done() }}}, kkrpc.Options{})
					servers, clients = append(servers, s), append(clients, c)
				}
				caller := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) {
					select {
					case <-clients[0].Draining():
						return clients[1], nil
					default:
						return clients[0], nil
					}
				})
				ctx := t.Context()
				if test.mark {
					ctx = kkrpc.Idempotent(ctx)
				}
				shutdown := func() {
					soon, cancel := context.WithTimeout(t.Context(), time.Second)
					defer cancel()
					servers[0].Shutdown(soon)
				}
				go clients[0].Call(t.Context(), nil, "hold")
				if test.begin {
					go func() {
						time.Sleep(time.Second)
						shutdown()
					}()
				} else {
					synctest.Wait()
					go shutdown()
					synctest.Wait()
				}
				got, err := kkrpc.Call[int](ctx, caller, "get")
				if test.want == "" && (got != 1 || err != nil) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
					t.Errorf("got %d, %v", got, err)
				}
				if want := 1 + b2i(test.begin && test.mark); ran != want {
					t.Errorf("it ran %d times, want %d", ran, want)
				}
			})
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// lateText is a result that takes until release to encode, which the goroutine that reads does.
type lateText struct{ release chan struct{} }

func (s lateText) MarshalJSON() ([]byte, error) {
	<-s.release
	return []byte(`"done"`), nil
}

// TestShutdownWhileAnswering begins when a function has returned and its result is being encoded.
func TestShutdownWhileAnswering(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		release := make(chan struct{})
		s, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"get": func() lateText { return lateText{release} }}}, kkrpc.Options{Dialect: d})
		got := make(chan string, 1)
		go func() {
			text, err := kkrpc.Call[string](t.Context(), c, "get")
			got <- fmt.Sprint(text, err)
		}()
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- s.Shutdown(t.Context()) }()
		time.Sleep(time.Second)
		close(release)
		if text := <-got; text != "done<nil>" {
			t.Errorf("got %s", text)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestShutdownRefusesBehindTheLastAnswer has a client that sends its next request when it has the answer.
func TestShutdownRefusesBehindTheLastAnswer(t *testing.T) {
	every(t, func(t *testing.T, d kkrpc.Dialect) {
		s, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"wait": func() { time.Sleep(10 * time.Second) }}}, kkrpc.Options{Dialect: d})
		answered := make(chan error, 1)
		go func() { answered <- c.Call(context.Background(), nil, "wait") }()
		time.Sleep(time.Second)
		go s.Shutdown(context.Background())
		if err := <-answered; err != nil {
			t.Fatal(err)
		}
		for range 9 {
			time.Sleep(10 * time.Millisecond)
			var e *kkrpc.Error
			if err := c.Call(context.Background(), nil, "wait"); !errors.As(err, &e) || e.Name != "RPCUnavailableError" {
				t.Errorf("got %v", err)
			}
		}
		time.Sleep(20 * time.Millisecond)
		if err := c.Call(context.Background(), nil, "wait"); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("the channel is open: %v", err)
		}
	})
}
