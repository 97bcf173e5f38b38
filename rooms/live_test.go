package rooms_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

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
