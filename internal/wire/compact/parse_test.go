package compact_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
)

// describe writes every field of m that is set.
func describe(m *wire.Message) string {
	var b strings.Builder
	names := [...]string{"Invalid", "Call", "Get", "Set", "New", "Ref", "Response", "Callback", "Release", "Pull", "Return", "Throw", "Data", "Cancel", "Destroy"}
	b.WriteString(names[m.Kind])
	show := func(name string, raw []byte) {
		if raw != nil {
			fmt.Fprintf(&b, " %s=%s", name, raw)
		}
	}
	show("id", m.ID)
	if m.Path.Raw != nil {
		fmt.Fprintf(&b, " path=<%s>", m.Path.Raw)
	}
	for _, a := range m.Args {
		switch {
		case a.Kind == wire.ArgCallback:
			fmt.Fprintf(&b, " fn(%s)", a.ID)
		case a.Bare:
			fmt.Fprintf(&b, " bare(%s)", a.JSON)
		default:
			fmt.Fprintf(&b, " arg(%s)", a.JSON)
		}
	}
	show("value", m.Value)
	show("err", m.Err)
	for _, id := range m.IDs {
		show("release", id)
	}
	show("sid", m.StreamID)
	if m.Credit != 0 {
		fmt.Fprintf(&b, " credit=%d", m.Credit)
	}
	if m.Done {
		b.WriteString(" done")
	}
	show("meta", m.Meta)
	return b.String()
}

const full = `"id":"i","op":"call","p":["x"],"a":[1],"v":2,"e":{"n":"E"},"meta":{"k":1},"ids":["d"],"sid":"s","d":true,"n":7`

