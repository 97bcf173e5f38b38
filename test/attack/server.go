package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// sample is what the server tells of itself, twice a second.
type sample struct {
	Live    int64  // bytes of the heap after a collection
	Used    int64  // bytes that the budget counts
	Evicted uint64 // connections closed because of it
}

// serve is the child process. It prints its address and then samples, until its parent closes its standard input.
func serve(memory int64) error {
	group := &kkrpc.Group{Memory: memory}
	handler := ws.Handler(api(), &ws.Options{
		Compression: true,
		SendTime:    5 * time.Second, // so that a minute shows it
		RPC:         kkrpc.Options{Group: group, OnError: func(error) {}},
		Logger:      slog.New(slog.DiscardHandler),
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(ln, handler) // ends with the process
	fmt.Println(ln.Addr())
	go func() { // ends with the process
		var heap runtime.MemStats
		for range time.Tick(time.Second / 2) {
			runtime.GC()
			runtime.ReadMemStats(&heap)
			u := group.MemoryUsage()
			line, _ := json.Marshal(sample{int64(heap.HeapAlloc), u.Used, u.Evicted})
			fmt.Println(string(line))
		}
	}()
	_, _ = os.Stdin.Read(make([]byte, 1))
	return nil
}

// api has functions as servers have them: quick ones, one that waits, one with large results, and streams both ways.
func api() kkrpc.Object {
	large := strings.Repeat("x", 1<<20)
	return kkrpc.Object{
		"add":  func(a, b float64) float64 { return a + b },
		"echo": func(s string) string { return s },
		"file": func() string { return large },
		"busy": func(ctx context.Context, _ any) {
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Second):
			}
		},
		"items": func() iter.Seq[string] {
			return func(yield func(string) bool) {
				for yield(large[:100<<10]) {
				}
			}
		},
		"take": func(ctx context.Context, items iter.Seq2[string, error]) {
			for range items {
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		},
		"lend": func(ctx context.Context) error { // has the client call a slow function of the server
			_, err := kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "keep", func(string) { time.Sleep(100 * time.Millisecond) })
			return err
		},
	}
}
