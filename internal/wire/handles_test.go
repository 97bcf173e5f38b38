package wire_test

import (
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

func TestFindHandle(t *testing.T) {
	call := func(arg string) string {
		return `{"t":"q","id":"1","op":"call","p":["f"],"a":[{"__kkrpc_next_arg__":"value","v":1},` + arg + `]}`
	}
	value := func(v string) string { return call(`{"__kkrpc_next_arg__":"value","v":` + v + `}`) }
	deep := func(v string, n int) string { return strings.Repeat("[", n) + v + strings.Repeat("]", n) }
	const (
		function  = `{"__kkrpc_next_arg__":"callback","id":"c"}`
		stream    = `{"__kkrpc_next_stream__":"async-iterable","id":"s"}`
		reference = `{"__kkrpc_ref__":true,"id":"r","kind":"object"}`
	)
	for _, row := range []struct {
		name    string
		dialect wire.Dialect
		text    string
		want    wire.Handle
	}{
		{"plain data", wire.Compact, value(`{"a":[1,"x",null]}`), wire.NoHandle},
		{"a function as an argument", wire.Compact, call(function), wire.FunctionHandle},
		{"a function inside an object", wire.Compact, value(`{"a":{"b":` + function + `}}`), wire.FunctionHandle},
		{"a function inside a list, not the first", wire.Compact, value(`[1,[2],` + function + `]`), wire.FunctionHandle},
		{"a function behind other members", wire.Compact, value(`{"a":1,"b":` + function + `,"c":2}`), wire.FunctionHandle},
		{"a name with escapes", wire.Compact, value(`{"\u005f_kkrpc_next_arg__":"callb\u0061ck"}`), wire.FunctionHandle},
		{"white space around values", wire.Compact, value(`{"__kkrpc_next_arg__" : "callback" }`), wire.FunctionHandle},
		{"the last member counts", wire.Compact, value(`{"__kkrpc_next_arg__":"callback","__kkrpc_next_arg__":"value"}`), wire.NoHandle},
		{"another value of the mark", wire.Compact, value(`{"__kkrpc_next_arg__":"value"}`), wire.NoHandle},
		{"a stream", wire.Compact, value(stream), wire.StreamHandle},
		{"a stream of another kind", wire.Compact, value(`{"__kkrpc_next_stream__":"list"}`), wire.NoHandle},
		{"a reference", wire.Compact, value(reference), wire.ReferenceHandle},
		{"a reference to a function", wire.Compact, value(`{"__kkrpc_ref__":true,"id":"r","kind":"function"}`), wire.ReferenceHandle},
		{"a reference without an id", wire.Compact, value(`{"__kkrpc_ref__":true,"kind":"object"}`), wire.NoHandle},
		{"a reference whose id is a number", wire.Compact, value(`{"__kkrpc_ref__":true,"id":1,"kind":"object"}`), wire.NoHandle},
		{"a reference of another kind", wire.Compact, value(`{"__kkrpc_ref__":true,"id":"r","kind":"x"}`), wire.NoHandle},
		{"a reference that is none", wire.Compact, value(`{"__kkrpc_ref__":false,"id":"r","kind":"object"}`), wire.NoHandle},
		{"the mark as a string", wire.Compact, value(`"__kkrpc_ref__"`), wire.NoHandle},
		{"deep", wire.Compact, value(deep(reference, 1000)), wire.ReferenceHandle},
		{"a request on a reference", wire.Compact, `{"t":"q","id":"1","op":"ref","p":["r","apply"],"a":[]}`, wire.ReferenceHandle},
		{"the value of a set", wire.Compact, `{"t":"q","id":"1","op":"set","p":["x"],"v":` + stream + `}`, wire.StreamHandle},
		{"a result", wire.Compact, `{"t":"r","id":"1","v":` + reference + `}`, wire.ReferenceHandle},
		{"an error", wire.Compact, `{"t":"r","id":"1","e":{"n":"Error","m":"x","d":` + reference + `}}`, wire.ReferenceHandle},
		{"classic: a function", wire.Classic, `{"id":"1","method":"f","args":["__callback__c"],"type":"request","callbackIds":["c"],"version":"json"}`, wire.FunctionHandle},
		{"classic: a stream as the result", wire.Classic, `{"id":"1","method":"","args":{"result":{"__stream":true}},"type":"response","version":"json"}`, wire.StreamHandle},
		{"classic: no stream", wire.Classic, `{"id":"1","method":"","args":{"result":{"__stream":false}},"type":"response","version":"json"}`, wire.NoHandle},
		{"classic: a stream inside the result", wire.Classic, `{"id":"1","method":"","args":{"result":{"a":{"__stream":true}}},"type":"response","version":"json"}`, wire.NoHandle},
		{"classic: a stream as an argument", wire.Classic, `{"id":"1","method":"f","args":[{"__stream":true}],"type":"request","version":"json"}`, wire.NoHandle},
		{"classic: a reference is data", wire.Classic, `{"id":"1","method":"f","args":[` + reference + `],"type":"request","version":"json"}`, wire.NoHandle},
	} {
		t.Run(row.name, func(t *testing.T) {
			var m wire.Message
			if err := codecOf(row.dialect).Parse([]byte(row.text), &m, 0); err != nil {
				t.Fatal(err)
			}
			if got := wire.FindHandle(&m); got != row.want {
				t.Errorf("found %d, want %d, in %.200s", got, row.want, row.text)
			}
		})
	}
}
