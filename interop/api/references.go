package api

import (
	"context"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// references are the functions that return or take remote references, for clients whose channel is that of
// kkrpc/remote-refs.
func references() kkrpc.Object {
	return kkrpc.Object{
		"openCounter": func(start int) *kkrpc.Ref {
			c := new(openCounter)
			c.Value.Set(start)
			return kkrpc.Proxy(c)
		},
		"makeAdder": func(n float64) *kkrpc.Ref {
			return kkrpc.Proxy(func(x float64) float64 { return x + n })
		},
		"applyTwice": func(ctx context.Context, fn *kkrpc.Ref, x any) (result any, err error) {
			if err := fn.Apply(ctx, &x, x); err != nil {
				return nil, err
			}
			err = fn.Apply(ctx, &result, x)
			return result, err
		},
	}
}

// openCounter is what openCounter answers, by reference.
type openCounter struct {
	Value kkrpc.Property[int]
	mu    sync.Mutex
}

// Increment adds by, or 1, and returns the new value.
func (c *openCounter) Increment(by *int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.Value.Get() + 1
	if by != nil {
		n += *by - 1
	}
	c.Value.Set(n)
	return n
}
