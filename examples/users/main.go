// Command users serves a page with a list of users, which all open pages show and change at the same time.
package main

import (
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/examples/users/sqlite"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// page has the files that Vite builds from the folder web.
//
//go:embed web/dist
var page embed.FS

// shutdownTime is the time that running calls get to finish after an interrupt.
const shutdownTime = 5 * time.Second

func main() {
	addr := flag.String("addr", "localhost:3000", "listen on `host:port`; port 0 takes a free one")
	db := flag.String("db", "", "keep the users in the SQLite database `file`; \"memory\" keeps them in memory; empty means users.db in the user's cache folder")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *db); err != nil {
		fmt.Fprintln(os.Stderr, "users:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, db string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	store, closeStore, err := open(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	service, err := api.New(store, &api.Options{OnError: func(err error) { log.Error(err.Error()) }})
	if err != nil {
		return err
	}
	defer service.Close()
	if err := service.AddExamples(ctx); err != nil {
		return err
	}
	files, err := fs.Sub(page, "web/dist")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	rpc := ws.Handler(kkrpc.As[api.ServerAPI](service), &ws.Options{
		RPC:     kkrpc.Options{Inbound: service.Inbound(asksForTextErrors, interceptor.Logging(log, nil))},
		Hosts:   hosts(listener),
		Origins: []string{"http://localhost:5173"}, // where Vite serves the page while you change it
		Logger:  log,
	})
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		rpc.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), queryKey{}, r.URL.Query())))
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}

	fmt.Printf("serving http://localhost:%d/\n", listener.Addr().(*net.TCPAddr).Port)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ended by Shutdown
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	// http.Server forgets connections that became WebSockets. The RPC server drains those.
	err = errors.Join(server.Shutdown(bounded), rpc.Shutdown(bounded))
	<-served
	return err
}

// open opens what keeps the users, as the flag -db says.
func open(ctx context.Context, db string) (store api.Store, closeStore func() error, err error) {
	if db == "memory" {
		return api.NewMemory(), func() error { return nil }, nil
	}
	if db == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, nil, fmt.Errorf("no folder for the database, name a file by -db: %w", err)
		}
		folder := filepath.Join(cache, "kkrpc-users")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, nil, err
		}
		db = filepath.Join(folder, "users.db")
	}
	opened, err := sqlite.Open(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	fmt.Println("database", db)
	return opened, opened.Close, nil
}

// queryKey is the key in the context of a call for the query of the URL that the client has connected to.
type queryKey struct{}

// asksForTextErrors reports whether the client has connected to /ws?errors=text, as a page with kkrpc 0.2 does.
func asksForTextErrors(ctx context.Context) bool {
	query, _ := ctx.Value(queryKey{}).(url.Values)
	return query.Get("errors") == "text"
}

// hosts are the names of a server for this machine alone, so that no page of another name reaches it. Nil means any.
func hosts(listener net.Listener) []string {
	if listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return []string{"localhost", "127.0.0.1", "::1"}
	}
	return nil
}
