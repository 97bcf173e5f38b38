package bind

import (
	"slices"
	"testing"
)

func TestSplitPath(t *testing.T) {
	for _, r := range []struct {
		path string
		want []string // nil: refused
	}{
		{"a.b", []string{"a", "b"}},
		{"a..b", []string{"a", "", "b"}},
		{`a\.b.c`, []string{"a.b", "c"}},
		{`a\\.b`, []string{`a\`, "b"}},
		{`\.`, []string{"."}},
		{`a\b`, nil},
		{`a\`, nil},
	} {
		got, err := SplitPath(nil, r.path)
		if (err != nil) != (r.want == nil) || err == nil && !slices.Equal(got, r.want) {
			t.Errorf("%s: got %q, %v, want %q", r.path, got, err, r.want)
		}
	}
}

// FuzzPath joins the segments of any path, and splits them again.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"", "a.b", `a\.b\\.c`, `\x`, "..", `é.\`} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		segments, err := SplitPath(nil, path)
		if err != nil {
			return
		}
		if joined := JoinPath(slices.Clone(segments)); joined != path {
			t.Errorf("%q became %q", path, joined)
		}
	})
}
