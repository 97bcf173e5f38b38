package superjson_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type member struct {
	ID     int    `json:"id"`
	UserID string // userId to most peers
	Inner  *member
	List   []int `json:"list"`
}

// wide has more fields than a word has bits.
type wide struct {
	A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, C0, C1, C2, C3, C4, C5, C6, C7, C8, C9, D0, D1,
	D2, D3, D4, D5, D6, D7, D8, D9, E0, E1, E2, E3, E4, E5, E6, E7, E8, E9, F0, F1, F2, F3, F4, F5, F6, F7, F8, F9, G0, G1, G2, G3 any
	Last int `json:"last"`
	End  int `json:"end"`
}

func TestExactNamesWin(t *testing.T) {
	for _, mode := range []superjson.Mode{superjson.ModeSuperJSON, superjson.ModeJSON} {
		for _, row := range []struct {
			name, json string
			want       member
		}{
			{"after", `{"ID":2,"id":1}`, member{ID: 1}},
			{"before", `{"id":1,"ID":2}`, member{ID: 1}},
			{"around", `{"Id":3,"id":1,"ID":2}`, member{ID: 1}},
			{"twice", `{"id":3,"id":1,"ID":2}`, member{ID: 1}},
			{"none", `{"Id":3,"ID":2}`, member{ID: 2}},
			{"another type after", `{"id":1,"ID":"x"}`, member{ID: 1}},
			{"another type before", `{"ID":{"a":[{"b":"c"}]},"id":1,"list":[1]}`, member{ID: 1, List: []int{1}}},
			{"wrong inside of what was folded", `{"List":[1,{"a":[2]},3],"list":[4],"id":1}`, member{ID: 1, List: []int{4}}},
			{"another field", `{"userId":"a","userID":"b","UserID":"c"}`, member{UserID: "c"}},
			{"in any order", `{"list":[1],"ID":2,"userid":"x","id":1}`, member{ID: 1, UserID: "x", List: []int{1}}},
			{"inside", `{"inner":{"ID":2,"id":1,"inner":{"ID":4,"id":3}}}`, member{Inner: &member{ID: 1, Inner: &member{ID: 3}}}},
			{"inner that is replaced", `{"inner":{"list":[1]},"Inner":{"id":1}}`, member{Inner: &member{ID: 1}}},
		} {
			var got member
			if err := superjson.Decode(mode, []byte(row.json), nil, &got); err != nil {
				t.Errorf("%s: %v", row.name, err)
			} else if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("%s: %s", row.name, diff)
			}
		}
		for text, want := range map[string]string{
			`{"ID":"x"}`:                    "ID: expected integer, got string",
			`{"ID":"x","list":[1]}`:         "ID: expected integer, got string",
			`{"ID":2,"id":"x"}`:             "id: expected integer, got string",
			`{"inner":{"ID":["x"]},"id":1}`: "inner.ID: expected integer, got array",
			`{"ID":{"a":`:                   "malformed JSON",
			`{"ID":[1,2`:                    "malformed JSON",
		} {
			if err := superjson.Decode(mode, []byte(text), nil, new(member)); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", text, err, want)
			}
		}
		var many wide
		if err := superjson.Decode(mode, []byte(`{"Last":1,"last":2,"end":3,"END":"x","a0":4,"A0":5}`), nil, &many); err != nil || many.Last != 2 || many.End != 3 || many.A0 != 5.0 {
			t.Errorf("got %d, %d, %v, %v", many.Last, many.End, many.A0, err)
		}
	}
	js := []string{"({id:1,ID:2})", `({userID:"x",UserID:undefined,id:-0,ID:new Date(0)})`, "({id:undefined,ID:7})"}
	texts := libraryWrites(t, superjson.ModeSuperJSON, libraries[0], js)
	for i, want := range []member{{ID: 1}, {UserID: "x"}, {ID: 7}} {
		got, err := decodeAs[member](superjson.ModeSuperJSON, texts[i])
		if diff := cmp.Diff(any(want), got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", js[i], err, diff)
		}
	}
}

