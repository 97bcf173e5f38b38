package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// owner is what a connection knows of its user.
type owner struct {
	name string
	said int
}

// ownAPI is an API for one connection, as the function of ws.HandlerFor makes it: n functions that know the owner.
func ownAPI(m *owner, n int) kkrpc.Object {
	api := make(kkrpc.Object, n)
	for i := range n {
		switch name := fmt.Sprintf("f%d", i); i % 5 {
		case 0:
			api[name] = func(_ context.Context, text string) error { return m.say(text) }
		case 1:
			api[name] = func(_ context.Context, a, b float64) (float64, error) { return a + b, m.say("") }
		case 2:
			api[name] = func(_ context.Context, a account) (account, error) { return a, m.say(a.Name) }
		case 3:
			api[name] = func(_ context.Context, told func(string) error) error { return told(m.name) }
		default:
			api[name] = func() string { return m.name }
		}
	}
	return api
}

func (m *owner) say(text string) error {
	if m.said += len(text); m.said < 0 {
		return errors.New("too much")
	}
	return nil
}

// resting is a transport whose peer makes one call and is idle then. The channel parks.
type resting struct {
	parked *sync.WaitGroup
	called bool
}

func (r *resting) ReadFrame(buf []byte) ([]byte, bool, error) {
	if r.called {
		return nil, false, errors.New("the channel reads and is parked")
	}
	r.called = true
	return append(buf[:0], `{"t":"q","id":"1","op":"call","p":["f4"],"a":[]}`...), false, nil
}

func (r *resting) Park(time.Duration, func()) bool {
	r.parked.Done()
	return true
}

func (*resting) TryWriteFrames([][]byte) (bool, error) { return true, nil }
func (*resting) WriteFrames([][]byte) error            { return nil }
func (*resting) Close(int, string) error               { return nil }

// idleHeap returns the bytes of the heap that each of many idle channels of a server keeps. expose is called for each.
func idleHeap(tb testing.TB, expose func() any) float64 {
	const channels = 5000
	tb.Helper()
	var group kkrpc.Group
	var parked sync.WaitGroup
	all := make([]*kkrpc.Channel, channels)
	before := heapInUse()
	for i := range all {
		parked.Add(1)
		ch, err := kkrpc.New(context.Background(), &resting{parked: &parked}, &kkrpc.Options{Expose: expose(), Group: &group, Dialect: kkrpc.Compact})
		if err != nil {
			tb.Fatal(err)
		}
		all[i] = ch
		parked.Wait() // the runtime keeps some memory for each goroutine that there was at a time
	}
	used := heapInUse() - before
	for _, ch := range all {
		ch.Close()
	}
	return float64(used) / channels
}

// heapInUse returns the bytes of what can be reached.
func heapInUse() int64 {
	for range 3 { // pools keep what they hold for two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The API of one more connection takes a pointer for each function, and the struct that holds them.
func TestBytesForAnAPIOfAKnownShape(t *testing.T) {
	skipUnlessExact(t)
	for n, most := range map[int]int{5: 120, 40: 400} { // 112 and 384, and what goes on beside them
		api := ownAPI(new(owner), n)
		bytes, allocs := allocated(func() {
			if _, err := kkrpc.Expose(api); err != nil {
				t.Error(err)
			}
		})
		if bytes > most || allocs > 2 {
			t.Errorf("%d functions: Expose allocates %d bytes in %d pieces, want at most %d in 2", n, bytes, allocs, most)
		}
	}
}

// allocated returns what f allocates each time but the first.
func allocated(f func()) (bytes, pieces int) {
	const times = 1000
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		f()
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / times, int(after.Mallocs-before.Mallocs) / times
}

// The closures of the program count too.
func TestMemoryOfAnIdleChannelWithAnAPIOfItsOwn(t *testing.T) {
	skipUnlessExact(t)
	const most = 1.2
	api, err := kkrpc.Expose(ownAPI(new(owner), 5))
	if err != nil {
		t.Fatal(err)
	}
	shared := idleHeap(t, func() any { return api })
	own := idleHeap(t, func() any { return ownAPI(new(owner), 5) })
	t.Logf("%.0f bytes with an API of its own, %.0f with a shared one", own, shared)
	if own > most*shared {
		t.Errorf("an idle channel with an API of its own takes %.0f bytes, more than %v times the %.0f with a shared one", own, most, shared)
	}
}

// BenchmarkOwnAPI compares an API for each connection with one that all share.
func BenchmarkOwnAPI(b *testing.B) {
	for _, n := range []int{5, 40} {
		shared, err := kkrpc.Expose(ownAPI(new(owner), n))
		if err != nil {
			b.Fatal(err)
		}
		for _, api := range []struct {
			name   string
			expose func() any
		}{
			{"shared", func() any { return shared }},
			{"own", func() any { return ownAPI(new(owner), n) }},
		} {
			b.Run(fmt.Sprintf("idle/%d/%s", n, api.name), func(b *testing.B) {
				for b.Loop() {
					b.ReportMetric(idleHeap(b, api.expose), "B/channel")
				}
			})
			b.Run(fmt.Sprintf("connect/%d/%s", n, api.name), func(b *testing.B) {
				b.ReportAllocs()
				var group kkrpc.Group
				var parked sync.WaitGroup
				for b.Loop() {
					parked.Add(1)
					ch, err := kkrpc.New(context.Background(), &resting{parked: &parked}, &kkrpc.Options{Expose: api.expose(), Group: &group, Dialect: kkrpc.Compact})
					if err != nil {
						b.Fatal(err)
					}
					parked.Wait()
					ch.Close()
				}
			})
			for i, call := range []string{`"op":"call","p":["f1"],"a":[1,2]`, `"op":"call","p":["f2"],"a":[` + userJSON + `]`} {
				b.Run(fmt.Sprintf("call/%d/%s/%s", n, api.name, []string{"add", "struct"}[i]), func(b *testing.B) {
					f := &feed{request: []byte(`{"t":"q","id":"dcd7065b-6b28-49ee-8b34-c0d1a7964054",` + call + `}`),
						n: b.N, burst: 64, done: make(chan struct{}), written: b.N}
					ch, err := kkrpc.New(context.Background(), f, &kkrpc.Options{Expose: api.expose()})
					if err != nil {
						b.Fatal(err)
					}
					<-f.done
					ch.Close()
				})
			}
		}
		b.Run(fmt.Sprintf("expose/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			api := ownAPI(new(owner), n)
			for b.Loop() {
				if _, err := kkrpc.Expose(api); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
