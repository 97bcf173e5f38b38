package durable

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeHost is an object's host that outlives its programs.
type fakeHost struct {
	mu     sync.Mutex
	limit  int // bytes of a state
	states map[int32]string
	awake  time.Duration
	broke  []int32

	asks   func(token int32, operation, blob string, most int) // nil: there is no object
	alarms []string                                            // how alarms have ended
}

func (h *fakeHost) ask(token int32, operation string, blob []byte, most int) bool {
	if h.asks == nil {
		return false
	}
	h.asks(token, operation, string(blob), most)
	return true
}

func (h *fakeHost) save(id int32, state string, reserve int) (over int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if over := len(state) + reserve - h.limit; over > 0 {
		return over
	}
	if reserve == 0 {
		h.states[id] = state
	}
	return 0
}

func (h *fakeHost) rested(awake time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awake = awake
}

func (h *fakeHost) alarmed(token int32, failure string) {
	failure, _, _ = strings.Cut(failure, "\n") // without a stack
	h.alarms = append(h.alarms, fmt.Sprint(token, " ", failure))
}

func (h *fakeHost) broken(id int32) { h.broke = append(h.broke, id) }

// link is the transport of a connection, whose peer is the test.
type link struct {
	in   *kkrpc.Inbox
	kept hibernate.Connection

	mu     sync.Mutex
	sent   []string
	closed string
}

func (l *link) ReadFrame(buf []byte) ([]byte, bool, error) {
	msg, more, err := l.in.ReadFrame(buf)
	if err == nil {
		l.kept.Read(msg)
	}
	return msg, more, err
}

func (l *link) WriteFrames(msgs [][]byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range msgs {
		l.sent = append(l.sent, string(m))
	}
	l.kept.Wrote()
	return nil
}

func (l *link) Close(code int, reason string) error {
	l.mu.Lock()
	l.closed = fmt.Sprint(code, " ", reason)
	l.mu.Unlock()
	l.in.Close(errors.New("closed"))
	return nil
}

func (l *link) Keeper() hibernate.Keeper { return l.kept }

// says is what the peer does.
func (l *link) says(messages ...string) {
	for _, m := range messages {
		_ = l.in.Push([]byte(m))
	}
	synctest.Wait()
}

// got returns what the peer has received since the last got, and how the connection was closed.
func (l *link) got() (sent []string, closed string) {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	sent, l.sent = l.sent, nil
	return sent, l.closed
}

// world has a host with one program after another.
type world struct {
	t    *testing.T
	host *fakeHost
	here *object
	wake int
	api  kkrpc.Object
	done []*kkrpc.Channel
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, host: &fakeHost{limit: 16_000, states: map[int32]string{}}}
	before := here
	t.Cleanup(func() { here = before })
	w.start()
	return w
}

// start starts the next program.
func (w *world) start() {
	w.end()
	w.here = newObject(w.host)
	w.here.opts.Hibernate = true
	here = w.here
}

// end has the program be gone, without a word.
func (w *world) end() {
	for _, ch := range w.done {
		ch.Close()
	}
	w.done = nil
	synctest.Wait()
}

// open opens a connection, from before if the host knows it.
func (w *world) open(id int32) *link {
	l := &link{in: kkrpc.NewInbox(math.MaxInt)}
	w.host.mu.Lock()
	state, known := w.host.states[id]
	w.host.mu.Unlock()
	wakes := 0
	if known {
		wakes = w.wake
	}
	l.kept = w.here.open(id, wakes, state, func(frame []byte) { _ = l.in.Push(frame) })
	opts := &kkrpc.Options{Expose: w.api, OnClose: func(*kkrpc.Channel, error) { l.kept.Gone() }}
	if d := l.kept.Dialect(); d != "" {
		if err := opts.Dialect.UnmarshalText([]byte(d)); err != nil {
			w.t.Fatal(err)
		}
	}
	ch, err := kkrpc.New(owner.With(w.t.Context(), id), l, opts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.done = append(w.done, ch)
	return l
}

// sleeps has the program rest, and the next one begin to wake with so many connections.
func (w *world) sleeps(connections int) {
	synctest.Wait()
	w.here.rest()
	w.here.sleep()
	w.start()
	w.wake++
	w.here.begin(connections)
	go w.here.wake() // ends by itself
}

func call(id, path, args string) string {
	return fmt.Sprintf(`{"t":"q","id":%q,"op":"call","p":[%q],"a":[%s]}`, id, path, args)
}

// calls is what functions have been called with.
type calls struct {
	mu   sync.Mutex
	made []string
}

func (c *calls) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, what)
}

// take returns them, and forgets them.
func (c *calls) take() (made []string) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	made, c.made = c.made, nil
	return made
}

// api has a function join, which is kept.
func (c *calls) api() kkrpc.Object {
	return kkrpc.Object{
		"join": func(ctx context.Context, name string) (string, error) {
			if err := Keep(ctx, "join"); err != nil {
				return "", err
			}
			c.add(fmt.Sprint(name, " ", Waking(ctx)))
			if name == "hangs" && Waking(ctx) {
				<-ctx.Done()
			}
			if name == "fails" {
				return "", errors.New("no")
			}
			return "welcome", nil
		},
		"leave": func(ctx context.Context) { Drop(ctx, "join") },
		"log":   c.add,
		"hang":  func(ctx context.Context) { <-ctx.Done() },
	}
}
