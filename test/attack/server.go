package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// held is what the server tells of itself: the most of each.
type held struct {
	Live    int64  // bytes of the heap that a collection has found in use
	Heap    int64  // bytes of the heap, with what the next collection will free
	Used    int64  // bytes that the budget counts
	Evicted uint64 // connections closed because of it
}

const (
	watchTime   = 50 * time.Millisecond
	collectTime = time.Second / 2 // between the collections that an exact server forces
)

// serve is the process of the server. It prints its address, and what it has held when its parent closes its standard input.
func serve(r role) error {
	group := &kkrpc.Group{Memory: r.Memory}
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
	stop := make(chan struct{})
	go func() { // ends with the process
		_, _ = os.Stdin.Read(make([]byte, 1))
		close(stop)
	}()
	most, err := watch(group, r, stop)
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(most))
}

// watch measures until stop is closed. It writes a heap profile whenever more is live than ever.
func watch(group *kkrpc.Group, r role, stop <-chan struct{}) (most held, err error) {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	collected := time.Now()
	for tick := time.Tick(watchTime); ; {
		select {
		case <-stop:
			return most, err
		case <-tick:
		}
		if r.Exact && time.Since(collected) >= collectTime {
			runtime.GC()
			collected = time.Now()
		}
		metrics.Read(heap)
		usage := group.MemoryUsage()
		if live := int64(heap[0].Value.Uint64()); live > most.Live {
			if most.Live = live; r.Profile != "" {
				err = writeProfile(r.Profile)
			}
		}
		most.Heap, most.Used, most.Evicted = max(most.Heap, int64(heap[1].Value.Uint64())), max(most.Used, usage.Used), usage.Evicted
	}
}

func writeProfile(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("heap").WriteTo(f, 0), f.Close())
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
		"hold": func(ctx context.Context, items iter.Seq2[any, error]) {
			for range items {
				<-ctx.Done()
			}
		},
		"lend": func(ctx context.Context) error { // has the client call a slow function of the server
			_, err := kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "keep", func(string) { time.Sleep(100 * time.Millisecond) })
			return err
		},
	}
}
