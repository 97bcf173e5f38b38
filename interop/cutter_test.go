package interop_test

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// cutter is a TCP proxy that ends each WebSocket after a random number of bytes, of both directions together. Other
// connections it leaves alone.
type cutter struct {
	t      *testing.T
	target string
	enough int64
	addr   string
	cuts   atomic.Int64

	mu      sync.Mutex // guards what follows
	random  *rand.Rand
	sockets int // so far
	open    map[net.Conn]bool
	refuses bool
}

// startCutter runs a cutter in front of a host and port until the test ends. Each eighth WebSocket carries enough bytes, for
// what is larger than the others carry. If enough is 0, none is cut before refuse.
func startCutter(t *testing.T, target string, enough int64) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("the cuts have the seed %d", seed)
	c := &cutter{t: t, target: target, enough: enough, addr: listener.Addr().String(), random: rand.New(rand.NewPCG(seed, 0)), open: map[net.Conn]bool{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.relay(front) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		c.refuse(true)
		running.Wait()
	})
	return c
}

// refuse cuts all connections and refuses others, until it is called again with false.
func (c *cutter) refuse(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuses = on
	if on {
		for conn := range c.open {
			_ = conn.Close()
		}
	}
}

func (c *cutter) relay(front net.Conn) {
	back, err := net.Dial("tcp", c.target)
	if err != nil {
		_ = front.Close()
		return
	}
	if !c.keep(front, back) {
		return
	}
	defer c.drop(front, back)
	head := make([]byte, 16<<10)
	n, _ := front.Read(head)
	left := int64(math.MaxInt64)
	if bytes.Contains(bytes.ToLower(head[:n]), []byte("upgrade: websocket")) {
		left = c.budget()
	}
	var budget atomic.Int64
	budget.Store(left)
	var both sync.WaitGroup
	pass := func(to net.Conn, from io.Reader) {
		buf := make([]byte, 16<<10)
		for {
			n, err := from.Read(buf)
			rest := budget.Add(-int64(n))
			if rest < 0 { // the last bytes before the cut arrive
				if rest+int64(n) >= 0 {
					c.cuts.Add(1)
				}
				n = int(max(rest+int64(n), 0))
			}
			if _, failed := to.Write(buf[:n]); err != nil || failed != nil || rest < 0 {
				_ = front.Close()
				_ = back.Close()
				return
			}
		}
	}
	both.Go(func() { pass(back, io.MultiReader(bytes.NewReader(head[:n]), front)) })
	both.Go(func() { pass(front, back) })
	both.Wait()
}

// budget is how many bytes a WebSocket may carry: anything from within its handshake on.
func (c *cutter) budget() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enough == 0 {
		return math.MaxInt64
	}
	if c.sockets++; c.sockets%8 == 0 {
		return c.enough
	}
	return int64(300 + math.Exp2(6+8*c.random.Float64()))
}

func (c *cutter) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.refuses {
			_ = conn.Close()
		}
		c.open[conn] = true
	}
	return !c.refuses
}

func (c *cutter) drop(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		_ = conn.Close()
		delete(c.open, conn)
	}
}

// wantCuts reports a test whose connections were never cut.
func (c *cutter) wantCuts() {
	c.t.Helper()
	n := c.cuts.Load()
	c.t.Logf("%d cuts", n)
	if n == 0 {
		c.t.Error("no connection was cut")
	}
}
