package rooms_test

import (
	"context"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// A function of a client serves several rooms. Leaving one does not take it from the others.
func TestOneFunctionForTwoRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		listen := kkrpc.NewCallback(c.listen)
		c.do("join", "a", nil, listen)
		c.do("join", "b", nil, listen)
		c.do("leave", "a")
		c.do("say", "b", "1")
		synctest.Wait()
		c.do("say", "b", "2")
		synctest.Wait()
		equal(t, "heard in b", c.texts(), "1 2")
		if !a.hub.Room("b").Has(c.server) {
			t.Error("it is no member of b any more, and was not told")
		}
	})
}

type reading struct {
	Value float64 `json:"value"`
}

// A message that a dialect has no form for is skipped for its members, and reported once.
func TestMessageWithoutAForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []error
		hub, err := rooms.NewHub(&rooms.Options[reading]{OnError: func(err error) { reported = append(reported, err) }})
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		near, far := kkrpc.Pipe()
		server, err := kkrpc.New(t.Context(), far, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		var heard []float64
		c, err := kkrpc.New(t.Context(), near, &kkrpc.Options{Dialect: kkrpc.Compact, Expose: kkrpc.Object{"on": func(r reading) { heard = append(heard, r.Value) }}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		defer server.Close()
		room := hub.Room("go")
		if _, err := room.JoinMethod(t.Context(), "on", &rooms.JoinOptions{Channel: server}); err != nil {
			t.Fatal(err)
		}
		for _, v := range []float64{1, math.NaN(), 2} {
			if _, err := room.Publish(t.Context(), reading{v}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if !room.Has(server) || server.Err() != nil {
			t.Errorf("member: %v; connection: %v; heard %v; reported %v", room.Has(server), server.Err(), heard, reported)
		}
	})
}

// A client that reads gets a burst of large values, or a snapshot in place of them.
func TestLiveBurst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // so that the flusher begins after the burst
	synctest.Test(t, func(t *testing.T) {
		hub, err := rooms.NewHub[message](nil)
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		board, err := rooms.NewLive[string, string](t.Context(), hub, "board")
		if err != nil {
			t.Fatal(err)
		}
		near, far := kkrpc.Pipe()
		p := &pausable{far, make(chan struct{}, 1)}
		p.resume()
		server, err := kkrpc.New(t.Context(), p, &kkrpc.Options{Dialect: kkrpc.Compact, Expose: kkrpc.Object{
			"follow": func(ctx context.Context, listen func(rooms.Update[string, string])) error {
				return board.Join(ctx, listen, nil)
			}}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := kkrpc.New(t.Context(), near, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		defer server.Close()
		if err := kkrpc.Do(t.Context(), c, "follow", func(rooms.Update[string, string]) {}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.pause()
		for i := range 100 {
			if err := board.Set(t.Context(), "x", strings.Repeat("x", 20_000)); err != nil {
				t.Fatal(err)
			}
			_ = i
		}
		synctest.Wait()
		t.Logf("waiting %+v", server.Stats())
		if n := server.Stats().BytesOut; n > 200_000 {
			t.Errorf("%d bytes wait on the connection; Options.Unsent is 65,536", n)
		}
		p.resume()
		synctest.Wait()
		if err := server.Err(); err != nil {
			t.Errorf("the connection is closed: %v", err)
		}
	})
}

// A large message waits until the connection has sent everything else.
func TestLargeMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		quick := a.connect(t, kkrpc.Compact, nil)
		c, transport := a.connectPausable(t)
		c.join("go", nil)
		synctest.Wait()
		transport.pause()
		quick.do("say", "go", strings.Repeat("x", 30_000))
		synctest.Wait()
		quick.do("say", "go", strings.Repeat("x", 1_030_000))
		synctest.Wait()
		if got := a.hub.Stats(); got.Members != 1 {
			t.Errorf("Queue and QueueBytes have room, and the counters are %+v; the connection: %v", got, c.server.Err())
		}
		transport.resume()
		synctest.Wait()
		if err := c.server.Err(); err != nil {
			t.Errorf("the connection is closed: %v", err)
		}
	})
}

// A handler may pass on the limit of a client.
func TestHistoryLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{History: 2})
		room := a.hub.Room("go")
		for range 3 {
			if _, err := room.Publish(t.Context(), message{}); err != nil {
				t.Fatal(err)
			}
		}
		for _, limit := range []int{-1, 0, math.MinInt} {
			if _, err := room.History(t.Context(), 0, limit); !isNamed(err, "RangeError") {
				t.Errorf("%d: %v", limit, err)
			}
		}
		for limit, want := range map[int]int{1: 1, 2: 2, 3: 2, math.MaxInt: 2} {
			if got, err := room.History(t.Context(), 0, limit); err != nil || len(got) != want {
				t.Errorf("%d: %d messages, %v", limit, len(got), err)
			}
		}
	})
}

// A connection whose client has not spoken cannot be joined by a method.
func TestJoinBeforeTheDialectIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		room, opts := a.hub.Room("go"), &rooms.JoinOptions{Channel: c.server}
		if _, err := room.JoinMethod(t.Context(), "on", opts); err == nil || !strings.Contains(err.Error(), "dialect") {
			t.Errorf("before it has spoken: %v", err)
		}
		if room.Has(c.server) {
			t.Error("it is a member")
		}
		c.do("users", "go")
		if _, err := room.JoinMethod(t.Context(), "on", opts); err != nil {
			t.Errorf("after it has spoken: %v", err)
		}
	})
}
