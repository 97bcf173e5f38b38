//go:build !race

package rooms_test

import (
	"runtime"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// A member takes at most 300 bytes beside its connection.
func TestMemoryOfAMember(t *testing.T) {
	const members, most = 10_000, 300
	hub, err := rooms.NewHub[string](nil)
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	var channels []*kkrpc.Channel
	defer func() {
		for _, ch := range channels {
			ch.Close()
		}
	}()
	closed := make(chan struct{})
	defer close(closed)
	for range members {
		ch, err := kkrpc.New(t.Context(), &sink{closed: closed}, &kkrpc.Options{Dialect: kkrpc.Compact})
		if err != nil {
			t.Fatal(err)
		}
		channels = append(channels, ch)
	}
	before := heap()
	room := hub.Room("go")
	for _, ch := range channels {
		if _, err := room.JoinMethod(t.Context(), "onMessage", &rooms.JoinOptions{Channel: ch}); err != nil {
			t.Fatal(err)
		}
	}
	each := (heap() - before) / members
	t.Logf("%d bytes for each member", each)
	if each > most {
		t.Errorf("a member takes %d bytes, more than %d", each, most)
	}
}

// heap returns the bytes that are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
