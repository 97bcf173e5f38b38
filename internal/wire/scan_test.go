package wire_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// scan passes over a whole text.
func scan(text string, depth int) (raw string, tooDeep bool, err error) {
	var s wire.Scanner
	if err := s.Init([]byte(text), depth); err != nil {
		return "", false, err
	}
	value, err := s.Value()
	if err == nil {
		err = s.End()
	}
	return string(value), s.TooDeep(), err
}

func TestScanValid(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-0`, `-0.5`, `10`, `1e2`, `1E+02`, `1.25e-7`, `12345678901234567890`, `1e999`,
		`""`, `"a"`, `"\"\\\/\b\f\n\r\t\u00e9\uD83D\uDE00"`, `"\ud800"`, `"\uDfFf\uAbCd"`, `"é😀"`, "\"\u007f\u2028\"",
		`"` + long + `"`, `"` + long + `\"` + long + `"`, `"` + long + `\\"`, `"` + strings.Repeat(`\"`, 100) + `"`,
		`"1234567"`, `"12345678"`, `"123456789"`, `"` + long[:63] + `"`, `"` + long[:64] + `"`, `"` + long[:65] + `é"`,
		`[]`, `[ ]`, `[1]`, `[ 1 , [ ] , { } ]`, `{}`, `{ }`, `{"a":1}`, `{ "a" : 1 , "a" : {"b":[null]} }`, `{"":0}`, `{"\u0061":0}`,
		"\t\n\r {\t\"a\"\n:\r1 }",
	} {
		raw, deep, err := scan(" \n"+text+"\t ", 4)
		if err != nil || deep || raw != strings.TrimSpace(text) {
			t.Errorf("%s: got %q, too deep %v, %v", text, raw, deep, err)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("%s: the test is wrong", text)
		}
	}
}

func TestScanInvalid(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, row := range []struct {
		text   string
		offset int
	}{
		{``, 0}, {` `, 1}, {`nul`, 3}, {`nulL`, 3}, {`True`, 0}, {`tru e`, 3}, {`falsey`, 5}, {`undefined`, 0}, {`NaN`, 0},
		{`-`, 1}, {`+1`, 0}, {`01`, 1}, {`-a`, 1}, {`1.`, 2}, {`1.e1`, 2}, {`.5`, 0}, {`1e`, 2}, {`1e+`, 3}, {`1e+-1`, 3}, {`0x1`, 1}, {`1 2`, 2}, {`1:`, 1}, {`1/`, 1}, {`1d5`, 1}, {`1D5`, 1}, {`1.:`, 2}, {`"\u1234`, 7},
		{`"`, 1}, {`"a`, 2}, {`"\`, 2}, {`"\"`, 3}, {`"\x"`, 1}, {`"\u12"`, 1}, {`"\u12`, 5}, {`"\u12g4"`, 1}, {`"\u123G"`, 1}, {`"\u`, 3}, {`'a'`, 0},
		{"\"\n\"", 1}, {"\"1234567\x1f\"", 8}, {"\"" + long + "\x00\"", 101}, {"\"" + long + "\x1fabcdefghi\"", 101}, {`"` + long, 101}, {`"` + long + `\z"`, 101},
		{"\"\\n\x01\"", 3}, {`"` + long + `\"`, 103},
		{`[`, 1}, {`[1`, 2}, {`[1,`, 3}, {`[,]`, 1}, {`[1,]`, 3}, {`[1 2]`, 3}, {`[1}`, 2}, {`]`, 0}, {`[]]`, 2},
		{`{`, 1}, {`{"a"`, 4}, {`{"a":`, 5}, {`{"a":1`, 6}, {`{"a":1,`, 7}, {`{"a":1,}`, 7}, {`{a:1}`, 1}, {`{"a" 1}`, 5}, {`{,}`, 1}, {`{"a":1 "b":2}`, 7}, {`{1:1}`, 1}, {`{"a":}`, 5}, {`{"a\q":1}`, 3},
		{"\"\xff\"", 1}, {"\"é\xc3\"", 3}, {"\"\xed\xa0\x80\"", 1}, {"\xef\xbb\xbf1", 0}, {"[1\u00a0]", 2}, {"1\x00", 1},
	} {
		_, _, err := scan(row.text, 4)
		var syntax *wire.SyntaxError
		if !errors.As(err, &syntax) || syntax.Offset != row.offset || syntax.Error() == "" {
			t.Errorf("%q: got %v, want an error at %d", row.text, err, row.offset)
		}
		if json.Valid([]byte(row.text)) && utf8.ValidString(row.text) {
			t.Errorf("%q: the test is wrong", row.text)
		}
	}
}

