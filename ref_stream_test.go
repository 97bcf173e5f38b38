package kkrpc_test

import (
	"context"
	"iter"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// References cross as items of streams, in both directions, and those that come back are the owner's own.
func TestOwnReferencesInStreams(t *testing.T) {
	type seat struct {
		Row int        `json:"row"`
		Ref *kkrpc.Ref `json:"ref"`
	}
	own := kkrpc.Proxy(kkrpc.Object{"row": 7})
	server := kkrpc.Object{
		"seats": func(n int) iter.Seq[seat] {
			return func(yield func(seat) bool) {
				for i := range n {
					if !yield(seat{i, kkrpc.Proxy(kkrpc.Object{"book": func(name string) string { return name }})}) {
						return
					}
				}
			}
		},
		"own": func() *kkrpc.Ref { return own },
		"count": func(ctx context.Context, refs iter.Seq2[*kkrpc.Ref, error]) (mine int, err error) {
			for ref, err := range refs {
				if err != nil {
					return 0, err
				}
				if ref == own {
					mine++
				}
			}
			return mine, nil
		},
	}
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON} {
		t.Run(d.String(), func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: server}, kkrpc.Options{Dialect: d, References: true})
			rows := 0
			for s, err := range kkrpc.Stream[seat](t.Context(), c, "seats", 40) {
				if err != nil {
					t.Fatal(err)
				}
				if got, err := kkrpc.Call[string](t.Context(), s.Ref, "book", "Ada"); got != "Ada" || err != nil || s.Row != rows {
					t.Fatalf("row %d of %d: %q, %v", s.Row, rows, got, err)
				}
				rows++
			}
			theirs, err := kkrpc.Call[*kkrpc.Ref](t.Context(), c, "own")
			if err != nil {
				t.Fatal(err)
			}
			mine, err := kkrpc.Call[int](t.Context(), c, "count", iter.Seq[*kkrpc.Ref](func(yield func(*kkrpc.Ref) bool) {
				_ = yield(theirs) && yield(kkrpc.Proxy(func() {})) && yield(theirs)
			}))
			if rows != 40 || mine != 2 || err != nil {
				t.Errorf("%d rows, %d of the server's own, %v", rows, mine, err)
			}
		})
	}
}
