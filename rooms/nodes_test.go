package rooms_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// cuttable is a node's way to a Backplane that it shares with others.
type cuttable struct {
	rooms.Backplane
	cut      atomic.Bool
	readOnly atomic.Bool // nothing can be put
}

func (c *cuttable) Publish(topic string, data []byte) error {
	if c.cut.Load() {
		return nil
	}
	return c.Backplane.Publish(topic, data)
}

func (c *cuttable) Subscribe(topic string, receive func([]byte)) (func(), error) {
	return c.Backplane.Subscribe(topic, func(data []byte) {
		if !c.cut.Load() {
			receive(data)
		}
	})
}

func (c *cuttable) Put(ctx context.Context, table, key string, value []byte) error {
	if c.cut.Load() || c.readOnly.Load() {
		return rooms.ErrUnavailable
	}
	return c.Backplane.Put(ctx, table, key, value)
}

// cluster returns nodes that share a Backplane, and their ways to it.
func cluster(t *testing.T, n int) (nodes []*api, ways []*cuttable) {
	t.Helper()
	shared := rooms.Local(nil)
	for range n {
		way := &cuttable{Backplane: shared}
		nodes = append(nodes, newHub(t, &rooms.Options[message]{Backplane: way, OnError: func(err error) {
			if !way.cut.Load() && !errors.Is(err, rooms.ErrUnavailable) {
				t.Errorf("OnError: %v", err)
			}
		}}))
		ways = append(ways, way)
	}
	return nodes, ways
}

func TestNodesShareRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 3)
		var members []*client
		for i, a := range nodes {
			c := a.connect(t, dialects[i], nil)
			c.join("go", nil)
			members = append(members, c)
		}
		for i := range 30 {
			go members[i%3].do("say", "go", string(rune('a'+i)))
		}
		synctest.Wait()
		stored, err := nodes[0].hub.Room("go").History(t.Context(), 0, 1000)
		if err != nil || len(stored) != 30 {
			t.Fatalf("%d messages are stored, %v", len(stored), err)
		}
		for _, c := range members {
			equal(t, "heard", c.messages(), stored)
		}
		members[1].do("signal", "go", "typing")
		synctest.Wait()
		for _, c := range members {
			equal(t, "the signal", c.messages()[30:], []message{{0, "typing"}})
		}
	})
}

func TestPresence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		watcher := nodes[0].connect(t, kkrpc.Compact, nil)
		watcher.do("watch", "go", watcher.follow("go"))
		synctest.Wait()
		equal(t, "an empty room", watcher.view("go"), map[string]int{})
		ada, ada2, eve := nodes[0].connect(t, kkrpc.Compact, nil), nodes[1].connect(t, kkrpc.ClassicSuperJSON, nil), nodes[1].connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada2.do("bind", "Ada")
		eve.do("bind", "Eve")
		nobody := nodes[1].connect(t, kkrpc.Compact, nil)
		for _, c := range []*client{ada, ada2, eve, nobody} {
			c.join("go", nil)
		}
		ada.join("another", nil)
		synctest.Wait()
		equal(t, "after three joined", watcher.view("go"), map[string]int{"Ada": 2, "Eve": 1})
		late := nodes[1].connect(t, kkrpc.Compact, nil)
		late.do("watch", "go", late.follow("go"))
		equal(t, "seen from the other node", late.view("go"), map[string]int{"Ada": 2, "Eve": 1})
		users, err := kkrpc.Call[[]string](t.Context(), late, "users", "go")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "users", users, []string{"Ada", "Eve"})
		ada.do("leave", "go")
		ada2.join("go", nil) // again
		eve.Close()
		synctest.Wait()
		for _, c := range []*client{watcher, late} {
			equal(t, "after two left", c.view("go"), map[string]int{"Ada": 1})
		}
		ada2.do("bind", "Bob")
		synctest.Wait()
		equal(t, "bound to another user, who joins later", late.view("go"), map[string]int{"Ada": 1})
		ada2.join("go", nil)
		synctest.Wait()
		equal(t, "joined as another user", late.view("go"), map[string]int{"Bob": 1})
	})
}

