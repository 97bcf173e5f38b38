package stdio_test

import (
	"io"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// BenchmarkCall calls a Go child.
func BenchmarkCall(b *testing.B) {
	for _, flight := range []struct {
		name string
		n    int
	}{{"one at a time", 1}, {"64 at a time", 64}} {
		b.Run(flight.name, func(b *testing.B) {
			cmd := command("serve")
			cmd.Stderr = io.Discard
			p, err := stdio.Start(b.Context(), cmd, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			b.ReportAllocs()
			calls := make(chan struct{}, flight.n)
			var wg sync.WaitGroup
			for range flight.n {
				wg.Go(func() {
					for range calls {
						if _, err := kkrpc.Call[int](b.Context(), p.Channel, "double", 21); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			for b.Loop() {
				calls <- struct{}{}
			}
			close(calls)
			wg.Wait()
		})
	}
}
