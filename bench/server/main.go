//go:build !js

// Command server serves the methods of the benchmark at /ws on $PORT, for this repository's load generator or any other:
//
//	PORT=3000 go run ./bench/server
//
// It prints {"addr": "HOST:PORT"} when it listens. Every method exists in all dialects of kkrpc: math.add, add, echo, user,
// bytes, count, storm, join, burst, say, placeOrder, getUsers, getUser, watch, tell, tellShared. With -child, a line
// "collect" on standard input has it collect its garbage, return memory to the system and print {"collected": true}.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type options struct {
	addr, handlers, cert, key, profile string
	child                              bool
	perConnection                      int
}

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "0"
	}
	var o options
	flag.StringVar(&o.addr, "addr", net.JoinHostPort("127.0.0.1", port), "listen on `HOST:PORT`")
	flag.StringVar(&o.handlers, "handlers", "ctx", "how handlers are written: typed, ctx or reflected")
	flag.StringVar(&o.cert, "cert", "", "serve TLS with the certificate in `FILE`")
	flag.StringVar(&o.key, "key", "", "the certificate's key, a `FILE`")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile to `FILE` at the end")
	flag.BoolVar(&o.child, "child", false, "end when standard input does")
	flag.IntVar(&o.perConnection, "per-connection", 0, "make an API of `N` functions for each connection; 0 shares one of all functions")
	flag.Parse()
	if err := serve(o); err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func serve(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.child {
		go func() {
			obey()
			stop()
		}()
	}
	handler, err := o.handler()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	if o.profile != "" {
		end, err := profile(o.profile)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	context.AfterFunc(ctx, func() { server.Close() })
	if o.cert != "" {
		err = server.ServeTLS(listener, o.cert, o.key)
	} else {
		err = server.Serve(listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (o options) handler() (http.Handler, error) {
	if o.perConnection != 0 {
		api, err := newSessions(o.perConnection)
		if err != nil {
			return nil, err
		}
		return ws.HandlerFor(api, nil), nil
	}
	api, err := newAPI(o.handlers)
	if err != nil {
		return nil, err
	}
	return ws.Handler(api, &ws.Options{Session: &ws.SessionOptions{}}), nil
}

// obey does what standard input says until it ends.
func obey() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if lines.Text() == "collect" {
			debug.FreeOSMemory()
			fmt.Println(`{"collected":true}`)
		}
	}
}

func profile(name string) (end func() error, err error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
