package rooms_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// A member that catches up and joins again goes on where it was.
func TestJoinAgainWhileCatchingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 1000})
		stays := a.connect(t, kkrpc.Compact, nil)
		at := stays.join("go", nil)
		for i := range 100 {
			stays.do("say", "go", fmt.Sprint(i))
		}
		c, transport := a.connectPausable(t)
		transport.pause()
		first, second := make(chan struct{}), make(chan struct{})
		go func() { c.join("go", &at); close(first) }()
		synctest.Wait()
		go func() { c.join("go", nil); close(second) }()
		synctest.Wait()
		transport.resume()
		<-first
		<-second
		stays.do("say", "go", "end")
		synctest.Wait()
		if heard := c.messages(); len(heard) != 101 {
			t.Errorf("it has heard %d of 101 messages, the last is %+v", len(heard), heard[len(heard)-1])
		}
	})
}

// A Join with After returns that, as nothing was sent yet.
func TestPositionOfAResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHub(t, &rooms.Options[message]{Unsent: 200})
		stays := a.connect(t, kkrpc.Compact, nil)
		at := stays.join("go", nil)
		for i := range 10 {
			stays.do("say", "go", fmt.Sprint(i))
		}
		second := a.connect(t, kkrpc.Compact, nil)
		at2, err := kkrpc.Call[rooms.Position](t.Context(), second, "join", "go", &at, func(message) {})
		if err != nil {
			t.Fatal(err)
		}
		second.Close() // before it got any message
		third := a.connect(t, kkrpc.Compact, nil)
		third.join("go", &at2) // "the Position of its Join, with the number of the last message that it has got": it got none
		synctest.Wait()
		if heard := third.messages(); len(heard) != 10 {
			t.Errorf("it has heard %d of 10 messages", len(heard))
		}
	})
}

// Nodes with different Options.Ping use the larger one.
func TestPingsDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := rooms.Local(nil)
		one := newHub(t, &rooms.Options[message]{Backplane: &cuttable{Backplane: shared}})
		two := newHub(t, &rooms.Options[message]{Backplane: &cuttable{Backplane: shared}, Ping: time.Minute})
		ada := two.connect(t, kkrpc.Compact, nil)
		ada.do("bind", "Ada")
		ada.join("go", nil)
		watcher := one.connect(t, kkrpc.Compact, nil)
		var updates atomic.Int64
		watcher.do("watch", "go", func(rooms.Update[string, int]) { updates.Add(1) })
		synctest.Wait()
		before := updates.Load()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := updates.Load() - before; n > 0 {
			t.Errorf("%d updates in 10 minutes in which nothing happened", n)
		}
	})
}
