package interceptor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
)

// serve exposes some functions behind the interceptors, in memory, and returns the caller's end. A server over WebSockets
// passes the same options to ws.Handler.
func serve(inbound ...kkrpc.Interceptor) *kkrpc.Channel {
	a, b := kkrpc.Pipe()
	api := kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"crash": func() { panic("index out of range") },
	}
	if _, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: api, Inbound: inbound}); err != nil {
		panic(err)
	}
	ch, err := kkrpc.New(context.Background(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		panic(err)
	}
	return ch
}

func ExampleLogging() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "elapsed" || a.Key == "channel" {
			return slog.Attr{} // they differ each time
		}
		return a
	}}))
	ch := serve(interceptor.Logging(logger, &interceptor.LoggingOptions{Args: true}))
	defer ch.Close()
	ch.Call(context.Background(), nil, "greet", "Ann")
	// Output: level=INFO msg="kkrpc request" operation=call path=greet args=[Ann]
}

func ExampleRecovery() {
	ch := serve(interceptor.Recovery(func(_ context.Context, r *kkrpc.Request, recovered any, _ []byte) error {
		fmt.Println("report:", r.Path, recovered)
		return &kkrpc.Error{Name: "InternalError", Message: "something went wrong, incident 17"}
	}))
	defer ch.Close()
	fmt.Println(ch.Call(context.Background(), nil, "crash"))
	// Output:
	// report: crash index out of range
	// kkrpc: call crash: InternalError: something went wrong, incident 17
}

func ExampleTiming() {
	ch := serve(interceptor.Timing(func(_ context.Context, r *kkrpc.Request, elapsed time.Duration, err error) {
		fmt.Println(r.Path, elapsed < time.Minute, err)
	}))
	defer ch.Close()
	ch.Call(context.Background(), nil, "greet", "Ann")
	// Output: greet true <nil>
}

func ExampleRateLimit() {
	ch := serve(interceptor.RateLimit(0.01, 2))
	defer ch.Close()
	for range 3 {
		greeting, err := kkrpc.Call[string](context.Background(), ch, "greet", "Ann")
		var refused *kkrpc.Error
		if errors.As(err, &refused) {
			fmt.Println(refused.Name, refused.Fields["retryAfter"].(float64) > 1000)
			continue
		}
		fmt.Println(greeting)
	}
	// Output:
	// Hello, Ann!
	// Hello, Ann!
	// RPCRateLimitError true
}
