package kknats

import (
	"strings"
	"testing"
)

func FuzzName(f *testing.F) {
	for _, name := range []string{"room", "a.b", "*", ">", "%", "%2A", "ä", "\x00\n", strings.Repeat("x", 200)} {
		f.Add(name, "other")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		token := encode(a)
		if strings.ContainsFunc(token, func(r rune) bool { return r != '%' && (r > 'z' || !plain(byte(r))) }) {
			t.Errorf("%q becomes %q", a, token)
		}
		if back, ok := decode(token); !ok || back != a {
			t.Errorf("%q becomes %q, %v", token, back, ok)
		}
		if a != b && encode(b) == token {
			t.Errorf("%q and %q become %q", a, b, token)
		}
		decode(a) // of others: anything, but no panic
		if messageID("s", a) == messageID("s", b) && a != b || messageID("s"+a, b) == messageID("s", a+b) && a != "" {
			t.Errorf("ids %q and %q", a, b)
		}
	})
}
