package schema_test

import (
	"testing"

	"github.com/kkrpc-go/kkrpc/schema"
)

// A description that another module has written in another form is refused, and not misread.
func TestParse(t *testing.T) {
	if api, err := schema.Parse([]byte(`{"version":1,"name":"API","members":[{"name":"f","kind":"method","function":{},"new":1}]}`)); err != nil || api.Members[0].Kind != schema.Method {
		t.Errorf("%v, %v", api, err)
	}
	for text, want := range map[string]string{
		`{"name":"API"}`:             "schema: the description has version 0; this module reads 1",
		`{"version":2,"name":"API"}`: "schema: the description has version 2; this module reads 1",
		`{"version":1,"members":[{"name":"n","kind":"namespace","members":[{"name":"f","kind":"method"}]}]}`:                                            "schema: no description of an API: n.f: it has no function",
		`{"version":1,"members":[{"name":"r","kind":"readonly"}]}`:                                                                                      "schema: no description of an API: r: it has no type",
		`{"version":1,"members":[{"name":"x","kind":"event"}]}`:                                                                                         "schema: no description of an API: x: unknown kind \"event\" of member",
		`{"version":1,"members":[{"name":"f","kind":"method","function":{"result":{"kind":"list"}}}]}`:                                                  "schema: no description of an API: f: result[]: it has no type",
		`{"version":1,"members":[{"name":"f","kind":"method","function":{"params":[{"name":"a","type":{"kind":"record","elem":{"kind":"string"}}}]}}]}`: "schema: no description of an API: f: parameter a key: it has no type",
		`{"version":1,"members":[{"name":"f","kind":"method","function":{"result":{"kind":"named","name":"T","package":"a"}}}]}`:                        "schema: no description of an API: f: result: there is no type a.T",
		`{"version":1,"types":[{"name":"T","type":{"kind":"struct","fields":[{"name":"a","type":{"kind":"money"}}]}}]}`:                                 "schema: no description of an API: type T.a: unknown kind \"money\" of type",
		`{"version":1,"types":[{"name":"T","type":{"kind":"reference","members":[{"name":"m","kind":"method"}]}}]}`:                                     "schema: no description of an API: type T.m: it has no function",
		`{"version":1,"types":[{"name":"T","type":{"kind":"reference","function":{"result":{"kind":"x"}}}}]}`:                                           "schema: no description of an API: type T: result: unknown kind \"x\" of type",
		`[]`: "schema: no description of an API: json: cannot unmarshal array into Go value of type schema.API",
	} {
		if _, err := schema.Parse([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