func TestParse(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"canonical call", `{"t":"q","id":"i","op":"call","p":["math","add"],"a":[{"__kkrpc_next_arg__":"value","v":2}]}`, `Call id="i" path=<"math","add"> arg(2)`},
		{"any order, white space", ` {"a" : [ ] ,"p" : [ "x" ] , "op":"new","id" : "i" ,"t":"q"} `, `New id="i" path=< "x" >`},
		{"escaped names and kinds", `{"\u0074":"\u0071","id":"\u0069","op":"g\u0065t","p":["x"]}`, `Get id="\u0069" path=<"x">`},
		{"no arguments", `{"t":"q","id":"","op":"call","p":[]}`, `Call id="" path=<>`},
		{"metadata", `{"t":"q","id":"i","op":"call","p":["x"],"a":[],"meta":{"k":1}}`, `Call id="i" path=<"x"> meta={"k":1}`},
		{"metadata of any type", `{"t":"q","id":"i","op":"get","p":["x"],"meta":"m"}`, `Get id="i" path=<"x"> meta="m"`},
		{"set", `{"t":"q","id":"i","op":"set","p":["x"],"v":null}`, `Set id="i" path=<"x"> value=null`},
		{"set undefined", `{"t":"q","id":"i","op":"set","p":["x"]}`, `Set id="i" path=<"x">`},
		{"call has no use for other members", `{"t":"q",` + full + `}`, `Call id="i" path=<"x"> bare(1) meta={"k":1}`},
		{"get neither", strings.Replace(`{"t":"q",`+full+`}`, "call", "get", 1), `Get id="i" path=<"x"> meta={"k":1}`},
		{"set neither", strings.Replace(`{"t":"q",`+full+`}`, "call", "set", 1), `Set id="i" path=<"x"> value=2 meta={"k":1}`},
		{"new neither", strings.Replace(`{"t":"q",`+full+`}`, "call", "new", 1), `New id="i" path=<"x"> bare(1) meta={"k":1}`},
		{"ref has both", strings.Replace(`{"t":"q",`+full+`}`, "call", "ref", 1), `Ref id="i" path=<"x"> bare(1) value=2 meta={"k":1}`},
		{"response, failed", `{"t":"r",` + full + `}`, `Response id="i" err={"n":"E"}`},
		{"callback", `{"t":"cb",` + full + `}`, `Callback id="i" bare(1)`},
		{"release", `{"t":"cbr",` + full + `}`, `Release release="d"`},
		{"stream data, failed", `{"t":"sr",` + full + `}`, `Data id="i" err={"n":"E"} sid="s" done`},
		{"pull", strings.Replace(`{"t":"sq",`+full+`}`, "call", "pull", 1), `Pull id="i" sid="s" credit=7`},
		{"return", strings.Replace(`{"t":"sq",`+full+`}`, "call", "return", 1), `Return id="i" value=2 sid="s"`},
		{"throw", strings.Replace(`{"t":"sq",`+full+`}`, "call", "throw", 1), `Throw id="i" value=2 sid="s"`},
		{"cancel", `{"t":"qc",` + full + `}`, `Cancel id="i"`},
		{"later members win", `{"t":"r","id":"a","t":"q","op":"call","p":["x"],"a":[1,2],"id":"b","p":["y"],"a":[3],"op":"new"}`, `New id="b" path=<"y"> bare(3)`},
		{"a later path that is none wins too", `{"t":"q","id":"a","op":"call","p":["x"],"p":1}`, ``},
		{"later arguments that are none win too", `{"t":"q","id":"a","op":"call","p":["x"],"a":[1],"a":1}`, ``},
		{"later ids win", `{"t":"cbr","ids":[1],"ids":["a"]}`, `Release release="a"`},
		{"later kinds win", `{"t":"q","id":"a","op":"call","p":["x"],"a":[1],"t":"r"}`, `Response id="a"`},

		{"id no string", `{"t":"q","id":5,"op":"call","p":["x"]}`, ``},
		{"id missing", `{"t":"q","op":"call","p":["x"]}`, ``},
		{"op unknown", `{"t":"q","id":"i","op":"nope","p":["x"]}`, ``},
		{"op missing", `{"t":"q","id":"i","p":["x"]}`, ``},
		{"op no string", `{"t":"q","id":"i","op":["call"],"p":["x"]}`, ``},
		{"path missing", `{"t":"q","id":"i","op":"call"}`, ``},
		{"path no array", `{"t":"q","id":"i","op":"call","p":"x"}`, ``},
		{"path with a number", `{"t":"q","id":"i","op":"call","p":["x",1]}`, ``},
		{"arguments no array", `{"t":"q","id":"i","op":"call","p":["x"],"a":{}}`, ``},
		{"arguments null", `{"t":"q","id":"i","op":"get","p":["x"],"a":null}`, ``},
		{"kind unknown", `{"t":"zz"}`, ``},
		{"kind a number", `{"t":1}`, ``},
		{"kind of an op", `{"t":"call","id":"i"}`, ``},
		{"no object", `[1]`, ``},
		{"null", `null`, ``},
		{"response without id", `{"t":"r","v":1}`, ``},
		{"response with a number as id", `{"t":"r","id":5}`, ``},
		{"callback without arguments", `{"t":"cb","id":"x"}`, ``},
		{"callback with other arguments", `{"t":"cb","id":"x","a":1}`, ``},
		{"callback without id", `{"t":"cb","a":[]}`, ``},
		{"release without ids", `{"t":"cbr"}`, ``},
		{"release of a number", `{"t":"cbr","ids":["a",1]}`, ``},
		{"release of no array", `{"t":"cbr","ids":"a"}`, ``},
		{"release of nothing", `{"t":"cbr","ids":[]}`, `Release`},
		{"control without stream", `{"t":"sq","id":"i","op":"pull"}`, ``},
		{"control without id", `{"t":"sq","sid":"s","op":"pull"}`, ``},
		{"control unknown", `{"t":"sq","id":"i","sid":"s","op":"bogus"}`, ``},
		{"data without stream", `{"t":"sr","id":"i","d":false}`, ``},
		{"cancel without id", `{"t":"qc"}`, ``},

		{"value undefined", `{"t":"r","id":"i"}`, `Response id="i"`},
		{"value null", `{"t":"r","id":"i","v":null}`, `Response id="i" value=null`},
		{"falsy failures", `{"t":"r","id":"i","e":"","v":5}`, `Response id="i" value=5`},
		{"failure as text", `{"t":"r","id":"i","e":"x","v":5}`, `Response id="i" err="x"`},
		{"data", `{"t":"sr","id":"i","sid":"s","d":false,"v":1}`, `Data id="i" value=1 sid="s"`},
		{"end", `{"t":"sr","id":"i","sid":"s","d":true}`, `Data id="i" sid="s" done`},
		{"done by a number is not", `{"t":"sr","id":"i","sid":"s","d":1}`, `Data id="i" sid="s"`},
	} {
		var m wire.Message
		err := compact.JSON.Parse([]byte(row.text), &m, 8)
		if row.want == "" {
			if !errors.Is(err, wire.ErrNotMessage) || describe(&m) != "Invalid" {
				t.Errorf("%s: got %s, %v, want ErrNotMessage", row.name, describe(&m), err)
			}
		} else if got := describe(&m); err != nil || got != row.want || m.Dialect != wire.Compact || m.Path.Dotted {
			t.Errorf("%s:\n got %s, %v\nwant %s", row.name, got, err, row.want)
		}
		// Under SuperJSON the same message is one only inside its envelope.
		if err := compact.SuperJSON.Parse([]byte(row.text), &m, 8); !errors.Is(err, wire.ErrNotMessage) {
			t.Errorf("%s: SuperJSON takes it: %v", row.name, err)
		}
		for _, wrapped := range []string{`{"json":` + row.text + `}`, `{"meta":{},"x":1,"json":` + row.text + `}`, `{"json":{"t":"qc","id":"w"},"json":` + row.text + `}`} {
			err := compact.SuperJSON.Parse([]byte(wrapped), &m, 8)
			got := describe(&m)
			if row.want == "" {
				got = ""
			}
			if (err == nil) != (row.want != "") || got != row.want || m.Dialect != wire.CompactSuperJSON {
				t.Errorf("%s, wrapped: got %s, %v", row.name, got, err)
			}
			if err := compact.JSON.Parse([]byte(wrapped), &m, 8); !errors.Is(err, wire.ErrNotMessage) {
				t.Errorf("%s: JSON takes the wrapped form: %v", row.name, err)
			}
		}
	}
}

