package kkrpc_test

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// heldText is decoded when heldRelease is closed.
type heldText struct{}

var (
	heldBegun   atomic.Int32
	heldRelease chan struct{}
)

func (*heldText) UnmarshalJSON([]byte) error {
	heldBegun.Add(1)
	<-heldRelease
	return nil
}

// A type whose unmarshaling waits does not hold up other connections, neither their small messages nor for long their
// large ones, although these take turns.
func TestUnmarshalingThatWaits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	heldBegun.Store(0)
	heldRelease = make(chan struct{})
	api, err := kkrpc.Expose(kkrpc.Object{
		"slow": func(heldText) {},
		"add":  func(a, b float64) float64 { return a + b },
	})
	if err != nil {
		t.Fatal(err)
	}
	group := &kkrpc.Group{}
	connect := func() *kkrpc.Channel {
		_, c := pair(t, kkrpc.Options{Group: group, Expose: api}, kkrpc.Options{})
		return c
	}
	done := make(chan error, 2)
	call := func(c *kkrpc.Channel) {
		_, err := kkrpc.Call[any](t.Context(), c, "slow", strings.Repeat("x", 100<<10))
		done <- err
	}
	go call(connect()) // ends below
	for heldBegun.Load() < 1 {
		runtime.Gosched()
	}
	go call(connect()) // ends below
	other := connect()
	for added := 0; added < 1000 || heldBegun.Load() < 2; added++ {
		if _, err := kkrpc.Call[float64](t.Context(), other, "add", 1.0, 2.0); err != nil {
			t.Fatal(err)
		}
	}
	close(heldRelease)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// A request that takes long to decode lets others run meanwhile.
func TestDecodingLetsOthersRun(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"take": func(any) {}}}, kkrpc.Options{})
	var turns atomic.Int32
	stop := make(chan struct{})
	go func() { // ends with the test
		for {
			select {
			case <-stop:
				return
			default:
				turns.Add(1)
				runtime.Gosched()
			}
		}
	}()
	defer close(stop)
	argument := tinyList(60_000) // takes more than 3 MiB
	before := turns.Load()
	if _, err := kkrpc.Call[any](t.Context(), c, "take", argument); err != nil {
		t.Fatal(err)
	}
	if n := turns.Load() - before; n < 40 {
		t.Errorf("others ran %d times", n)
	}
}
