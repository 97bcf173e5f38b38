package wire_test

import (
	"errors"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func TestAnnotateUndefined(t *testing.T) {
	for _, row := range []struct {
		name        string
		text        string
		value, fail string
		args        []string
		id          string
	}{
		{"value", `{"json":{"t":"r","id":"i","v":null},"meta":{"values":{"v":["undefined"]},"v":1}}`, "", "", nil, `"i"`},
		{"value, whatever its JSON", `{"meta":{"values":{"v":["undefined"]}},"json":{"t":"r","id":"i","v":[1]}}`, "", "", nil, `"i"`},
		{"inside the value", `{"json":{"t":"r","id":"i","v":{"a":null}},"meta":{"values":{"v.a":["undefined"]}}}`, `{"a":null}`, "", nil, `"i"`},
		{"another type", `{"json":{"t":"r","id":"i","v":null},"meta":{"values":{"v":["Date"]}}}`, `null`, "", nil, `"i"`},
		{"error", `{"json":{"t":"r","id":"i","e":{"n":"E"}},"meta":{"values":{"e":["undefined"]}}}`, "", "", nil, `"i"`},
		{"not the error", `{"json":{"t":"r","id":"i","e":{"n":"E","s":null}},"meta":{"values":{"e.s":["undefined"]}}}`, "", `{"n":"E","s":null}`, nil, `"i"`},
		{"arguments", `{"json":{"t":"cb","id":"i","a":[{"__kkrpc_next_arg__":"value","v":null},null,{"__kkrpc_next_arg__":"callback","id":"f"},1]},"meta":{"values":{"a.0.v":["undefined"],"a.1":["undefined"],"a.2":["undefined"],"a.3.v":["undefined"]}}}`, "", "", []string{"", "", "", "1"}, `"i"`},
		{"set", `{"json":{"t":"q","id":"i","op":"set","p":[],"v":null},"meta":{"values":{"v":["undefined"]}}}`, "", "", nil, `"i"`},

		{"result", `{"json":{"id":"i","args":{"result":null},"type":"response"},"meta":{"values":{"args.result":["undefined"]},"v":1}}`, "", "", nil, `"i"`},
		{"result of another path", `{"json":{"id":"i","args":{"result":null},"type":"response"},"meta":{"values":{"args.value":["undefined"],"value":["undefined"]}}}`, "null", "", nil, `"i"`},
		{"chunk", `{"json":{"id":"i","args":{"value":null},"type":"stream-chunk"},"meta":{"values":{"args.value":["undefined"]},"v":1}}`, "", "", nil, `"i"`},
		{"classic set", `{"json":{"id":"i","path":[],"value":null,"type":"set"},"meta":{"values":{"value":["undefined"]},"v":1}}`, "", "", nil, `"i"`},
		{"classic error", `{"json":{"id":"i","args":{"error":{}},"type":"response"},"meta":{"values":{"args.error":["undefined"]},"v":1}}`, "", "", nil, `"i"`},
		{"classic arguments", `{"json":{"id":"i","method":"x","args":[null,null,"__callback__f"],"type":"request"},"meta":{"values":{"args.1":["undefined"],"args.2":["undefined"]},"v":1}}`, "", "", []string{"null", "", ""}, `"i"`},
		{"classic id", `{"json":{"id":null,"args":{"result":1},"type":"response"},"meta":{"values":{"id":["undefined"]},"v":1}}`, "1", "", nil, ``},
		{"classic callback has its own id", `{"json":{"id":null,"method":"f","args":[],"type":"callback"},"meta":{"values":{"id":["undefined"]},"v":1}}`, "", "", nil, `"f"`},
		{"values of no meaning", `{"json":{"t":"r","id":"i","v":1},"meta":{"values":5}}`, "1", "", nil, `"i"`},
	} {
		c := codecOf(wire.CompactSuperJSON)
		if d, _, _ := wire.Detect([]byte(row.text), 64); d.IsClassic() {
			c = codecOf(wire.ClassicSuperJSON)
		}
		var m wire.Message
		if err := c.Parse([]byte(row.text), &m, 64); err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if string(m.Value) != row.value || string(m.Err) != row.fail || string(m.ID) != row.id || (m.Value == nil) != (row.value == "") || len(m.Args) != len(row.args) {
			t.Errorf("%s: value %q, error %q, id %q, %d arguments", row.name, m.Value, m.Err, m.ID, len(m.Args))
			continue
		}
		for i, a := range m.Args {
			if string(a.JSON) != row.args[i] {
				t.Errorf("%s: argument %d is %q", row.name, i, a.JSON)
			}
		}
	}
}

func TestAnnotations(t *testing.T) {
	const date = `"1970-01-01T00:00:01.000Z"`
	for _, row := range []struct {
		text string
		meta func(m *wire.Message) *superjson.Meta
	}{
		{`{"json":{"t":"r","id":"i","v":` + date + `},"meta":{"values":{"v":["Date"]}}}`, (*wire.Message).ValueMeta},
		{`{"json":{"t":"r","id":"i","e":` + date + `},"meta":{"values":{"e":["Date"]}}}`, (*wire.Message).ErrMeta},
		{`{"json":{"t":"cb","id":"i","a":[0,{"__kkrpc_next_arg__":"value","v":` + date + `}]},"meta":{"values":{"a.1.v":["Date"]}}}`, arg1},
		{`{"json":{"t":"cb","id":"i","a":[0,` + date + `]},"meta":{"values":{"a.1":["Date"]}}}`, arg1},
		{`{"json":{"id":"i","args":{"result":` + date + `},"type":"response"},"meta":{"values":{"args.result":["Date"]}}}`, (*wire.Message).ValueMeta},
		{`{"json":{"id":"i","args":{"error":` + date + `},"type":"response"},"meta":{"values":{"args.error":["Date"]}}}`, (*wire.Message).ErrMeta},
		{`{"json":{"id":"i","args":{"value":` + date + `},"type":"stream-chunk"},"meta":{"values":{"args.value":["Date"]}}}`, (*wire.Message).ValueMeta},
		{`{"json":{"id":"i","path":[],"value":` + date + `,"type":"set"},"meta":{"values":{"value":["Date"]}}}`, (*wire.Message).ValueMeta},
		{`{"json":{"id":"i","method":"x","args":[1,` + date + `],"type":"request"},"meta":{"values":{"args.1":["Date"]}}}`, arg1},
	} {
		c := codecOf(wire.CompactSuperJSON)
		if d, _, _ := wire.Detect([]byte(row.text), 64); d.IsClassic() {
			c = codecOf(wire.ClassicSuperJSON)
		}
		var m wire.Message
		if err := c.Parse([]byte(row.text), &m, 64); err != nil {
			t.Errorf("%s: %v", row.text, err)
			continue
		}
		if m.Annotations() == nil {
			t.Errorf("%s: no annotations", row.text)
		}
		var v any
		if err := superjson.Decode(superjson.ModeSuperJSON, []byte(date), row.meta(&m), &v); err != nil {
			t.Errorf("%s: %v", row.text, err)
		} else if at, ok := v.(time.Time); !ok || !at.Equal(time.Unix(1, 0)) {
			t.Errorf("%s: decoded as %v", row.text, v)
		}
	}
}

func arg1(m *wire.Message) *superjson.Meta { return m.ArgMeta(1) }

func TestNoAnnotations(t *testing.T) {
	for _, meta := range []string{`{}`, `null`, `{"v":1}`, `{"values":{"transferSlots":["undefined"]},"v":1}`, `{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}`} {
		var m wire.Message
		if err := codecOf(wire.ClassicSuperJSON).Parse([]byte(`{"json":{"id":"i","method":"x","args":[1],"type":"request","transferSlots":null},"meta":`+meta+`}`), &m, 64); err != nil {
			t.Fatal(err)
		}
		if m.ArgMeta(0) != nil || m.ValueMeta() != nil || m.ErrMeta() != nil {
			t.Errorf("%s: annotations", meta)
		}
		if meta != `{"v":1}` && m.Annotations() != nil {
			t.Errorf("%s was looked at", meta)
		}
	}
}

func TestHostileMeta(t *testing.T) {
	for _, meta := range []string{
		`{"values":["Date"]}`, `{"values":["map",{}]}`, `{"v":1,"values":["set"]}`, `{"values":{},"values":["Date"]}`,
		`{"values":{"v.__proto__.x":["Date"]}}`, `{"values":{"v":["Nope"]}}`, `{"referentialEqualities":{"v":["v.constructor"]}}`,
	} {
		var m wire.Message
		err := codecOf(wire.CompactSuperJSON).Parse([]byte(`{"json":{"t":"r","id":"i","v":{}},"meta":`+meta+`}`), &m, 64)
		if _, ok := errors.AsType[*wire.AnnotationError](err); !ok || !wire.Answerable(err) || m.Kind != wire.Response || string(m.ID) != `"i"` || m.Annotations() != nil {
			t.Errorf("%s: %v, kind %d, id %s", meta, err, m.Kind, m.ID)
		}
	}
	var m wire.Message
	if err := codecOf(wire.CompactSuperJSON).Parse([]byte(`{"json":{"t":"r","id":"i","v":{}},"meta":{"values":["Date"],"values":{}}}`), &m, 64); err != nil {
		t.Error(err)
	}
}

// A path of an annotation leads where its sender likes, also where no argument can be.
func TestAnnotationsOfNoArgument(t *testing.T) {
	for _, index := range []string{"-1", "+1", "00", "1", "7", "99999999999999999999", "", "x"} {
		for _, text := range []string{
			`{"json":{"t":"q","id":"i","op":"call","p":["x"],"a":[]},"meta":{"values":{"a.` + index + `":["foo"],"a.` + index + `.v.y":["foo"]},"v":1}}`,
			`{"json":{"id":"i","method":"x","args":[],"type":"request"},"meta":{"values":{"args.` + index + `":["foo"]},"v":1}}`,
		} {
			var m wire.Message
			c := codecOf(wire.CompactSuperJSON)
			if d, _, _ := wire.Detect([]byte(text), 64); d.IsClassic() {
				c = codecOf(wire.ClassicSuperJSON)
			}
			err := c.Parse([]byte(text), &m, 64)
			if _, is := errors.AsType[*wire.AnnotationError](err); !is || !wire.Answerable(err) || string(m.ID) != `"i"` {
				t.Errorf("%s: %v, id %s", text, err, m.ID)
			}
		}
	}
}
