package kknats_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/rooms/roomstest"
)

func TestMain(m *testing.M) {
	if args := os.Getenv(nodeArgs); args != "" {
		runNode(args)
		return
	}
	goleak.VerifyTestMain(m)
}

// patience is how long the tests wait for what must happen, elections included.
const patience = 60 * time.Second

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// freeAddrs returns addresses that are free now.
func freeAddrs(t testing.TB, n int) []string {
	t.Helper()
	var addrs []string
	for tries := 0; len(addrs) < n; tries++ {
		// Not one that the system chooses: connections of others, or of this test, could have it before a server does.
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err != nil && tries < 100 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

func start(t testing.TB, opts *embedded.Options) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// cluster starts n servers, each with clients on an address of its own.
func cluster(t testing.TB, n int) []*embedded.Server {
	t.Helper()
	if n == 1 {
		return []*embedded.Server{start(t, &embedded.Options{Store: t.TempDir()})}
	}
	addrs := freeAddrs(t, n)
	var servers []*embedded.Server
	for i := range n {
		servers = append(servers, start(t, &embedded.Options{Store: t.TempDir(), Listen: addrs[i], Nodes: addrs}))
	}
	return servers
}

// nodes connects backplanes to servers, by turns.
func nodes(t testing.TB, servers []*embedded.Server, n int, opts kknats.Options) []rooms.Backplane {
	t.Helper()
	list := make([]rooms.Backplane, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			b, err := servers[i%len(servers)].Connect(within(t), &opts)
			if err != nil {
				t.Error(err)
				return
			}
			list[i] = b
		})
	}
	all.Wait()
	for _, b := range list {
		if b != nil {
			t.Cleanup(func() { b.Close() })
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return list
}

// prefixes keeps apart the tests that share servers.
var prefixes atomic.Int32

func prefix() string { return fmt.Sprintf("test%d", prefixes.Add(1)) }

func TestOneServer(t *testing.T) {
	servers := cluster(t, 1)
	roomstest.Backplane(t, func(t *testing.T, n, history int) []rooms.Backplane {
		return nodes(t, servers, n, kknats.Options{Prefix: prefix(), History: history, Bytes: 64 << 20, TableBytes: 1 << 20})
	})
}

func TestCluster(t *testing.T) {
	servers := cluster(t, 3)
	roomstest.Backplane(t, func(t *testing.T, n, history int) []rooms.Backplane {
		return nodes(t, servers, n, kknats.Options{Prefix: prefix(), History: history, Bytes: 64 << 20, TableBytes: 1 << 20})
	})
}

func TestByURL(t *testing.T) {
	addr := freeAddrs(t, 1)[0]
	start(t, &embedded.Options{Store: t.TempDir(), Clients: addr})
	roomstest.Backplane(t, func(t *testing.T, n, history int) []rooms.Backplane {
		opts := &kknats.Options{URL: "nats://" + addr, Prefix: prefix(), History: history, Bytes: 64 << 20, TableBytes: 1 << 20}
		var list []rooms.Backplane
		for range n {
			b, err := kknats.Connect(within(t), opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { b.Close() })
			list = append(list, b)
		}
		return list
	})
}