// threeUsers returns three nodes with a user each, who are in one room and see each other.
func threeUsers(t *testing.T) (nodes []*api, ways []*cuttable, views []*client) {
	t.Helper()
	nodes, ways = cluster(t, 3)
	for i, name := range []string{"Ada", "Bob", "Eve"} {
		c := nodes[i].connect(t, kkrpc.Compact, nil)
		c.do("bind", name)
		c.join("go", nil)
		c.do("watch", "go", c.follow("go"))
		views = append(views, c)
	}
	synctest.Wait()
	return nodes, ways, views
}

// The users of a node that dies are gone within twice the ping time: until it is not heard of, and looked at.
func TestPresenceOfADeadNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, ways, views := threeUsers(t)
		all := map[string]int{"Ada": 1, "Bob": 1, "Eve": 1}
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, c := range views {
			equal(t, "after a quiet minute", c.view("go"), all)
		}
		ways[2].cut.Store(true)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for _, c := range views[:2] {
			equal(t, "4 s after one died", c.view("go"), map[string]int{"Ada": 1, "Bob": 1})
		}
		ways[2].cut.Store(false) // it lived behind a network that was cut
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for _, c := range views {
			equal(t, "4 s after it came back", c.view("go"), all)
		}
		nodes[1].hub.Close() // it says so
		synctest.Wait()
		equal(t, "after a node was closed", views[0].view("go"), map[string]int{"Ada": 1, "Eve": 1})
	})
}

// The users of a dead node are gone although the Backplane takes no changes, as after the death of its leader.
func TestPresenceWithoutALeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, ways, views := threeUsers(t)
		for _, way := range ways {
			way.readOnly.Store(true)
		}
		ways[2].cut.Store(true)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for _, c := range views[:2] {
			equal(t, "4 s after one died", c.view("go"), map[string]int{"Ada": 1, "Bob": 1})
		}
		for _, way := range ways {
			way.readOnly.Store(false)
		}
		ways[2].cut.Store(false)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		for _, c := range views {
			equal(t, "after it came back", c.view("go"), map[string]int{"Ada": 1, "Bob": 1, "Eve": 1})
		}
	})
}

// Nobody is left from a node that was not heard of since this one began.
func TestPresenceOfAnEarlierNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, ways := cluster(t, 2)
		c := nodes[0].connect(t, kkrpc.Compact, nil)
		c.do("bind", "Ada")
		c.join("go", nil)
		synctest.Wait()
		ways[0].cut.Store(true)
		nodes[0].hub.Close()
		watcher := nodes[1].connect(t, kkrpc.Compact, nil)
		watcher.do("watch", "go", watcher.follow("go"))
		synctest.Wait()
		equal(t, "at first", watcher.view("go"), map[string]int{"Ada": 1})
		time.Sleep(4 * time.Second)
		synctest.Wait()
		equal(t, "4 s later", watcher.view("go"), map[string]int{})
	})
}

func TestUser(t *testing.T) {
	for _, where := range []string{"this node", "another node"} {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				nodes, _ := cluster(t, 2)
				asks, holds := nodes[0], nodes[0]
				if where == "another node" {
					holds = nodes[1]
				}
				first := holds.connect(t, kkrpc.Compact, kkrpc.Object{"answer": func(string) string { return "the first" }})
				ada := holds.connect(t, kkrpc.ClassicSuperJSON, kkrpc.Object{"answer": func(question string) (string, error) {
					if question == "" {
						return "", &kkrpc.Error{Name: "NoQuestion", Message: "ask"}
					}
					return "yes, " + question, nil
				}})
				first.do("bind", "Ada")
				ada.do("bind", "Ada")
				bob := asks.connect(t, kkrpc.Compact, nil)
				got, err := kkrpc.Call[string](t.Context(), bob, "ask", "Ada", "it is")
				if err != nil || got != "yes, it is" {
					t.Errorf("the answer is %q, %v", got, err)
				}
				wants := func(name string, err error) {
					t.Helper()
					if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != name {
						t.Errorf("the error is %v and no %s", err, name)
					}
				}
				wants("NoQuestion", kkrpc.Do(t.Context(), bob, "ask", "Ada", ""))
				wants("UserNotConnectedError", kkrpc.Do(t.Context(), bob, "ask", "Eve", "?"))
				ada.Close()
				synctest.Wait()
				got, err = kkrpc.Call[string](t.Context(), bob, "ask", "Ada", "?")
				if err != nil || got != "the first" {
					t.Errorf("the answer is %q, %v", got, err)
				}
				first.do("bind", "Eve")
				wants("UserNotConnectedError", kkrpc.Do(t.Context(), bob, "ask", "Ada", "?"))
				if err := kkrpc.Do(t.Context(), bob, "ask", "", "?"); err == nil {
					t.Error("an empty name is called")
				}
			})
		})
	}
}

