package kkrpc_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"slices"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func ExampleWithMetadata() {
	ch := connect(kkrpc.Object{
		"whoAsks": func(ctx context.Context) string { return fmt.Sprint(kkrpc.MetadataFrom(ctx)["requestId"]) },
		"patience": func(ctx context.Context) bool {
			deadline, ok := ctx.Deadline() // that of the caller
			return ok && time.Until(deadline) > time.Minute
		},
	}, nil)
	defer ch.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	ctx = kkrpc.WithMetadata(ctx, map[string]any{"requestId": "r-17"})
	fmt.Println(kkrpc.Call[string](ctx, ch, "whoAsks"))
	fmt.Println(kkrpc.Call[bool](ctx, ch, "patience"))
	// Output:
	// r-17 <nil>
	// true <nil>
}

func ExampleInterceptor() {
	onlyAdmins := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
		if r.Path == "shutdown" && ctx.Value(userKey{}) != "admin" { // a value of the connection's ctx
			return nil, &kkrpc.Error{Name: "Forbidden", Message: r.Path + " is for admins"}
		}
		return next(ctx, r)
	}
	a, b := kkrpc.Pipe() // over a network they come from package transport/ws
	api := kkrpc.Object{"shutdown": func() {}, "ping": func() string { return "pong" }}
	if _, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{onlyAdmins}}); err != nil {
		log.Fatal(err)
	}
	ch, err := kkrpc.New(context.Background(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		log.Fatal(err)
	}
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "ping"))
	fmt.Println(ch.Call(context.Background(), nil, "shutdown"))
	// Output:
	// pong <nil>
	// kkrpc: call shutdown: Forbidden: shutdown is for admins
}

func ExampleShare() {
	var members []*kkrpc.Callback
	ch := connect(kkrpc.Object{
		"join": func(onNews *kkrpc.Callback) { members = append(members, onNews) },
		"tell": func(text string) {
			news := kkrpc.Share(map[string]any{"text": text}) // encoded once, however many members there are
			for _, m := range members {
				m.Call(news)
			}
		},
	}, nil)
	defer ch.Close()
	received := make(chan string)
	for _, name := range []string{"ann", "bob"} {
		if err := ch.Call(context.Background(), nil, "join", func(news map[string]string) { received <- name + " " + news["text"] }); err != nil {
			log.Fatal(err)
		}
	}
	if err := ch.Call(context.Background(), nil, "tell", "hello"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-received)
	fmt.Println(<-received)
	// Output:
	// ann hello
	// bob hello
}

func ExampleStream() {
	ch := connect(kkrpc.Object{
		"countdown": func(ctx context.Context, from int) iter.Seq[int] { // in TypeScript an AsyncIterable<number>
			return func(yield func(int) bool) {
				for i := from; i > 0 && yield(i); i-- { // yield is false when the peer has left
				}
			}
		},
		"average": func(samples iter.Seq2[float64, error]) (float64, error) {
			sum, n := 0.0, 0.0
			for v, err := range samples {
				if err != nil {
					return 0, err
				}
				sum, n = sum+v, n+1
			}
			return sum / n, nil
		},
	}, nil)
	defer ch.Close()
	ctx := context.Background()
	for i, err := range kkrpc.Stream[int](ctx, ch, "countdown", 1_000_000) {
		if err != nil {
			log.Fatal(err)
		}
		if fmt.Println(i); i == 999_999 {
			break // which stops the other side
		}
	}
	fmt.Println(kkrpc.Call[float64](ctx, ch, "average", slices.Values([]float64{1, 2, 6})))
	// Output:
	// 1000000
	// 999999
	// 3 <nil>
}
