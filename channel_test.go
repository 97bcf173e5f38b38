package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// pair connects a client to a server in memory. Both are closed when the test ends.
func pair(t testing.TB, server, client kkrpc.Options) (s, c *kkrpc.Channel) {
	t.Helper()
	a, b := kkrpc.Pipe()
	if client.Dialect == 0 {
		client.Dialect = kkrpc.Compact
	}
	s, err := kkrpc.New(context.Background(), a, &server)
	if err != nil {
		t.Fatal(err)
	}
	c, err = kkrpc.New(context.Background(), b, &client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); c.Close() })
	return s, c
}

// bubble runs f as a test under synctest, with the channels of pair closed inside the bubble.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

var dialects = []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON}

func TestBothSidesCallEachOther(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := kkrpc.Object{
					"add": func(a, b float64) float64 { return a + b },
					"whoAreYou": func(ctx context.Context) (string, error) {
						return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "getClientInfo")
					},
				}
				client := kkrpc.Object{"getClientInfo": func() string { return "go " + d.String() }}
				s, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Expose: client, Dialect: d})
				sum, err := kkrpc.Call[float64](t.Context(), c, "add", 2, 3)
				if sum != 5 || err != nil {
					t.Errorf("add = %v, %v", sum, err)
				}
				name, err := kkrpc.Call[string](t.Context(), c, "whoAreYou")
				if name != "go "+d.String() || err != nil {
					t.Errorf("whoAreYou = %q, %v", name, err)
				}
				if s.Dialect() != d {
					t.Errorf("the server detected %v", s.Dialect())
				}
			})
		})
	}
}

func TestServerThatSpeaksFirstWaitsForThePeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"hello": func() {}}},
			kkrpc.Options{Expose: kkrpc.Object{"name": func() string { return "client" }}, Dialect: kkrpc.Classic})
		got := make(chan string)
		go func() {
			name, err := kkrpc.Call[string](context.Background(), s, "name")
			got <- fmt.Sprint(name, err)
		}()
		synctest.Wait()
		select {
		case g := <-got:
			t.Fatalf("answered %q before the dialect was known", g)
		default:
		}
		if err := c.Call(t.Context(), nil, "hello"); err != nil {
			t.Fatal(err)
		}
		if g := <-got; g != "client<nil>" {
			t.Errorf("got %q", g)
		}
	})
}

// In the bubble, time passes only when everything is blocked, so that a handler loses reading only once it waits: the
// order does not depend on how busy the machine is.
func TestUnawaitedCallsStartInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 200
		var mu sync.Mutex
		var order []int
		block := make(chan struct{})
		server := kkrpc.Object{"step": func(i int) {
			mu.Lock()
			order = append(order, i)
			mu.Unlock()
			if i%7 == 0 {
				<-block
			}
		}}
		a, b := kkrpc.Pipe()
		s, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: server})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := range n {
			request := fmt.Appendf(nil, `{"t":"q","id":"%d","op":"call","p":["step"],"a":[%d]}`, i, i)
			if err := b.WriteFrames([][]byte{request}); err != nil {
				t.Fatal(err)
			}
		}
		for answered := range n {
			if answered == n-(n+6)/7 { // the others are blocked
				close(block)
			}
			if _, _, err := b.ReadFrame(nil); err != nil {
				t.Fatal(err)
			}
		}
		for i, got := range order {
			if got != i {
				t.Fatalf("handler %d started as number %d", got, i)
			}
		}
	})
}

func TestDeepReentrancyAtTheRunningLimit(t *testing.T) {
	for _, running := range []int{1, 2, 256} {
		t.Run(fmt.Sprint(running), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				bounce := func(ctx context.Context, n int) (int, error) {
					if n == 0 {
						return 0, nil
					}
					deeper, err := kkrpc.Call[int](ctx, kkrpc.FromContext(ctx), "bounce", n-1)
					return deeper + 1, err
				}
				opts := kkrpc.Options{Expose: kkrpc.Object{"bounce": bounce}, Limits: kkrpc.Limits{Running: running}}
				_, c := pair(t, opts, opts)
				got, err := kkrpc.Call[int](t.Context(), c, "bounce", 200)
				if got != 200 || err != nil {
					t.Errorf("bounce = %d, %v", got, err)
				}
			})
		})
	}
}

