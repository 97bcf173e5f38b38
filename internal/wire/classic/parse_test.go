package classic_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/classic"
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
	if m.Path.Dotted {
		b.WriteString(" dotted")
	}
	for _, a := range m.Args {
		if a.Kind == wire.ArgCallback {
			fmt.Fprintf(&b, " fn(%s)", a.ID)
		} else {
			fmt.Fprintf(&b, " arg(%s)", a.JSON)
		}
	}
	show("value", m.Value)
	show("err", m.Err)
	if m.Done {
		b.WriteString(" done")
	}
	if m.TextErrors {
		b.WriteString(" text")
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"request", `{"id":"i","method":"math.add","args":[2,{"a":3}],"type":"request","version":"json"}`, `Call id="i" path=<math.add> dotted arg(2) arg({"a":3})`},
		{"other order", `{"version":1,"type":"req\u0075est","args":[],"method":"x","id":7}`, `Call id=7 path=<x> dotted`},
		{"callbacks", `{"id":"i","method":"x","args":["__callback__f",["__callback__g"],"x__callback__h","__callback__"],"type":"request","callbackIds":["f"]}`, `Call id="i" path=<x> dotted fn(f) arg(["__callback__g"]) arg("x__callback__h") fn()`},
		{"callbacks with escapes", `{"id":"i","method":"x","args":["\u005f_callback__f\"","__callback_\u005f","__callback__\n","__callback_\n_"],"type":"request"}`, `Call id="i" path=<x> dotted fn(f\") fn() fn(\n) arg("__callback_\n_")`},
		{"no arguments", `{"type":"request","id":"i","method":"x"}`, `Call id="i" path=<x> dotted`},
		{"arguments of another type", `{"type":"request","id":"i","method":"x","args":{"result":1}}`, `Call id="i" path=<x> dotted`},
		{"arguments null", `{"type":"request","id":"i","method":"x","args":null}`, `Call id="i" path=<x> dotted`},
		{"empty method", `{"type":"request","id":"i","method":"","args":[]}`, `Call id="i" path=<> dotted`},
		{"no id", `{"type":"request","method":"x","args":[]}`, `Call path=<x> dotted`},
		{"no method", `{"type":"request","id":"i"}`, ``},
		{"method a number", `{"type":"request","id":"i","method":5,"args":[]}`, ``},
		{"construct", `{"id":"i","method":"A.B","args":[1],"type":"construct"}`, `New id="i" path=<A.B> dotted arg(1)`},
		{"construct without method", `{"type":"construct","id":"i"}`, ``},
		{"get", `{"id":"i","method":"","args":{},"type":"get","path":["a","b"]}`, `Get id="i" path=<"a","b">`},
		{"get the root", `{"id":"i","type":"get","path":[]}`, `Get id="i" path=<>`},
		{"get nothing", `{"id":"i","type":"get"}`, `Get id="i"`},
		{"get with text for a path", `{"id":"i","type":"get","path":"val"}`, `Get id="i"`},
		{"get with a number in the path", `{"id":"i","type":"get","path":["a",1]}`, `Get id="i"`},
		{"set", `{"id":"i","method":"","args":{},"type":"set","path":["a"],"value":null}`, `Set id="i" path=<"a"> value=null`},
		{"set undefined", `{"id":"i","type":"set","path":["a"]}`, `Set id="i" path=<"a">`},
		{"response", `{"id":"i","method":"","args":{"result":[1]},"type":"response"}`, `Response id="i" value=[1]`},
		{"response undefined", `{"id":"i","args":{},"type":"response"}`, `Response id="i"`},
		{"response failed", `{"id":"i","args":{"result":1,"error":"e"},"type":"response"}`, `Response id="i" err="e"`},
		{"response not failed", `{"id":"i","args":{"error":null,"result":3},"type":"response"}`, `Response id="i" value=3`},
		{"response with an empty error", `{"id":"i","args":{"error":""},"type":"response"}`, `Response id="i"`},
		{"response of later arguments", `{"id":"i","args":{"error":"e","result":1},"args":{"result":2},"type":"response"}`, `Response id="i" value=2`},
		{"response without args", `{"id":"i","type":"response"}`, ``},
		{"response with null args", `{"id":"i","type":"response","args":null}`, ``},
		{"response with a list", `{"id":"i","type":"response","args":[1]}`, `Response id="i"`},
		{"response with a number", `{"id":"i","type":"response","args":5}`, `Response id="i"`},
		{"callback", `{"id":"i","method":"f","args":[1,"__callback__g"],"type":"callback"}`, `Callback id="f" arg(1) fn(g)`},
		{"callback without arguments", `{"method":"f","type":"callback"}`, `Callback id="f"`},
		{"callback without method", `{"id":"i","type":"callback"}`, ``},
		{"chunk", `{"id":"i","method":"","args":{"value":1},"type":"stream-chunk"}`, `Data id="i" value=1`},
		{"chunk undefined", `{"id":"i","method":"","args":{},"type":"stream-chunk"}`, `Data id="i"`},
		{"chunk without args", `{"id":"i","type":"stream-chunk"}`, ``},
		{"end", `{"id":"i","method":"","args":{"value":1},"type":"stream-end"}`, `Data id="i" done`},
		{"stream error", `{"id":"i","args":{"error":{"name":"E"}},"type":"stream-error"}`, `Data id="i" err={"name":"E"}`},
		{"stream error without one", `{"id":"i","type":"stream-error"}`, `Data id="i" err=null`},
		{"cancel", `{"id":"i","method":"","args":{},"type":"stream-cancel"}`, `Return id="i"`},
		{"later members win", `{"type":"get","method":"a","args":[1],"id":"a","type":"request","method":"b","args":[2],"id":"b"}`, `Call id="b" path=<b> dotted arg(2)`},
		{"later path that is none wins", `{"type":"get","id":"a","path":["x"],"path":1}`, `Get id="a"`},
		{"type unknown", `{"type":"zz","id":"a"}`, ``},
		{"type missing", `{"id":"a","method":"x","args":[]}`, ``},
		{"type a number", `{"type":1,"id":"a"}`, ``},
		{"empty", `{}`, ``},
		{"list", `[]`, ``},
		{"null", `null`, ``},
		{"compact", `{"t":"q","id":"i","op":"call","p":["x"]}`, ``},
	} {
		for _, c := range []wire.Codec{classic.JSON, classic.SuperJSON} {
			for _, form := range []struct {
				text string
				want wire.Dialect
			}{
				{row.text, wire.Classic},
				{`{"json":` + row.text + `}`, wire.ClassicSuperJSON},
				{`{"json":{"type":"stream-cancel","id":"w","transferSlots":1},"json":` + row.text + `,"meta":{"v":1}, "x":[]}`, wire.ClassicSuperJSON},
			} {
				var m wire.Message
				err := c.Parse([]byte(form.text), &m, 8)
				want := row.want
				if strings.HasPrefix(want, "Call ") && form.want == wire.ClassicSuperJSON {
					want += " text"
				}
				if row.want == "" {
					if !errors.Is(err, wire.ErrNotMessage) || describe(&m) != "Invalid" {
						t.Errorf("%s: got %s, %v, want ErrNotMessage", row.name, describe(&m), err)
					}
				} else if got := describe(&m); err != nil || got != want || m.Dialect != form.want {
					t.Errorf("%s:\n got %s, %v\nwant %s", row.name, got, err, want)
				}
			}
		}
	}
}

