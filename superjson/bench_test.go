package superjson_test

import (
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

func BenchmarkAppend(b *testing.B) {
	for name, v := range map[string]any{
		"int": 42, "string": "hello", "time": time.UnixMilli(0), "bytes": []byte("hello"),
		"struct": user{Name: "x", Tags: []string{"a", "b"}}, "tree": map[string]any{"a": []any{1, "x", nil}, "b": time.UnixMilli(0)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e := superjson.NewEncoder(superjson.ModeSuperJSON)
			var buf []byte
			for b.Loop() {
				e.Reset(superjson.ModeSuperJSON)
				buf, _ = e.Append(buf[:0], "v", v)
				buf = e.AppendMeta(buf)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	b.Run("int", func(b *testing.B) {
		b.ReportAllocs()
		var n int
		for b.Loop() {
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte("42"), nil, &n)
		}
	})
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var u user
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte(`{"name":"x","tags":["a","b"]}`), nil, &u)
		}
	})
	b.Run("any", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			_ = superjson.Decode(superjson.ModeSuperJSON, []byte(`{"name":"x","tags":["a","b"]}`), nil, &v)
		}
	})
}

func TestScalarsDoNotAllocate(t *testing.T) {
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	buf := make([]byte, 0, 256)
	for _, v := range []any{"hello", 42, 1.5, true, nil, time.UnixMilli(0), uint8(1), []byte{1}, superjson.Undefined} {
		e.Reset(superjson.ModeSuperJSON)
		n := testing.AllocsPerRun(50, func() {
			e.Reset(superjson.ModeSuperJSON)
			buf, _ = e.Append(buf[:0], "a.0.v", v)
			buf = e.AppendMeta(buf)
		})
		if n > 0 {
			t.Errorf("%T: %v allocations", v, n)
		}
	}
}
