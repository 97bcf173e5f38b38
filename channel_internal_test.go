package kkrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"
)

// idle fails the test unless nothing of ch is left.
func idle(t *testing.T, ch *Channel) {
	t.Helper()
	lane := ch.callbacks().lane
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, count := range []struct {
		name string
		n    int
	}{
		{"open", int(ch.open.Load())},
		{"serving.running", ch.serving.running}, {"serving.away", ch.serving.away},
		{"serving.queue", len(ch.serving.queue)}, {"serving.queued", ch.serving.queued}, {"serving.back", len(ch.serving.back)},
		{"lane.running", lane.running}, {"lane.away", lane.away},
		{"lane.queue", len(lane.queue)}, {"lane.queued", lane.queued}, {"lane.back", len(lane.back)},
		{"active", len(ch.active.allLocked())},
		{"pending", ch.pending.table.n},
	} {
		if count.n != 0 {
			t.Errorf("%s = %d", count.name, count.n)
		}
	}
}

func connected(t *testing.T, server, client Options) (s, c *Channel) {
	t.Helper()
	a, b := Pipe()
	client.Dialect = Compact
	s, err := New(context.Background(), a, &server)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = New(context.Background(), b, &client); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); c.Close() })
	return s, c
}

// lateCaller uses the context of its handler after the handler has returned, while its result is being encoded.
type lateCaller struct{ ctx context.Context }

func (l lateCaller) MarshalJSON() ([]byte, error) {
	out, in := make(chan struct{}), make(chan struct{})
	s := scopeOf(l.ctx)
	go func() {
		s.stepOut()
		close(out)
		<-in
		s.stepIn()
	}()
	<-out
	time.AfterFunc(time.Second, func() { close(in) })
	return json.Marshal("late")
}

func TestContextUsedAfterItsHandlerDoesNotFreeAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := connected(t, Options{Expose: Object{"late": func(ctx context.Context) any { return lateCaller{ctx} }}}, Options{})
		if err := c.Call(t.Context(), nil, "late"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		idle(t, s)
		time.Sleep(time.Minute)
		idle(t, s)
	})
}

func TestFunctionThatIsSentAgainIsNotReportedAsCollected(t *testing.T) {
	s, c := connected(t, Options{Expose: Object{"hello": func() {}}}, Options{})
	if err := c.Call(t.Context(), nil, "hello"); err != nil {
		t.Fatal(err)
	}
	first, err := s.callbacks().accept([]byte(`"f1"`))
	if err != nil {
		t.Fatal(err)
	}
	s.callbacks().held.collect(collected[Callback]{id: "f1", ref: weak.Make(first)})
	second, err := s.callbacks().accept([]byte(`"f1"`))
	if err != nil || first == second {
		t.Fatal(err)
	}
	if gone := s.callbacks().held.takeGone(true); len(gone) != 0 {
		t.Errorf("about to tell the peer that %v is not needed, which is held again", gone)
	}
	if err := first.release(); err != nil {
		t.Fatal(err)
	}
	if s.callbacks().held.held["f1"].ref != weak.Make(second) {
		t.Error("releasing the first has made the channel forget the second")
	}
}

func TestResultsThatAreNotReadDoNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		const size, limit = 100_000, 1 << 20
		s, err := New(t.Context(), a, &Options{Expose: Object{"file": func() string { return strings.Repeat("x", size) }},
			Limits: Limits{Outbound: limit, Write: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 200 {
			if err := b.WriteFrames([][]byte{[]byte(`{"t":"q","id":"1","op":"call","p":["file"],"a":[]}`)}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		if n := s.out.Waiting(); n > limit || s.Err() != nil {
			t.Errorf("%d bytes wait to be sent, closed: %v", n, s.Err())
		}
		if n := s.open.Load(); n < 100 {
			t.Errorf("%d requests wait", n)
		}
	})
}

func TestNothingIsLeftAfterTraffic(t *testing.T) {
	for _, limits := range []Limits{{}, {Running: 1}, {Running: 2, Open: 8, Outbound: 4000, CallbackQueue: 100_000}} {
		for _, early := range []bool{false, true} {
			t.Run(fmt.Sprintf("running %d, closed early %v", limits.Running, early), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { traffic(t, limits, early) })
			})
		}
	}
}

