package superjson

import (
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

type requiredBase struct {
	ID int `json:"id"`
}

type requiredInner struct {
	X int  `json:"x"`
	Y *int `json:"y"`
}

type requiredEverything struct {
	requiredBase
	*RequiredPointed
	Name    string             `json:"name"`
	Count   int                `json:"count"`
	When    time.Time          `json:"when"`
	Big     *big.Int           `json:"big"`
	Tags    []string           `json:"tags"`
	Data    []byte             `json:"data"`
	Scores  map[string]float64 `json:"scores"`
	Inner   requiredInner      `json:"inner"`
	List    []requiredInner    `json:"list"`
	Any     any                `json:"any"`
	Kept    Value              `json:"kept"`
	Raw     jsontext.Value     `json:"raw"`
	Omitted string             `json:"omitted,omitempty"`
	Zero    bool               `json:"zero,omitzero"`
}

type RequiredPointed struct {
	Pointed int `json:"pointed"`
}

const requiredWhole = `{"id":1,"name":"Ada","count":2,"when":"2026-01-02T03:04:05.000Z","tags":[],"data":"AQ==","scores":{},"inner":{"x":1},"list":[{"x":1},{"x":2}]}`

// TestRequiredMembers leaves out one member after the other. Each that is required is named, by the quick reader's way and by
// the decoder's.
func TestRequiredMembers(t *testing.T) {
	decode := func(text string, meta *Meta, require bool) error {
		var v requiredEverything
		return DecodeMetered(ModeJSON, []byte(text), meta, &v, nil, &Meter{RequireMembers: require})
	}
	for _, row := range []struct{ name, from, to, path, expected string }{
		{"all", "", "", "", ""},
		{"of an embedded struct", `"id":1,`, ``, "id", "integer"},
		{"a string", `"name":"Ada",`, ``, "name", "string"},
		{"in another case", `"name":`, `"NAME":`, "", ""},
		{"in another order", `{"id":1,"name":"Ada",`, `{"name":"Ada","unknown":[1],"id":1,`, "", ""},
		{"a number", `"count":2,`, ``, "count", "integer"},
		{"a Date", `"when":"2026-01-02T03:04:05.000Z",`, ``, "when", "Date"},
		{"a list", `"tags":[],`, ``, "tags", "array"},
		{"a list that is null", `"tags":[]`, `"tags":null`, "", ""},
		{"bytes", `"data":"AQ==",`, ``, "data", "Uint8Array"},
		{"a map", `"scores":{},`, ``, "scores", "object"},
		{"an object", `"inner":{"x":1},`, ``, "inner", "object"},
		{"of an object inside", `"inner":{"x":1}`, `"inner":{"y":1}`, "inner.x", "integer"},
		{"of an object in a list", `{"x":2}`, `{}`, "list[1].x", "integer"},
		{"everything", requiredWhole, `{}`, "id", "integer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := strings.Replace(requiredWhole, row.from, row.to, 1)
			if err := decode(text, nil, false); err != nil {
				t.Errorf("without RequireMembers: %v", err)
			}
			escaped := strings.Replace(strings.Replace(text, `{`, `{"\u0061ny":1,`, 1), `,}`, `}`, 1) // which is not for the quick reader
			for _, text := range []string{text, escaped} {
				err := decode(text, nil, true)
				e, refused := errors.AsType[*TypeError](err)
				if row.path == "" && err != nil || row.path != "" && (!refused || *e != TypeError{row.path, row.expected, "undefined"}) {
					t.Errorf("%s: got %v, want %s: expected %s", text, err, row.path, row.expected)
				}
			}
		})
	}
}

// An annotated undefined is as good as no member.
func TestRequiredMemberIsUndefined(t *testing.T) {
	meta, err := ParseMeta([]byte(`{"values":{"x":["undefined"],"y":["undefined"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, require := range []bool{false, true} {
		var v requiredInner
		err := DecodeMetered(ModeSuperJSON, []byte(`{"x":null,"y":null}`), meta, &v, nil, &Meter{RequireMembers: require})
		if e, ok := errors.AsType[*TypeError](err); ok != require || ok && e.Path != "x" {
			t.Errorf("RequireMembers %t: %v", require, err)
		}
	}
}

// An object that is in two places is read once and kept for both.
func TestRequiredMembersOfSharedObjects(t *testing.T) {
	meta, err := ParseMeta([]byte(`{"referentialEqualities":{"a":["b"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ A, B requiredInner }
	err = DecodeMetered(ModeSuperJSON, []byte(`{"a":{},"b":null}`), meta, &v, nil, &Meter{RequireMembers: true})
	if e, ok := errors.AsType[*TypeError](err); !ok || e.Path != "a.x" {
		t.Errorf("got %v", err)
	}
}

// A struct may have more fields than a word has bits.
func TestRequiredMembersOfManyFields(t *testing.T) {
	var fields []reflect.StructField
	for i := range 70 {
		fields = append(fields, reflect.StructField{Name: "F" + strings.Repeat("x", i), Type: reflect.TypeFor[int]()})
	}
	typ := reflect.StructOf(fields)
	for _, without := range []int{-1, 0, 63, 64, 69} {
		var members []string
		for i, f := range fields {
			if i != without {
				members = append(members, `"`+f.Name+`":1`)
			}
		}
		v := reflect.New(typ)
		err := DecodeMetered(ModeJSON, []byte("{"+strings.Join(members, ",")+"}"), nil, v.Interface(), nil, &Meter{RequireMembers: true})
		e, refused := errors.AsType[*TypeError](err)
		if refused != (without >= 0) || refused && e.Path != fields[without].Name {
			t.Errorf("without field %d: %v", without, err)
		}
	}
}