func TestHandlerThatCallsBackWithAnotherContextIsRescued(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var s *kkrpc.Channel
		server := kkrpc.Object{"ask": func() (int, error) {
			return kkrpc.Call[int](context.Background(), s, "answer")
		}}
		s, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Expose: kkrpc.Object{"answer": func() int { return 42 }}})
		_ = s
		got, err := kkrpc.Call[int](t.Context(), c, "ask")
		if got != 42 || err != nil {
			t.Errorf("ask = %d, %v", got, err)
		}
	})
}

func TestRunningLimitQueuesAndKeepsReading(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var running, most atomic.Int32
		release := make(chan struct{})
		server := kkrpc.Object{"work": func() {
			if n := running.Add(1); n > most.Load() {
				most.Store(n)
			}
			<-release
			running.Add(-1)
		}}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Running: 3}}, kkrpc.Options{})
		var done sync.WaitGroup
		for range 10 {
			done.Go(func() {
				if err := c.Call(t.Context(), nil, "work"); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(100 * time.Millisecond) // of the bubble
		if running.Load() != 3 {
			t.Errorf("%d handlers run, want 3", running.Load())
		}
		close(release)
		done.Wait()
		if most.Load() != 3 {
			t.Errorf("%d handlers ran at once, want 3", most.Load())
		}
	})
}

func TestPanicIsAnErrorWithoutInternals(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reported := make(chan error, 8)
		server := kkrpc.Object{
			"boom": func() { panic("secret /etc/passwd") },
			"exit": func() { runtime.Goexit() },
			"ok":   func() string { return "alive" },
		}
		_, c := pair(t, kkrpc.Options{Expose: server, OnError: func(err error) { reported <- err }}, kkrpc.Options{})
		for _, name := range []string{"boom", "exit"} {
			err := c.Call(t.Context(), nil, name)
			var e *kkrpc.Error
			if !errors.As(err, &e) || e.Name != "InternalError" || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", name, err)
			}
			if r := <-reported; !strings.Contains(r.Error(), name) {
				t.Errorf("%s: reported %v", name, r)
			}
		}
		if got, err := kkrpc.Call[string](t.Context(), c, "ok"); got != "alive" {
			t.Errorf("afterwards: %q, %v", got, err)
		}
	})
}

func TestErrorsCrossWithNameFieldsAndCause(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				server := kkrpc.Object{"fail": func() error {
					return &kkrpc.Error{Name: "CustomError", Message: "custom failure",
						Fields: map[string]any{"code": "E_CUSTOM"},
						Cause:  &kkrpc.Error{Name: "RangeError", Message: "root"}}
				}}
				_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d})
				err := c.Call(t.Context(), nil, "fail")
				var e *kkrpc.Error
				if !errors.As(err, &e) || e.Name != "CustomError" || e.Message != "custom failure" || e.Fields["code"] != "E_CUSTOM" {
					t.Fatalf("%#v", e)
				}
				var cause *kkrpc.Error
				if !errors.As(e.Cause, &cause) || cause.Message != "root" || cause.Name != "RangeError" {
					t.Errorf("cause %#v", e.Cause)
				}
				if want := "kkrpc: call fail: CustomError: custom failure"; err.Error() != want {
					t.Errorf("text %q, want %q", err, want)
				}
			})
		})
	}
}

func TestTimeoutNamesTheOtherGeneration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, _ := kkrpc.Pipe() // nobody answers
		c, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		start := time.Now()
		err = c.Call(t.Context(), nil, "greet")
		if d := time.Since(start); d != 30*time.Second {
			t.Errorf("timed out after %v", d)
		}
		var e *kkrpc.Error
		if !errors.As(err, &e) || e.Name != "RPCTimeoutError" || !errors.Is(err, context.DeadlineExceeded) ||
			!strings.Contains(err.Error(), "kkrpc.Classic") {
			t.Errorf("got %v", err)
		}
	})
}