// slowAnswer is a client whose answer takes as long as it is asked.
func slowAnswer(began, ended chan<- struct{}) kkrpc.Object {
	return kkrpc.Object{"answer": func(ctx context.Context, question string) (string, error) {
		began <- struct{}{}
		defer func() { ended <- struct{}{} }()
		select {
		case <-time.After(time.Hour):
			return "late", nil
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}}
}

func TestCallsOfALostNodeFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, ways := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		failed := make(chan error)
		start := time.Now()
		go func() {
			_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
			failed <- err
		}()
		<-began
		time.Sleep(10 * time.Second)
		ways[1].cut.Store(true)
		if err := <-failed; !errors.Is(err, rooms.ErrNodeLost) {
			t.Errorf("the call ended with %v", err)
		}
		if took := time.Since(start); took < 12*time.Second || took > 14*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

func TestCallOfAClosedConnectionFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		go func() {
			<-began
			ada.Close()
		}()
		_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "RPCConnectionClosedError" {
			t.Errorf("the call ended with %v", err)
		}
	})
}

// A call that nobody waits for any more ends at the client.
func TestCallOfAUserIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-began
			cancel()
		}()
		_, err := kkrpc.Call[string](ctx, nodes[0].hub.User("Ada"), "answer", "?")
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v", err)
		}
		synctest.Wait()
		if n := ada.server.Stats().Pending; n != 0 {
			t.Errorf("%d calls of the client are pending", n)
		}
	})
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		for _, a := range nodes {
			prices, err := rooms.NewLive[string, int](t.Context(), a.hub, "prices")
			if err != nil {
				t.Fatal(err)
			}
			a.prices = prices
		}
		set := func(key string, value int) {
			t.Helper()
			if err := nodes[0].prices.Set(t.Context(), key, value); err != nil {
				t.Fatal(err)
			}
		}
		set("ore", 1)
		set("tea", 2)
		c := nodes[1].connect(t, kkrpc.Compact, nil)
		c.do("follow", c.follow("prices"))
		equal(t, "the snapshot", c.view("prices"), map[string]int{"ore": 1, "tea": 2})
		set("ore", 3)
		set("gold", 4)
		if err := nodes[1].prices.Delete(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := map[string]int{"ore": 3, "gold": 4}
		equal(t, "after changes", c.view("prices"), want)
		for _, a := range nodes {
			got := map[string]int{}
			for key, value := range a.prices.All() {
				got[key] = value
			}
			equal(t, "the state of a node", got, want)
		}
		if v, ok := nodes[1].prices.Get("ore"); v != 3 || !ok {
			t.Errorf("Get: %v, %v", v, ok)
		}
		nodes[1].prices.Close()
		set("ore", 5)
		synctest.Wait()
		equal(t, "after Close", c.view("prices"), want)
	})
}

