package wire_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// TestWriteBare writes what the recordings do not have: no tail, no id, our own cancel record, and what a generation
// lacks.
func TestWriteBare(t *testing.T) {
	k, ks, c, cs := codecOf(wire.Classic), codecOf(wire.ClassicSuperJSON), codecOf(wire.Compact), codecOf(wire.CompactSuperJSON)
	path := []string{"a", `b"`}
	for _, row := range []struct {
		name string
		got  []byte
		want string
	}{
		{"cancel", c.AppendCancel(nil, "i"), `{"t":"qc","id":"i"}`},
		{"cancel, superjson", cs.AppendCancel(nil, "i"), `{"json":{"t":"qc","id":"i"}}`},
		{"release", cs.AppendRelease(nil, []string{"a", "b"}), `{"json":{"t":"cbr","ids":["a","b"]}}`},
		{"call", c.EndCall(c.BeginCall(nil, wire.Call, "i", path), wire.Call, nil), `{"t":"q","id":"i","op":"call","p":["a","b\""],"a":[]}`},
		{"new", cs.EndCall(cs.BeginCall(nil, wire.New, "i", nil), wire.New, nil), `{"json":{"t":"q","id":"i","op":"new","p":[],"a":[]}}`},
		{"metadata", c.AppendGet(nil, "i", path[:1], &wire.Tail{Metadata: []byte(`{"k":1}`)}), `{"t":"q","id":"i","op":"get","p":["a"],"meta":{"k":1}}`},
		{"callback", c.EndCallback(c.BeginCallback(nil, "f"), nil), `{"t":"cb","id":"f","a":[]}`},
		{"set", c.EndSet(append(c.BeginSet(nil, "i", path[:1]), '1'), path, nil), `{"t":"q","id":"i","op":"set","p":["a"],"v":1}`},
		{"set undefined", cs.AppendUndefinedSet(nil, "i", path[:1], nil), `{"json":{"t":"q","id":"i","op":"set","p":["a"]}}`},
		{"undefined argument", c.AppendUndefinedArg(nil, 1, nil), `,{"__kkrpc_next_arg__":"value"}`},
		{"undefined argument, nowhere to note it", cs.AppendUndefinedArg(nil, 0, &wire.Tail{}), `{"__kkrpc_next_arg__":"value","v":null}`},
		{"result", c.EndResult(append(c.BeginResult(nil, nil), '1'), nil), `{"t":"r","id":null,"v":1}`},
		{"no result", c.AppendNoResult(nil, []byte(`""`)), `{"t":"r","id":""}`},
		{"no result, superjson", cs.AppendNoResult(nil, []byte(`"i"`)), `{"json":{"t":"r","id":"i","v":null},"meta":{"values":{"v":["undefined"]},"v":1}}`},
		{"return", cs.AppendControl(nil, wire.StreamReturn, "i", "s"), `{"json":{"t":"sq","id":"i","sid":"s","op":"return","v":null},"meta":{"values":{"v":["undefined"]},"v":1}}`},
		{"throw", c.AppendControl(nil, wire.StreamThrow, "i", "s"), `{"t":"sq","id":"i","sid":"s","op":"throw"}`},
		{"pull", c.AppendPull(nil, "i", "s", 16), `{"t":"sq","id":"i","sid":"s","op":"pull","n":16}`},
		{"end", c.EndItem(append(c.BeginItem(nil, []byte(`"i"`), []byte(`"s"`), true), '1'), nil), `{"t":"sr","id":"i","sid":"s","d":true,"v":1}`},
		{"undefined item", c.AppendItem(nil, []byte(`"i"`), []byte(`"s"`), false), `{"t":"sr","id":"i","sid":"s","d":false}`},
		{"ref", c.AppendRef(nil, "i", path[:1], nil), `{"t":"q","id":"i","op":"ref","p":["a"]}`},
		{"ref call", c.EndCall(append(c.BeginBareArg(append(c.BeginBareArg(c.BeginCall(nil, wire.Ref, "i", path[:1]), 0), '1'), 1), '2'), wire.Ref, nil), `{"t":"q","id":"i","op":"ref","p":["a"],"a":[1,2]}`},
		{"ref set", c.EndSet(append(c.BeginRefSet(nil, "i", path[:1]), '1'), nil, nil), `{"t":"q","id":"i","op":"ref","p":["a"],"v":1}`},

		{"classic call", k.EndCall(k.BeginCall(nil, wire.Call, "i", path), wire.Call, nil), `{"id":"i","method":"a.b\"","args":[],"type":"request","version":"json"}` + "\n"},
		{"classic new", ks.EndCall(ks.BeginCall(nil, wire.New, "i", path[:1]), wire.New, nil), `{"json":{"id":"i","method":"a","args":[],"type":"construct","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n"},
		{"classic callback", ks.EndCallback(append(ks.BeginBareArg(append(ks.BeginArg(ks.BeginCallback(nil, "f"), 0), '1'), 1), '2'), nil), `{"json":{"id":"f","method":"f","args":[1,2],"type":"callback","transferSlots":null,"version":"superjson"},"meta":{"values":{"transferSlots":["undefined"]},"v":1}}` + "\n"},
		{"classic set", k.EndSet(append(k.BeginSet(nil, "i", path[:1]), '1'), path, nil), `{"id":"i","method":"","args":{},"type":"set","path":["a"],"value":1,"version":"json"}` + "\n"},
		{"classic set undefined", k.AppendUndefinedSet(nil, "i", path[:1], nil), `{"id":"i","method":"","args":{},"type":"set","path":["a"],"version":"json"}` + "\n"},
		{"classic result without id", ks.EndResult(append(ks.BeginResult(nil, nil), '1'), nil), `{"json":{"method":"","args":{"result":1},"type":"response","transferSlots":null,"version":"superjson"},"meta":{"values":{"transferSlots":["undefined"]},"v":1}}` + "\n"},
		{"classic result", k.EndResult(append(k.BeginResult(nil, []byte(`7`)), '1'), nil), `{"id":7,"method":"","args":{"result":1},"type":"response","version":"json"}` + "\n"},
		{"classic cancel of a stream", k.AppendControl(nil, wire.StreamReturn, "x", "i"), `{"id":"i","method":"","args":{},"type":"stream-cancel","version":"json"}` + "\n"},

		{"classic has no cancel", k.AppendCancel([]byte("x"), "i"), "x"},
		{"no release", k.AppendRelease([]byte("x"), path), "x"},
		{"no credit", k.AppendPull([]byte("x"), "i", "s", 1), "x"},
		{"no throw", k.AppendControl([]byte("x"), wire.StreamThrow, "i", "s"), "x"},
		{"no references", k.AppendRef(k.BeginRefSet([]byte("x"), "i", path), "i", path, nil), "x"},
		{"paths", []byte(k.ArgPath(12) + " " + k.BareArgPath(1) + " " + k.SetPath() + " " + k.ResultPath() + " " + k.ItemPath()), "args.12 args.1 value args.result args.value"},
		{"compact paths", []byte(c.ArgPath(12) + " " + c.BareArgPath(1) + " " + c.SetPath() + " " + c.ResultPath() + " " + c.ItemPath()), "a.12.v a.1 v v v"},
	} {
		if string(row.got) != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, row.got, row.want)
		}
	}
}

// TestWriteAnnotated writes values beside members that are always undefined.
func TestWriteAnnotated(t *testing.T) {
	tail := &wire.Tail{Values: superjson.NewEncoder(superjson.ModeSuperJSON)}
	ks := codecOf(wire.ClassicSuperJSON)
	got := string(ks.EndCall(ks.AppendUndefinedArg(ks.BeginCall(nil, wire.Call, "i", []string{"x"}), 0, tail), wire.Call, tail))
	if want := `{"json":{"id":"i","method":"x","args":[null],"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"args.0":["undefined"],"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	tail.Values.Reset(superjson.ModeSuperJSON)
	tail.CallbackIDs = []string{"f"}
	got = string(ks.EndCall(ks.AppendCallbackArg(ks.AppendUndefinedArg(ks.BeginCall(nil, wire.Call, "i", []string{"x"}), 0, tail), 1, "f"), wire.Call, tail))
	if want := `{"json":{"id":"i","method":"x","args":[null,"__callback__f"],"type":"request","callbackIds":["f"],"transferSlots":null,"version":"superjson"},"meta":{"values":{"args.0":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// FuzzRewrite: what was parsed and written again parses to the same.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{mathAdd, `{"t":"cb","id":"i","a":[1,{"__kkrpc_next_arg__":"callback","id":"f"}]}`, `{"t":"sq","id":"i","sid":"s","op":"pull","n":3.5}`, classicQ("a"), `{"id":"i","args":{"value":1},"type":"stream-chunk"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, d := range []wire.Dialect{wire.Compact, wire.Classic} {
			var m, again wire.Message
			if codecOf(d).Parse(text, &m, 64) != nil || m.Dialect != d || m.Err != nil || m.Kind == wire.Ref || m.ID == nil && m.Kind != wire.Release ||
				m.ID != nil && !wire.IsString(m.ID) || m.Path.Raw == nil && m.Kind < wire.Response {
				continue
			}
			for _, a := range m.Args {
				if a.Kind == wire.ArgCallback && d == wire.Compact && !wire.IsString(a.ID) {
					return
				}
			}
			out := rewriteRaw(t, &m)
			if out == nil {
				continue
			}
			if err := codecOf(d).Parse(out, &again, 64); err != nil {
				t.Fatalf("%v: %s from %s", err, out, text)
			}
			if again.Kind != m.Kind || string(again.ID) != string(m.ID) || string(again.Value) != string(m.Value) || len(again.Args) != len(m.Args) || again.Credit != m.Credit || again.Done != m.Done {
				t.Fatalf("%s from %s", out, text)
			}
		}
	})
}

// rewriteRaw is rewrite, for messages whose ids can be written as they are.
func rewriteRaw(t testing.TB, m *wire.Message) []byte {
	if !writable(m) {
		return nil
	}
	for _, raw := range append([][]byte{m.ID, m.StreamID}, m.IDs...) {
		for _, c := range raw {
			if c == '\\' || len(raw) < 3 || raw[1] == '"' {
				return nil
			}
		}
	}
	return rewrite(t, m, true)
}
