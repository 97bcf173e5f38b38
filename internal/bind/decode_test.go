package bind

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type point struct {
	X, Y float64
	Next *point `json:"next,omitempty"`
}

// broken has a decoder that fails as one of package kkrpc could.
type broken struct{}

func (*broken) UnmarshalJSON([]byte) error { return errPlaced }

// functions has at least one of every sort of parameter and result.
func functions() object {
	return object{
		"none":    func() {},
		"fails":   func() error { return errors.New("broken") },
		"text":    func(s string) string { return s },
		"number":  func(a, b float64) float64 { return a + b },
		"whole":   func(n int) (int, error) { return n, nil },
		"small":   func(n uint8) uint8 { return n },
		"truth":   func(ok bool) bool { return !ok },
		"context": func(_ context.Context, s string) (string, error) { return s, nil },
		"named":   func(l label) level { return level(len(l)) },
		"own":     func(s shouted) shouted { return s },
		"point":   func(p point) point { return p },
		"pointer": func(p *point) bool { return p == nil },
		"list":    func(l []int, m map[string]bool) int { return len(l) + len(m) },
		"rest":    func(first string, rest ...int) int { return len(first) + len(rest) },
		"points":  func(p ...*point) int { return len(p) },
		"any":     func(v any) any { return v },
		"value":   func(v superjson.Value) superjson.Value { return v },
		"raw":     func(raw json.RawMessage) json.RawMessage { return raw },
		"time":    func(at time.Time) int { return at.Year() },
		"big":     func(n *big.Int) string { return n.String() },
		"broken":  func(broken) {},
		"callback": func(f func(string) error) (s string) {
			defer func() { s, _ = recover().(string) }()
			return f("").Error()
		},
		"handle": func(h *handle) string {
			if h == nil {
				return ""
			}
			return h.id
		},
		"stream": func(s iter.Seq2[int, error]) (text string) {
			s(func(_ int, err error) bool { text = err.Error(); return true })
			return
		},
		"reference": func(r *reference) bool { return r != nil && r.target != nil },
		"inside":    func(r struct{ R *reference }) bool { return r.R != nil },
		"held":      func(h held[error]) bool { return h.target != nil },
		"heldNull":  func(h *held[error]) bool { return h != nil && h.target != nil },
		"items":     func() iter.Seq[int] { return func(func(int) bool) {} },
		"undefined": func() any { return superjson.Undefined },
		"channel":   func() any { return make(chan int) },
		"shared":    func() *shared { return &shared{1} },
	}
}

func TestCallsAreDecodedRunAndEncoded(t *testing.T) {
	api := expose(t, functions())
	for _, r := range []struct{ path, args, want string }{
		{"none", ``, `undefined`},
		{"none", `1`, `TypeError: none: argument 1: expected at most 0 arguments, got 1`},
		{"fails", ``, `failed: broken`},
		{"text", `"a"`, `"a"`},
		{"text", `"\u00e9\ud800"`, "\"é\ufffd\""},
		{"text", ``, `TypeError: text: argument 1: expected string, got undefined`},
		{"text", `1`, `TypeError: text: argument 1: expected string, got number`},
		{"text", `{"__kkrpc_next_arg__":"callback","id":"f"}`, `TypeError: text: argument 1: expected string, got function`},
		{"number", `1,2.5`, `3.5`},
		{"number", `1`, `TypeError: number: argument 2: expected number, got undefined`},
		{"number", `1,2,3`, `TypeError: number: argument 3: expected at most 2 arguments, got 3`},
		{"whole", `2147483647`, `2147483647`},
		{"whole", `1.5`, `TypeError: whole: argument 1: expected integer, got number`},
		{"small", `255`, `255`},
		{"small", `256`, `TypeError: small: argument 1: expected uint8, got integer out of range`},
		{"truth", `true`, `false`},
		{"context", `"a"`, `"a"`},
		{"named", `"abc"`, `3`},
		{"own", `"a"`, `"A?"`},
		{"point", `{"X":1,"next":{"Y":2}}`, `{"X":1,"Y":0,"next":{"X":0,"Y":2}}`},
		{"point", `{"next":{"Y":"2"}}`, `TypeError: point: argument 1.next.Y: expected number, got string`},
		{"point", ``, `TypeError: point: argument 1: expected object, got undefined`},
		{"pointer", ``, `true`},
		{"pointer", `null`, `true`},
		{"pointer", `{}`, `false`},
		{"list", `[1,2],{"a":true}`, `3`},
		{"list", `[1,"2"],{}`, `TypeError: list: argument 1[1]: expected integer, got string`},
		{"rest", `"ab"`, `2`},
		{"rest", `"ab",1,2,3`, `5`},
		{"rest", `"ab",1,"2"`, `TypeError: rest: argument 3: expected integer, got string`},
		{"points", `{},null`, `2`},
		{"any", ``, `null`},
		{"any", `{"__kkrpc_next_arg__":"value","v":1}`, `1`},
		{"any", `[1]`, `[1]`},
		{"any", `{"stream":1}`, `STREAM`},
		{"value", `{"a":1}`, `{"a":1}`},
		{"raw", `[1, 2]`, `[1, 2]`},
		{"time", `"2026-01-02T03:04:05.678Z"`, `2026`},
		{"big", `"12"`, `"12"`},
		{"broken", `1`, `TypeError: broken: argument 1: a bind.broken: placed`},
		{"callback", `{"__kkrpc_next_arg__":"callback","id":"f"}`, `"\"f\""`},
		{"callback", `{"__kkrpc_next_arg__":"callback","id":"unknown"}`, `callback: argument 1: placed`},
		{"callback", `1`, `TypeError: callback: argument 1: expected function, got number`},
		{"callback", `{"ref":"f"}`, `"f"`},
		{"callback", `{"ref":"object"}`, `TypeError: callback: argument 1: expected function, got object`},
		{"callback", `{"ref":"own"}`, `TypeError: callback: argument 1: expected func(string) error, got a function of this side, func(string) string`},
		{"callback", `{"ref":"released"}`, `callback: argument 1: placed`},
		{"handle", `{"__kkrpc_next_arg__":"callback","id":"f"}`, `"\"f\""`},
		{"handle", `{"ref":"f"}`, `"f"`},
		{"stream", `{"stream":1}`, `"{\"stream\":1}"`},
		{"stream", `[1]`, `TypeError: stream: argument 1: expected stream, got array`},
		{"stream", `{"stream":"closed"}`, `stream: argument 1: placed`},
		{"reference", `{"ref":"f"}`, `true`},
		{"reference", `{}`, `TypeError: reference: argument 1: expected reference, got object`},
		{"reference", ``, `false`},
		{"held", `{"ref":"f"}`, `true`},
		{"held", `null`, `TypeError: held: argument 1: expected reference, got null`},
		{"held", `{}`, `TypeError: held: argument 1: expected reference, got object`},
		{"held", ``, `TypeError: held: argument 1: expected reference, got undefined`},
		{"heldNull", `{"ref":"f"}`, `true`},
		{"heldNull", `null`, `false`},
		{"heldNull", ``, `false`},
		{"inside", `{"R":{"ref":"f"}}`, `true`},
		{"inside", `{}`, `false`},
		{"items", ``, `STREAM`},
		{"undefined", ``, `undefined`},
		{"channel", ``, `not encoded`},
		{"shared", ``, `1`},
	} {
		t.Run(r.path+"("+r.args+")", func(t *testing.T) {
			for range 2 { // the second time in the cell of the first
				if got := answer(t, api, parse(t, `"op":"call","p":["`+r.path+`"],"a":[`+r.args+`]`)); got != r.want && !strings.HasPrefix(got, r.want+":") {
					t.Errorf("got  %s\nwant %s", got, r.want)
				}
			}
		})
	}
}

