package main

import (
	"context"
	"runtime"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// account are functions that tell of the program and of the request.
func account() kkrpc.Object {
	return kkrpc.Object{
		"memory": func() map[string]uint64 {
			runtime.GC()
			runtime.GC() // what has finalizers goes with the second
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return map[string]uint64{"heap": m.HeapAlloc, "sys": m.Sys, "goroutines": uint64(runtime.NumGoroutine())}
		},
		"request": func(ctx context.Context) map[string]any {
			r := wasm.RequestFromContext(ctx)
			return map[string]any{"path": r.URL.Path, "query": r.URL.RawQuery, "agent": r.Header["user-agent"]}
		},
	}
}
