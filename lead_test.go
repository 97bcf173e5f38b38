package kkrpc_test

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// greedy is a transport that has the next request ready at all times, until it is told to stop.
type greedy struct {
	request []byte
	read    atomic.Int64 // bytes so far
	stop    func() bool
}

func (g *greedy) ReadFrame(buf []byte) ([]byte, bool, error) {
	if g.stop() {
		return nil, false, io.EOF
	}
	g.read.Add(int64(len(g.request)))
	return append(buf[:0], g.request...), true, nil
}

func (g *greedy) TryWriteFrames([][]byte) (bool, error) { return true, nil }
func (g *greedy) WriteFrames([][]byte) error            { return nil }
func (g *greedy) Close(int, string) error               { return nil }

// A connection whose peer always has the next request ready gives others a turn, here the goroutine that reads another
// connection, long before the scheduler would take the only processor from it.
func TestABusyConnectionGivesOthersATurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const turn = 192 << 10
	for _, size := range []int{100, 64 << 10} {
		text := `"` + strings.Repeat("x", size) + `"`
		var turns atomic.Int64
		busy := &greedy{request: []byte(requestText(kkrpc.Compact, []string{text}))}
		busy.stop = func() bool { return turns.Load() == 20 || busy.read.Load() > 100*turn }
		echo := func(s string) string { return s }
		ch, err := kkrpc.New(context.Background(), busy, &kkrpc.Options{Expose: kkrpc.Object{"math": kkrpc.Object{"add": echo}}})
		if err != nil {
			t.Fatal(err)
		}
		for busy.read.Load() == 0 {
			runtime.Gosched()
		}
		for turns.Add(1) < 20 {
			runtime.Gosched()
		}
		<-ch.Done()
		if read, most := busy.read.Load(), int64(20*(turn+2*size)+4*turn); read > most {
			t.Errorf("requests of %d bytes: %d turns of 20 took %d bytes, want at most %d", size, turns.Load(), read, most)
		}
	}
}
