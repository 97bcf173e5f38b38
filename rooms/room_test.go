package rooms_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

var dialects = []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON}

func TestAllMembersHearOneOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		var members []*client
		for _, d := range dialects {
			c := a.connect(t, d, nil)
			c.join("go", nil)
			members = append(members, c)
		}
		other := a.connect(t, kkrpc.Compact, nil)
		other.join("another", nil)
		for i := range 50 {
			for n, c := range members {
				go func() { c.do("say", "go", fmt.Sprintf("%d of %d", i, n)) }()
			}
		}
		synctest.Wait()
		stored, err := a.hub.Room("go").History(t.Context(), 0, 1000)
		if err != nil || len(stored) != 200 {
			t.Fatalf("%d messages are stored, %v", len(stored), err)
		}
		for _, c := range members {
			equal(t, "heard", c.messages(), stored)
		}
		equal(t, "heard in another room", other.texts(), "")
		if got := a.hub.Stats(); got.Members != 5 || got.Rooms != 2 || got.Connections != 5 || got.Delivered != 800 || got.Lagging != 0 {
			t.Errorf("the counters are %+v", got)
		}
	})
}

func TestMembersLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		stays, leaves, closes := a.connect(t, kkrpc.Compact, nil), a.connect(t, kkrpc.Compact, nil), a.connect(t, kkrpc.Compact, nil)
		for _, c := range []*client{stays, leaves, closes} {
			c.join("go", nil)
		}
		stays.do("say", "go", "1")
		synctest.Wait() // or what has not arrived is gone with the member
		leaves.do("leave", "go")
		closes.Close()
		synctest.Wait()
		if a.hub.Room("go").Has(closes.server) || a.hub.Room("go").Has(leaves.server) || !a.hub.Room("go").Has(stays.server) {
			t.Error("the wrong ones are members")
		}
		stays.do("say", "go", "2")
		synctest.Wait()
		equal(t, "who stays", stays.texts(), "1 2")
		equal(t, "who leaves", leaves.texts(), "1")
		equal(t, "who closes", closes.texts(), "1")
		if n := leaves.Stats().CallbacksOut; n != 0 {
			t.Errorf("%d functions of a client that has left are kept", n)
		}
		err := kkrpc.Do(t.Context(), leaves, "leave", "go")
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "NotAMemberError" {
			t.Errorf("leaving again: %v", err)
		}
		stays.do("leave", "go")
		synctest.Wait()
		if got := a.hub.Stats(); got.Members != 0 || got.Rooms != 0 || got.Connections != 0 {
			t.Errorf("the counters are %+v", got)
		}
	})
}

func TestJoinAgainReplacesTheFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.do("join", "go", nil, func(message) { t.Error("the first function is called") })
		c.join("go", nil)
		c.join("go", nil) // with the same function, which is not given back
		c.do("say", "go", "1")
		synctest.Wait()
		equal(t, "heard", c.texts(), "1")
		if n := c.Stats().CallbacksOut; n != 1 {
			t.Errorf("%d functions are kept", n)
		}
		if got := a.hub.Stats(); got.Members != 1 {
			t.Errorf("the counters are %+v", got)
		}
	})
}

func TestJoinMethod(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newHub(t, nil)
				var heard []string
				c := a.connect(t, d, kkrpc.Object{"on": kkrpc.Object{"message": func(room string, m message) {
					heard = append(heard, room+": "+m.Text)
				}}})
				c.do("joinMethod", "go", "on.message", []any{"go"})
				c.do("say", "go", "1")
				c.do("say", "go", "2")
				synctest.Wait()
				equal(t, "heard", strings.Join(heard, ", "), "go: 1, go: 2")
			})
		})
	}
}

func TestSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("go", nil)
		c.do("signal", "go", "typing")
		synctest.Wait()
		equal(t, "heard", c.messages(), []message{{0, "typing"}})
		stored, err := a.hub.Room("go").History(t.Context(), 0, 10)
		if err != nil || stored == nil || len(stored) != 0 {
			t.Errorf("stored: %v, %v", stored, err)
		}
	})
}

// A client that comes back gets what it has missed and what is new, each once.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		stays := a.connect(t, kkrpc.Compact, nil)
		stays.join("go", nil)
		first := a.connect(t, kkrpc.Compact, nil)
		at := first.join("go", nil)
		for i := range 10 {
			stays.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		first.Close()
		heard := first.messages()
		at.Seq = heard[len(heard)-1].ID
		for i := 10; i < 300; i++ { // more than one page
			stays.do("say", "go", fmt.Sprint(i))
		}
		second := a.connect(t, kkrpc.CompactSuperJSON, nil)
		for i := range 100 { // while it catches up
			go stays.do("say", "go", fmt.Sprint(300+i))
		}
		second.join("go", &at)
		synctest.Wait()
		stays.do("say", "go", "end")
		synctest.Wait()
		equal(t, "heard by the client that came back, and by one that stayed", append(heard, second.messages()...), stays.messages())
	})
}

func TestResumeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Backplane: rooms.Local(rooms.Memory(&rooms.MemoryOptions{History: 10}))})
		c := a.connect(t, kkrpc.Compact, nil)
		at := c.join("go", nil)
		for i := range 11 {
			c.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		first, last := c.messages()[0].ID, c.messages()[10].ID
		for _, lost := range []rooms.Position{at, {at.Epoch, last + 1}, {"another", last}, {"", last}} {
			err := kkrpc.Do(t.Context(), a.connect(t, kkrpc.Compact, nil), "join", "go", &lost, c.listen)
			if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "HistoryLostError" {
				t.Errorf("%+v: %v", lost, err)
			}
		}
		back := a.connect(t, kkrpc.Compact, nil)
		back.join("go", &rooms.Position{Epoch: at.Epoch, Seq: first})
		synctest.Wait()
		equal(t, "after the first", back.texts(), "1 2 3 4 5 6 7 8 9 10")
	})
}

func TestPublishOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("go", nil)
		for range 3 {
			c.do("sayOnce", "go", "id", "1")
		}
		c.do("sayOnce", "another", "id", "elsewhere")
		c.do("sayOnce", "go", "id2", "2")
		synctest.Wait()
		equal(t, "heard", c.texts(), "1 2")
		time.Sleep(3 * time.Minute)
		c.do("sayOnce", "go", "id", "forgotten")
		synctest.Wait()
		equal(t, "heard later", c.texts(), "1 2 forgotten")
	})
}

// A member that lags and joins again gets what it has not got.
func TestJoinAgainWhileLagging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000})
		slow, transport := a.connectPausable(t)
		quick := a.connect(t, kkrpc.Compact, nil)
		slow.join("go", nil)
		synctest.Wait()
		transport.pause()
		for i := range 100 {
			quick.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		joined := make(chan struct{})
		go func() { slow.join("go", nil); close(joined) }()
		synctest.Wait()
		quick.do("say", "go", "end")
		transport.resume()
		<-joined
		synctest.Wait()
		heard := slow.messages()
		if len(heard) != 101 || heard[100].Text != "end" {
			t.Errorf("it has heard %d messages", len(heard))
		}
	})
}

// Members come and go while the room is busy.
func TestMembersComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Queue: 8, Unsent: 1 << 20}) // all messages together have less
		stays := a.connect(t, kkrpc.Compact, nil)
		stays.join("go", nil)
		var passing sync.WaitGroup
		for i := range 100 {
			passing.Go(func() {
				c := a.connect(t, dialects[i%4], nil)
				c.join("go", nil)
				for n := range 10 {
					c.do("say", "go", fmt.Sprint(n))
				}
				if i%2 == 0 {
					c.do("leave", "go")
				}
				c.Close()
			})
		}
		passing.Wait()
		synctest.Wait()
		stored, err := a.hub.Room("go").History(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "heard by the one that stays", stays.messages(), stored)
		if got := a.hub.Stats(); len(stored) != 1000 || got.Members != 1 || got.Connections != 1 {
			t.Errorf("%d are stored, the counters are %+v", len(stored), got)
		}
	})
}

// A slow member holds nobody up, and gets everything once it reads.
func TestSlowMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000})
		quick, sender := a.connect(t, kkrpc.Compact, nil), a.connect(t, kkrpc.Compact, nil)
		slow, transport := a.connectPausable(t)
		quick.join("go", nil)
		slow.join("go", nil)
		synctest.Wait()
		transport.pause()
		for i := range 200 {
			sender.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		if n := len(quick.messages()); n != 200 {
			t.Errorf("the quick member has heard %d messages", n)
		}
		if got := a.hub.Stats(); got.Lagging != 1 || got.Dropped != 0 || got.Disconnected != 0 {
			t.Errorf("the counters are %+v", got)
		}
		if waits := slow.server.Stats().BytesOut; waits > 2000 {
			t.Errorf("%d bytes wait on its connection", waits)
		}
		transport.resume()
		synctest.Wait()
		equal(t, "heard by the slow member", slow.messages(), quick.messages())
		sender.do("say", "go", "end")
		synctest.Wait()
		equal(t, "heard by the slow member", slow.messages(), quick.messages())
		if got := a.hub.Stats(); got.Lagging != 0 {
			t.Errorf("the counters are %+v", got)
		}
	})
}

func TestSlowMemberIsDisconnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000, Queue: 10})
		quick := a.connect(t, kkrpc.Compact, nil)
		slow, transport := a.connectPausable(t)
		quick.join("go", nil)
		slow.join("go", nil)
		synctest.Wait()
		transport.pause()
		for i := range 200 {
			quick.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		if got := a.hub.Stats(); got.Disconnected != 1 || got.Dropped != 0 || got.Members != 1 {
			t.Errorf("the counters are %+v", got)
		}
		transport.resume()
		<-slow.Done()
		if n := len(quick.messages()); n != 200 {
			t.Errorf("the quick member has heard %d messages", n)
		}
	})
}

func TestSlowMemberLosesTheOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000, Queue: 10, SlowConsumer: rooms.DropOldest})
		quick := a.connect(t, kkrpc.Compact, nil)
		slow, transport := a.connectPausable(t)
		quick.join("go", nil)
		slow.join("go", nil)
		synctest.Wait()
		transport.pause()
		for i := range 200 {
			quick.do("say", "go", fmt.Sprint(i))
		}
		synctest.Wait()
		transport.resume()
		synctest.Wait()
		all, heard := quick.messages(), slow.messages()
		dropped := a.hub.Stats().Dropped
		if len(all) != 200 || dropped == 0 || int(dropped) != len(all)-len(heard) {
			t.Fatalf("%d were sent, %d heard, %d dropped", len(all), len(heard), dropped)
		}
		before := len(heard) - 10
		equal(t, "heard before the oldest were dropped", heard[:before], all[:before])
		equal(t, "the last ones", heard[before:], all[190:])
	})
}

// Messages wait in bytes too.
func TestQueueBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000, QueueBytes: 10_000, SlowConsumer: rooms.DropOldest})
		quick := a.connect(t, kkrpc.Compact, nil)
		slow, transport := a.connectPausable(t)
		slow.join("go", nil)
		synctest.Wait()
		transport.pause()
		for range 20 {
			quick.do("say", "go", strings.Repeat("x", 2000))
		}
		transport.resume()
		synctest.Wait()
		if n := len(slow.messages()); n < 4 || n > 8 {
			t.Errorf("%d messages of 2,000 bytes waited", n)
		}
	})
}

func TestJoinFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		room := a.hub.Room("go")
		c := a.connect(t, kkrpc.Compact, nil)
		for what, err := range map[string]error{
			"no function of a client": second(room.Join(t.Context(), func(message) {}, &rooms.JoinOptions{Channel: c.server})),
			"no function":             second(room.Join(t.Context(), nil, &rooms.JoinOptions{Channel: c.server})),
			"no handler":              second(room.JoinMethod(t.Context(), "x", nil)),
			"an empty name":           second(a.hub.Room("").JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server})),
			"a long name":             second(a.hub.Room(strings.Repeat("x", 201)).JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server})),
			"an empty path":           second(room.JoinMethod(t.Context(), "", &rooms.JoinOptions{Channel: c.server})),
			"a path with a gap":       second(room.JoinMethod(t.Context(), "a..b", &rooms.JoinOptions{Channel: c.server})),
			"Leave without a handler": room.Leave(t.Context()),
			"no UTF-8":                second(a.hub.Room("\xff").Publish(t.Context(), message{})),
			"history of no name":      second(a.hub.Room("").History(t.Context(), 0, 1)),
			"a signal to no name":     a.hub.Room("").Signal(message{}),
			"an empty id":             second(room.PublishOnce(t.Context(), "", message{})),
			"a large message":         second(room.Publish(t.Context(), message{Text: strings.Repeat("x", 2<<20)})),
		} {
			if err == nil || !strings.HasPrefix(err.Error(), "rooms: ") {
				t.Errorf("%s: %v", what, err)
			}
		}
		a.hub.Close()
		if _, err := room.JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server}); err == nil {
			t.Error("a hub that is closed can be joined")
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestJoins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Joins: 2})
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("1", nil)
		c.join("2", nil)
		err := kkrpc.Do(t.Context(), c, "join", "3", nil, c.listen)
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "TooManyRoomsError" {
			t.Errorf("a third room: %v", err)
		}
		c.join("2", nil) // again
		c.do("leave", "1")
		c.join("3", nil)
		if got := a.hub.Stats(); got.Members != 2 {
			t.Errorf("the counters are %+v", got)
		}
	})
}

// A connection that closes while it joins is no member.
func TestJoinOfAClosedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.Close()
		synctest.Wait()
		_, _ = a.hub.Room("go").JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server})
		synctest.Wait()
		if got := a.hub.Stats(); got.Members != 0 || got.Connections != 0 || got.Rooms != 0 {
			t.Errorf("the counters are %+v", got)
		}
	})
}