// traffic lets both sides do everything at a time. The bubble ends only when no goroutine is left.
func traffic(t *testing.T, limits Limits, early bool) {
	api := Object{
		"echo": func(s string) string { return s },
		"slow": func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(3 * time.Millisecond):
			}
			return ctx.Err()
		},
		"back": func(ctx context.Context, s string) (string, error) {
			return Call[string](ctx, FromContext(ctx), "echo", s)
		},
		"each": func(ctx context.Context, n int, f func(context.Context, string) error) error {
			defer Release(f)
			for range n {
				if err := f(ctx, strings.Repeat("x", 100)); err != nil {
					return err
				}
			}
			return nil
		},
		"panic": func() { panic("of the test") },
	}
	opts := Options{Expose: api, Limits: limits}
	s, c := connected(t, opts, opts)
	if err := c.Call(t.Context(), nil, "echo", "hello"); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for i := range 24 {
		ch := []*Channel{s, c}[i%2]
		work.Go(func() {
			for range 20 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i+1)*time.Millisecond)
				text := strings.Repeat("y", i*10)
				got, err := Call[string](ctx, ch, "back", text)
				if err == nil && got != text {
					t.Errorf("got %q for %q", got, text)
				}
				ch.Call(ctx, nil, "slow")
				ch.Call(ctx, nil, "panic")
				ch.Call(ctx, nil, "each", 5, func(ctx context.Context, s string) error {
					return ch.Call(ctx, nil, "echo", s)
				})
				cancel()
				if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrClosed) {
					if e, ok := errors.AsType[*Error](err); !ok || e.Name != "RPCOverloadedError" && e.Name != "RPCTimeoutError" && !strings.HasSuffix(e.Message, "deadline exceeded") {
						t.Error(err)
					}
				}
			}
		})
	}
	if early {
		time.Sleep(20 * time.Millisecond)
		go s.Close()
	}
	work.Wait()
	time.Sleep(time.Minute)
	if !early && (s.Err() != nil || c.Err() != nil) {
		t.Errorf("closed: %v, %v", s.Err(), c.Err())
	}
	s.Close()
	c.Close()
	synctest.Wait()
	idle(t, s)
	idle(t, c)
}

// An answer that waits for one of two lasting callbacks leaves nothing behind at either.
func TestDelayedAnswersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := func(progress, _ func() error) error { return progress() }
		_, c := connected(t, Options{Expose: Object{"job": job}}, Options{})
		slow, never := NewCallback(func() { time.Sleep(time.Second) }), NewCallback(func() {})
		for range 10 {
			if err := c.Call(t.Context(), nil, "job", slow, never); err != nil {
				t.Fatal(err)
			}
		}
		for id, e := range c.callbacks().own.byID {
			if cb := e.value; len(cb.delayed) != 0 || len(cb.unfinished) != 0 || e.pending != 0 {
				t.Errorf("callback %s: %d answers, %d invocations, %d calls are left", id, len(cb.delayed), len(cb.unfinished), e.pending)
			}
		}
		idle(t, c)
	})
}

// The context of a call ends while its answer waits for a callback. What the answer carries is given back, and the late
// callback finds no call.
func TestDelayedAnswerOfACallThatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		job := func(progress func() error) (*Ref, error) {
			return Proxy(func() {}), progress()
		}
		s, c := connected(t, Options{Expose: Object{"job": job}}, Options{References: true})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := Call[*Ref](ctx, c, "job", func() { time.Sleep(time.Minute) })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		idle(t, c)
		if n := held(s); n != 0 {
			t.Errorf("the server still holds %d", n)
		}
	})
}

func (ch *Channel) callbacks() *callbackKind { return ch.kinds().list[callbackIndex].(*callbackKind) }

func (ch *Channel) streams() *streamKind { return ch.kinds().list[streamIndex].(*streamKind) }

func (ch *Channel) refs() *referenceKind { return ch.kinds().list[refIndex].(*referenceKind) }

// A one-way call waits for room for longer than its answer is awaited. By then another call has its pendingCall.
func TestOneWayCallThatWaitsForRoomLeavesOtherCallsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		ch, err := New(t.Context(), a, &Options{Dialect: Compact, References: true, Limits: Limits{Outbound: 1000, SendWait: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close(0, "")
		defer ch.Close()
		full, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 2 { // one that b holds, and one that waits behind it
			go func() { _ = ch.Call(full, nil, "full", strings.Repeat("x", 1<<20)) }()
			synctest.Wait()
		}
		theirs, err := ch.refs().accept("theirs", refFunction)
		if err != nil {
			t.Fatal(err)
		}
		patient, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		defer cancel()
		time.Sleep(2 * time.Second)
		go func() { _ = theirs.asCallback().send(patient, []any{"x"}, inTurn) }()
		time.Sleep(35 * time.Second)
		other := make(chan error, 1)
		go func() { other <- ch.Call(context.Background(), nil, "other") }()
		select {
		case err := <-other:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		case <-time.After(5 * time.Minute):
			t.Error("the other call neither times out nor has an answer")
		}
		if n := ch.pending.watched; n != 0 {
			t.Errorf("%d one-way calls are watched", n)
		}
	})
}

