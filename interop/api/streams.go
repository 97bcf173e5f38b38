package api

import (
	"context"
	"fmt"
	"io"
	"iter"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc"
)

// streams are the functions that make and take streams. Their counters are shared by all connections.
func streams() kkrpc.Object {
	var started, finished atomic.Int64
	// produce yields 1 to n, waiting ms before each, and fails at the end if err says so.
	produce := func(ctx context.Context, n, ms int, err error) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			started.Add(1)
			defer finished.Add(1)
			for i := range n {
				if ms > 0 && sleep(ctx, ms) != nil {
					return
				}
				if !yield(i+1, nil) {
					return
				}
			}
			if err != nil {
				yield(0, err)
			}
		}
	}
	return kkrpc.Object{
		"countTo": func(ctx context.Context, n int) iter.Seq2[int, error] { return produce(ctx, n, 0, nil) },
		"countSlow": func(ctx context.Context, n, ms int) iter.Seq2[int, error] {
			return produce(ctx, n, ms, nil)
		},
		"failAfter": func(ctx context.Context, n int) iter.Seq2[int, error] {
			return produce(ctx, n, 0, &kkrpc.Error{
				Message: fmt.Sprintf("failed after %d", n), Fields: map[string]any{"code": "E_STREAM"},
			})
		},
		"streamStats": func() map[string]int64 {
			return map[string]int64{"started": started.Load(), "finished": finished.Load()}
		},
		"sumStream": func(source iter.Seq2[int, error]) (sum int, err error) {
			for v, err := range source {
				if err != nil {
					return 0, err
				}
				sum += v
			}
			return sum, nil
		},
		// The byte at each place is the place modulo 251.
		"readBytes": func(n int64) io.ReadCloser {
			started.Add(1)
			return &counted{Reader: io.LimitReader(new(pattern), n), closed: func() { finished.Add(1) }}
		},
		"writeBytes": func(n int64, w io.Writer) error {
			started.Add(1)
			defer finished.Add(1)
			_, err := io.Copy(w, io.LimitReader(new(pattern), n))
			return err
		},
		"countBytes": func(source io.Reader) (int64, error) { return io.Copy(io.Discard, source) },
		"firstByte": func(source io.Reader) (int, error) {
			first := make([]byte, 1)
			_, err := source.Read(first)
			return int(first[0]), err
		},
		"firstOf": func(source iter.Seq2[any, error]) (any, error) {
			for v, err := range source {
				return v, err
			}
			return nil, nil
		},
	}
}

// pattern reads bytes that tell their places.
type pattern struct{ at int }

func (p *pattern) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(p.at % 251)
		p.at++
	}
	return len(b), nil
}

// counted is a reader that counts how often it is closed.
type counted struct {
	io.Reader
	closed func()
}

func (c *counted) Close() error {
	c.closed()
	return nil
}