func TestTextErrors(t *testing.T) {
	for _, row := range []struct {
		text string
		want bool
	}{
		{`{"json":{"id":"i","method":"x","args":[],"type":"request","version":"superjson"}}`, true},
		{`{"json":{"id":"i","method":"x","args":[],"type":"request","transferSlots":null,"version":"superjson"}}`, false},
		{`{"json":{"id":"i","method":"","args":{},"type":"get","path":["x"],"version":"superjson"}}`, false},
		{`{"id":"i","method":"x","args":[],"type":"request","version":"json"}`, false},
	} {
		var m wire.Message
		if err := classic.JSON.Parse([]byte(row.text), &m, 8); err != nil || m.TextErrors != row.want {
			t.Errorf("%s: %v, %v", row.text, m.TextErrors, err)
		}
	}
}

func TestSuperJSONPrefix(t *testing.T) {
	const body = `{"id":"i","method":"x","args":[],"type":"request"}`
	for text, ok := range map[string]bool{
		`{"json":` + body + `}`: true, `{ "json":` + body + `}`: false, `{"json" :` + body + `}`: false, `{"meta":{},"json":` + body + `}`: false,
	} {
		var m wire.Message
		if err := classic.SuperJSON.Parse([]byte(text), &m, 8); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, text := range []string{
		`{"id":"i","method":"x","args":["a",{"b":1}],"type":"request","path":["p"]}`,
		`{"json":{"id":"i","args":{"result":[1]},"type":"response"},"meta":{"values":{}},"x":1}`,
	} {
		for cut := range len(text) {
			var m wire.Message
			var syntax *wire.SyntaxError
			if err := classic.JSON.Parse([]byte(text[:cut]), &m, 8); !errors.As(err, &syntax) || syntax.Offset != cut || m.Kind != wire.Invalid {
				t.Fatalf("%s: %v", text[:cut], err)
			}
			if err := classic.JSON.Parse([]byte(text[:cut]+"\x01"+text[cut:]), &m, 8); !errors.As(err, &syntax) {
				t.Fatalf("control character at %d of %s: %v", cut, text, err)
			}
		}
		var m wire.Message
		if err := classic.JSON.Parse([]byte(text+"x"), &m, 8); err == nil || m.ID != nil {
			t.Fatal("text behind the message")
		}
		if err := classic.JSON.Parse([]byte(`"`+"\xff"+`"`), &m, 8); err == nil {
			t.Fatal("invalid UTF-8")
		}
	}
}

// slotsMeta is what kkrpc 0.7 puts behind a request.
const slotsMeta = `,"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}`

// What is recognised at once means what it means member by member: with white space it is not recognised.
func TestParseTheUsualForms(t *testing.T) {
	for _, text := range []string{
		`{"id":"i","method":"x","args":[1,"__callback__c"],"type":"request","version":"json"}`,
		`{"id":"i","method":"x","args":[1],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"}`,
		`{"id":"i","method":"x","args":[1],"type":"request","callbackIds":null,"version":"superjson"}`,
		`{"id":"i","method":"","args":{"result":1},"type":"response","transferSlots":null,"version":"superjson"}`,
		`{"id":"i","method":"","args":{"result":1},"type":"response","version":"json","type":"request","method":"later"}`,
		`{"id":"i","method":"","args":{},"type":"get","path":["a"],"version":"json"}`,
		`{"id":"i","method":"x","args":[1],"type":"requests"}`, `{"id":"i","method":"x","args":[1],"type":"request","version":"jsonx","args":[2]}`,
		`{"id":"i","method":"x","type":"request"}`, `{"id":"i","args":[1]}`, `{"id":"i"}`, `{"id":"i","id":"later","method":"x","args":[],"type":"request"}`,
	} {
		for _, meta := range []string{slotsMeta, `,"meta":{"values":{"transferSlots":["undefined"]},"v":1}`, `,"meta":{"values":{"id":["undefined"]}}`,
			slotsMeta + `,"x":1`, slotsMeta + `,"json":{"id":"late","method":"y","args":[],"type":"request"}`, ``} {
			var usual, spaced wire.Message
			err := classic.SuperJSON.Parse([]byte(`{"json":`+text+meta+`}`), &usual, 8)
			err2 := classic.SuperJSON.Parse([]byte(`{"json": `+strings.Replace(text, `{"id":`, `{ "id" : `, 1)+` `+meta+`}`), &spaced, 8)
			if (err == nil) != (err2 == nil) || describe(&usual) != describe(&spaced) || usual.TextErrors != spaced.TextErrors {
				t.Errorf("%s%s:\n%s, %v\n%s, %v", text, meta, describe(&usual), err, describe(&spaced), err2)
			}
		}
	}
}

func TestParseDepth(t *testing.T) {
	const text = `{"id":"i","method":"x","args":[[[1]]],"type":"request"}`
	for _, row := range []struct {
		text  string
		depth int
		want  error
	}{
		{text, 4, nil}, {text, 3, wire.ErrDepth}, {text, 1, wire.ErrDepth}, {`{"json":` + text + `}`, 5, nil}, {`{"json":` + text + `}`, 4, wire.ErrDepth},
		{strings.Replace(text, "request", "zz", 1), 3, wire.ErrNotMessage},
		{`{"args":{"result":[[]]},"type":"response","id":"i"}`, 3, wire.ErrDepth},
		{`{"json":{"id":"i","method":"x","args":[],"type":"request"}` + slotsMeta + `}`, 4, nil},
		{`{"json":{"id":"i","method":"x","args":[],"type":"request"}` + slotsMeta + `}`, 3, wire.ErrDepth},
	} {
		var m wire.Message
		err := classic.JSON.Parse([]byte(row.text), &m, row.depth)
		if !errors.Is(err, row.want) || row.want != wire.ErrNotMessage && (string(m.ID) != `"i"` || m.Kind == wire.Invalid) {
			t.Errorf("%s at %d: %v, id %s", row.text, row.depth, err, m.ID)
		}
	}
}

func TestParseAllocations(t *testing.T) {
	text := []byte(`{"json":{"id":"1d68","method":"math.add","args":[2,"__callback__x"],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}`)
	var m wire.Message
	if n := testing.AllocsPerRun(100, func() { _ = classic.JSON.Parse(text, &m, 64) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":"i","method":"math.add","args":[2,"__callback__x"],"type":"request","version":"json"}`))
	f.Add([]byte(`{"id":"i","args":{"error":{"name":"E"}},"type":"response"}`))
	f.Add([]byte(`{"json":{"id":"i","path":["a"],"type":"get"}}`))
	f.Add([]byte(`{"id":"i","method":"x","args":[1],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"}`))
	f.Add([]byte(`{"id":"` + strings.Repeat("i", wire.MaxID+1) + `","method":"x","args":[1],"type":"request"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, wrapped wire.Message
		err := classic.JSON.Parse(text, &m, 20)
		limit := errors.Is(err, wire.ErrDepth) || errors.Is(err, wire.ErrArgs) || errors.Is(err, wire.ErrID)
		if err != nil && !limit && m.Kind != wire.Invalid {
			t.Fatalf("%v with %s", err, describe(&m))
		}
		var syntax *wire.SyntaxError
		if errors.As(err, &syntax) || m.Dialect == wire.ClassicSuperJSON {
			return
		}
		err2 := classic.JSON.Parse([]byte(`{"json": `+string(text)+` } `), &wrapped, 21)
		if (err == nil) != (err2 == nil) || describe(&m) != strings.TrimSuffix(describe(&wrapped), " text") {
			t.Fatalf("%s, %v\n%s, %v", describe(&m), err, describe(&wrapped), err2)
		}
	})
}