// What a failed or a folded member has changed must not last, and what was there must be found again.
func TestFoldedNamesIntoWhatIsThere(t *testing.T) {
	got := member{ID: 9, UserID: "kept", List: []int{9}}
	if err := superjson.Decode(superjson.ModeSuperJSON, []byte(`{"LIST":["x"],"list":[1],"Id":2}`), nil, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(member{ID: 2, UserID: "kept", List: []int{1}}, got); diff != "" {
		t.Error(diff)
	}
}

type hidden struct {
	Shown string `json:"shown"`
	deep  int
}

type hiddenAgain struct{ *hidden }

type embedsHidden struct {
	*hidden
	Own int `json:"own"`
}

// TestEmbeddedPointerToUnexportedStruct compares with encoding/json.
func TestEmbeddedPointerToUnexportedStruct(t *testing.T) {
	for _, v := range []any{
		embedsHidden{&hidden{Shown: "a"}, 1}, embedsHidden{nil, 1}, &embedsHidden{&hidden{Shown: "b"}, 2}, hiddenAgain{&hidden{Shown: "c"}},
		[]any{embedsHidden{&hidden{Shown: "d", deep: 1}, 3}}, struct{ hiddenAgain }{hiddenAgain{&hidden{Shown: "e"}}},
	} {
		want, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []superjson.Mode{superjson.ModeSuperJSON, superjson.ModeJSON} {
			got, err := superjson.NewEncoder(mode).Append(nil, "", v)
			if err != nil || string(got) != string(want) {
				t.Errorf("%+v became %s, %v, want %s", v, got, err, want)
			}
		}
	}
	for _, text := range []string{`{"shown":"x","own":1}`, `{"own":1,"SHOWN":"x"}`, `{"own":1}`, `{"own":1,"unknown":2}`} {
		for _, start := range []embedsHidden{{}, {hidden: &hidden{deep: 7}}} {
			want, got := start, start
			if start.hidden != nil {
				want.hidden, got.hidden = &hidden{deep: 7}, &hidden{deep: 7}
			}
			wantErr := json.Unmarshal([]byte(text), &want)
			err := superjson.Decode(superjson.ModeJSON, []byte(text), nil, &got)
			if (err == nil) != (wantErr == nil) || err != nil && !strings.Contains(err.Error(), "embedded pointer to the unexported struct hidden") {
				t.Errorf("%s: got %v, want %v", text, err, wantErr)
			} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(hidden{}, embedsHidden{})); err == nil && diff != "" {
				t.Errorf("%s: %s", text, diff)
			}
		}
	}
}

func TestTwoFieldsOfOneName(t *testing.T) {
	type Left struct{ Same int }
	type Right struct{ Same int }
	type Both struct {
		Left
		Right
	}
	for name, row := range map[string]struct{ value, want any }{
		"in one struct": {struct {
			A int `json:"id"`
			B int `json:"'id'"` // which vet does not see
		}{}, `the fields A and B have one name, "id"`},
		"by a tag": {struct {
			Name string
			Also string `json:"Name"`
		}{}, nil}, // the tag wins
		"by two tags": {struct {
			One string `json:"Name,omitempty"`
			Two string `json:"'Name'"`
		}{}, `the fields One and Two have one name, "Name"`},
		"embedded": {Both{}, `the fields Left.Same and Right.Same have one name, "Same"`},
		"decided": {struct {
			Both
			Same int
		}{}, nil},
		"left out": {struct {
			Left
			Right `json:"-"`
		}{}, nil},
	} {
		_, err := superjson.Marshal(row.value)
		readErr := superjson.Unmarshal([]byte(`{"json":{"id":1}}`), reflect.New(reflect.TypeOf(row.value)).Interface())
		if row.want == nil {
			if err != nil || readErr != nil {
				t.Errorf("%s: %v, %v", name, err, readErr)
			}
		} else if err == nil || readErr == nil || !strings.Contains(err.Error(), row.want.(string)) || !strings.Contains(readErr.Error(), row.want.(string)) {
			t.Errorf("%s: got %v and %v, want %q", name, err, readErr, row.want)
		}
	}
}

// Reflection cannot read or set what is inside of an unexported field that is not embedded in Go.
func TestUnexportedFieldIsNotEmbeddedByTag(t *testing.T) {
	v := reflect.New(reflect.StructOf([]reflect.StructField{ // a form of tag that vet refuses
		{Name: "in", PkgPath: "superjson_test", Type: reflect.TypeFor[hidden](), Tag: `json:",embed"`},
	})).Interface()
	const want = "field in: an unexported field can only be embedded as in Go, without a name"
	if _, err := superjson.Marshal(v); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := superjson.Unmarshal([]byte(`{"json":{"shown":"b"}}`), v); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestFieldsAreMembers: Fields yields what encoding/json writes, and in its order.
func TestFieldsAreMembers(t *testing.T) {
	type Base struct {
		ID    int
		Inner string `json:"inner"`
	}
	type Tagged struct{ Part int }
	v := struct {
		*hidden
		Base
		ID     string // hides the one in Base
		Tagged `json:"tagged"`
		//lint:ignore SA5008 this form of the tag is read, if not written
		Dash int `json:"-,"`
		Out  int `json:"-"`
		own  int
	}{hidden: &hidden{}, own: 1}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	var want, got []string
	for dec.PeekKind() != 0 {
		if _, n := dec.StackIndex(dec.StackDepth()); dec.StackDepth() == 1 && n%2 == 0 && dec.PeekKind() == '"' {
			name, _ := dec.ReadToken()
			want = append(want, name.String())
		} else if dec.StackDepth() == 1 && dec.PeekKind() != '}' {
			_ = dec.SkipValue()
		} else {
			_, _ = dec.ReadToken()
		}
	}
	for f := range superjson.Fields(reflect.TypeOf(v)) {
		got = append(got, f.Name)
		reflect.ValueOf(v).FieldByIndex(f.Index).Interface()
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 5 {
		t.Error(diff, got)
	}
}
