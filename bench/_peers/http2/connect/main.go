// Command connect serves the benchmark's methods with Connect over HTTP/2; with -load it is the client that calls them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"connectrpc.com/connect"
	"github.com/kkrpc-go/kkrpc/bench/_peers/http2/loop"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The messages are ones that protobuf comes with: Duration has the two numbers to add.
func add(_ context.Context, in *connect.Request[durationpb.Duration]) (*connect.Response[wrapperspb.DoubleValue], error) {
	return connect.NewResponse(wrapperspb.Double(float64(in.Msg.Seconds) + float64(in.Msg.Nanos))), nil
}

func echo(_ context.Context, in *connect.Request[wrapperspb.StringValue]) (*connect.Response[wrapperspb.StringValue], error) {
	return connect.NewResponse(in.Msg), nil
}

func main() {
	var l loop.Loop
	addr := l.Flags()
	flag.Parse()
	run := serve
	if *addr != "" {
		run = func() error { return l.Run(func() (loop.Client, error) { return dial(*addr), nil }) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "connect:", err)
		os.Exit(1)
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/Math/Add", connect.NewUnaryHandler("/Math/Add", add))
	mux.Handle("/Math/Echo", connect.NewUnaryHandler("/Math/Echo", echo))
	server := &http.Server{Handler: mux, Protocols: h2c()}
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func h2c() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

type client struct {
	adder  *connect.Client[durationpb.Duration, wrapperspb.DoubleValue]
	echoer *connect.Client[wrapperspb.StringValue, wrapperspb.StringValue]
}

// dial returns a client with a connection of its own.
func dial(addr string) loop.Client {
	c := &http.Client{Transport: &http.Transport{Protocols: h2c()}}
	// Without this the server compresses every answer, however short, which none of the others does.
	plain := connect.WithAcceptCompression("gzip", nil, nil)
	return client{
		connect.NewClient[durationpb.Duration, wrapperspb.DoubleValue](c, "http://"+addr+"/Math/Add", plain),
		connect.NewClient[wrapperspb.StringValue, wrapperspb.StringValue](c, "http://"+addr+"/Math/Echo", plain),
	}
}

func (c client) Add(ctx context.Context, a, b int) (float64, error) {
	out, err := c.adder.CallUnary(ctx, connect.NewRequest(&durationpb.Duration{Seconds: int64(a), Nanos: int32(b)}))
	if err != nil {
		return 0, err
	}
	return out.Msg.Value, nil
}

func (c client) Echo(ctx context.Context, text string) (string, error) {
	out, err := c.echoer.CallUnary(ctx, connect.NewRequest(wrapperspb.String(text)))
	if err != nil {
		return "", err
	}
	return out.Msg.Value, nil
}
