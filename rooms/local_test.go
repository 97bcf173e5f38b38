package rooms_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/rooms/roomstest"
)

func TestLocal(t *testing.T) {
	roomstest.Backplane(t, func(t *testing.T, n, history int) []rooms.Backplane {
		b := rooms.Local(rooms.Memory(&rooms.MemoryOptions{History: history}))
		t.Cleanup(func() { b.Close() })
		nodes := make([]rooms.Backplane, n)
		for i := range nodes {
			nodes[i] = b
		}
		return nodes
	})
}
