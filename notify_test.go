package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestNotificationsArriveInOrderWithCallsAndCallbacks(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var mu sync.Mutex
				var heard []string
				hear := func(what string) { mu.Lock(); heard = append(heard, what); mu.Unlock() }
				listen := make(chan *kkrpc.Callback, 1)
				s, c := pair(t, kkrpc.Options{Dialect: d, Limits: kkrpc.Limits{Running: 1}, Expose: kkrpc.Object{
					"hear": hear, "keep": func(cb *kkrpc.Callback) { listen <- cb }}}, kkrpc.Options{Dialect: d})
				_ = s
				var called []string
				if err := c.Call(t.Context(), nil, "keep", func(what string) { mu.Lock(); called = append(called, what); mu.Unlock() }); err != nil {
					t.Fatal(err)
				}
				theirs := <-listen
				var want []string
				for i := range 30 {
					name := fmt.Sprint("message ", i)
					var err error
					switch i % 3 {
					case 0:
						err = c.Notify("hear", name)
					case 1:
						err = kkrpc.Notify(c, "hear", kkrpc.Share(name))
					default:
						err = c.Call(t.Context(), nil, "hear", name)
					}
					if err = errors.Join(err, theirs.Notify(name)); err != nil {
						t.Fatal(err)
					}
					want = append(want, name)
				}
				synctest.Wait()
				if !slices.Equal(heard, want) || !slices.Equal(called, want) {
					t.Errorf("heard %q, and by the callback %q", heard, called)
				}
			})
		})
	}
}

func TestErrorOfANotificationIsReported(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				reported := make(chan error, 10)
				_, c := pair(t, kkrpc.Options{Dialect: d, Expose: kkrpc.Object{
					"room": kkrpc.Object{"fail": func() error { return &kkrpc.Error{Name: "DomainError", Message: "no"} }}, "fine": func() int { return 1 },
				}}, kkrpc.Options{Dialect: d, OnError: func(err error) { reported <- err }})
				for _, err := range []error{c.Notify("fine"), c.Notify("room.fail"), c.Notify("nobody's \"quotes\"")} {
					if err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				if len(reported) != 2 {
					t.Fatalf("%d errors are reported", len(reported))
				}
				err := <-reported
				if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "DomainError" || !strings.HasPrefix(err.Error(), "kkrpc: notify room.fail: ") {
					t.Errorf("reported: %v", err)
				}
				if err := <-reported; !strings.HasPrefix(err.Error(), "kkrpc: notify ?: ") {
					t.Errorf("reported: %v", err)
				}
			})
		})
	}
}

func TestAnswersToNotificationsThatWereNeverSentAreDropped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var reported error
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, OnError: func(err error) { reported = err }})
		write(t, peer, `{"t":"r","id":"-x","e":{"n":"Error","m":"no"}}`)
		synctest.Wait()
		if n := ch.Dropped(); n != 1 || reported == nil || strings.Contains(reported.Error(), "notify") {
			t.Errorf("%d messages are dropped, reported: %v", n, reported)
		}
	})
}