// A client that is slow gets the state as it is when it reads again, and not what was meanwhile.
func TestLiveOfASlowClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000})
		prices, err := rooms.NewLive[string, int](t.Context(), a.hub, "prices")
		if err != nil {
			t.Fatal(err)
		}
		a.prices = prices
		slow, transport := a.connectPausable(t)
		updates := 0
		follow := slow.follow("prices")
		slow.do("follow", func(u rooms.Update[string, int]) { updates++; follow(u) })
		synctest.Wait()
		transport.pause()
		for i := range 1000 {
			if err := prices.Set(t.Context(), "ore", i); err != nil {
				t.Fatal(err)
			}
		}
		transport.resume()
		synctest.Wait()
		equal(t, "the state", slow.view("prices"), map[string]int{"ore": 999})
		if updates > 50 {
			t.Errorf("it got %d updates", updates)
		}
		if err := prices.Set(t.Context(), "ore", -1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		equal(t, "the state", slow.view("prices"), map[string]int{"ore": -1})
	})
}

// A node that was asked for a call and does not say that it makes it is lost.
func TestRequestWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &hooked{Backplane: rooms.Local(nil)}
		b.request = func(ctx context.Context, _ string, _ []byte) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		a := newHub(t, &rooms.Options[message]{Backplane: b})
		start := time.Now()
		_, err := kkrpc.Call[string](t.Context(), a.hub.User("Ada"), "answer", "?")
		if took := time.Since(start); !errors.Is(err, rooms.ErrNodeLost) || took != 3*time.Second {
			t.Errorf("the call ended after %v with %v", took, err)
		}
	})
}

// behind is a node's way to a Backplane that passes on the messages which it follows only when release is called.
type behind struct {
	rooms.Backplane
	mu   sync.Mutex
	held []func()
}

func (b *behind) Follow(ctx context.Context, log string, after uint64, f rooms.Follower) (func(), error) {
	entry := f.Entry
	f.Entry = func(e rooms.Entry) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.held = append(b.held, func() { entry(e) })
	}
	return b.Backplane.Follow(ctx, log, after, f)
}

func (b *behind) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pass := range b.held {
		pass()
	}
	b.held = nil
}

// A client that comes from another node may have got more than its new node has. It gets nothing twice.
func TestResumeAheadOfTheNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		way := &behind{Backplane: shared}
		first, second := newHub(t, &rooms.Options[message]{Backplane: shared}), newHub(t, &rooms.Options[message]{Backplane: way})
		second.connect(t, kkrpc.Compact, nil).join("go", nil) // the room is open there
		before := first.connect(t, kkrpc.Compact, nil)
		at := before.join("go", nil)
		for _, text := range []string{"a", "b"} {
			before.do("say", "go", text)
		}
		synctest.Wait()
		heard := before.messages()
		at.Seq = heard[len(heard)-1].ID
		after := second.connect(t, kkrpc.Compact, nil)
		after.join("go", &at)
		synctest.Wait()
		before.do("say", "go", "c")
		way.release()
		synctest.Wait()
		if got := after.texts(); got != "c" {
			t.Errorf("after %q the client has heard %q, want c alone", before.texts(), got)
		}
	})
}

// A call that a node makes for another one fails by name when that node ends in order.
func TestCallsOfANodeThatEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nodes, _ := cluster(t, 2)
		began, ended := make(chan struct{}, 2), make(chan struct{}, 2)
		ada := nodes[1].connect(t, kkrpc.Compact, slowAnswer(began, ended))
		ada.do("bind", "Ada")
		go func() {
			<-began
			nodes[1].hub.Close()
		}()
		_, err := kkrpc.Call[string](t.Context(), nodes[0].hub.User("Ada"), "answer", "?")
		if !errors.Is(err, rooms.ErrNodeLost) && !isNamed(err, rooms.ErrNodeLost.Name) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

func TestLiveOfAClosedHub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		prices, err := rooms.NewLive[string, int](t.Context(), a.hub, "prices")
		if err != nil {
			t.Fatal(err)
		}
		a.hub.Close()
		if err := prices.Set(t.Context(), "ore", 1); !errors.Is(err, rooms.ErrHubClosed) {
			t.Errorf("Set: %v", err)
		}
		if err := prices.Delete(t.Context(), "ore"); !errors.Is(err, rooms.ErrHubClosed) {
			t.Errorf("Delete: %v", err)
		}
	})
}
