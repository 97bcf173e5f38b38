package api

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"github.com/kkrpc-go/kkrpc"
)

// Bytes returns an API whose functions take and return bytes, as npm-client-bytes.mjs calls it.
func Bytes() kkrpc.Object {
	return kkrpc.Object{
		"echo": func(b []byte) []byte { return b },
		"any":  func(v any) any { return v },
		"sum": func(b []byte) (sum int) {
			for _, v := range b {
				sum += int(v)
			}
			return sum
		},
		"report": func(b []byte, f func(int, []byte)) {
			for n := range 3 {
				f(n+1, b)
			}
		},
		"drive": func(ctx context.Context, n int) (int, error) {
			client := kkrpc.FromContext(ctx)
			for i := range n {
				var got struct {
					Swapped []byte `json:"swapped"`
					Length  int    `json:"length"`
				}
				if err := client.Call(ctx, &got, "swap", []byte{byte(i), 1, 2}); err != nil {
					return i, err
				}
				if !bytes.Equal(got.Swapped, []byte{2, 1, byte(i)}) || got.Length != 3 {
					return i, fmt.Errorf("swapped are %v", got)
				}
			}
			return n, nil
		},
		"fail": func(b []byte) error {
			return &kkrpc.Error{Message: "refused", Fields: map[string]any{"data": b}}
		},
		"items": func(n, size int) iter.Seq[[]byte] {
			return func(yield func([]byte) bool) {
				for i := range n {
					if !yield(Pattern(i, size)) {
						return
					}
				}
			}
		},
		"take": func(items iter.Seq2[[]byte, error]) (n int, err error) {
			for item, err := range items {
				if err != nil || !bytes.Equal(item, Pattern(n, len(item))) {
					return n, fmt.Errorf("item %d has %d bytes, %w", n, len(item), err)
				}
				n++
			}
			return n, nil
		},
	}
}

// Pattern is size bytes that differ by n, as in npm-client-bytes.mjs.
func Pattern(n, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i*7 + n)
	}
	return b
}
