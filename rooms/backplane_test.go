package rooms_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// hooked is a Backplane with some methods replaced.
type hooked struct {
	rooms.Backplane
	bounds  func(ctx context.Context, log string) (rooms.Bounds, error)
	follow  func(ctx context.Context, log string, after uint64, f rooms.Follower) (func(), error)
	watch   func(ctx context.Context, table string, w rooms.Watcher) (func(), error)
	request func(ctx context.Context, topic string, data []byte) ([]byte, error)
	subscr  func(topic string, receive func([]byte)) (func(), error)
	respond func(topic string, answer func([]byte) []byte) (func(), error)
}

func (h *hooked) Bounds(ctx context.Context, log string) (rooms.Bounds, error) {
	if h.bounds != nil {
		return h.bounds(ctx, log)
	}
	return h.Backplane.Bounds(ctx, log)
}

func (h *hooked) Follow(ctx context.Context, log string, after uint64, f rooms.Follower) (func(), error) {
	if h.follow != nil {
		return h.follow(ctx, log, after, f)
	}
	return h.Backplane.Follow(ctx, log, after, f)
}

func (h *hooked) Watch(ctx context.Context, table string, w rooms.Watcher) (func(), error) {
	if h.watch != nil {
		return h.watch(ctx, table, w)
	}
	return h.Backplane.Watch(ctx, table, w)
}

func (h *hooked) Request(ctx context.Context, topic string, data []byte) ([]byte, error) {
	if h.request != nil {
		return h.request(ctx, topic, data)
	}
	return h.Backplane.Request(ctx, topic, data)
}

func (h *hooked) Subscribe(topic string, receive func([]byte)) (func(), error) {
	if h.subscr != nil {
		return h.subscr(topic, receive)
	}
	return h.Backplane.Subscribe(topic, receive)
}

func (h *hooked) Respond(topic string, answer func([]byte) []byte) (func(), error) {
	if h.respond != nil {
		return h.respond(topic, answer)
	}
	return h.Backplane.Respond(topic, answer)
}

// Leave ends what JoinPresence has begun.
func TestLeaveOfAWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.do("watch", "go", c.follow("go"))
		if err := kkrpc.Do(t.Context(), c, "leave", "go"); err != nil {
			t.Errorf("Leave, which ends JoinPresence: %v", err)
		}
	})
}

// A hub that closes takes its users along, also if nobody watches.
func TestHubsOnOneLocal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		one := newHub(t, &rooms.Options[message]{Backplane: shared})
		ada := one.connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada.join("go", nil)
		synctest.Wait()
		one.hub.Close()
		two := newHub(t, &rooms.Options[message]{Backplane: shared})
		if _, err := two.hub.Room("go").Users(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		users, err := two.hub.Room("go").Users(t.Context())
		if err != nil || len(users) != 0 {
			t.Errorf("an hour later these are present: %v, %v", users, err)
		}
	})
}

// The users of a node that dies while the presence opens are not present.
func TestNodeDiesWhilePresenceOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &cuttable{Backplane: shared}
		slow := &hooked{Backplane: shared}
		one := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		two := newHub(t, &rooms.Options[message]{Backplane: slow})
		ada := one.connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada.join("go", nil)
		synctest.Wait()
		watcher := two.connect(t, kkrpc.Compact, nil)
		slow.watch = func(ctx context.Context, table string, w rooms.Watcher) (func(), error) {
			stop, err := shared.Watch(ctx, table, w) // has called Ready
			way.cut.Store(true)
			time.Sleep(5 * time.Second) // such as the network, or a busy machine; any time beyond the death of the node
			return stop, err
		}
		watcher.do("watch", "go", watcher.follow("go"))
		time.Sleep(time.Hour)
		synctest.Wait()
		equal(t, "an hour later", watcher.view("go"), map[string]int{})
	})
}

// A Join under way when a room is lost joins the new one.
func TestLostWhileJoining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &hooked{Backplane: shared}
		a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		var follower rooms.Follower
		var stop func()
		way.follow = func(ctx context.Context, log string, after uint64, f rooms.Follower) (func(), error) {
			var err error
			follower = f
			stop, err = shared.Follow(ctx, log, after, f)
			return stop, err
		}
		first := a.connect(t, kkrpc.Compact, nil)
		at := first.join("go", nil)
		n := 0
		way.bounds = func(ctx context.Context, log string) (rooms.Bounds, error) {
			b, err := shared.Bounds(ctx, log)
			if n++; n == 1 { // of reaches: the room is acquired
				stop()
				follower.Lost(errors.New("the log was made anew"))
			}
			return b, err
		}
		c := a.connect(t, kkrpc.Compact, nil)
		joined := kkrpc.Do(t.Context(), c, "join", "go", &at, c.listen)
		synctest.Wait()
		sender := a.connect(t, kkrpc.Compact, nil)
		sender.do("say", "go", "1")
		time.Sleep(time.Minute)
		synctest.Wait()
		if joined == nil && c.Err() == nil && c.texts() != "1" {
			t.Errorf("it has joined, is connected, and heard %q", c.texts())
		}
	})
}

