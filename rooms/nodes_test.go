package rooms_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

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
