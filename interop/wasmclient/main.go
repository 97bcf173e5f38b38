// Command wasmclient is a client in Go built for js/wasm, which runs in Node, Bun, Deno or a page: it dials a server that
// exposes the API below by the host's WebSocket, calls it, is called back, reads a stream, and is closed by the server.
// It prints a line for each step. The last one is "done", or begins with "failed".
//
//	GOOS=js GOARCH=wasm go build -o wasmclient.wasm ./interop/wasmclient
//	node "$(go env GOROOT)/lib/wasm/wasm_exec_node.js" wasmclient.wasm ws://localhost:3000/ws
//
// In a page argv and env are set on the Go object of wasm_exec.js, and lines go to the console.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// serverAPI is what the server has to expose.
type serverAPI struct {
	Greet    func(ctx context.Context, name string) (string, error)
	Progress func(ctx context.Context, n int, step func(i int)) (string, error) // calls step 1 to n, then ask of this side
	Count    func(ctx context.Context, n int) iter.Seq2[int, error]
	Flood    func(ctx context.Context, n int) (string, error) // returns n letters
	Close    func(ctx context.Context, code int, reason string) error
}

func main() {
	if len(os.Args) < 2 {
		fmt.Println("failed: usage: wasmclient URL")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Println("failed:", err)
		return
	}
	fmt.Println("done")
}

func run(ctx context.Context, url string) error {
	refusals(ctx, url)
	failures(ctx, url)
	if err := listens(ctx, url+"/binary", kkrpc.Compact); err != nil {
		return err
	}
	if err := listens(ctx, url+"/asks", kkrpc.ClassicSuperJSON); err != nil {
		return err
	}
	if err := calls(ctx, url); err != nil {
		return err
	}
	if err := tooLarge(ctx, url); err != nil {
		return err
	}
	return persistent(ctx, url)
}

func dialOptions() *ws.DialOptions {
	return &ws.DialOptions{RPC: kkrpc.Options{Expose: kkrpc.Object{"ask": func(what string) string { return what + "? yes" }}}}
}

// refusals shows what is said of options that a host cannot do.
func refusals(ctx context.Context, url string) {
	for _, opts := range []*ws.DialOptions{
		{Header: http.Header{"Authorization": {"x"}}}, {TLS: &tls.Config{}}, {Compression: true}, {Ping: time.Second},
	} {
		_, err := ws.Dial(ctx, url, opts)
		fmt.Println("refused:", errors.Is(err, errors.ErrUnsupported), err)
	}
}

// failures shows connections that do not come about, or not for long.
func failures(ctx context.Context, url string) {
	const secret = "?token=secret"
	for _, r := range []struct{ what, url string }{
		{"refused", "ws://127.0.0.1:1/"}, {"status", url + "/private"}, {"malformed", "ws://127.0.0.1:99999/"},
	} {
		_, err := ws.Dial(ctx, r.url+secret, nil)
		fmt.Printf("%s: %v %v\n", r.what, err != nil, strings.Contains(fmt.Sprint(err), "secret"))
	}
	short := dialOptions()
	short.RPC.Limits.Handshake = 100 * time.Millisecond
	_, err := ws.Dial(ctx, url+"/silent", short)
	fmt.Println("silent:", err != nil, errors.Is(err, context.DeadlineExceeded))
	ch, err := ws.Dial(ctx, url+"/away", nil)
	if err != nil {
		fmt.Println("away:", err)
		return
	}
	select {
	case <-ch.Done():
	case <-ctx.Done():
	}
	closed, ok := errors.AsType[*ws.CloseError](ch.Err())
	fmt.Println("away:", ok, ok && closed.Code == 4001 && closed.Reason == "come back later")
}

// listens shows a client that is called before it has called: at binary by a message of that kind, from a server that does
// not answer the close, at asks in the dialect that the client names when it connects.
func listens(ctx context.Context, url string, dialect kkrpc.Dialect) error {
	asked := make(chan string, 1)
	opts := &ws.DialOptions{RPC: kkrpc.Options{Dialect: dialect, Expose: kkrpc.Object{"ask": func(what string) { asked <- what }}}}
	ch, err := ws.Dial(ctx, url, opts)
	if err != nil {
		return err
	}
	select {
	case what := <-asked:
		fmt.Println("ask:", what)
	case <-ctx.Done():
		return ctx.Err()
	}
	_ = ch.Close()
	<-ch.Done()
	fmt.Println("closed:", errors.Is(ch.Err(), kkrpc.ErrClosed))
	return nil
}

func calls(ctx context.Context, url string) error {
	ch, err := ws.Dial(ctx, url, dialOptions())
	if err != nil {
		return err
	}
	defer ch.Close()
	api := kkrpc.Remote[serverAPI](ch)
	greeting, err := api.Greet(ctx, "wörld 🌍")
	if err != nil {
		return err
	}
	fmt.Println("greet:", greeting)
	text, err := api.Progress(ctx, 3, func(i int) { fmt.Println("step:", i) })
	if err != nil {
		return err
	}
	fmt.Println("progress:", text)
	sum := 0
	for n, err := range api.Count(ctx, 100) {
		if err != nil {
			return err
		}
		sum += n
	}
	fmt.Println("sum:", sum)
	const size = 3 << 20
	if text, err = api.Greet(ctx, strings.Repeat("x", size)); err != nil {
		return err
	}
	fmt.Println("large:", len(text)-size)

	_ = api.Close(ctx, 4321, "enough") // the close may come before the answer
	<-ch.Done()
	var closed *ws.CloseError
	fmt.Println("closed:", errors.As(ch.Err(), &closed) && closed.Code == 4321 && closed.Reason == "enough", errors.Is(ch.Err(), kkrpc.ErrClosed))
	return nil
}

// tooLarge shows that a message over the limit ends the connection.
func tooLarge(ctx context.Context, url string) error {
	opts := dialOptions()
	opts.RPC.Limits.Frame = 1 << 10
	ch, err := ws.Dial(ctx, url, opts)
	if err != nil {
		return err
	}
	defer ch.Close()
	_, err = kkrpc.Remote[serverAPI](ch).Flood(ctx, 2<<10)
	fmt.Println("too large:", err != nil)
	<-ch.Done()
	fmt.Println("because:", ch.Err())
	return nil
}

// persistent shows a connection that comes again.
func persistent(ctx context.Context, url string) error {
	p, err := ws.DialPersistent(ctx, url, &ws.PersistentOptions{
		Dial:    *dialOptions(),
		Backoff: ws.Backoff{Min: time.Millisecond},
		Logger:  slog.New(slog.DiscardHandler), // the test compares all that is printed
	})
	if err != nil {
		return err
	}
	defer p.Close()
	api := kkrpc.Remote[serverAPI](p)
	for range 2 {
		ch, err := p.Channel(ctx)
		if err != nil {
			return err
		}
		_ = api.Close(ctx, 1001, "restart")
		<-ch.Done()
		greeting, err := api.Greet(kkrpc.Idempotent(ctx), "again")
		if err != nil {
			return err
		}
		fmt.Println("persistent:", greeting)
	}
	return nil
}