// full sends messages of 100 bytes to a peer that does not read until one fails, and returns its error.
func full(send func(text string) error) (sent int, err error) {
	for ; sent < 100_000; sent++ {
		if err = send(strings.Repeat("x", 100)); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// senders are the forms of a one-way message that never waits.
var senders = map[string]func(ch *kkrpc.Channel, cb *kkrpc.Callback) func(string) error{
	"Channel.Notify": func(ch *kkrpc.Channel, _ *kkrpc.Callback) func(string) error {
		return func(s string) error { return ch.Notify("x", s) }
	},
	"Remote": func(ch *kkrpc.Channel, _ *kkrpc.Callback) func(string) error {
		return kkrpc.Remote[struct {
			X func(string) error `kkrpc:",notify"`
		}](ch).X
	},
	"Callback.Notify": func(_ *kkrpc.Channel, cb *kkrpc.Callback) func(string) error {
		return func(s string) error { return cb.Notify(s) }
	},
	"Callback.Notify of a struct": func(_ *kkrpc.Channel, cb *kkrpc.Callback) func(string) error {
		return func(s string) error { return cb.Notify(struct{ S string }{s}) }
	},
}

// notifying returns a channel whose peer has passed a function, and reads nothing from then on.
func notifying(t *testing.T, opts kkrpc.Options) (ch *kkrpc.Channel, cb *kkrpc.Callback, peer kkrpc.Transport) {
	t.Helper()
	passed := make(chan *kkrpc.Callback, 1)
	opts.Expose = kkrpc.Object{"keep": func(cb *kkrpc.Callback) { passed <- cb }}
	opts.Dialect = kkrpc.Compact
	ch, peer = raw(t, opts)
	write(t, peer, `{"t":"q","id":"1","op":"call","p":["keep"],"a":[{"__kkrpc_next_arg__":"callback","id":"f1"}]}`)
	read(t, peer)
	return ch, <-passed, peer
}

func TestSlowConsumerIsDisconnected(t *testing.T) {
	for name, sender := range senders {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var room sync.Mutex
				left := make(chan error, 1)
				ch, cb, _ := notifying(t, kkrpc.Options{Limits: kkrpc.Limits{Backlog: 10_000}, OnClose: func(_ *kkrpc.Channel, err error) {
					room.Lock() // as a room does that forgets a member
					left <- err
					room.Unlock()
				}})
				began := time.Now()
				room.Lock()
				_, err := full(sender(ch, cb))
				room.Unlock()
				if !errors.Is(err, kkrpc.ErrSlowConsumer) || !errors.Is(err, kkrpc.ErrClosed) || time.Since(began) > 0 {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				if err := <-left; !errors.Is(err, kkrpc.ErrSlowConsumer) {
					t.Errorf("the channel closed with %v", err)
				}
				if err := sender(ch, cb)("more"); !errors.Is(err, kkrpc.ErrSlowConsumer) {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

func TestMessagesToASlowConsumerAreDropped(t *testing.T) {
	for name, sender := range senders {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ch, cb, peer := notifying(t, kkrpc.Options{SlowConsumer: kkrpc.Drop, Limits: kkrpc.Limits{Backlog: 10_000}})
				send := sender(ch, cb)
				sent, err := full(send)
				if !errors.Is(err, kkrpc.ErrDropped) || ch.Err() != nil {
					t.Fatalf("%v, and the channel: %v", err, ch.Err())
				}
				if n := ch.Stats().Skipped; n != 1 {
					t.Errorf("%d messages were skipped", n)
				}
				for range sent {
					read(t, peer)
				}
				synctest.Wait()
				if err := send("again"); err != nil || !strings.Contains(read(t, peer), "again") {
					t.Errorf("after the peer has read: %v", err)
				}
			})
		})
	}
}

func TestOneLargeNotificationIsNoBacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, _, _ := notifying(t, kkrpc.Options{SlowConsumer: kkrpc.Drop, Limits: kkrpc.Limits{Backlog: 1000}})
		if err := ch.Notify("x", strings.Repeat("x", 2<<20)); err != nil { // more than a pipe holds
			t.Error(err)
		}
		if err := ch.Notify("x", "y"); !errors.Is(err, kkrpc.ErrDropped) {
			t.Error(err)
		}
	})
}

// A result that is being sent is no sign of a slow consumer.
func TestLargeResultsAreNoBacklog(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Backlog: 1000},
			Expose: kkrpc.Object{"file": func() string { return strings.Repeat("x", 3<<20) }}})
		write(t, peer, `{"t":"q","id":"1","op":"call","p":["file"],"a":[]}`)
		synctest.Wait()
		if err := ch.Notify("x", "y"); err != nil {
			t.Error(err)
		}
	})
}

// Callbacks wait for room, so that progress is reported as fast as the peer reads, but not for ever.
func TestCallbackWaitsForRoomWithinABound(t *testing.T) {
	for _, policy := range []kkrpc.SlowConsumer{kkrpc.Disconnect, kkrpc.Drop} {
		bubble(t, func(t *testing.T) {
			_, cb, _ := notifying(t, kkrpc.Options{SlowConsumer: policy, Limits: kkrpc.Limits{Outbound: 100_000, SendWait: 3 * time.Second}})
			began := time.Now()
			_, err := full(func(s string) error { return cb.Call(s) })
			want := kkrpc.ErrSlowConsumer
			if policy == kkrpc.Drop {
				want = kkrpc.ErrDropped
			}
			if !errors.Is(err, want) || time.Since(began) != 3*time.Second {
				t.Errorf("after %v: %v", time.Since(began), err)
			}
		})
	}
}

// stuck is a transport whose peer sends and reads nothing.
type stuck struct{ closed chan struct{} }

func (s stuck) ReadFrame([]byte) ([]byte, bool, error) { <-s.closed; return nil, false, io.EOF }
func (s stuck) WriteFrames([][]byte) error             { <-s.closed; return io.EOF }
func (s stuck) Close(int, string) error                { close(s.closed); return nil }

