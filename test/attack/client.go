package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

const (
	// pieceBytes and pieceTime bound each connection to 1 MiB/s, and thus what the attackers compute.
	pieceBytes = 16 << 10
	pieceTime  = pieceBytes * time.Second / (1 << 20)
)

// tally is what the connections of one attack have done.
type tally struct {
	conns atomic.Int64 // handshakes that succeeded
	sent  atomic.Int64 // bytes behind the handshakes
}

// meteredConn paces what it writes.
type meteredConn struct {
	net.Conn
	tally atomic.Pointer[tally] // of what is written from now on; nil for none
	ready time.Time             // for the next piece
}

// opened notes that the handshake has succeeded.
func (c *meteredConn) opened(t *tally) {
	t.conns.Add(1)
	c.tally.Store(t)
}

func (c *meteredConn) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if wait := time.Until(c.ready); wait > 0 {
			time.Sleep(wait)
		}
		var took int
		took, err = c.Conn.Write(p[n:min(len(p), n+pieceBytes)])
		n += took
		c.ready = time.Now().Add(pieceTime * time.Duration(took) / pieceBytes)
		if t := c.tally.Load(); t != nil {
			t.sent.Add(int64(took))
		}
	}
	return n, err
}

// client speaks WebSocket by hand. Its first error ends it.
type client struct {
	net.Conn
	ctx context.Context
	err error
}

// raw is an attack by hand.
func raw(query string, run func(c *client)) func(ctx context.Context, addr string, t *tally) {
	return func(ctx context.Context, addr string, t *tally) {
		conn, _, _, err := gobwas.Dial(ctx, "ws://"+addr+"/"+query)
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		defer conn.Close()
		metered := &meteredConn{Conn: conn}
		metered.opened(t)
		run(&client{Conn: metered, ctx: ctx})
	}
}

func (c *client) bytes(p []byte) {
	if c.err == nil {
		_, c.err = c.Write(p)
	}
}

func (c *client) pause(d time.Duration) {
	if c.err == nil && !sleep(c.ctx, d) {
		c.err = c.ctx.Err()
	}
}

// trickle writes a byte a second.
func (c *client) trickle() {
	for c.err == nil {
		c.bytes([]byte{0})
		c.pause(time.Second)
	}
}

// readSlowly reads 3.6 KB/s.
func (c *client) readSlowly() {
	for c.err == nil {
		_, c.err = io.CopyN(io.Discard, c.Conn, 360)
		c.pause(100 * time.Millisecond)
	}
}

// wait reads until the server closes the connection.
func (c *client) wait() {
	if c.err == nil {
		_, c.err = io.Copy(io.Discard, c.Conn)
	}
}

// caller is an attack with a client of this module.
func caller(compress bool, run func(ctx context.Context, ch *kkrpc.Channel)) func(ctx context.Context, addr string, t *tally) {
	return func(ctx context.Context, addr string, t *tally) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		metered := &meteredConn{}
		ch, err := ws.Dial(ctx, "ws://"+addr, &ws.DialOptions{
			Compression: compress,
			NetDial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, addr)
				metered.Conn = conn
				return metered, err
			},
			RPC: kkrpc.Options{
				OnError: func(error) {},
				OnClose: func(*kkrpc.Channel, error) { cancel() },
				Expose: kkrpc.Object{"keep": func(ctx context.Context, f func(string)) {
					for range 1000 {
						if ctx.Err() != nil {
							return
						}
						f(flood)
					}
				}},
			},
		})
		if err != nil {
			return
		}
		metered.opened(t)
		defer ch.Close()
		run(ctx, ch)
	}
}

// sleep reports whether d has passed before ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// frame is a frame with this payload. Its mask is zero.
func frame(h gobwas.Header, payload string) []byte {
	var b strings.Builder
	h.Masked = true
	if h.Length == 0 {
		h.Length = int64(len(payload))
	}
	_ = gobwas.WriteHeader(&b, h)
	b.WriteString(payload)
	return []byte(b.String())
}

func text(s string) []byte { return frame(gobwas.Header{Fin: true, OpCode: gobwas.OpText}, s) }

func request(id int, path, argument string) []byte {
	return text(fmt.Sprintf(`{"t":"q","id":"%d","op":"call","p":[%q],"a":[%s]}`, id, path, argument))
}

// series are n messages, one after another.
func series(n int, message func(i int) []byte) (all []byte) {
	for i := range n {
		all = append(all, message(i)...)
	}
	return all
}
