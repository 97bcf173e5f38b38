package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// raw starts a channel whose peer is the test, which writes and reads messages as text.
func raw(t *testing.T, opts kkrpc.Options) (*kkrpc.Channel, kkrpc.Transport) {
	t.Helper()
	a, b := kkrpc.Pipe()
	ch, err := kkrpc.New(context.Background(), a, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(1000, ""); ch.Close() })
	return ch, b
}

func write(t *testing.T, to kkrpc.Transport, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if err := to.WriteFrames([][]byte{[]byte(m)}); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, from kkrpc.Transport) string {
	t.Helper()
	m, _, err := from.ReadFrame(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(m)
}

func TestNewWithAnEndedContextCloses(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 50 {
		a, _ := kkrpc.Pipe()
		ch, err := kkrpc.New(ctx, a, nil)
		if err != nil {
			t.Fatal(err)
		}
		<-ch.Done()
	}
}

func TestNoHandlerStartsAfterClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		started := 0
		var ch *kkrpc.Channel
		ch, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"stop": func() {
			started++
			ch.Close()
		}}})
		for range 5 {
			write(t, peer, `{"t":"q","id":"1","op":"call","p":["stop"],"a":[]}`)
		}
		<-ch.Done()
		synctest.Wait()
		if started != 1 {
			t.Errorf("%d handlers started", started)
		}
	})
}

func TestCloseDoesNotWaitForEverForAPeerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, _ := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{Write: time.Second}})
		for range 3 {
			go ch.Call(context.Background(), nil, "x", strings.Repeat("x", 1<<20))
		}
		synctest.Wait()
		start := time.Now()
		ch.Close()
		if d := time.Since(start); d > time.Second {
			t.Errorf("Close took %v", d)
		}
	})
}

func TestCloseEndsWhileOthersKeepSending(t *testing.T) {
	a, b := kkrpc.Pipe()
	ch, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Dialect: kkrpc.Compact, CallTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, _, err := b.ReadFrame(nil); err != nil {
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for ch.Err() == nil {
				once, stop := context.WithTimeout(ctx, 50*time.Microsecond)
				ch.Call(once, nil, "x", strings.Repeat("x", 1000))
				stop()
			}
		})
	}
	ch.Close()
	senders.Wait()
}

func TestDestroyClosesTheChannel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Classic})
		write(t, peer, "__DESTROY__")
		<-ch.Done()
		if err := ch.Err(); !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "DESTROY") {
			t.Errorf("closed with %v", err)
		}
	})
}