func TestCancelReachesTheHandler(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ended := make(chan error, 1)
		server := kkrpc.Object{"wait": func(ctx context.Context) {
			<-ctx.Done()
			ended <- ctx.Err()
		}}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		ctx, cancel := context.WithCancel(t.Context()) // a deadline would tell the handler without a message
		time.AfterFunc(time.Second, cancel)
		if err := c.Call(ctx, nil, "wait"); !errors.Is(err, context.Canceled) {
			t.Errorf("caller got %v", err)
		}
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("handler got %v", err)
		}
	})
}

func TestCloseEndsPendingCallsAndHandlers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ended := make(chan struct{})
		server := kkrpc.Object{"wait": func(ctx context.Context) { <-ctx.Done(); close(ended) }}
		closed := make(chan error, 1)
		s, c := pair(t, kkrpc.Options{Expose: server, OnClose: func(_ *kkrpc.Channel, err error) { closed <- err }}, kkrpc.Options{})
		got := make(chan error, 1)
		go func() { got <- c.Call(context.Background(), nil, "wait") }()
		time.Sleep(time.Second)
		s.Close()
		if err := <-got; !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("pending call got %v", err)
		}
		<-ended
		if err := <-closed; !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("OnClose got %v", err)
		}
		if err := s.Call(context.Background(), nil, "x"); !errors.Is(err, kkrpc.ErrClosed) {
			t.Errorf("later call got %v", err)
		}
		<-c.Done()
	})
}

func TestUnencodableResultIsAnError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server := kkrpc.Object{"big": func() int64 { return 1 << 60 }}
		_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{})
		err := c.Call(t.Context(), nil, "big")
		var e *kkrpc.Error
		if !errors.As(err, &e) || e.Name != "TypeError" || !strings.Contains(e.Message, "big") {
			t.Errorf("got %v", err)
		}
	})
}

func TestContextOfAHandler(t *testing.T) {
	type key struct{}
	bubble(t, func(t *testing.T) {
		ended := make(chan error, 2)
		server := kkrpc.Object{"wait": func(ctx context.Context) error {
			if _, has := ctx.Deadline(); has || ctx.Value(key{}) != "value" || ctx.Err() != nil {
				return errors.New("a wrong context")
			}
			derived, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			context.AfterFunc(ctx, func() { ended <- ctx.Err() })
			stop := context.AfterFunc(ctx, func() { t.Error("was stopped") })
			stop()
			<-derived.Done()
			ended <- derived.Err()
			return nil
		}, "quick": func(ctx context.Context) {
			context.AfterFunc(ctx, func() { ended <- ctx.Err() })
		}}
		a, b := kkrpc.Pipe()
		s, err := kkrpc.New(context.WithValue(t.Context(), key{}, "value"), a, &kkrpc.Options{Expose: server})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		write(t, b, `{"t":"q","id":"1","op":"call","p":["quick"],"a":[]}`)
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("after its function: %v", err)
		}
		write(t, b, `{"t":"q","id":"2","op":"call","p":["wait"],"a":[]}`)
		time.Sleep(time.Second)
		write(t, b, `{"t":"qc","id":"2"}`)
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("after a cancel: %v", err)
			}
		}
	})
}

func TestCancelledCallThatWaitsIsNotStarted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var started atomic.Int32
		release := make(chan struct{})
		server := kkrpc.Object{"work": func() { started.Add(1); <-release }}
		_, c := pair(t, kkrpc.Options{Expose: server, Limits: kkrpc.Limits{Running: 1}}, kkrpc.Options{})
		go c.Call(context.Background(), nil, "work")
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Call(ctx, nil, "work"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if started.Load() != 1 {
			t.Errorf("%d handlers started", started.Load())
		}
	})
}