// Bounds.Last may be beyond the newest message.
func TestLastBeyondTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int64
		shared := rooms.Local(nil)
		way := &hooked{Backplane: shared}
		way.bounds = func(ctx context.Context, log string) (rooms.Bounds, error) {
			reads.Add(1)
			b, err := shared.Bounds(ctx, log)
			b.Last += 5 // as where all logs have one count
			return b, err
		}
		a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		seq, err := a.hub.Room("go").Publish(t.Context(), message{})
		if err != nil {
			t.Fatal(err)
		}
		stays := a.connect(t, kkrpc.Compact, nil)
		at := stays.join("go", nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("go", &rooms.Position{Epoch: at.Epoch, Seq: seq})
		synctest.Wait()
		if n := reads.Load(); n > 10 {
			t.Errorf("the store was read %d times", n)
		}
	})
}

// A Watch that does not answer holds up neither the close of a connection nor that of the hub.
func TestWatchThatDoesNotAnswer(t *testing.T) {
	shared := rooms.Local(nil)
	way := &hooked{Backplane: shared}
	release := make(chan struct{})
	entered := make(chan struct{})
	way.watch = func(ctx context.Context, table string, w rooms.Watcher) (func(), error) {
		close(entered)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-release:
			return nil, errors.New("released")
		}
	}
	a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
	plain := a.connect(t, kkrpc.Compact, nil)
	plain.join("go", nil)
	ada := a.connect(t, kkrpc.Compact, nil)
	ada.do("bind", "Ada")
	go func() {
		_, _ = a.hub.Room("go").JoinMethod(context.Background(), "x", &rooms.JoinOptions{Channel: ada.server})
	}()
	<-entered
	ended := make(chan string, 3)
	go func() { plain.server.Close(); ended <- "Channel.Close of an ordinary member" }()
	go func() { a.hub.Room("go").LeaveChannel(plain.server); ended <- "LeaveChannel" }()
	go func() { a.hub.Close(); ended <- "Hub.Close" }()
	late := time.After(2 * time.Second)
	for n := 0; n < 3; {
		select {
		case <-ended:
			n++
		case <-late:
			t.Errorf("%d of Channel.Close, LeaveChannel and Hub.Close have not ended after 2 s", 3-n)
			n = 3
		}
	}
	close(release)
}

// Join ends with its context while the room opens.
func TestJoinEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := &hooked{Backplane: rooms.Local(nil)}
		way.bounds = func(ctx context.Context, log string) (rooms.Bounds, error) {
			<-ctx.Done()
			return rooms.Bounds{}, rooms.ErrUnavailable
		}
		a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		c := a.connect(t, kkrpc.Compact, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_, _ = a.hub.Room("go").JoinMethod(ctx, "x", &rooms.JoinOptions{Channel: c.server})
		}()
		select {
		case <-ended:
		case <-time.After(time.Hour):
			t.Error("a Join within 1 s waits an hour later")
		}
		a.hub.Close()
	})
}

// A store that cannot be read after an Append that failed but has stored: the message is never sent.
type blinking struct {
	rooms.Store
	down atomic.Bool
}

func (b *blinking) Append(ctx context.Context, log, id string, data []byte) (uint64, error) {
	seq, err := b.Store.Append(ctx, log, id, data)
	if b.down.Load() {
		return 0, rooms.ErrUnavailable // the answer was lost
	}
	return seq, err
}

func (b *blinking) After(ctx context.Context, log string, seq uint64, limit int) ([]rooms.Entry, error) {
	if b.down.Load() {
		return nil, rooms.ErrUnavailable
	}
	return b.Store.After(ctx, log, seq, limit)
}

// If a store may have stored a message and cannot say so, the members connect again and learn it from the history.
func TestStoreThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &blinking{Store: rooms.Memory(nil)}
		var reported []error
		a := newHub(t, &rooms.Options[message]{Backplane: rooms.Local(store), OnError: func(err error) { reported = append(reported, err) }})
		c, sender := a.connect(t, kkrpc.Compact, nil), a.connect(t, kkrpc.Compact, nil)
		at := c.join("go", nil)
		sender.do("say", "go", "1")
		store.down.Store(true)
		_ = kkrpc.Do(t.Context(), sender, "say", "go", "2")
		<-c.Done()
		store.down.Store(false)
		sender.do("say", "go", "3")
		synctest.Wait()
		if len(reported) == 0 {
			t.Error("nothing is reported")
		}
		back := a.connect(t, kkrpc.Compact, nil)
		at.Seq = c.messages()[0].ID
		back.join("go", &at)
		synctest.Wait()
		equal(t, "heard by the one that came back", back.texts(), "2 3")
	})
}

