package superjson

import (
	"strings"
	"testing"
)

func BenchmarkString64K(b *testing.B) {
	s := strings.Repeat("0123456789abcdef", 4096)
	raw := []byte(`"` + s + `"`)
	b.Run("append", func(b *testing.B) {
		var dst []byte
		b.SetBytes(int64(len(s)))
		for b.Loop() {
			dst = appendString(dst[:0], s)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(s)))
		for b.Loop() {
			var out string
			if err := Decode(ModeJSON, raw, nil, &out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
