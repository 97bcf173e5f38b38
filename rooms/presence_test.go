package rooms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

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
