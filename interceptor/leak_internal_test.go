package interceptor

import (
	"context"
	"runtime"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

func TestBucketsGoWithTheirChannels(t *testing.T) {
	b := buckets{limit: 1, burst: 1}
	kept := channel(t)
	b.of(kept)
	for range 100 {
		ch := channel(t)
		b.of(ch)
		ch.Close()
	}
	count := func() (n int) {
		b.byChannel.Range(func(any, any) bool { n++; return true })
		return n
	}
	for range 1000 {
		if runtime.GC(); count() == 1 {
			break
		}
	}
	if n := count(); n != 1 {
		t.Errorf("%d buckets for one channel", n)
	}
	kept.Close()
}

func channel(t *testing.T) *kkrpc.Channel {
	a, _ := kkrpc.Pipe()
	ch, err := kkrpc.New(context.Background(), a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}
