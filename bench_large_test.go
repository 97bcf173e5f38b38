package kkrpc_test

import (
	"context"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// BenchmarkServeText is BenchmarkServe for a function that is given 64 KiB of text and returns it.
func BenchmarkServeText(b *testing.B) {
	ascii := strings.Repeat("0123456789abcdef", 4<<10)
	for _, test := range []struct {
		name string
		fn   any
		text string
	}{
		{"typed", func(s string) string { return s }, ascii},
		{"reflected", func(s *string) *string { return s }, ascii},
		{"struct", func(s struct{ Text string }) struct{ Text string } { return s }, ascii},
		{"any", func(s any) any { return s }, ascii},
		{"beyond ASCII", func(s string) string { return s }, strings.Repeat("é", 32<<10)},
		{"lines", func(s string) string { return s }, strings.Repeat(strings.Repeat("x", 62)+`\n`, 1<<10)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			arg := `"` + test.text + `"`
			if test.name == "struct" {
				arg = `{"Text":` + arg + `}`
			}
			request := `{"t":"q","id":"dcd7065b-6b28-49ee-8b34-c0d1a7964054","op":"call","p":["f"],"a":[{"__kkrpc_next_arg__":"value","v":` + arg + `}]}`
			f := &feed{request: []byte(request), n: b.N, burst: 2, done: make(chan struct{}), written: b.N}
			ch, err := kkrpc.New(context.Background(), f, &kkrpc.Options{Expose: kkrpc.Object{"f": test.fn}})
			if err != nil {
				b.Fatal(err)
			}
			<-f.done
			ch.Close()
		})
	}
}