type Large struct {
	N int
	A [1 << 12]int64
}

// What an argument may not take is not allocated.
func TestMemoryIsRefusedBeforeItIsTaken(t *testing.T) {
	api := expose(t, object{
		"rest":     func(...Large) int { return 0 },
		"more":     func(_ string, _ ...Large) int { return 0 },
		"list":     func([]Large) int { return 0 },
		"deep":     func([]struct{ B []Large }) int { return 0 },
		"embedded": func([]struct{ *Large }) int { return 0 },
		"rests":    func(...struct{ *Large }) int { return 0 },
	})
	const limit, n = 1 << 20, 4096
	items := func(item string) string { return strings.Repeat(item+",", n-1) + item }
	for name, args := range map[string]string{
		"rest": items(`{}`), "more": `"",` + items(`{}`), "list": `[` + items(`{}`) + `]`, "deep": `[{"B":[` + items(`{}`) + `]}]`,
		"embedded": `[` + items(`{"N":1}`) + `]`, "rests": items(`{"N":1}`),
	} {
		in := parse(t, `"op":"call","p":["`+name+`"],"a":[`+args+`]`)
		in.Meter.Limit = limit
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := answer(t, api, in)
		runtime.ReadMemStats(&after)
		if !strings.HasPrefix(got, "RPCLimitError: "+name+": argument ") {
			t.Errorf("%s: got %.100s", name, got)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 3*limit {
			t.Errorf("%s: %d bytes were allocated, with a limit of %d", name, took, limit)
		}
	}
}

// FuzzDecode gives any arguments to functions of all types. They run, or the peer gets a TypeError that says where.
func FuzzDecode(f *testing.F) {
	api := expose(f, functions())
	for _, args := range []string{``, `1,2`, `"a"`, `null`, `[[1],{"a":true}]`, `{"__kkrpc_next_arg__":"callback","id":"f"}`, `{"stream":1}`,
		`{"ref":"own"}`, `{"R":{"ref":"f"}}`, `{"X":1e400}`, `"2026-01-02T03:04:05.678Z"`, `{"__kkrpc_next_arg__":"undefined"}`} {
		f.Add([]byte(args))
	}
	names := slices.Sorted(maps.Keys(functions()))
	f.Fuzz(func(t *testing.T, args []byte) {
		in := &Request{Peer: testPeer{}, Message: new(wire.Message)}
		frame := append(append([]byte(`{"t":"q","id":"1","op":"call","a":[`), args...), `]}`...)
		if compact.JSON.Parse(frame, in.Message, 64) != nil || in.Message.Kind != wire.Call {
			return
		}
		for _, name := range names {
			in.Message.Path = wire.Path{Raw: []byte(name), Dotted: true}
			m, inv, refusal := api.Lookup(in.Message)
			if refusal != nil {
				t.Fatal(refusal)
			}
			if err := inv.Decode(in); err != nil {
				refused, ok := err.(*wire.Error)
				if ok && (refused.Name != "TypeError" || !strings.HasPrefix(refused.Message, m.Path+": argument ")) || !ok && !errors.Is(err, errPlaced) {
					t.Errorf("%s(%s): %v", name, args, err)
				}
				continue
			}
			inv.Arguments()
			if inv.Run(t.Context()) != nil {
				continue
			}
			inv.Outcome()
			if _, ok := inv.AppendPlain(nil); !ok {
				_, _, _ = inv.AppendResult(nil, newWriter(), "v")
			}
		}
	})
}
