package rooms_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Users leaves out those of a dead node, also if nobody watches the room.
func TestUsersOfADeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, ways := cluster(t, 2)
		ada := nodes[0].connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada.join("go", nil)
		synctest.Wait()
		ways[0].cut.Store(true)
		var users []string
		for range 100 {
			time.Sleep(10 * time.Second)
			var err error
			if users, err = nodes[1].hub.Room("go").Users(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if len(users) != 0 {
			t.Errorf("1000 s after the node died these are present: %v", users)
		}
	})
}

// Those who watch the presence of a room that was lost connect again too.
func TestWatchersOfALostRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &hooked{Backplane: shared}
		var follower rooms.Follower
		way.follow = func(ctx context.Context, log string, after uint64, f rooms.Follower) (func(), error) {
			follower = f
			return shared.Follow(ctx, log, after, f)
		}
		a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		c := a.connect(t, kkrpc.Compact, nil)
		updates := 0
		listen := func(rooms.Update[string, int]) { updates++ }
		c.do("watch", "go", listen)
		lost := follower
		lost.Lost(errors.New("the log was made anew"))
		synctest.Wait()
		if c.Err() != nil {
			return // it was told
		}
		c.do("watch", "go", listen)
		synctest.Wait()
		updates = 0
		ada := a.connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada.join("go", nil)
		synctest.Wait()
		if updates != 1 {
			t.Errorf("%d updates for one change", updates)
		}
		a.hub.Room("go").LeaveChannel(c.server)
		updates = 0
		ada.do("leave", "go")
		synctest.Wait()
		if updates != 0 {
			t.Errorf("%d updates after Leave", updates)
		}
	})
}

// A message that the channel drops does not end the membership.
func TestDroppedMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reported []error
		hub, err := rooms.NewHub(&rooms.Options[string]{SlowConsumer: rooms.DropOldest, OnError: func(err error) { reported = append(reported, err) }})
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		near, far := kkrpc.Pipe()
		p := &pausable{far, make(chan struct{}, 1)}
		p.resume()
		server, err := kkrpc.New(t.Context(), p, &kkrpc.Options{Dialect: kkrpc.Compact, SlowConsumer: kkrpc.Drop, Limits: kkrpc.Limits{Backlog: 32 << 10}})
		if err != nil {
			t.Fatal(err)
		}
		c, err := kkrpc.New(t.Context(), near, &kkrpc.Options{Dialect: kkrpc.Compact, Expose: kkrpc.Object{"on": func(string) {}}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		defer server.Close()
		room := hub.Room("go")
		if _, err := room.JoinMethod(t.Context(), "on", &rooms.JoinOptions{Channel: server}); err != nil {
			t.Fatal(err)
		}
		p.pause()
		for range 20 {
			if _, err := room.Publish(t.Context(), strings.Repeat("x", 10_000)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		p.resume()
		synctest.Wait()
		if !room.Has(server) {
			t.Errorf("it is connected (%v) and no member any more: %v", server.Err() == nil, reported)
		}
		if server.Dropped() == 0 && server.Stats().Skipped == 0 {
			t.Error("nothing was dropped")
		}
	})
}

// A call whose context ends while it is asked for ends at the client.
func TestCancelDuringRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &hooked{Backplane: shared}
		asks := newHub(t, &rooms.Options[message]{Backplane: way})
		holds := newHub(t, &rooms.Options[message]{Backplane: shared})
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := holds.connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		way.request = func(ctx context.Context, topic string, data []byte) ([]byte, error) {
			if _, err := shared.Request(ctx, topic, data); err != nil {
				return nil, err
			}
			<-ctx.Done() // the answer is on its way
			return nil, ctx.Err()
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-began; cancel() }()
		_, err := kkrpc.Call[string](ctx, asks.hub.User("Ada"), "answer", "?")
		synctest.Wait()
		if n := ada.server.Stats().Pending; n != 0 {
			t.Errorf("the call ended with %v, and %d calls of the client are pending", err, n)
		}
	})
}

// History leaves out messages that cannot be read.
func TestHistoryOfAnotherVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		a := newHub(t, &rooms.Options[message]{Backplane: shared, OnError: func(error) {}})
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("go", nil)
		c.do("say", "go", "1")
		if _, err := shared.Append(t.Context(), "rooms/room/go", "", []byte(`{"json":"another version"}`)); err != nil {
			t.Fatal(err)
		}
		c.do("say", "go", "2")
		synctest.Wait()
		equal(t, "heard", c.texts(), "1 2")
		if _, err := a.hub.Room("go").History(t.Context(), 0, 10); err != nil {
			t.Errorf("History: %v", err)
		}
	})
}
