//go:build !js

package ws

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	kkrpc "github.com/kkrpc-go/kkrpc"
)

// BenchmarkEcho sends a batch of messages and waits for all to come back: both ends are of this package.
func BenchmarkEcho(b *testing.B) {
	for _, network := range networks[:2] {
		for _, shape := range []struct{ batch, size int }{{1, 100}, {64, 100}, {1, 64 << 10}} {
			b.Run(fmt.Sprintf("%s/%dx%d", network.name, shape.batch, shape.size), func(b *testing.B) {
				cc, sc := network.pair(b)
				client, server := newConn(cc, nil, config{client: true}), newConn(sc, nil, config{})
				defer client.Close(1000, "")
				go echo(server)
				msg := []byte(strings.Repeat("x", shape.size))
				msgs := make([][]byte, shape.batch)
				for i := range msgs {
					msgs[i] = msg
				}
				b.SetBytes(int64(shape.batch * shape.size))
				b.ReportAllocs()
				for b.Loop() {
					if err := client.WriteFrames(msgs); err != nil {
						b.Fatal(err)
					}
					for range msgs {
						if _, _, err := client.ReadFrame(nil); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// echo answers as a channel does: together, once nothing is left to read.
func echo(c *conn) {
	defer c.Close(1000, "")
	var out [][]byte
	var buf []byte
	for {
		msg, more, err := c.ReadFrame(nil)
		if err != nil {
			return
		}
		if !more && len(out) == 0 {
			if err := c.WriteFrames([][]byte{msg}); err != nil {
				return
			}
			continue
		}
		at := len(buf)
		buf = append(buf, msg...)
		out = append(out, buf[at:])
		if !more {
			if err := c.WriteFrames(out); err != nil {
				return
			}
			out, buf = out[:0], buf[:0]
		}
	}
}

// BenchmarkSession makes calls on 64 connections with 16 in flight each, with and without sessions.
func BenchmarkSession(b *testing.B) {
	const conns, flight = 64, 16
	for _, session := range []*SessionOptions{nil, {}} {
		b.Run(fmt.Sprintf("session=%v", session != nil), func(b *testing.B) {
			s := Handler(kkrpc.Object{"add": func(x, y int) int { return x + y }}, &Options{Session: &SessionOptions{}, Logger: slog.New(slog.DiscardHandler)})
			srv := httptest.NewServer(s)
			defer srv.Close()
			defer s.Close()
			var calls atomic.Int64
			calls.Store(int64(b.N))
			var all sync.WaitGroup
			for range conns {
				ch, err := Dial(context.Background(), srv.URL, &DialOptions{Session: session})
				if err != nil {
					b.Fatal(err)
				}
				defer ch.Close()
				for range flight {
					all.Go(func() {
						for calls.Add(-1) >= 0 {
							if _, err := kkrpc.Call[int](context.Background(), ch, "add", 1, 2); err != nil {
								b.Error(err)
							}
						}
					})
				}
			}
			all.Wait()
		})
	}
}

// BenchmarkIdleMemory reports what an idle connection costs a server, all in all: each has made one call.
func BenchmarkIdleMemory(b *testing.B) {
	b.Run("plain", func(b *testing.B) { benchmarkIdleMemory(b, false) })
	b.Run("session", func(b *testing.B) { benchmarkIdleMemory(b, true) })
}

func benchmarkIdleMemory(b *testing.B, session bool) {
	const conns = 2000
	api := kkrpc.Object{"echo": func(s string) string { return s }}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := Handler(api, &Options{Session: &SessionOptions{}, Logger: slog.New(slog.DiscardHandler)})
	srv := &http.Server{Handler: s}
	go srv.Serve(ln)
	defer srv.Close()
	defer s.Close()
	used := func() (heap, stack float64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc), float64(m.StackInuse)
	}
	var heap, stack float64
	for b.Loop() {
		heapBefore, stackBefore := used()
		clients := make([]net.Conn, conns)
		for i := range clients {
			nc, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			clients[i] = nc
			fmt.Fprintf(nc, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
			if session {
				fmt.Fprintf(nc, "Sec-WebSocket-Protocol: %s\r\n\r\n", layers{session: true}.protocol())
				_, _ = nc.Write(fromClient(1, true, "#open"))
			} else {
				fmt.Fprint(nc, "\r\n")
			}
			_, _ = nc.Write(fromClient(1, true, `{"t":"q","id":"1","op":"call","p":["echo"],"a":["x"]}`))
			for got := ""; !strings.Contains(got, `"id":"1"`); { // the response to the call
				var p [1024]byte
				n, err := nc.Read(p[:])
				if err != nil {
					b.Fatal(err)
				}
				got += string(p[:n])
			}
			if session {
				_, _ = nc.Write(fromClient(1, true, "#ack 1"))
			}
		}
		// The client's half of a net.Conn without buffers is about 400 bytes, counted here too.
		heapAfter, stackAfter := used()
		heap = max(heap, (heapAfter-heapBefore)/conns) // later rounds find freed memory
		stack = max(stack, (stackAfter-stackBefore)/conns)
		for _, nc := range clients {
			nc.Close()
		}
	}
	b.ReportMetric(heap, "heap-B/conn")
	b.ReportMetric(stack, "stack-B/conn")
}
