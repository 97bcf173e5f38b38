package verbatim_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc/internal/verbatim"
)

// slow is InString, byte by byte.
func slow(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.ValidString(s)
}

func check(t *testing.T, s string) {
	t.Helper()
	want := slow(s)
	if got := verbatim.InString(s); got != want {
		t.Fatalf("%q: %v, want %v", s, got, want)
	}
	if got := verbatim.InString([]byte(s)); got != want {
		t.Fatalf("bytes %q: %v, want %v", s, got, want)
	}
}

// Every byte, at every place of a word and behind every other, is judged as it is alone.
func TestTwoBytes(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			for at := range 9 {
				text := []byte(strings.Repeat("x", 19))
				text[at], text[at+1] = byte(a), byte(b)
				check(t, string(text))
			}
		}
	}
}

// One byte that is not plain is found wherever it is, in text of any length.
func TestPlaces(t *testing.T) {
	for n := range 300 {
		text := []byte(strings.Repeat("~", n))
		check(t, string(text))
		for at := range text {
			for _, c := range []byte{0, 0x1f, '"', '\\', 0x80, 0xff} {
				text[at] = c
				check(t, string(text))
				text[at] = '~'
			}
		}
	}
}

func TestBeyondASCII(t *testing.T) {
	for _, text := range []string{"é", "漢字", "😀", "\u2028", "\x7f", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "é\n", "é\""} {
		for _, n := range []int{1, 10, 100} {
			check(t, strings.Repeat(text, n))
			check(t, strings.Repeat("a", n)+text)
		}
	}
}

func FuzzInString(f *testing.F) {
	f.Add("plain", 1)
	f.Add("é\x80\x1f", 60)
	f.Fuzz(func(t *testing.T, s string, n int) {
		check(t, s)
		check(t, strings.Repeat("a", n&255)+s)
	})
}

func BenchmarkInString(b *testing.B) {
	for _, bench := range []struct {
		name, text string
	}{
		{"16", strings.Repeat("a", 16)},
		{"100", strings.Repeat("a", 100)},
		{"1K", strings.Repeat("a", 1<<10)},
		{"64K", strings.Repeat("a", 64<<10)},
		{"64K beyond ASCII", strings.Repeat("é", 32<<10)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.SetBytes(int64(len(bench.text)))
			for b.Loop() {
				if !verbatim.InString(bench.text) {
					b.Fatal("not plain")
				}
			}
		})
	}
}