func TestSyntaxErrorText(t *testing.T) {
	for _, row := range []struct{ text, want string }{
		{`[1`, `invalid JSON at byte 2: unexpected end`},
		{`[x`, `invalid JSON at byte 1: unexpected 'x'`},
		{`1 1`, `invalid JSON at byte 2: text behind the value`},
		{"\xff", `invalid JSON at byte 0: invalid UTF-8`},
		{"\"\t\"", `invalid JSON at byte 1: control character in a string`},
		{`"\q"`, `invalid JSON at byte 1: bad escape in a string`},
	} {
		if _, _, err := scan(row.text, 4); err == nil || err.Error() != row.want {
			t.Errorf("%q: got %v, want %s", row.text, err, row.want)
		}
	}
}

func TestScanDepth(t *testing.T) {
	nest := func(n int) string { return strings.Repeat(`[{"a":`, n) + `"]}"` + strings.Repeat(`}]`, n) }
	for _, row := range []struct {
		name  string
		text  string
		depth int
		deep  bool
		valid bool
	}{
		{"at the limit", nest(2), 4, false, true},
		{"over the limit", nest(2), 3, true, true},
		{"far over the limit", nest(100_000), 3, true, true},
		{"siblings do not add up", `[[],[],{},[{}]]`, 3, false, true},
		{"siblings behind nesting", `[[[[]]],[[]]]`, 3, true, true},
		{"one level", `[]`, 1, false, true},
		{"two levels", `[[]]`, 1, true, true},
		{"inside the nesting nothing is checked", `[[nonsense}]`, 1, true, true},
		{"but strings are", `[["]]`, 1, true, false},
		{"and the end", `[[`, 1, true, false},
		{"and what is behind", `[[]x]`, 1, true, false},
		{"default", nest(5000), 0, false, true},
		{"default, over", nest(5001), 0, true, true},
		{"no more than the default", nest(5001), 1 << 30, true, true},
	} {
		raw, deep, err := scan(row.text, row.depth)
		if deep != row.deep || (err == nil) != row.valid || row.valid && raw != row.text {
			t.Errorf("%s: too deep %v, %v", row.name, deep, err)
		}
	}
}

func TestScanMembers(t *testing.T) {
	var s wire.Scanner
	if err := s.Init([]byte(` {"a" : 1, "\u0062\n":[2, "x"],"c":{}} `), 2); err != nil {
		t.Fatal(err)
	}
	if s.Open('[') == nil {
		t.Fatal("opened an array")
	}
	_ = s.Init([]byte(` {"a" : 1, "\u0062\n":[2, "x"],"c":{}} `), 2)
	var got []string
	if err := s.Open('{'); err != nil {
		t.Fatal(err)
	}
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		raw, err := s.Value()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(key), string(raw))
	}
	if want := []string{"a", "1", "b\n", `[2, "x"]`, "c", "{}"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := s.End(); err != nil || s.TooDeep() {
		t.Error(err, s.TooDeep())
	}
}

func TestScanMarks(t *testing.T) {
	var s wire.Scanner
	if err := s.Init([]byte(`{"t":{"x":1}}`), 1); err != nil {
		t.Fatal(err)
	}
	start := s.Mark()
	if s.OpenWith(`{"u":`) || s.Literal("x") || !s.OpenWith(`{"t":`) || s.TooDeep() {
		t.Fatal("prefix")
	}
	if s.Close('}') {
		t.Fatal("closed before the value")
	}
	s.Back(start)
	if !s.OpenWith(`{"t":`) || !s.OpenWith(`{"x":`) || !s.TooDeep() || !s.Literal("1") || !s.Close('}') || !s.Close('}') {
		t.Fatal("again")
	}
	if got := string(s.Since(start)); got != `{"t":{"x":1}}` || s.End() != nil {
		t.Errorf("%s", got)
	}
}

