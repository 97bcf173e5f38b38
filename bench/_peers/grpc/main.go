// Command grpc serves the benchmark's methods with gRPC; with -load it is the client that calls them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// The messages are ones that protobuf comes with: Duration has the two numbers to add.
type methods interface {
	Add(context.Context, *durationpb.Duration) (*wrapperspb.DoubleValue, error)
	Echo(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
}

type api struct{}

func (api) Add(_ context.Context, in *durationpb.Duration) (*wrapperspb.DoubleValue, error) {
	return wrapperspb.Double(float64(in.Seconds) + float64(in.Nanos)), nil
}

func (api) Echo(_ context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	return in, nil
}

// service is what protoc would generate.
var service = grpc.ServiceDesc{
	ServiceName: "Math",
	HandlerType: (*methods)(nil),
	Methods: []grpc.MethodDesc{
		{MethodName: "Add", Handler: unary("/Math/Add", methods.Add)},
		{MethodName: "Echo", Handler: unary("/Math/Echo", methods.Echo)},
	},
}

func unary[In, Out any](name string, method func(methods, context.Context, *In) (*Out, error)) grpc.MethodHandler {
	return func(srv any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		if interceptor == nil {
			return method(srv.(methods), ctx, in)
		}
		return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: name}, func(ctx context.Context, in any) (any, error) {
			return method(srv.(methods), ctx, in.(*In))
		})
	}
}

func main() {
	var l loop
	addr := l.flags()
	flag.Parse()
	run := serve
	if *addr != "" {
		run = func() error { return l.run(func() (caller, error) { return dial(*addr) }) }
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}

func serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	server.RegisterService(&service, api{})
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return server.Serve(listener)
}

type client struct{ *grpc.ClientConn }

func dial(addr string) (caller, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	return client{conn}, err
}

func (c client) Add(ctx context.Context, a, b int) (float64, error) {
	out := new(wrapperspb.DoubleValue)
	err := c.Invoke(ctx, "/Math/Add", &durationpb.Duration{Seconds: int64(a), Nanos: int32(b)}, out)
	return out.Value, err
}

func (c client) Echo(ctx context.Context, text string) (string, error) {
	out := new(wrapperspb.StringValue)
	err := c.Invoke(ctx, "/Math/Echo", wrapperspb.String(text), out)
	return out.Value, err
}
