package superjson_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// thing crosses as the number that stands for it.
type thing struct{ name string }

func (*thing) MarshalJSON() ([]byte, error) { return nil, errors.New("no things here") }
func (*thing) UnmarshalJSON([]byte) error   { return errors.New("no things here") }

// shelf has things in places.
type shelf []*thing

func (shelf) ReferenceType() reflect.Type { return reflect.TypeFor[*thing]() }

func (s shelf) AppendReference(dst []byte, v any) ([]byte, error) {
	for i, t := range s {
		if t == v {
			return append(append(append(dst, `{"place":`...), byte('0'+i)), '}'), nil
		}
	}
	return dst, errors.New("it is nowhere")
}

func (s shelf) DecodeReference(object map[string]any, typed bool) (any, error) {
	place, ok := object["place"].(float64)
	switch {
	case !ok:
		return nil, nil
	case !typed && object["typed"] == true:
		return nil, nil
	case int(place) >= len(s):
		return nil, errors.New("empty place")
	}
	return s[int(place)], nil
}

type drawer struct {
	Name  string            `json:"name"`
	Thing *thing            `json:"thing"`
	List  []*thing          `json:"list"`
	Named map[string]*thing `json:"named"`
	Any   any               `json:"any"`
}

func TestReferencesCrossAtAnyDepth(t *testing.T) {
	s := shelf{{"a"}, {"b"}}
	for _, mode := range []superjson.Mode{superjson.ModeJSON, superjson.ModeSuperJSON, superjson.ModeTaggedJSON} {
		in := drawer{Name: "d", Thing: s[0], List: []*thing{s[1], nil}, Named: map[string]*thing{"x": s[0]}, Any: map[string]any{"deep": []any{s[1]}}}
		e := superjson.NewEncoder(mode)
		e.SetReferences(s)
		raw, err := e.Append(nil, "", in)
		want := `{"name":"d","thing":{"place":0},"list":[{"place":1},null],"named":{"x":{"place":0}},"any":{"deep":[{"place":1}]}}`
		if err != nil || string(raw) != want || e.HasMeta() {
			t.Fatalf("mode %d: wrote %s, %v, want %s", mode, raw, err, want)
		}
		var out drawer
		if err := superjson.DecodeReferences(mode, raw, nil, &out, s); err != nil {
			t.Fatalf("mode %d: %v", mode, err)
		}
		if out.Thing != s[0] || out.List[0] != s[1] || out.List[1] != nil || out.Named["x"] != s[0] ||
			out.Any.(map[string]any)["deep"].([]any)[0] != any(s[1]) {
			t.Errorf("mode %d: read %+v", mode, out)
		}
	}
}

func TestWhereReferencesAreNone(t *testing.T) {
	s := shelf{{"a"}}
	for _, test := range []struct {
		name, raw string
		target    any
		with      superjson.ReferenceDecoder
		want      string
	}{
		{"a number", `7`, new(*thing), s, "expected reference, got number"},
		{"other data", `{"x":1}`, new(*thing), s, "expected reference, got object"},
		{"deep inside", `{"list":[{"place":0},"text"]}`, new(drawer), s, "list[1]: expected reference, got string"},
		{"an empty place", `[{"place":5}]`, new(any), s, "empty place"},
		{"nobody who knows", `{"place":0}`, new(*thing), nil, "no things here"},
	} {
		if err := superjson.DecodeReferences(superjson.ModeJSON, []byte(test.raw), nil, test.target, test.with); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	var v any
	if err := superjson.DecodeReferences(superjson.ModeJSON, []byte(`{"place":0,"typed":true}`), nil, &v, s); err != nil || reflect.TypeOf(v).Kind() != reflect.Map {
		t.Errorf("one that only counts where it is expected: %v, %v", v, err)
	}
	p := &thing{"before"}
	if err := superjson.DecodeReferences(superjson.ModeJSON, []byte(`null`), nil, &p, s); err != nil || p != nil {
		t.Errorf("null: %v, %v", p, err)
	}
}

func TestReferencesThatCannotBeWritten(t *testing.T) {
	e := superjson.NewEncoder(superjson.ModeJSON)
	if _, err := e.Append(nil, "", []any{&thing{}}); err == nil || !strings.Contains(err.Error(), "no things here") {
		t.Errorf("without an encoder of references: %v", err)
	}
	e.SetReferences(shelf{})
	e.Reset(superjson.ModeJSON)
	if _, err := e.Append(nil, "", []any{&thing{}}); err == nil || err.Error() != "it is nowhere" {
		t.Errorf("with one: %v", err)
	}
	if out, err := e.Append(nil, "", (*thing)(nil)); err != nil || string(out) != "null" {
		t.Errorf("nil: %s, %v", out, err)
	}
	if _, err := json.Marshal(&thing{}); err == nil {
		t.Error("encoding/json wrote it")
	}
}
