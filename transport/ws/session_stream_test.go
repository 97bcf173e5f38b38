//go:build !js

package ws_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var (
	streamItems = flag.Int("items", 1_000_000, "how many items TestSessionStreamSurvivesCuts sends in each direction; a short test does with 50,000")
	streamSeed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of where TestSessionStreamSurvivesCuts cuts")
)

// upTo yields the numbers below n, and tells reached of each.
func upTo(n int, reached func(int)) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			reached(i)
			if !yield(i) {
				return
			}
		}
	}
}

// inOrder returns how many items there are, which are the numbers from 0 on.
func inOrder(items iter.Seq2[int, error]) (n int, err error) {
	for v, err := range items {
		if err != nil {
			return n, err
		}
		if v != n {
			return n, fmt.Errorf("item %d in place of %d", v, n)
		}
		n++
	}
	return n, nil
}

// A stream of 1,000,000 items survives 100 cuts at random places, in either direction of the connection: each item arrives
// once, and in order.
func TestSessionStreamSurvivesCuts(t *testing.T) {
	const cuts = 100
	items := *streamItems
	if testing.Short() {
		items = min(items, 50_000)
	}
	rnd := rand.New(rand.NewPCG(*streamSeed, 0))
	t.Logf("-items %d -seed %d", items, *streamSeed)
	for _, direction := range []string{"result", "argument"} {
		t.Run(direction, func(t *testing.T) {
			// A cut is due when the producer comes to one of these items, and happens some bytes later.
			places := make([]int, cuts)
			for i := range places {
				places[i] = rnd.IntN(items * 9 / 10)
			}
			slices.Sort(places)
			due := make(chan struct{}, cuts)
			reached := func(item int) {
				for len(places) > 0 && places[0] == item {
					places = places[1:]
					due <- struct{}{}
				}
			}
			s := ws.Handler(kkrpc.Object{
				"count": func(n int) iter.Seq[int] { return upTo(n, reached) },
				"check": inOrder,
			}, &ws.Options{Session: &ws.SessionOptions{}, Logger: silent})
			c := newCutter(t, serve(t, s))
			pauses, ended := 0, make(chan error, 10)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the race detector makes it slow
			defer cancel()
			p, err := ws.DialPersistent(ctx, c.url(), sessionOptions(&ws.SessionOptions{OnEvent: func(_ *kkrpc.Channel, e ws.SessionEvent) {
				switch e.Kind {
				case ws.SessionPaused:
					pauses++
				case ws.SessionEnded:
					ended <- e.Err
				}
			}}))
			if err != nil {
				t.Fatal(err)
			}
			ch, err := p.Channel(ctx)
			if err != nil {
				t.Fatal(err)
			}
			stop, stopped := make(chan struct{}), make(chan int)
			go func() { // ends with stop
				made := 0
				defer func() { stopped <- made }()
				for range cuts {
					select {
					case <-due:
					case <-stop:
						return
					}
					c.arm(rnd.IntN(2), rnd.IntN(200))
					select {
					case <-c.fired:
						made++
					case <-stop:
						return
					}
				}
			}()
			began := time.Now()
			var n int
			if direction == "result" {
				n, err = inOrder(kkrpc.Stream[int](ctx, ch, "count", items))
			} else {
				n, err = kkrpc.Call[int](ctx, ch, "check", upTo(items, reached))
			}
			took := time.Since(began)
			close(stop)
			made := <-stopped
			if n != items || err != nil {
				t.Errorf("%d items of %d, %v", n, items, err)
			}
			if made < cuts {
				t.Errorf("%d cuts of %d", made, cuts)
			}
			if ch.Err() != nil || ch.Dropped() != 0 {
				t.Errorf("%v, %d dropped", ch.Err(), ch.Dropped())
			}
			_ = p.Close()
			<-p.Done()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("ended with %v", err)
			}
			t.Logf("%d items in %v with %d cuts and %d pauses, %d bytes up and %d down", n, took.Round(time.Millisecond), made, pauses, c.counts()[up], c.counts()[down])
		})
	}
}
