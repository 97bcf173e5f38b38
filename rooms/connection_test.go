package rooms_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Join of a connection that closes meanwhile fails.
func TestJoinOfAConnectionThatCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		if _, err := a.hub.Room("go").Publish(t.Context(), message{}); err != nil {
			t.Fatal(err)
		}
		c := a.connect(t, kkrpc.Compact, nil)
		c.server.Close()
		at, err := a.hub.Room("go").JoinMethod(t.Context(), "x", &rooms.JoinOptions{Channel: c.server})
		if err == nil {
			t.Errorf("Join of a closed connection: %+v, nil", at)
		}
	})
}

// Connections counts those that are members of something.
func TestConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.join("go", nil)
		c.do("leave", "go")
		synctest.Wait()
		if n := a.hub.Stats().Connections; n != 0 {
			t.Errorf("%d connections are members of nothing", n)
		}
	})
}

// An answer that is too large for the Backplane has no name.
type small struct{ rooms.Backplane }

func (s small) Publish(topic string, data []byte) error {
	if len(data) > 10_000 {
		return rooms.ErrTooLarge
	}
	return s.Backplane.Publish(topic, data)
}

// An answer that is too large for the Backplane fails with that name.
func TestLargeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := small{rooms.Local(nil)}
		asks := newHub(t, &rooms.Options[message]{Backplane: shared})
		holds := newHub(t, &rooms.Options[message]{Backplane: shared})
		ada := holds.connect(t, kkrpc.Compact, kkrpc.Object{"answer": func(string) string { return strings.Repeat("x", 20_000) }})
		ada.do("bind", "Ada")
		_, err := kkrpc.Call[string](t.Context(), asks.hub.User("Ada"), "answer", "?")
		if want := rooms.ErrTooLarge.Name; !isNamed(err, want) {
			t.Errorf("the error is %v and no %s", err, want)
		}
	})
}

// A user who has just left one node is called on another.
func TestUserOnAnotherNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		closing := &hooked{Backplane: shared}
		closing.respond = func(topic string, answer func([]byte) []byte) (func(), error) {
			stop, err := shared.Respond(topic, answer)
			return func() { time.Sleep(time.Second); stop() }, err // what a network takes
		}
		one := newHub(t, &rooms.Options[message]{Backplane: closing})
		two := newHub(t, &rooms.Options[message]{Backplane: shared})
		asks := newHub(t, &rooms.Options[message]{Backplane: shared})
		answers := kkrpc.Object{"answer": func(string) string { return "yes" }}
		first, second := one.connect(t, kkrpc.Compact, answers), two.connect(t, kkrpc.Compact, answers)
		first.do("bind", "Ada")
		second.do("bind", "Ada")
		go first.Close()
		synctest.Wait()
		if _, err := kkrpc.Call[string](t.Context(), asks.hub.User("Ada"), "answer", "?"); err != nil {
			t.Errorf("Ada is connected to the second node: %v", err)
		}
		time.Sleep(2 * time.Second)
	})
}

// A room name that is too long for presence is too long for Join.
func TestLongNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		name := strings.Repeat("x", 188)
		c := a.connect(t, kkrpc.Compact, nil)
		one := kkrpc.Do(t.Context(), c, "join", name, nil, c.listen)
		c.do("bind", "Ada")
		two := kkrpc.Do(t.Context(), c, "join", name, nil, c.listen)
		if !isNamed(one, "RangeError") || !isNamed(two, "RangeError") {
			t.Errorf("without a user: %v; with one: %v", one, two)
		}
		c.join(name[:186], nil) // 200 bytes with "rooms/present/"
	})
}

// Bind of a connection that has closed fails, and leaves nothing.
func TestBindOfAClosedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, nil)
		c := a.connect(t, kkrpc.Compact, nil)
		c.Close()
		synctest.Wait()
		if err := a.hub.BindChannel(c.server, "Ada"); err == nil {
			t.Error("it is bound")
		}
		synctest.Wait()
		if n := a.hub.Stats().Connections; n != 0 || a.hub.UserOf(c.server) != "" {
			t.Errorf("%d connections are known", n)
		}
		other := a.connect(t, kkrpc.Compact, nil)
		other.do("bind", "Ada")
	})
}