func TestStrings(t *testing.T) {
	for _, row := range []struct{ raw, text, written string }{
		{`""`, "", `""`},
		{`"a\/b"`, "a/b", `"a/b"`},
		{`"\"\\\b\f\n\r\t\u001f\u0000"`, "\"\\\b\f\n\r\t\x1f\x00", `"\"\\\b\f\n\r\t\u001f\u0000"`},
		{`"\u00E9\u4e2d\uD83D\ude00"`, "é中😀", `"é中😀"`},
		{`"\ud83dx"`, "\uFFFDx", "\"\uFFFDx\""},
		{`"\ud83d\ud83d\ude00"`, "\uFFFD😀", "\"\uFFFD😀\""},
		{`"\ud83d\n"`, "\uFFFD\n", "\"\uFFFD\\n\""},
		{`"\ud83d\u0041"`, "\uFFFDA", "\"\uFFFDA\""},
		{`"\ude00"`, "\uFFFD", "\"\uFFFD\""},
		{"\"\u2028\u007f<>&\"", "\u2028\u007f<>&", "\"\u2028\u007f<>&\""},
	} {
		text, ok := wire.UnquoteString([]byte(row.raw))
		if !ok || text != row.text {
			t.Errorf("%s: got %q, want %q", row.raw, text, row.text)
		}
		if got := string(wire.AppendString([]byte("x"), row.text)); got != "x"+row.written {
			t.Errorf("%q: wrote %s, want %s", row.text, got, row.written)
		}
	}
	if got := string(wire.AppendString(nil, "a\xffb\xe4\xb8")); got != "\"a\uFFFDb\uFFFD\uFFFD\"" {
		t.Errorf("invalid UTF-8 written as %q", got)
	}
	for _, raw := range []string{"", "1", "null", `["a"]`} {
		if s, ok := wire.UnquoteString([]byte(raw)); ok || s != "" {
			t.Errorf("%q taken for a string", raw)
		}
	}
}

func TestTruthy(t *testing.T) {
	for raw, want := range map[string]bool{
		``: false, `null`: false, `false`: false, `0`: false, `-0`: false, `0.0e5`: false, `""`: false,
		`true`: true, `1`: true, `-1`: true, `0.1`: true, `1e999`: true, `"0"`: true, `{}`: true, `[]`: true,
	} {
		if got := wire.Truthy([]byte(raw)); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

func TestSegments(t *testing.T) {
	for _, row := range []struct {
		raw    string
		dotted bool
		want   []string
	}{
		{``, false, nil},
		{`"math","multiply"`, false, []string{"math", "multiply"}},
		{` "a.b" , "" `, false, []string{"a.b", ""}},
		{`"\u0061\"","b"`, false, []string{`a"`, "b"}},
		{``, true, []string{""}},
		{`math.multiply`, true, []string{"math", "multiply"}},
		{`a..b.`, true, []string{"a", "", "b", ""}},
		{`a\u002eb\"`, true, []string{"a", `b"`}},
	} {
		got, err := wire.Path{Raw: append([]byte{}, row.raw...), Dotted: row.dotted}.Segments([]string{"kept"})
		if err != nil || !slices.Equal(got, append([]string{"kept"}, row.want...)) {
			t.Errorf("%s: got %q, %v", row.raw, got, err)
		}
	}
	if _, err := (wire.Path{}).Segments(nil); !errors.Is(err, wire.ErrPath) {
		t.Error(err)
	}
	if _, err := (wire.Path{Raw: []byte(`"a`)}).Segments(nil); !errors.Is(err, wire.ErrPath) {
		t.Error(err)
	}
}

func FuzzScanner(f *testing.F) {
	for _, seed := range []string{mathAdd, `[1,"\ud800",{"a":[]}]`, `{"a":"` + strings.Repeat("x", 99) + `\""}`, "\"\x01", `-0.1e+5`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, deep, err := scan(string(text), 1000)
		want := json.Valid(text) && utf8.Valid(text)
		if !deep && (err == nil) != want || deep && want && err != nil {
			t.Errorf("%q: %v, but valid is %v", text, err, want)
		}
	})
}

// A path in its usual form, which is read in one go, means what it means with white space in it.
func TestScanPath(t *testing.T) {
	for _, text := range []string{
		`["math","add"]`, `[""]`, `["a","",".","é"]`, `["a" ,"b"]`, `["a\n"]`, `[]`, `["a",1]`, `["a",]`, `["a"`, `["a`, `["`, `[`, ``, `"a"`,
		`["a"}`, `["a""b"]`, `[,"a"]`, "[\"\x01\"]", `["a"],["b"]`,
	} {
		read := func(text string) (path []string, rest string, ok, failed bool) {
			var s wire.Scanner
			if err := s.Init([]byte(text), 0); err != nil {
				t.Fatal(err)
			}
			start := s.Mark()
			raw, ok, err := wire.ScanPath(&s)
			if ok && err == nil {
				if path, err = (wire.Path{Raw: raw}).Segments(nil); err != nil {
					t.Errorf("%s: %v", text, err)
				}
			}
			return path, text[len(s.Since(start)):], ok, err != nil
		}
		path, rest, ok, failed := read(text)
		spaced, spacedRest, spacedOK, spacedFailed := read(strings.Replace(text, "[", "[ ", 1))
		if !slices.Equal(path, spaced) || rest != spacedRest || ok != spacedOK || failed != spacedFailed {
			t.Errorf("%s: %q, %q behind it, %v, failed %v; with a space %q, %q, %v, %v", text, path, rest, ok, failed, spaced, spacedRest, spacedOK, spacedFailed)
		}
	}
}
