package main

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// attack is one way to make a server hold memory. run is one connection of it, and ends when the server closes that.
type attack struct {
	name  string
	conns int
	run   func(ctx context.Context, addr string, t *tally)
}

// flood is the argument of the callbacks, and has the items.
var flood = strings.Repeat("x", 100<<10)

// attacks returns all attacks. Their messages are made once, since the attackers are not to take the processor that the server
// needs.
func attacks() []attack {
	files := series(300, func(i int) []byte { return request(i, "file", "") })
	pulls := series(20, func(i int) []byte { return append(request(i, "items", ""), pull(i)...) })
	busy := series(256, func(i int) []byte { return request(i, "busy", "0") })
	many := series(4000, func(i int) []byte { return request(i, "busy", "0") })
	large := request(256, "busy", `"`+strings.Repeat("x", 2<<20)+`"`)
	elements := request(1, "busy", tiny(30_000))
	part := frame(gobwas.Header{Fin: true, OpCode: gobwas.OpText, Length: 4 << 20}, strings.Repeat("\x00", 3<<20))
	first := frame(gobwas.Header{OpCode: gobwas.OpText}, strings.Repeat("x", 100<<10))
	further := frame(gobwas.Header{OpCode: gobwas.OpContinuation}, strings.Repeat("x", 100<<10))
	lineBegin := text(`{"id":"1","method":"`)
	linePiece := text(strings.Repeat("x", 100<<10))
	pings := series(100, func(int) []byte { return frame(gobwas.Header{Fin: true, OpCode: gobwas.OpPing}, "ping") })
	cancels := series(100, func(i int) []byte { return text(fmt.Sprintf(`{"t":"qc","id":"none%d"}`, i)) })
	return []attack{
		{"slow readers of large results", 6, raw("", func(c *client) {
			c.bytes(files)
			c.readSlowly()
		})},
		{"streams that are not read", 4, raw("", func(c *client) {
			c.bytes(pulls)
			c.readSlowly()
		})},
		{"messages in part", 20, raw("", func(c *client) {
			c.bytes(part)
			c.trickle()
		})},
		{"fragments", 20, raw("", func(c *client) {
			c.bytes(first)
			for range 29 {
				c.bytes(further)
			}
			c.wait()
		})},
		{"classic lines in pieces", 20, raw("?kkrpc=classic-json", func(c *client) {
			c.bytes(lineBegin)
			for range 30 {
				c.bytes(linePiece)
				c.pause(50 * time.Millisecond)
			}
			c.wait()
		})},
		{"large requests behind busy handlers", 6, raw("", func(c *client) {
			c.bytes(busy)
			for range 44 {
				c.bytes(large)
				c.pause(300 * time.Millisecond)
			}
			c.wait()
		})},
		{"tiny elements", 6, raw("", func(c *client) {
			for range 200 {
				c.bytes(elements)
				c.pause(300 * time.Millisecond)
			}
			c.wait()
		})},
		{"compressed tiny elements", 4, caller(true, func(ctx context.Context, ch *kkrpc.Channel) {
			argument := superjson.Value{JSON: []byte(tiny(30_000))}
			for range 200 {
				go kkrpc.Call[any](ctx, ch, "busy", argument) // ends with ctx
				if !sleep(ctx, 300*time.Millisecond) {
					return
				}
			}
			<-ctx.Done()
		})},
		{"pings", 2, raw("", func(c *client) {
			for c.err == nil {
				c.bytes(pings)
				c.pause(50 * time.Millisecond)
			}
		})},
		{"cancels of unknown requests", 2, raw("", func(c *client) {
			c.bytes(many)
			for c.err == nil {
				c.bytes(cancels)
				c.pause(50 * time.Millisecond)
			}
		})},
		{"callbacks", 4, caller(false, func(ctx context.Context, ch *kkrpc.Channel) { _, _ = kkrpc.Call[any](ctx, ch, "lend") })},
		{"items that wait", 4, caller(false, func(ctx context.Context, ch *kkrpc.Channel) {
			item := flood[:50<<10]
			for range 20 {
				go kkrpc.Call[any](ctx, ch, "take", iter.Seq[string](func(yield func(string) bool) { // ends with ctx
					for yield(item) && sleep(ctx, time.Second/2) {
					}
				}))
			}
			<-ctx.Done()
		})},
		{"tiny elements of items", 2, caller(false, func(ctx context.Context, ch *kkrpc.Channel) {
			item := superjson.Value{JSON: []byte(tiny(30_000))}
			for range 20 {
				go kkrpc.Call[any](ctx, ch, "hold", iter.Seq[any](func(yield func(any) bool) { yield(item) })) // ends with ctx
				if !sleep(ctx, 300*time.Millisecond) {
					return
				}
			}
			<-ctx.Done()
		})},
	}
}

// tiny is a list that takes 21 times its text in an any.
func tiny(n int) string { return "[" + strings.Repeat("{},", n-1) + "{}]" }

func pull(i int) []byte {
	return text(fmt.Sprintf(`{"t":"sq","id":"p%d","sid":"s%d","op":"pull","n":1024}`, i, i+1))
}
