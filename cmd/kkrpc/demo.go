package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// shutdownTime is the time that running calls get to finish after an interrupt.
const shutdownTime = 5 * time.Second

func demo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("kkrpc demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "localhost:3000", "listen on `host:port`; port 0 takes a free one")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "kkrpc demo: unexpected argument %q\n", flags.Arg(0))
		return 2
	}
	if err := serveDemo(ctx, *addr, stdout, slog.New(slog.NewTextHandler(stderr, nil))); err != nil {
		fmt.Fprintln(stderr, "kkrpc demo:", err)
		return 1
	}
	return 0
}

// serveDemo serves until ctx ends.
func serveDemo(ctx context.Context, addr string, stdout io.Writer, log *slog.Logger) error {
	files, err := demoFiles()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", addr, reason(err))
	}
	rpc := demoServer(log, hosts(listener.Addr()))
	mux := http.NewServeMux()
	mux.Handle("/ws", rpc)
	mux.Handle("/api.d.ts", files)
	mux.Handle("/api.json", files)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	url := "ws://" + reachable(listener.Addr()) + "/ws"
	fmt.Fprintf(stdout, greeting, url, "http://"+reachable(listener.Addr()), demoClient(url))

	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ended by Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down")
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	// http.Server forgets connections that became WebSockets: those are the RPC server's to drain.
	err = errors.Join(server.Shutdown(bounded), rpc.Shutdown(bounded))
	<-served // it closes the listener if Shutdown came before it knew that
	return err
}

const greeting = `kkrpc demo: Go functions at %s, their types at %s/api.d.ts. Ctrl-C stops it.

Call them from TypeScript. In an empty folder, with the program below as client.mts:

    npm install kkrpc@0 ws tsx
    npx tsx client.mts            or: bun client.mts            or: deno run -A client.mts

If npm says ERESOLVE, the project has TypeScript 6 or later, and kkrpc 0.2 asks for 5. This lets npm install it:

    npm pkg set 'overrides.kkrpc.typescript=$typescript'

%s
`

// hosts are the names that requests to addr may have: those of this machine, or any if other machines reach it.
func hosts(addr net.Addr) []string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return nil
}

// demoServer logs each call, and the end of each connection with the same number and address.
func demoServer(log *slog.Logger, hosts []string) *ws.Server {
	return ws.Handler(demoAPI(), &ws.Options{
		RPC: kkrpc.Options{Inbound: []kkrpc.Interceptor{interceptor.Logging(log, nil)}},
		// A page that a development server serves on another port is another origin.
		Origins: []string{"http://localhost:*", "http://127.0.0.1:*"},
		Hosts:   hosts,
		Logger:  log,
	})
}

// reachable is addr as a client on this machine can use it.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// reason is what went wrong without the address, which the message has already.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Err
	}
	var addr *net.AddrError
	if errors.As(err, &addr) {
		return errors.New(addr.Err)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return errors.New(dns.Err)
	}
	return err
}
