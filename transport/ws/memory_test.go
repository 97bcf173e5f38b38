//go:build unix && !js

package ws

import (
	"bytes"
	"net"
	"testing"

	"github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc/internal/budget"
)

// owner is a connection that nobody evicts.
type owner struct{}

func (owner) Evict(held, limit int64) {}

// counted is one end of a connection that counts for a budget. Nobody reads the other.
func counted(t *testing.T) (*conn, *budget.Budget) {
	t.Helper()
	a, b := tcpPair(t)
	t.Cleanup(func() { b.Close() })
	var all budget.Budget
	all.Init(1 << 30)
	account := new(budget.Account)
	account.Open(&all, owner{})
	c := newConn(a, nil, config{})
	c.SetAccount(account)
	t.Cleanup(func() { c.Close(int(ws.StatusNormalClosure), "") })
	return c, &all
}

// A peer that sends faster than this side reads never makes the reader wait. Its messages count nevertheless.
func TestBuffersCountWhileTheyGrow(t *testing.T) {
	for name, grow := range map[string]func(c *conn){
		"a large frame": func(c *conn) {
			c.in = getBuffer(largeBuffer)
			c.w = len(c.in)
			c.widen(hugeBuffer)
		},
		"fragments": func(c *conn) {
			for range 8 {
				c.appendFragment(make([]byte, 100<<10))
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, all := counted(t)
			grow(c)
			if used := all.Usage().Used; used < hugeBuffer {
				t.Errorf("%d bytes are counted", used)
			}
			c.release()
			if used := all.Usage().Used; used != 0 {
				t.Errorf("%d bytes are still counted", used)
			}
		})
	}
}

// fill writes until the kernel takes no more and the connection has to keep n bytes at least.
func fill(t *testing.T, c *conn, n int) {
	t.Helper()
	message := bytes.Repeat([]byte("x"), 1<<20)
	for done := true; done || len(c.rest) < n; {
		var err error
		if done, err = c.TryWriteFrames([][]byte{message}); err != nil {
			t.Fatal(err)
		}
	}
}

// The caller of TryWriteFrames counts its messages. The connection counts what its copy of them takes beyond that.
func TestTheRoomOfWhatIsKeptCounts(t *testing.T) {
	c, all := counted(t)
	fill(t, c, 3<<20)
	c.sock.Lock()
	spare := cap(c.rest) - len(c.rest)
	c.sock.Unlock()
	if used := int(all.Usage().Used); spare < 64<<10 || used < spare-64<<10 || used > spare+64<<10 {
		t.Errorf("%d bytes are counted for a room of %d", used, spare)
	}
}

// A connection that is closed since memory is short does not keep what its peer does not read.
func TestTryAgainLaterFreesWhatThePeerDoesNotRead(t *testing.T) {
	for name, test := range map[string]struct {
		code ws.StatusCode
		kept bool
	}{
		"memory is short": {statusTryAgainLater, false},
		"another reason":  {ws.StatusPolicyViolation, true},
	} {
		t.Run(name, func(t *testing.T) {
			c, all := counted(t)
			fill(t, c, 1<<20)
			c.sock.Lock()
			c.closed.Store(true)
			c.farewell(int(test.code), "")
			kept, err := len(c.rest) > 0, c.werr
			c.sock.Unlock()
			c.closed.Store(false) // so that the connection is closed at the end of the test
			if used := all.Usage().Used; (used > 1<<20) != test.kept {
				t.Errorf("%d bytes are counted", used)
			}
			if kept != test.kept || (err == nil) != test.kept {
				t.Errorf("kept is %v, the error %v", kept, err)
			}
			if err != nil && err != net.ErrClosed {
				t.Error(err)
			}
		})
	}
}
