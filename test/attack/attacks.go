package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net"
	"strings"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// attack is one way to make a server hold memory. run is one connection of it, and ends when the server closes that.
type attack struct {
	name  string
	conns int
	run   func(ctx context.Context, addr string)
}

var attacks = []attack{
	{"slow readers of large results", 6, raw("", func(c *client) {
		for i := range 300 {
			c.call(i, "file", "")
		}
		c.readSlowly()
	})},
	{"streams that are not read", 4, raw("", func(c *client) {
		for i := range 20 {
			c.call(i, "items", "")
			c.text(fmt.Sprintf(`{"t":"sq","id":"p%d","sid":"s%d","op":"pull","n":1024}`, i, i+1))
		}
		c.readSlowly()
	})},
	{"messages in part", 20, raw("", func(c *client) {
		c.write(gobwas.Header{Fin: true, OpCode: gobwas.OpText, Masked: true, Length: 4 << 20}, nil)
		c.trickle(3 << 20)
	})},
	{"fragments", 20, raw("", func(c *client) {
		op := gobwas.OpText
		for range 30 {
			c.write(gobwas.Header{OpCode: op, Masked: true, Length: 100 << 10}, make([]byte, 100<<10))
			op = gobwas.OpContinuation
		}
		c.wait()
	})},
	{"classic lines in pieces", 20, raw("?kkrpc=classic-json", func(c *client) {
		c.text(`{"id":"1","method":"`)
		for range 30 {
			c.text(strings.Repeat("x", 100<<10))
			c.pause(50 * time.Millisecond)
		}
		c.wait()
	})},
	{"large requests behind busy handlers", 6, raw("", func(c *client) {
		argument := `"` + strings.Repeat("x", 2<<20) + `"`
		for i := range 300 {
			c.call(i, "busy", "0")
			if i > 255 {
				c.call(i, "busy", argument)
				c.pause(300 * time.Millisecond)
			}
		}
		c.wait()
	})},
	{"tiny elements", 6, raw("", func(c *client) {
		for i := range 200 {
			c.call(i, "busy", tiny(30_000))
			c.pause(300 * time.Millisecond)
		}
		c.wait()
	})},
	{"compressed tiny elements", 4, caller(true, func(ctx context.Context, ch *kkrpc.Channel) {
		for range 200 {
			go kkrpc.Call[any](ctx, ch, "busy", superjson.Value{JSON: []byte(tiny(30_000))}) // ends with ctx
			time.Sleep(300 * time.Millisecond)
		}
		<-ctx.Done()
	})},
	{"pings", 2, raw("", func(c *client) {
		for c.err == nil {
			for range 100 {
				c.write(gobwas.Header{Fin: true, OpCode: gobwas.OpPing, Masked: true, Length: 4}, []byte("ping"))
			}
			c.pause(50 * time.Millisecond)
		}
	})},
	{"cancels of unknown requests", 2, raw("", func(c *client) {
		for i := range 4000 {
			c.call(i, "busy", "0")
		}
		for i := 0; c.err == nil; i++ {
			c.text(fmt.Sprintf(`{"t":"qc","id":"none%d"}`, i))
			if i%100 == 0 {
				c.pause(50 * time.Millisecond)
			}
		}
	})},
	{"callbacks", 4, caller(false, func(ctx context.Context, ch *kkrpc.Channel) { _, _ = kkrpc.Call[any](ctx, ch, "lend") })},
	{"items that wait", 4, caller(false, func(ctx context.Context, ch *kkrpc.Channel) {
		item := strings.Repeat("x", 50<<10)
		for range 20 {
			go kkrpc.Call[any](ctx, ch, "take", iter.Seq[string](func(yield func(string) bool) { // ends with ctx
				for yield(item) {
					time.Sleep(time.Second / 2)
				}
			}))
		}
		<-ctx.Done()
	})},
}

// tiny is a list that takes 21 times its text in an any.
func tiny(n int) string { return "[" + strings.Repeat("{},", n-1) + "{}]" }

// caller is an attack with a client of this module.
func caller(compress bool, run func(ctx context.Context, ch *kkrpc.Channel)) func(ctx context.Context, addr string) {
	return func(ctx context.Context, addr string) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		flood := strings.Repeat("x", 100<<10)
		ch, err := ws.Dial(ctx, "ws://"+addr, &ws.DialOptions{Compression: compress, RPC: kkrpc.Options{
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
		}})
		if err != nil {
			return
		}
		defer ch.Close()
		run(ctx, ch)
	}
}

// client speaks WebSocket by hand. Its first error ends it.
type client struct {
	net.Conn
	ctx context.Context
	err error
}

func raw(query string, run func(c *client)) func(ctx context.Context, addr string) {
	return func(ctx context.Context, addr string) {
		conn, _, _, err := gobwas.Dial(ctx, "ws://"+addr+"/"+query)
		if err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		defer conn.Close()
		run(&client{Conn: conn, ctx: ctx})
	}
}

func (c *client) write(h gobwas.Header, payload []byte) {
	if c.err == nil {
		c.err = gobwas.WriteHeader(c.Conn, h) // the mask is zero
	}
	if c.err == nil {
		_, c.err = c.Write(payload)
	}
}

func (c *client) text(s string) {
	c.write(gobwas.Header{Fin: true, OpCode: gobwas.OpText, Masked: true, Length: int64(len(s))}, []byte(s))
}

func (c *client) call(id int, path, argument string) {
	c.text(fmt.Sprintf(`{"t":"q","id":"%d","op":"call","p":[%q],"a":[%s]}`, id, path, argument))
}

func (c *client) pause(d time.Duration) {
	if c.err == nil {
		select {
		case <-c.ctx.Done():
			c.err = c.ctx.Err()
		case <-time.After(d):
		}
	}
}

// trickle writes n bytes and then one a second.
func (c *client) trickle(n int) {
	if c.err == nil {
		_, c.err = c.Write(make([]byte, n))
	}
	for c.err == nil {
		_, c.err = c.Write([]byte{0})
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
