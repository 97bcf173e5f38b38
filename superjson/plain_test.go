package superjson

import (
	"strings"
	"testing"
)

// Every byte, at every place of a word and behind every other, is judged as it is alone.
func TestIsPlain(t *testing.T) {
	alone := func(c byte) bool { return c >= ' ' && c < 0x80 && c != '"' && c != '\\' }
	for a := range 256 {
		for b := range 256 {
			want := alone(byte(a)) && alone(byte(b))
			for at := range 9 {
				text := []byte(strings.Repeat("x", 19))
				text[at], text[at+1] = byte(a), byte(b)
				if got := isPlain(text); got != want {
					t.Fatalf("%q: %v, want %v", text, got, want)
				}
			}
		}
	}
	for n := range 20 {
		if !isPlain(strings.Repeat("~", n)) {
			t.Errorf("%d bytes", n)
		}
	}
}

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
