// Command nodes serves the benchmark's room from one or more nodes, which JetStream connects. All are in this process, so
// that its processor time is that of the whole cluster. A burst is published by as many goroutines as it has messages.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	n := flag.Int("n", 1, "how many `NODES` share the members; 1 uses no JetStream")
	flag.Parse()
	if err := serve(*n); err != nil {
		fmt.Fprintln(os.Stderr, "nodes:", err)
		os.Exit(1)
	}
}

func serve(n int) error {
	dir, err := os.MkdirTemp("", "nodes")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	nodes, err := start(n, dir)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	http.Handle("/ws", ws.Handler(nodes.api(), nil))
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"addr": listener.Addr().String()}); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// nodes are the rooms of one name, one on each node.
type nodes []*rooms.Room[string]

func start(n int, dir string) (nodes, error) {
	if n == 1 {
		room, err := roomOn(nil)
		return nodes{room}, err
	}
	addrs, err := freeAddrs(n)
	if err != nil {
		return nil, err
	}
	all := make(nodes, n)
	errs := make([]error, n)
	var starting sync.WaitGroup
	for i := range n {
		starting.Go(func() { all[i], errs[i] = node(fmt.Sprintf("%s/%d", dir, i), addrs, i) })
	}
	starting.Wait()
	return all, errors.Join(errs...)
}

func node(store string, addrs []string, i int) (*rooms.Room[string], error) {
	server, err := embedded.Start(&embedded.Options{Store: store, Listen: addrs[i], Nodes: addrs})
	if err != nil {
		return nil, err
	}
	backplane, err := server.Connect(context.Background(), nil)
	if err != nil {
		return nil, err
	}
	return roomOn(backplane)
}

// freeAddrs returns addresses that nobody listens on.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func roomOn(backplane rooms.Backplane) (*rooms.Room[string], error) {
	hub, err := rooms.NewHub(&rooms.Options[string]{Backplane: backplane})
	if err != nil {
		return nil, err
	}
	return hub.Room("bench"), nil
}

func (all nodes) api() kkrpc.Object {
	var next atomic.Int64
	return kkrpc.Object{
		"join": func(ctx context.Context, member func(string)) error {
			_, err := all[next.Add(1)%int64(len(all))].Join(ctx, member, nil)
			return err
		},
		"burst": func(ctx context.Context, n int, text string) (int, error) {
			errs := make([]error, n)
			var sending sync.WaitGroup
			for i := range n {
				sending.Go(func() { _, errs[i] = all[i%len(all)].Publish(ctx, text) })
			}
			sending.Wait()
			members := 0
			for _, room := range all {
				members += room.Members()
			}
			return n * members, errors.Join(errs...)
		},
	}
}
