package superjson_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// The texts are those of superjson 2.2.7.
func unmarshal[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := superjson.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// In the text of a cycle null stands for the object, so that a Map or Set may seem to have null twice. It is a cycle
// all the same.
func TestCycleBesideNull(t *testing.T) {
	for _, text := range []string{
		`{"json":[[null,1],[null,2]],"meta":{"values":["map"],"referentialEqualities":[["1.0"]],"v":1}}`,
		`{"json":[null,null],"meta":{"values":["set"],"referentialEqualities":[["1"]],"v":1}}`,
	} {
		var v any
		var m *superjson.Map
		var s *superjson.Set
		for _, target := range []any{&v, &m, &s} {
			if err := superjson.Unmarshal([]byte(text), target); err == nil {
				t.Errorf("%s: %T has %v", text, target, reflect.ValueOf(target).Elem())
			}
		}
		if kept, err := superjson.Marshal(unmarshal[superjson.Value](t, text)); err != nil || string(kept) != text {
			t.Errorf("%s %v, want %s", kept, err, text)
		}
	}
}

// Dates are objects, so two at one time are two keys.
func TestDatesAtOneTime(t *testing.T) {
	const asKeys = `{"json":[["1970-01-01T00:00:00.000Z","a"],["1970-01-01T00:00:00.000Z","b"]],"meta":{"values":["map",{"0.0":["Date"],"1.0":["Date"]}],"v":1}}`
	m := unmarshal[any](t, asKeys).(*superjson.Map)
	if v, _ := m.Get(time.UnixMilli(0).UTC()); m.Len() != 2 || v != "a" {
		t.Errorf("%v", m.Entries())
	}
	const inSet = `{"json":["1970-01-01T00:00:00.000Z","1970-01-01T00:00:00.000Z"],"meta":{"values":["set",{"0":["Date"],"1":["Date"]}],"v":1}}`
	s := unmarshal[any](t, inSet).(*superjson.Set)
	for text, v := range map[string]any{asKeys: m, inSet: s} {
		if out, err := superjson.Marshal(v); err != nil || string(out) != text {
			t.Errorf("%s %v, want %s", out, err, text)
		}
	}
}

// No JavaScript writes such a text.
func TestEqualKeysOfAText(t *testing.T) {
	m := unmarshal[*superjson.Map](t, `{"json":[["a",1],["NaN",2],["b",3],["NaN",4],["a",5]],"meta":{"values":["map",{"1.0":["number"],"3.0":["number"]}],"v":1}}`)
	if a, _ := m.Get("a"); m.Len() != 3 || a != 5.0 {
		t.Errorf("%v", m.Entries())
	}
	if nan, _ := m.Get(math.NaN()); nan != 4.0 {
		t.Errorf("NaN has %v", nan)
	}
	if s := unmarshal[*superjson.Set](t, `{"json":["a","b","a"],"meta":{"values":["set"],"v":1}}`); s.Len() != 2 || !s.Has("b") {
		t.Errorf("%v", s.Values())
	}
}

func TestFieldWithAnEmptyName(t *testing.T) {
	type unnamed struct {
		A int `json:"''"`
		B int
	}
	if v := unmarshal[unnamed](t, `{"json":{"":1,"A":2,"B":3}}`); v != (unnamed{1, 3}) {
		t.Errorf("%v", v)
	}
	if out, err := superjson.Marshal(unnamed{1, 3}); err != nil || string(out) != `{"json":{"":1,"B":3}}` {
		t.Errorf("%s %v", out, err)
	}
}
