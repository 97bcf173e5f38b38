package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

const (
	compactPing = `{"t":"q","id":"%s","op":"call","p":["ping"],"a":[]}`
	classicPing = `{"id":"%s","method":"ping","args":[],"type":"request","version":"json"}` + "\n"
	superPing   = `{"json":{"id":"%s","method":"ping","args":[],"type":"request","version":"superjson"}}` + "\n"
)

func compactQ(id string) string { return fmt.Sprintf(compactPing, id) }
func classicQ(id string) string { return fmt.Sprintf(classicPing, id) }
func superQ(id string) string   { return fmt.Sprintf(superPing, id) }

// receive pushes frames and notes the id of each message, "destroy", "dropped", or "deep" with an id.
func receive(t testing.TB, in *wire.Inbound, frames ...string) []string {
	t.Helper()
	var got []string
	for _, frame := range frames {
		if err := in.Push([]byte(frame)); err != nil {
			if !errors.Is(err, wire.ErrTooLong) {
				t.Fatal(err)
			}
			return append(got, "too long")
		}
		for {
			var m wire.Message
			ok, err := in.Next(&m)
			if !ok && err == nil {
				break
			}
			switch {
			case ok && err != nil:
				if !errors.Is(err, wire.ErrDepth) || !errors.Is(err, wire.ErrDropped) {
					t.Fatal(err)
				}
				got = append(got, "deep "+strings.Trim(string(m.ID), `"`))
			case ok && m.Kind == wire.Destroy:
				got = append(got, "destroy")
			case ok:
				got = append(got, strings.Trim(string(m.ID), `"`))
			default:
				if !errors.Is(err, wire.ErrDropped) {
					t.Fatal(err)
				}
				got = append(got, "dropped")
			}
		}
	}
	return got
}

