package main

import (
	"context"
	"log"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var api = kkrpc.Object{
	"wait": func(ctx context.Context) error { // as a query does that takes too long
		<-ctx.Done()
		return context.Cause(ctx)
	},
	"leave": func(ctx context.Context) error { // as a server does that goes down
		err := kkrpc.FromContext(ctx).CloseWith(4000, "gone")
		<-ctx.Done()
		return err
	},
}

// bound ends each function after a time. Its caller then gets an error instead of no answer.
func bound(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	return next(ctx, r)
}

// guarded refuses strangers by a code.
func guarded(code int) http.Handler {
	return ws.HandlerFor(func(r *http.Request) (any, error) {
		if _, err := r.Cookie("session"); err != nil {
			return nil, ws.Reject(code, "sign in first")
		}
		return api, nil
	}, nil)
}

func main() {
	http.Handle("/ws", ws.Handler(api, nil))
	http.Handle("/bounded", ws.Handler(api, &ws.Options{RPC: kkrpc.Options{Inbound: []kkrpc.Interceptor{bound}}}))
	http.Handle("/status", guarded(http.StatusUnauthorized))
	http.Handle("/closed", guarded(4401))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
