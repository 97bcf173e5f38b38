package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
)

// freeAddresses returns addresses on which nothing listens.
func freeAddresses(t *testing.T, n int) (addresses []string) {
	t.Helper()
	for tries := 0; len(addresses) < n; tries++ {
		// Not one that the system chooses: connections of others could have it before the process does.
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err != nil && tries < 100 {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses
}

// startCluster starts processes that are one chat.
func startCluster(t *testing.T, dir string, nodes []string) []*process {
	t.Helper()
	program(t) // before it is asked for at once
	processes := make([]*process, len(nodes))
	var starting sync.WaitGroup
	for i := range processes {
		starting.Go(func() {
			processes[i] = start(t, "--addr", "127.0.0.1:0", "--dir", dir, "--cluster", fmt.Sprint(i+1), "--nodes", strings.Join(nodes, ","))
		})
	}
	starting.Wait()
	if slices.Contains(processes, nil) {
		t.FailNow() // start has told why
	}
	return processes
}

// talker sends messages, and hears all that are sent. When it loses its connection, it goes to the next process, comes back to
// where it was, and repeats the message that was not acknowledged.
type talker struct {
	t      *testing.T
	user   string
	token  string
	addrs  []string
	at     int // index in addrs
	resets int

	mu       sync.Mutex // guards what follows
	sessions int        // how many there were
	place    rooms.Position
	heard    []chat.Message
}

// session connects to a process and calls use with the connection until it is lost or use has done all.
func (k *talker) session(ctx context.Context, use func(ch *kkrpc.Channel) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	url := "ws://" + k.addrs[k.at] + "/chat/lobby"
	ch, err := ws.Dial(ctx, url, &ws.DialOptions{Header: http.Header{"Authorization": {"Bearer " + k.token}}})
	if err != nil {
		return err
	}
	defer ch.Close()
	k.mu.Lock()
	k.sessions++
	own := k.sessions
	var after *rooms.Position
	if k.place.Epoch != "" {
		place := k.place
		after = &place
	}
	k.mu.Unlock()
	var joined chat.Joined
	err = ch.Call(ctx, &joined, "joinRoom", "lobby", func(m chat.Message) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.sessions != own {
			return // a connection that is lost may still tell what it has got
		}
		k.heard = append(k.heard, m)
		k.place.Seq = m.Seq
	}, after)
	if err != nil {
		return err
	}
	k.mu.Lock()
	if after == nil {
		k.place = rooms.Position{Epoch: joined.Epoch, Seq: max(joined.Seq, k.place.Seq)}
	} else if joined.Reset {
		k.resets++
	}
	k.mu.Unlock()
	return use(ch)
}

// talk sends n messages and then listens until it has heard the number of the last one that anybody sends.
func (k *talker) talk(ctx context.Context, n int, acked func(), last <-chan uint64) {
	sent, end := 0, uint64(0)
	for ctx.Err() == nil {
		err := k.session(ctx, func(ch *kkrpc.Channel) error {
			for ; sent < n; sent++ {
				text := fmt.Sprintf("%s %d", k.user, sent)
				if err := ch.Call(ctx, nil, "sendMessage", text, "lobby", text); err != nil {
					return err
				}
				acked()
			}
			for tick := time.Tick(10 * time.Millisecond); ; <-tick {
				select {
				case end = <-last:
				default:
				}
				k.mu.Lock()
				done := end != 0 && k.place.Seq >= end
				k.mu.Unlock()
				if done || ch.Err() != nil {
					return ch.Err()
				}
			}
		})
		if err == nil {
			return
		}
		k.at = (k.at + 1) % len(k.addrs)
		select {
		case <-time.After(100 * time.Millisecond): // before it tries the next process
		case <-ctx.Done():
		}
	}
	k.t.Errorf("%s has sent %d messages and waits for number %d", k.user, sent, end)
}

// TestCluster kills one of three processes while clients of all three talk. Each acknowledged message is there once, and all
// clients hear all messages in one order.
func TestCluster(t *testing.T) {
	const each = 50
	dir, nodes := t.TempDir(), freeAddresses(t, 3)
	processes := startCluster(t, dir, nodes)
	var addrs []string
	for _, p := range processes {
		addrs = append(addrs, p.addr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()

	var talkers []*talker
	var talking sync.WaitGroup
	var acked atomic.Int32
	third, all := make(chan struct{}), make(chan struct{})
	var last []chan uint64
	for i, user := range []string{"Ada", "Bob", "Eve"} {
		k := &talker{t: t, user: user, token: tokenOf(t, dir, user), addrs: addrs, at: i}
		talkers, last = append(talkers, k), append(last, make(chan uint64, 1))
		// All have a place in the room before anybody sends, so that all hear everything.
		if err := k.session(ctx, func(*kkrpc.Channel) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range talkers {
		talking.Go(func() {
			k.talk(ctx, each, func() {
				switch acked.Add(1) {
				case each:
					close(third)
				case 3 * each:
					close(all)
				}
			}, last[i])
		})
	}
	wait := func(what string, done <-chan struct{}) {
		t.Helper()
		select {
		case <-done:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %d messages are acknowledged", what, acked.Load())
		}
	}
	wait("the first messages", third)
	processes[1].kill()
	wait("all messages", all)

	// The killed one comes back, and has all of it.
	processes[1] = start(t, "--addr", "127.0.0.1:0", "--dir", dir, "--cluster", "2", "--nodes", strings.Join(nodes, ","))
	want := history(t, ctx, processes[1].addr, tokenOf(t, dir, "Grace"))
	end := want[len(want)-1].Seq
	for _, ch := range last {
		ch <- end
	}
	talking.Wait()

	var stored []string
	for _, m := range want {
		stored = append(stored, m.Text)
	}
	var sent []string
	for _, k := range talkers {
		for i := range each {
			sent = append(sent, fmt.Sprintf("%s %d", k.user, i))
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(sent)), slices.Sorted(slices.Values(stored))); diff != "" {
		t.Errorf("the messages that were acknowledged, and those that are stored (-want +got):\n%s", diff)
	}
	for _, k := range talkers {
		if diff := cmp.Diff(want, k.heard); diff != "" || k.resets > 0 {
			t.Errorf("%s was told %d times to load anew, and has heard (-stored +heard):\n%s", k.user, k.resets, diff)
		}
	}
	if talkers[1].at == 1 {
		t.Error("the client of the killed process is not at another one")
	}
	for _, p := range processes {
		p.stop(t)
	}
}

// history reads all messages page by page.
func history(t *testing.T, ctx context.Context, addr, token string) (all []chat.Message) {
	t.Helper()
	c := dial(t, "http://"+addr, token, "lobby")
	for {
		args := []any{"lobby"}
		if len(all) > 0 {
			args = append(args, all[0].Seq)
		}
		page, err := kkrpc.Call[[]chat.Message](ctx, c, "getMessages", args...)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(page, all...)
	}
	if len(all) == 0 {
		t.Fatal(errors.New("there are no messages"))
	}
	return all
}
