package rooms_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Members pause, go on, leave, join again and resume, at random. Each session hears an unbroken part of what is stored.
func TestStress(t *testing.T) {
	rounds, _ := strconv.Atoi(os.Getenv("ROOMS_ROUNDS"))
	rounds = max(rounds, 20)
	for seed := range rounds {
		synctest.Test(t, func(t *testing.T) { stress(t, uint64(seed)) })
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

type session struct {
	*client
	transport *pausable
	paused    bool
	after     *rooms.Position
}

func stress(t *testing.T, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	slow := rooms.SlowConsumer(seed % 2)
	a := newHub(t, &rooms.Options[message]{Unsent: 500, Queue: 12, SlowConsumer: slow, OnError: func(error) {}})
	sender := a.connect(t, kkrpc.Compact, nil)
	var live, all []*session
	var joins sync.WaitGroup
	begin := func(after *rooms.Position) {
		c, p := a.connectPausable(t)
		s := &session{client: c, transport: p, after: after}
		c.join("go", after)
		live, all = append(live, s), append(all, s)
	}
	at := rooms.Position{}
	{
		c := a.connect(t, kkrpc.Compact, nil)
		at = c.join("go", nil)
	}
	for range 4 {
		begin(nil)
	}
	for range 400 {
		i := rnd.IntN(len(live))
		s := live[i]
		switch rnd.IntN(12) {
		case 0, 1:
			if !s.paused {
				s.transport.pause()
				s.paused = true
			}
		case 2, 3, 4:
			if s.paused {
				s.transport.resume()
				s.paused = false
			}
		case 5: // joins again with the same connection
			if s.Err() == nil && a.hub.Room("go").Has(s.server) {
				joins.Go(func() { _ = kkrpc.Do(t.Context(), s, "join", "go", nil, s.listen) })
			}
		case 6:
			if len(live) > 3 {
				if s.paused {
					s.transport.resume()
					s.paused = false
				}
				s.Close()
				live = append(live[:i], live[i+1:]...)
				heard := s.messages()
				if len(heard) > 0 && slow == rooms.Disconnect {
					at.Seq = heard[len(heard)-1].ID
				}
				pos := at
				begin(&pos)
			}
		case 7:
			synctest.Wait()
		default:
			for range rnd.IntN(6) {
				sender.do("say", "go", strings.Repeat("x", rnd.IntN(60)))
			}
		}
	}
	for _, s := range live {
		if s.paused {
			s.transport.resume()
		}
	}
	time.Sleep(time.Minute)
	joins.Wait()
	sender.do("say", "go", "end")
	synctest.Wait()
	stored, err := a.hub.Room("go").History(t.Context(), 0, 5000)
	if err != nil {
		t.Fatal(err)
	}
	last := stored[len(stored)-1].ID
	for n, s := range all {
		heard := s.messages()
		for i := 1; i < len(heard); i++ {
			if slow == rooms.Disconnect && heard[i].ID != heard[i-1].ID+1 || heard[i].ID <= heard[i-1].ID {
				t.Fatalf("session %d (resumes %+v, closed %v) hears %d after %d, message %d of %d", n, s.after, s.Err(), heard[i].ID, heard[i-1].ID, i, len(heard))
			}
		}
		if slow == rooms.Disconnect && s.after != nil && len(heard) > 0 && heard[0].ID != s.after.Seq+1 {
			t.Fatalf("session %d resumes after %d and hears %d", n, s.after.Seq, heard[0].ID)
		}
	}
	for n, s := range live {
		if heard := s.messages(); s.Err() == nil && a.hub.Room("go").Has(s.server) && (len(heard) == 0 || heard[len(heard)-1].ID != last) {
			t.Fatalf("session %d is a member and has not heard the end: %s", n, fmt.Sprint(len(heard)))
		}
		if s.Err() == nil && !a.hub.Room("go").Has(s.server) {
			t.Logf("session %d is connected and no member: %v", n, s.server.Err())
		}
	}
	if got := a.hub.Stats(); got.Lagging != 0 {
		t.Fatalf("%+v", got)
	}
}