// Live.Close lets go of its members, and Join fails.
func TestLiveAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		prices, err := rooms.NewLive[string, int](t.Context(), a.hub, "prices")
		if err != nil {
			t.Fatal(err)
		}
		a.prices = prices
		c := a.connect(t, kkrpc.Compact, nil)
		c.do("follow", c.follow("prices"))
		prices.Close()
		synctest.Wait()
		if n := c.Stats().CallbacksOut; n != 0 {
			t.Errorf("%d functions of members of a Live that is closed are kept", n)
		}
		d := a.connect(t, kkrpc.Compact, nil)
		if err := kkrpc.Do(t.Context(), d, "follow", d.follow("prices")); err == nil {
			t.Error("a Live that is closed can be joined, and never tells anything")
		}
	})
}

// NewLive fails if its Watch is lost before it is ready.
func TestLiveLostBeforeReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &hooked{Backplane: shared}
		n, open := 0, 0
		way.watch = func(ctx context.Context, table string, w rooms.Watcher) (func(), error) {
			if n++; n == 1 {
				go w.Lost(errors.New("lost"))
				return func() {}, nil
			}
			stop, err := shared.Watch(ctx, table, w)
			open++
			return func() { open--; stop() }, err
		}
		a := newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(error) {}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := rooms.NewLive[string, int](ctx, a.hub, "prices")
		synctest.Wait()
		if took := time.Since(start); err == nil || took != 0 {
			t.Errorf("NewLive ends after %v with %v", took, err)
		}
		if open != 0 {
			t.Errorf("%d watches go on", open)
		}
	})
}

// Options.Ping has a minimum.
func TestTinyPing(t *testing.T) {
	if _, err := rooms.NewHub(&rooms.Options[message]{Ping: 3}); err == nil {
		t.Error("a Ping of 3 ns is taken")
	}
}

// OnError may use the hub.
func TestOnErrorMayAskTheHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hub *rooms.Hub[float64]
		asked := 0
		hub, err := rooms.NewHub(&rooms.Options[float64]{OnError: func(error) {
			asked = hub.Stats().Members
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer hub.Close()
		c := newHub(t, nil).connect(t, kkrpc.Compact, nil)
		c.do("users", "go") // so that its dialect is known
		room := hub.Room("go")
		if _, err := room.JoinMethod(t.Context(), "on", &rooms.JoinOptions{Channel: c.server}); err != nil {
			t.Fatal(err)
		}
		if _, err := room.Publish(t.Context(), math.NaN()); err != nil { // has no form in JSON
			t.Fatal(err)
		}
		synctest.Wait()
		if asked != 1 {
			t.Errorf("OnError has seen %d members", asked)
		}
	})
}

// A Bind that fails leaves the connection bound as it was.
func TestFailedBind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := &hooked{Backplane: rooms.Local(nil)}
		a := newHub(t, &rooms.Options[message]{Backplane: way})
		c := a.connect(t, kkrpc.Compact, nil)
		c.do("bind", "Ada")
		way.respond = func(string, func([]byte) []byte) (func(), error) { return nil, rooms.ErrUnavailable }
		if err := kkrpc.Do(t.Context(), c, "bind", "Bob"); err == nil {
			t.Fatal("no error")
		}
		equal(t, "user after a Bind that failed", a.hub.UserOf(c.server), "Ada")
	})
}

// A Bind that races with Close leaves no subscription.
func TestCloseWhileBinding(t *testing.T) {
	shared := rooms.Local(nil)
	way := &hooked{Backplane: shared}
	var open atomic.Int64
	var a *api
	var once sync.Once
	closed := make(chan struct{})
	way.subscr = func(topic string, receive func([]byte)) (func(), error) {
		once.Do(func() { // of nodes.start
			go func() { a.hub.Close(); close(closed) }()
			for !errors.Is(a.hub.Room("go").Signal(message{}), rooms.ErrHubClosed) {
				runtime.Gosched()
			}
		})
		open.Add(1)
		stop, err := shared.Subscribe(topic, receive)
		return func() { open.Add(-1); stop() }, err
	}
	a = newHub(t, &rooms.Options[message]{Backplane: way})
	c := a.connect(t, kkrpc.Compact, nil)
	err := a.hub.BindChannel(c.server, "Ada")
	<-closed
	if n := open.Load(); n != 0 {
		t.Errorf("Bind: %v; %d subscriptions are left after Hub.Close", err, n)
	}
}