// Two senders tell everybody in a room, under its lock. One member does not read. All others get the same messages in
// one order, and nobody waits.
func TestARoomHasOneOrderBesideASlowMember(t *testing.T) {
	const members, each = 1000, 30
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var room []*kkrpc.Channel
		heard := make([][]string, members)
		for i := range members {
			s, _ := pair(t, kkrpc.Options{Dialect: kkrpc.Compact}, kkrpc.Options{Expose: kkrpc.Object{"hear": func(what string) { heard[i] = append(heard[i], what) }}})
			room = append(room, s)
		}
		slow, err := kkrpc.New(t.Context(), stuck{make(chan struct{})}, &kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Backlog: 1000}})
		if err != nil {
			t.Fatal(err)
		}
		room = slices.Insert(room, 3, slow)
		began := time.Now()
		var senders sync.WaitGroup
		for sender := range 2 {
			senders.Go(func() {
				for i := range each {
					text := kkrpc.Share(fmt.Sprint(sender, " says ", i, " to everybody"))
					mu.Lock()
					for _, member := range room {
						if err := member.Notify("hear", text); err != nil && member != slow {
							t.Error(err)
						}
					}
					mu.Unlock()
				}
			})
		}
		senders.Wait()
		synctest.Wait()
		if took := time.Since(began); took > 0 {
			t.Errorf("the senders waited for %v", took)
		}
		if !errors.Is(slow.Err(), kkrpc.ErrSlowConsumer) {
			t.Errorf("the slow member: %v", slow.Err())
		}
		for i := range heard {
			if len(heard[i]) != 2*each || !slices.Equal(heard[i], heard[0]) {
				t.Fatalf("member %d got %d messages, or in another order", i, len(heard[i]))
			}
		}
	})
}

func TestNotifyThatCannotBe(t *testing.T) {
	bubble(t, func(t *testing.T) {
		silent, _ := raw(t, kkrpc.Options{})
		unary, err := kkrpc.Unary(func(context.Context, []byte) ([]byte, error) { return nil, nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		closed, _ := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		closed.Close()
		open, _ := raw(t, kkrpc.Options{Dialect: kkrpc.Compact})
		for _, test := range []struct {
			name string
			err  error
			is   error
			text string
		}{
			{"before the dialect is known", silent.Notify("x"), kkrpc.ErrUnsupported, "dialect"},
			{"without a channel", (*kkrpc.Channel)(nil).Notify("x"), kkrpc.ErrUnsupported, "notify x"},
			{"by a single request", kkrpc.Notify(unary, "x"), kkrpc.ErrUnsupported, "single request"},
			{"after the end", closed.Notify("x"), kkrpc.ErrClosed, "notify x"},
			{"an argument that cannot be sent", open.Notify("x", make(chan<- int)), nil, "argument 1"},
		} {
			if test.err == nil || test.is != nil && !errors.Is(test.err, test.is) || !strings.Contains(test.err.Error(), test.text) {
				t.Errorf("%s: %v", test.name, test.err)
			}
		}
	})
}

// Interceptors see notifications, and values that cross by identity can be in them.
func TestNotificationsAreOperations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var seen []string
		var called atomic.Int32
		see := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
			seen = append(seen, r.Operation+" "+r.Path)
			return next(ctx, r)
		}
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
			"use":  func(f func()) { f() },
			"ref":  func(r *kkrpc.Ref) error { return kkrpc.Notify(r, "poke") },
			"meta": func(ctx context.Context) { seen = append(seen, fmt.Sprint(kkrpc.MetadataFrom(ctx))) },
		}}, kkrpc.Options{Outbound: []kkrpc.Interceptor{see}, Metadata: func(context.Context) map[string]any { return map[string]any{"a": "b"} }})
		poked := kkrpc.Proxy(kkrpc.Object{"poke": func() { called.Add(1) }})
		via := kkrpc.Via(func(context.Context) (*kkrpc.Channel, error) { return c, nil })
		for _, err := range []error{c.Notify("use", func() { called.Add(1) }), c.Notify("ref", poked), kkrpc.Notify(via, "meta")} {
			if err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if want := []string{"call use", "call ref", "call meta", "map[a:b]"}; !slices.Equal(seen, want) || called.Load() != 2 {
			t.Errorf("seen %q, %d calls", seen, called.Load())
		}
	})
}