func TestParseArgs(t *testing.T) {
	for _, row := range []struct{ name, arg, want string }{
		{"value", `{"__kkrpc_next_arg__":"value","v":{"x":[1]}}`, `arg({"x":[1]})`},
		{"value, spaced", `{ "__kkrpc_next_arg__" : "value" , "v" : 1 }`, `arg(1)`},
		{"value, space at the end", `{"__kkrpc_next_arg__":"value","v": 1 }`, `arg(1)`},
		{"value, other order", `{"v":1,"__kkrpc_next_arg__":"value"}`, `arg(1)`},
		{"value, more members", `{"__kkrpc_next_arg__":"value","v":1,"v":2,"x":3}`, `arg(2)`},
		{"undefined", `{"__kkrpc_next_arg__":"value"}`, `arg()`},
		{"null", `{"__kkrpc_next_arg__":"value","v":null}`, `arg(null)`},
		{"a value that becomes a callback", `{"__kkrpc_next_arg__":"value","v":1,"id":"f","__kkrpc_next_arg__":"callback"}`, `fn("f")`},
		{"callback", `{"__kkrpc_next_arg__":"callback","id":"f"}`, `fn("f")`},
		{"callback without id", `{"__kkrpc_next_arg__":"callback"}`, `fn()`},
		{"callback with a number", `{"__kkrpc_next_arg__":"callback","id":7}`, `fn(7)`},
		{"escaped", `{"__kkrpc_next_arg\u005f_":"v\u0061lue","v":1}`, `arg(1)`},
		{"unknown envelope", `{"__kkrpc_next_arg__":"other","v":1}`, `bare({"__kkrpc_next_arg__":"other","v":1})`},
		{"envelope of another type", `{"__kkrpc_next_arg__":1}`, `bare({"__kkrpc_next_arg__":1})`},
		{"plain object", ` {"a":1} `, `bare({"a":1})`},
		{"plain object behind white space", `1, {"a":1} `, `bare(1) bare({"a":1})`},
		{"scalars", `1 , "x",null,[2]`, `bare(1) bare("x") bare(null) bare([2])`},
		{"only the top level is looked at", `{"x":{"__kkrpc_next_arg__":"callback","id":"f"}}`, `bare({"x":{"__kkrpc_next_arg__":"callback","id":"f"}})`},
	} {
		var m wire.Message
		err := compact.JSON.Parse([]byte(`{"t":"cb","id":"i","a":[`+row.arg+`]}`), &m, 8)
		if got := describe(&m); err != nil || got != `Callback id="i" `+row.want {
			t.Errorf("%s: got %s, %v, want %s", row.name, got, err, row.want)
		}
	}
}

