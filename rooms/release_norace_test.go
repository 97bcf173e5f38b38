//go:build !race

package rooms_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// A room that was asked for its users takes no memory afterwards.
func TestEmptyTablesAreDropped(t *testing.T) {
	a := newHub(t, nil)
	before := heap()
	const n = 50_000
	pad := strings.Repeat("x", 150)
	for i := range n {
		if _, err := a.hub.Room(fmt.Sprint(pad, i)).Users(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if each := (heap() - before) / n; each > 50 {
		t.Errorf("%d bytes stay for each room without members, presence or messages", each)
	}
	runtime.KeepAlive(a)
}

// A call that was made for another node leaves nothing behind.
func TestServedCallsAreReleased(t *testing.T) {
	shared := rooms.Local(nil)
	asks := newHub(t, &rooms.Options[message]{Backplane: shared})
	holds := newHub(t, &rooms.Options[message]{Backplane: shared})
	ada := holds.connect(t, kkrpc.Compact, kkrpc.Object{"answer": func(string) string { return "yes" }})
	ada.do("bind", "Ada")
	call := func() {
		if _, err := kkrpc.Call[string](t.Context(), asks.hub.User("Ada"), "answer", "?"); err != nil {
			t.Fatal(err)
		}
	}
	for range 500 {
		call()
	}
	before := heap()
	const n = 10_000
	for range n {
		call()
	}
	if each := (heap() - before) / n; each > 40 {
		t.Errorf("%d bytes stay for each call", each)
	}
	runtime.KeepAlive(holds)
}

// MemoryOptions.Bytes bounds rooms with one small message each.
func TestManySmallLogs(t *testing.T) {
	const bytes = 4 << 20
	store := rooms.Memory(&rooms.MemoryOptions{Bytes: bytes})
	before := heap()
	pad := strings.Repeat("x", 180)
	for i := range 200_000 {
		if _, err := store.Append(t.Context(), fmt.Sprint(pad, i), "", []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if used := heap() - before; used > 2*bytes {
		t.Errorf("%d bytes are used; MemoryOptions.Bytes is %d", used, bytes)
	}
	runtime.KeepAlive(store)
}

// A client that does not read and joins again and again has one goroutine at a time.
func TestJoinsOfAStalledClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000})
		room := a.hub.Room("go")
		c, transport := a.connectPausable(t)
		at := c.join("go", nil)
		opts := &rooms.JoinOptions{Channel: c.server, After: &at}
		c.do("leave", "go")
		synctest.Wait()
		for range 100 {
			if _, err := room.Publish(t.Context(), message{Text: strings.Repeat("x", 1000)}); err != nil {
				t.Fatal(err)
			}
		}
		transport.pause()
		before := runtime.NumGoroutine()
		for range 1000 {
			if _, err := room.JoinMethod(t.Context(), "x", opts); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines for one member of one room", n)
		}
		room.LeaveChannel(c.server)
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines for no member", n)
		}
		a.hub.Close()
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("%d goroutines after Hub.Close", n)
		}
		transport.resume()
	})
}

// A connection does not hold the hubs that it was a member of.
func TestClosedHubsAreReleased(t *testing.T) {
	a := newHub(t, nil)
	c := a.connect(t, kkrpc.Compact, nil)
	c.do("join", "lobby", nil, c.listen)
	before := heap()
	const n = 1000
	for range n {
		hub, err := rooms.NewHub[message](nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hub.Room("go").JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server}); err != nil {
			t.Fatal(err)
		}
		hub.Close()
	}
	if each := (heap() - before) / n; each > 200 {
		t.Errorf("%d bytes stay for each hub that was closed", each)
	}
	runtime.KeepAlive(c)
}

// A hub may still use its Backplane after Close has returned.

// A Join beyond Options.Joins leaves nothing behind.
func TestRefusedJoinsAreReleased(t *testing.T) {
	a := newHub(t, &rooms.Options[message]{Joins: 1})
	c := a.connect(t, kkrpc.Compact, nil)
	c.do("bind", "Ada")
	c.do("join", "go", nil, c.listen)
	before := heap()
	const n = 20_000
	refused := 0
	for i := range n {
		if _, err := a.hub.Room(fmt.Sprint(i)).JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server}); err != nil {
			refused++
		}
	}
	if each := (heap() - before) / n; each > 50 {
		t.Errorf("%d bytes stay for each of %d Joins that were refused", each, refused)
	}
	runtime.KeepAlive(a)
}