// stepsOut has a goroutine of its function wait for the peer while it is being encoded.
type stepsOut struct{ wait chan struct{} }

func (r stepsOut) MarshalJSON() ([]byte, error) {
	close(r.wait)
	time.Sleep(20 * time.Millisecond) // says nothing to the race detector
	return json.Marshal("late")
}

// The function of a request that runs beside others has returned. A goroutine of it gives up the place of the request. The
// race detector watches.
func TestPlaceIsGivenUpWhileTheResultIsEncoded(t *testing.T) {
	release, began := make(chan struct{}), make(chan struct{})
	late := func(ctx context.Context) any {
		r := stepsOut{make(chan struct{})}
		go func() {
			<-r.wait
			s := scopeOf(ctx)
			s.stepOut()
			<-release
			s.stepIn()
		}()
		return r
	}
	_, c := connected(t, Options{Expose: Object{"beside": func() { close(began); <-release }, "late": late}}, Options{})
	beside := make(chan error)
	go func() { beside <- c.Call(t.Context(), nil, "beside") }()
	<-began
	if err := c.Call(t.Context(), nil, "late"); err != nil {
		t.Error(err)
	}
	close(release)
	if err := <-beside; err != nil {
		t.Error(err)
	}
}

// Callbacks that have waited for the peer come back and finish one by one, while too many new ones wait behind them. That
// is progress, although none of the new ones begins.
func TestCallbacksThatComeBackAreProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		ch, err := New(t.Context(), a, &Options{Dialect: Compact, Limits: Limits{CallbackQueue: 10_000}})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		invoke := func(n int, old bool) {
			for range n {
				if err := b.WriteFrames([][]byte{fmt.Appendf(nil, `{"t":"cb","id":"f1","a":[%v]}`, old)}); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		answered := make(chan struct{})
		go ch.Call(t.Context(), nil, "keep", func(ctx context.Context, old bool) {
			if !old {
				return
			}
			s := scopeOf(ctx)
			s.stepOut()
			<-answered
			s.stepIn()
			time.Sleep(time.Second)
		})
		synctest.Wait()
		invoke(60, true)
		close(answered)
		synctest.Wait()
		invoke(100, false)
		time.Sleep(2 * time.Minute)
		if err := ch.Err(); err != nil {
			t.Error(err)
		}
	})
}

// The first answer to a call is what counts, also while it waits for a callback. It is a stream, which would stay open.
func TestDelayedAnswerIsNotReplacedByAnUnreadableOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		ch, err := New(t.Context(), a, &Options{Dialect: Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer ch.Close()
		var result any
		ended := make(chan error, 1)
		go func() { ended <- ch.Call(t.Context(), &result, "job", func() { time.Sleep(time.Second) }) }()
		synctest.Wait()
		for _, message := range []string{
			`{"t":"cb","id":"f1","a":[]}`,
			`{"t":"r","id":"1","v":{"__kkrpc_next_stream__":"async-iterable","id":"s1"}}`,
			`{"t":"r","id":"1","v":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`,
		} {
			if err := b.WriteFrames([][]byte{[]byte(message)}); err != nil {
				t.Fatal(err)
			}
		}
		err = <-ended
		if n := len(ch.streams().in.open); err != nil && n != 0 {
			t.Errorf("%d streams are open, of which nobody knows: %v", n, err)
		}
		if _, ok := result.(iter.Seq2[any, error]); !ok {
			t.Errorf("got %T, %v", result, err)
		}
	})
}

// The caller has no use for the result and gives up while the answer waits for a callback. The reference in the result,
// which this side holds already, has come once more, and not twice.
func TestDelayedAnswerIsDiscardedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		same := Proxy(func() {})
		api := Object{"get": func() *Ref { return same }, "job": func(progress func() error) (*Ref, error) { return same, progress() }}
		_, c := connected(t, Options{Expose: api}, Options{References: true})
		held, err := Call[*Ref](t.Context(), c, "get")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Call(ctx, nil, "job", func() { time.Sleep(time.Minute) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		time.Sleep(2 * time.Minute)
		if n := c.refs().held.held[held.id].times; n != 2 {
			t.Errorf("it has come %d times", n)
		}
	})
}