func TestCredit(t *testing.T) {
	for n, want := range map[string]int{
		`1`: 1, `32`: 32, `2.9`: 2, `0`: 1, `-5`: 1, `0.9`: 1, `1e999`: 1, `"3"`: 1, `null`: 1, `[2]`: 1, `1e3`: 1000,
		`1073741823`: 1<<30 - 1, `1073741825`: 1 << 30, `1e300`: 1 << 30,
	} {
		var m wire.Message
		err := compact.JSON.Parse([]byte(`{"t":"sq","id":"i","sid":"s","op":"pull","n":`+n+`}`), &m, 8)
		if err != nil || m.Credit != want {
			t.Errorf("%s: got %d, %v, want %d", n, m.Credit, err, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	valid := []string{
		`{"t":"q","id":"i","op":"call","p":["x"],"a":[{"__kkrpc_next_arg__":"value","v":{"y":[1]}},{"v":1,"z":2},"w"]}`,
		`{"t":"r","id":"i","v":[1]}`,
		`{"t":"cbr","ids":["a","b"]}`,
		`{"op":"pull","n":1,"t":"sq","id":"i","sid":"s"}`,
	}
	for _, text := range valid {
		for _, c := range []wire.Codec{compact.JSON, compact.SuperJSON} {
			text := text
			if c == compact.SuperJSON {
				text = `{"meta":{},"json":` + text + `}`
			}
			for cut := range len(text) {
				var m wire.Message
				var syntax *wire.SyntaxError
				if err := c.Parse([]byte(text[:cut]), &m, 8); !errors.As(err, &syntax) || syntax.Offset != cut || m.Kind != wire.Invalid {
					t.Fatalf("%s: %v", text[:cut], err)
				}
				if err := c.Parse([]byte(text[:cut]+"\x01"+text[cut:]), &m, 8); !errors.As(err, &syntax) {
					t.Fatalf("control character at %d of %s: %v", cut, text, err)
				}
			}
			var m wire.Message
			if err := c.Parse([]byte(text+"x"), &m, 8); err == nil || m.ID != nil {
				t.Fatal("text behind the message")
			}
			if err := c.Parse([]byte(text+" \n"), &m, 8); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestParseDepth(t *testing.T) {
	const text = `{"t":"q","id":"i","op":"call","p":["x"],"a":[{"__kkrpc_next_arg__":"value","v":[[1]]},2]}`
	for _, row := range []struct {
		text  string
		depth int
		want  error
	}{
		{text, 5, nil}, {text, 4, wire.ErrDepth}, {text, 2, wire.ErrDepth}, {text, 1, wire.ErrDepth},
		{strings.Replace(text, `"v"`, ` "v"`, 1), 5, nil}, {strings.Replace(text, `"v"`, ` "v"`, 1), 4, wire.ErrDepth},
		{`{"t":"r","v":[[]],"id":"i"}`, 2, wire.ErrDepth}, {`{"t":"zz","v":[[]],"id":"i"}`, 2, wire.ErrNotMessage},
	} {
		var m wire.Message
		err := compact.JSON.Parse([]byte(row.text), &m, row.depth)
		if !errors.Is(err, row.want) || row.want != wire.ErrNotMessage && string(m.ID) != `"i"` {
			t.Errorf("%s at %d: %v, id %s", row.text, row.depth, err, m.ID)
		}
	}
}

func TestParseAllocations(t *testing.T) {
	text := []byte(`{"t":"q","id":"79da484b-e165-41a4-a8a9-d4d136b92a86","op":"call","p":["math","add"],"a":[{"__kkrpc_next_arg__":"value","v":2},3]}`)
	var m wire.Message
	if n := testing.AllocsPerRun(100, func() { _ = compact.JSON.Parse(text, &m, 64) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"t":"q","id":"i","op":"call","p":["x"],"a":[{"__kkrpc_next_arg__":"value","v":2},3,{"__kkrpc_next_arg__":"callback"}]}`))
	f.Add([]byte(`{"t":"sr","id":"i","sid":"s","d":true,"e":{"n":"E"}}`))
	f.Add([]byte(`{"t":"cbr","ids":["a"],"ids":1}`))
	f.Add([]byte(`{"t":"q","id":"` + strings.Repeat("i", wire.MaxID+1) + `","op":"call","p":["x"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, wrapped wire.Message
		err := compact.JSON.Parse(text, &m, 20)
		limit := errors.Is(err, wire.ErrDepth) || errors.Is(err, wire.ErrArgs) || errors.Is(err, wire.ErrID)
		if err != nil && !limit && m.Kind != wire.Invalid {
			t.Fatalf("%v with %s", err, describe(&m))
		}
		// White space between tokens changes nothing, and neither does the envelope.
		err2 := compact.SuperJSON.Parse([]byte(` { "json" : `+string(text)+` } `), &wrapped, 21)
		var syntax *wire.SyntaxError
		if errors.As(err, &syntax) {
			return // may be balanced by the envelope
		}
		if (err == nil) != (err2 == nil) || describe(&m) != describe(&wrapped) {
			t.Fatalf("%s, %v\n%s, %v", describe(&m), err, describe(&wrapped), err2)
		}
	})
}
