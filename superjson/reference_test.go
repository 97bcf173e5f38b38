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

// Thing gives box a field with an exported name.
type Thing = thing

type box[T any] struct{ *Thing }

func TestStructOfNothingButAReference(t *testing.T) {
	s := shelf{{"a"}, {"b"}}
	type boxes struct {
		One  box[int]            `json:"one"`
		None *box[int]           `json:"none"`
		List []box[string]       `json:"list"`
		Map  map[string]box[int] `json:"map"`
		Zero box[int]            `json:"zero,omitzero"`
	}
	e := superjson.NewEncoder(superjson.ModeJSON)
	e.SetReferences(s)
	in := boxes{One: box[int]{s[0]}, List: []box[string]{{s[1]}}, Map: map[string]box[int]{"x": {s[0]}}}
	raw, err := e.Append(nil, "", in)
	if want := `{"one":{"place":0},"none":null,"list":[{"place":1}],"map":{"x":{"place":0}}}`; err != nil || string(raw) != want {
		t.Fatalf("wrote %s, %v, want %s", raw, err, want)
	}
	var out boxes
	if err := superjson.DecodeReferences(superjson.ModeJSON, raw, nil, &out, s); err != nil {
		t.Fatal(err)
	}
	if out.One.Thing != s[0] || out.None != nil || out.List[0].Thing != s[1] || out.Map["x"].Thing != s[0] {
		t.Errorf("read %+v", out)
	}
	var one *box[int]
	if err := superjson.DecodeReferences(superjson.ModeJSON, []byte(`{"place":1}`), nil, &one, s); err != nil || one.Thing != s[1] {
		t.Errorf("by pointer: %v, %v", one, err)
	}
	if _, err := e.Append(nil, "", []box[int]{{}}); err == nil || !strings.Contains(err.Error(), "[0]: the superjson_test.box[int] holds no reference") {
		t.Errorf("without a reference: %v", err)
	}
	if _, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", in); err == nil || !strings.Contains(err.Error(), "no things here") {
		t.Errorf("without an encoder of references: %v", err)
	}
	for raw, want := range map[string]string{
		`[null]`:        "[0]: expected reference, got null",
		`["x"]`:         "[0]: expected reference, got string",
		`[{"x":1}]`:     "[0]: expected reference, got object",
		`[{"place":7}]`: "empty place",
	} {
		var list []box[int]
		if err := superjson.DecodeReferences(superjson.ModeJSON, []byte(raw), nil, &list, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", raw, err, want)
		}
	}
	if err := superjson.Decode(superjson.ModeJSON, []byte(`{"place":0}`), nil, new(box[int])); err == nil || !strings.Contains(err.Error(), "no things here") {
		t.Errorf("nobody who knows: %v", err)
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