func TestInbound(t *testing.T) {
	const (
		auto = wire.Unknown
		c    = wire.Compact
		cs   = wire.CompactSuperJSON
		k    = wire.Classic
		ks   = wire.ClassicSuperJSON
	)
	wrapped := `{"json":` + compactQ("w") + `}`
	half, rest := classicQ("s")[:20], classicQ("s")[20:]
	list := func(s ...string) []string { return s }
	for _, row := range []struct {
		name   string
		fixed  wire.Dialect
		frames []string
		want   []string
		then   wire.Dialect
	}{
		{"nothing yet", auto, list(), nil, auto},
		{"compact", auto, list(compactQ("a"), compactQ("b")), list("a", "b"), c},
		{"compact with white space", auto, list("\n " + compactQ("a") + "\n"), list("a"), c},
		{"compact superjson", auto, list(wrapped), list("w"), cs},
		{"compact superjson, meta first", auto, list(`{"meta":{},"json":` + compactQ("w") + `}`), list("w"), cs},
		{"compact, other order", auto, list(`{"id":"a","op":"call","p":[],"t":"q"}`), list("a"), c},
		{"compact response", auto, list(`{"t":"r","id":"a"}`), list("a"), c},
		{"compact cancel", auto, list(`{"t":"qc","id":"a"}`), list("a"), c},
		{"compact kind, invalid message", auto, list(`{"t":"q"}`, classicQ("a")), list("dropped", "dropped"), c},
		{"t beside type", auto, list(`{"t":"r","type":"request","id":"a"}`), list("a"), c},
		{"unknown t beside type", auto, list(`{"t":"x","type":"request","id":"a","method":"m"}` + "\n"), list("a"), k},
		{"classic", auto, list(classicQ("a"), superQ("b")), list("a", "b"), k},
		{"classic superjson", auto, list(superQ("b"), classicQ("a")), list("b", "a"), ks},
		{"classic of a type unknown to us", auto, list(`{"type":"zz"}`+"\n", compactQ("a")), list("dropped"), k},
		{"superjson by more than its exact beginning", auto, list(`{ "json":{"type":"request","id":"a","method":"m"}}` + "\n"), list("dropped"), k},
		{"joined", auto, list(classicQ("a") + classicQ("b") + "\r\n  " + superQ("c")), list("a", "b", "c"), k},
		{"split", auto, list(half, rest), list("s"), k},
		{"split before the newline", auto, list(strings.TrimSpace(classicQ("s")), " \n", "\t", "\r\n"+classicQ("b")), list("s", "b"), k},
		{"split and joined", auto, list(classicQ("a")+half, rest+half, rest), list("a", "s", "s"), k},
		{"split within a character", auto, list(`{"type":"request","method":"é`[:28], `{"type":"request","method":"é`[28:]+`","id":"a"}`+"\n"), list("a"), k},
		{"a frame of white space ends no line", k, list(half, "\n", rest), list("s"), k},
		{"garbage, then compact", auto, list("not json", "null", "[]", "7", `"s"`, "{}", `{"t":1}`, `{"t":"zz"}`, `{bad`, `[1,`, compactQ("a")), list("dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "dropped", "a"), c},
		{"garbage lines, then classic", auto, list("not json\n", "null\n[]\n", "{}\n", "{bad\n", classicQ("a")), list("dropped", "dropped", "dropped", "dropped", "dropped", "a"), k},
		{"garbage without newline is not joined with what follows", auto, list("garbage", classicQ("a")), list("dropped", "a"), k},
		{"half a compact message, then compact", auto, list(compactQ("a")[:20], compactQ("a")[20:], compactQ("b"), compactQ("c")), list("b", "c"), c},
		{"half a compact message, then classic", auto, list(compactQ("a")[:20], "\n"+classicQ("b")), list("dropped", "b"), k},
		{"two compact messages in a frame", auto, list(compactQ("a")+"\n"+compactQ("b"), compactQ("c")), list("dropped", "c"), c},
		{"empty frames", auto, list("", " ", "\n", compactQ("a")), list("a"), c},
		{"destroy first", auto, list("__DESTROY__"), list("destroy"), auto},
		{"destroy with a newline is none", auto, list("__DESTROY__\n", classicQ("a"), "__DESTROY__"), list("dropped", "a", "destroy"), k},
		{"destroy between the halves", k, list(half, "__DESTROY__", rest), list("destroy", "s"), k},
		{"compact knows no destroy", auto, list(compactQ("a"), "__DESTROY__", compactQ("b")), list("a", "dropped", "b"), c},
		{"deep first", auto, list(strings.Replace(compactQ("a"), "[]", `[[[[[[[[[]]]]]]]]]`, 1)), list("deep a"), c},
		{"deep, classic", auto, list(strings.Replace(classicQ("a"), "[]", `[[[[[[[[[]]]]]]]]]`, 1) + classicQ("b")), list("deep a", "b"), k},
		{"deep without id", k, list(`{"type":"request","method":"x","args":[[[[[[[[[]]]]]]]]]}` + "\n"), list("dropped"), k},

		{"fixed compact", c, list(classicQ("a"), wrapped, compactQ("b"), "", "x", compactQ("c")+compactQ("d")), list("dropped", "dropped", "b", "dropped", "dropped", "dropped"), c},
		{"fixed compact superjson", cs, list(superQ("a"), compactQ("b"), wrapped), list("dropped", "dropped", "w"), cs},
		{"fixed classic", k, list(superQ("a"), compactQ("b")+"\n", classicQ("c")), list("a", "dropped", "c"), k},
		{"fixed classic superjson", ks, list(classicQ("a"), "log line\n", superQ("c")), list("a", "dropped", "c"), ks},
		{"fixed classic, compact without newline damages the next line", k, list(compactQ("b"), classicQ("c"), classicQ("d")), list("dropped", "d"), k},
	} {
		in := wire.NewInbound(codecOf, row.fixed, 1<<10, 8)
		got := receive(t, in, row.frames...)
		if !slices.Equal(got, row.want) || in.Dialect() != row.then {
			t.Errorf("%s: got %q, dialect %d, want %q, %d", row.name, got, in.Dialect(), row.want, row.then)
		}
	}
}

func TestInboundTooLong(t *testing.T) {
	line := strings.TrimSpace(classicQ("a"))
	n := len(line)
	for _, row := range []struct {
		name   string
		max    int
		frames []string
		want   []string
	}{
		{"a frame of the limit", n, []string{line, "\n" + line}, []string{"too long"}}, // the newline counts
		{"a line over two frames", n, []string{line[:9], line[9:], "\n" + line[:n-1]}, []string{"a"}},
		{"a line over two frames, too long", n - 1, []string{line[:9], line[9:]}, []string{"too long"}},
		{"a line over two frames, too long with its end", n - 1, []string{line[:9], line[9:] + "\n"}, []string{"too long"}},
		{"a frame", n - 1, []string{line}, []string{"too long"}},
		{"a compact frame", len(compactQ("c")), []string{compactQ("c"), compactQ("cc")}, []string{"c", "too long"}},
		{"drop by drop", 8, append([]string{"{"}, slices.Repeat([]string{"1"}, 8)...), []string{"too long"}},
		{"drop by drop, at the limit", 9, append([]string{"{"}, slices.Repeat([]string{"1"}, 8)...), nil},
	} {
		in := wire.NewInbound(codecOf, wire.Unknown, row.max, 8)
		if got := receive(t, in, row.frames...); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// A line that comes in many frames is not copied again and again.
func TestLinesInPiecesGrowRarely(t *testing.T) {
	const limit = 4 << 20
	in := wire.NewInbound(codecOf, wire.Classic, limit, 64)
	piece := bytes.Repeat([]byte("x"), 40<<10)
	sizes := map[int]bool{}
	for range limit / len(piece) {
		if err := in.Push(piece); err != nil {
			t.Fatal(err)
		}
		sizes[in.Held()] = true
	}
	if len(sizes) > 9 { // from 40 KiB to 4 MiB, doubled each time
		t.Errorf("the buffer had %d sizes: %v", len(sizes), slices.Sorted(maps.Keys(sizes)))
	}
	if in.Held() > limit {
		t.Errorf("%d bytes are held for a line of at most %d", in.Held(), limit)
	}
}

func TestInboundReasons(t *testing.T) {
	for _, row := range []struct{ frame, want string }{
		{`null`, "dropped: not a kkrpc message"},
		{`[1`, "dropped: invalid JSON at byte 2: unexpected end"},
		{"x\n", "dropped: not a kkrpc message"},
		{"{x}\n", "dropped: invalid JSON at byte 1: unexpected 'x'"},
		{`{"t":"q"}`, "dropped: not a kkrpc message"},
		{"{}\n", "dropped: not a kkrpc message"},
		{"{\"type\":\"zz\"}\n", "dropped: not a kkrpc message"},
	} {
		in := wire.NewInbound(codecOf, wire.Unknown, 100, 8)
		if err := in.Push([]byte(row.frame)); err != nil {
			t.Fatal(err)
		}
		var m wire.Message
		ok, err := in.Next(&m)
		if ok || err == nil || err.Error() != row.want {
			t.Errorf("%s: %v, %v", row.frame, ok, err)
		}
		if ok, err := in.Next(&m); ok || err != nil {
			t.Errorf("%s: again: %v, %v", row.frame, ok, err)
		}
	}
}

// TestInboundBorrows checks that what is kept of a frame is a copy, and that a message over two frames stays whole while
// the next half is kept.
func TestInboundBorrows(t *testing.T) {
	in := wire.NewInbound(codecOf, wire.Classic, 1<<20, 8)
	first, second := []byte(classicQ("a")[:30]), []byte(classicQ("a")[30:]+classicQ("b")[:30])
	push := func(frame []byte) {
		if err := in.Push(frame); err != nil {
			t.Fatal(err)
		}
	}
	var m wire.Message
	push(first)
	if ok, err := in.Next(&m); ok || err != nil {
		t.Fatal(ok, err)
	}
	copy(first, bytes.Repeat([]byte("!"), len(first)))
	push(second)
	if ok, err := in.Next(&m); !ok || err != nil || string(m.ID) != `"a"` {
		t.Fatal(ok, err)
	}
	if ok, err := in.Next(&wire.Message{}); ok || err != nil {
		t.Fatal(ok, err)
	}
	copy(second, bytes.Repeat([]byte("!"), len(second)))
	push([]byte(classicQ("b")[30:]))
	if ok, err := in.Next(&m); !ok || err != nil || string(m.ID) != `"b"` {
		t.Fatal(ok, err)
	}
	// A long line is read whole although its buffer is given up.
	long := strings.Replace(classicQ("c"), "[]", `["`+strings.Repeat("x", 200<<10)+`"]`, 1)
	push([]byte(long[:100<<10]))
	push([]byte(long[100<<10:] + half(classicQ("d"))))
	if ok, err := in.Next(&m); !ok || err != nil || string(m.ID) != `"c"` {
		t.Fatal(ok, err)
	}
	if ok, err := in.Next(&m); ok || err != nil {
		t.Fatal(ok, err)
	}
	if got := receive(t, in, classicQ("d")[len(half(classicQ("d"))):]); !slices.Equal(got, []string{"d"}) {
		t.Errorf("got %q", got)
	}
}

func half(s string) string { return s[:len(s)/2] }

func TestDetect(t *testing.T) {
	for _, row := range []struct {
		text string
		want wire.Dialect
		cut  bool
		ok   bool
	}{
		{`{"t":"sq"}`, wire.Compact, false, true},
		{`{"json":{"t":"sr"}}`, wire.CompactSuperJSON, false, true},
		{`{"t":"cbr","json":{"t":"sr"}}`, wire.Compact, false, true},
		{`{"json":{"t":"cb"},"json":{"type":"x"}}`, wire.ClassicSuperJSON, false, true},
		{`{"json":{"json":{"t":"cb"}}}`, wire.Unknown, false, true},
		{`{"json":[{"t":"cb"}]}`, wire.Unknown, false, true},
		{`{"json":{"type":"x"}}`, wire.ClassicSuperJSON, false, true},
		{` {"json":{"type":"x"}}`, wire.Classic, false, true},
		{`{"type":"x"}`, wire.Classic, false, true},
		{`{"type":"x","t":"q","t":"zz"}`, wire.Classic, false, true},
		{`{"type":5}`, wire.Unknown, false, true},
		{`{"t":"q"`, wire.Unknown, true, false},
		{`{"t":"q"}x`, wire.Unknown, false, false},
		{`{"json":{"t":"q"}`, wire.Unknown, true, false},
		{`{"json":{"t":}`, wire.Unknown, false, false},
		{"{\"\xe2\x82", wire.Unknown, true, false},
		{"{\"\xe2\x82\"", wire.Unknown, false, false},
		{``, wire.Unknown, true, false},
		{`[]`, wire.Unknown, false, true},
	} {
		d, cut, err := wire.Detect([]byte(row.text), 8)
		if d != row.want || cut != row.cut || (err == nil) != row.ok {
			t.Errorf("%s: %d, cut %v, %v", row.text, d, cut, err)
		}
	}
}

func TestDialect(t *testing.T) {
	for d, c := range codecs {
		if c.Dialect() != d || d.IsClassic() != (d == wire.Classic || d == wire.ClassicSuperJSON) {
			t.Error(d)
		}
	}
}

// FuzzInbound: where the frames of a classic connection are cut does not matter.
func FuzzInbound(f *testing.F) {
	f.Add([]byte(classicQ("a")+superQ("b")+"log\n"+classicQ("c")), uint8(9), uint8(20))
	f.Add([]byte("\n{}\n{x\n__DESTROY__\n"+classicQ("a")), uint8(1), uint8(3))
	f.Fuzz(func(t *testing.T, stream []byte, first, step uint8) {
		if bytes.Contains(stream, []byte("__DESTROY__")) {
			return
		}
		whole := receive(t, wire.NewInbound(codecOf, wire.Classic, 1<<20, 8), string(stream))
		var frames []string
		for at := int(first); len(stream) > 0; at = int(step) + 1 {
			n := min(max(at, 1), len(stream))
			// A frame of white space is not kept, so that it stays with the frame before it.
			for n < len(stream) && len(bytes.TrimSpace(stream[:n])) == 0 || n < len(stream) && len(bytes.TrimSpace(stream[n:])) == 0 {
				n++
			}
			frames = append(frames, string(stream[:n]))
			stream = stream[n:]
		}
		if split := receive(t, wire.NewInbound(codecOf, wire.Classic, 1<<20, 8), frames...); !slices.Equal(whole, split) {
			t.Errorf("whole %q, split %q", whole, split)
		}
		receive(t, wire.NewInbound(codecOf, wire.Unknown, 1<<20, 8), frames...)
	})
}

// A message may hold that many arguments and no more, since each costs more than its text.
func TestTooManyArguments(t *testing.T) {
	list := func(n int) string { return "[" + strings.Repeat("1,", n-1) + "1]" }
	for _, row := range []struct{ name, before, after string }{
		{"compact", `{"t":"q","id":"i","op":"call","p":["x"],"a":`, `}`},
		{"classic", `{"id":"i","method":"x","type":"request","args":`, "}\n"},
		{"compact superjson", `{"json":{"t":"q","id":"i","op":"call","p":["x"],"a":`, `}}`},
	} {
		in := wire.NewInbound(codecOf, wire.Unknown, 4<<20, 64)
		var m wire.Message
		for _, step := range []struct {
			text string
			args int
			want error
		}{
			{list(wire.MaxArgs), wire.MaxArgs, nil},
			{list(wire.MaxArgs + 1), wire.MaxArgs, wire.ErrArgs},
			{list(1), 1, nil},
		} {
			if err := in.Push([]byte(row.before + step.text + row.after)); err != nil {
				t.Fatal(err)
			}
			ok, err := in.Next(&m)
			if !ok || !errors.Is(err, step.want) || len(m.Args) != step.args || string(m.ID) != `"i"` {
				t.Errorf("%s: %v, %v, %d arguments, id %s", row.name, ok, err, len(m.Args), m.ID)
			}
			in.Next(new(wire.Message))
		}
		if cap(m.Args) > 1000 {
			t.Errorf("%s: room for %d arguments is kept", row.name, cap(m.Args))
		}
	}
}

// Text that is not UTF-8 is no message, unless who brings it has vouched for all of it; a first message is always checked.
func TestTrust(t *testing.T) {
	for _, test := range []struct {
		name    string
		dialect wire.Dialect
		trusted bool
		frames  []string
		want    []string
	}{
		{"compact", wire.Compact, false, []string{compactQ("a\xff")}, []string{"dropped"}},
		{"compact, vouched for", wire.Compact, true, []string{compactQ("a\xff")}, []string{"a\xff"}},
		{"classic", wire.Classic, false, []string{classicQ("a\xff")}, []string{"dropped"}},
		{"classic, vouched for, in two frames", wire.Classic, true, []string{classicQ("a\xff")[:9], classicQ("a\xff")[9:]}, []string{"a\xff"}},
		{"a first message, vouched for", wire.Unknown, true, []string{compactQ("a\xff"), compactQ("b"), compactQ("c\xff")}, []string{"dropped", "b", "c\xff"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := wire.NewInbound(codecOf, test.dialect, 1000, 10)
			in.Trust(test.trusted)
			if got := receive(t, in, test.frames...); !slices.Equal(got, test.want) {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
