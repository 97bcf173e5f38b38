package kkvalidator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-playground/validator/v10"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkvalidator"
)

type base struct {
	ID string `json:"id" validate:"max=3"`
}

type address struct {
	Street string `json:"street" validate:"required"`
	Zip    string `validate:"omitempty,numeric"` // JavaScript sees Zip
}

type user struct {
	base
	Name      string             `json:"name" validate:"required"`
	Email     string             `json:"email,omitempty" validate:"omitempty,email"`
	Age       int                `json:"age" validate:"gte=0,lte=150"`
	Home      address            `json:"home"`
	Work      *address           `json:"work"`
	Others    []address          `json:"others" validate:"max=2,dive"`
	ByName    map[string]address `json:"byName" validate:"dive"`
	Tags      []string           `json:"tags" validate:"dive,min=2"`
	Quoted    string             `json:"'a,b'" validate:"max=1"`
	Inline    address            `json:",embed"`
	Born      time.Time          `json:"born"`
	Extra     any                `json:"extra"`
	Callbacks []*node            `json:"nodes"`
	Generic   box[address]       `json:"box"`
	Big       *big.Int           `json:"big"`
	Deep      [][]*address       `json:"deep" validate:"dive,dive"`
	Plain     []byte             `json:"plain"`
	Level     map[int][]int      `json:"level" validate:"dive,dive,lt=5"`
}

type box[T any] struct {
	Item T `json:"item"`
}

type node struct {
	Label string `json:"label" validate:"required"`
	Next  *node  `json:"next"`
}

func good() user {
	return user{Name: "Ann", Home: address{Street: "s"}, Inline: address{Street: "s"}, Generic: box[address]{address{Street: "s"}}}
}

// with is a user that is good but for what change does.
func with(change func(u *user)) user {
	u := good()
	change(&u)
	return u
}

// answer serves api behind a validator, asks for f with the raw arguments, and returns the frame that answers.
func answer(t *testing.T, opts *kkvalidator.Options, f any, frame string) string {
	t.Helper()
	a, b := kkrpc.Pipe()
	ch, err := kkrpc.New(context.Background(), a, &kkrpc.Options{
		Expose:  kkrpc.Object{"users": kkrpc.Object{"create": f, "theme": kkrpc.NewProperty(address{})}},
		Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, opts)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	if err := b.WriteFrames([][]byte{[]byte(frame)}); err != nil {
		t.Fatal(err)
	}
	text, _, err := b.ReadFrame(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The members of RPCValidationError as kkrpc declares it: name, message, phase, method, issues with message and path.
func TestFrames(t *testing.T) {
	create := func(ctx context.Context, u user) error { return nil }
	for _, test := range []struct {
		name, frame, want string
		f                 any
	}{
		{"compact input", `{"t":"q","id":"i","op":"call","p":["users","create"],"a":[{"__kkrpc_next_arg__":"value","v":{"name":"","home":{"street":"s"},"email":"x"}}]}`,
			`{"t":"r","id":"i","e":{"n":"RPCValidationError","m":"RPC input validation failed for \"users.create\": name is required; email must satisfy email; street is required; street is required",` +
				`"issues":[{"message":"name is required","path":[0,"name"]},{"message":"email must satisfy email","path":[0,"email"]},{"message":"street is required","path":[0,"street"]},{"message":"street is required","path":[0,"box","item","street"]}],` +
				`"method":"users.create","phase":"input"}}`, create},
		{"compact output", `{"t":"q","id":"i","op":"call","p":["users","create"],"a":[]}`,
			`{"t":"r","id":"i","e":{"n":"RPCValidationError","m":"RPC output validation failed for \"users.create\": street is required",` +
				`"issues":[{"message":"street is required","path":["street"]}],"method":"users.create","phase":"output"}}`, func() address { return address{} }},
		{"classic input", `{"id":"i","method":"users.create","args":[1,{"Zip":"x","street":"s"}],"type":"request","version":"json"}` + "\n",
			`{"id":"i","method":"","args":{"error":{"name":"RPCValidationError","message":"RPC input validation failed for \"users.create\": Zip must satisfy numeric",` +
				`"issues":[{"message":"Zip must satisfy numeric","path":[1,"Zip"]}],"method":"users.create","phase":"input"}},"type":"response","version":"json"}` + "\n",
			func(int, *address) {}},
		{"set", `{"t":"q","id":"i","op":"set","p":["users","theme"],"v":{"Zip":"1"}}`,
			`{"t":"r","id":"i","e":{"n":"RPCValidationError","m":"RPC input validation failed for \"users.theme\": street is required",` +
				`"issues":[{"message":"street is required","path":["street"]}],"method":"users.theme","phase":"input"}}`, create},
		{"valid", `{"t":"q","id":"i","op":"call","p":["users","create"],"a":[{"street":"s"}]}`, `{"t":"r","id":"i","v":{"street":"s","Zip":""}}`,
			func(a address) address { return a }},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := answer(t, nil, test.f, test.frame); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	type m = map[string]any
	for _, test := range []struct {
		name  string
		value any
		want  string // the issues of the output, as name of the rule and path
	}{
		{"good", good(), ``},
		{"a pointer", &user{}, `name required, home.street required, street required, box.item.street required`},
		{"nil", (*user)(nil), ``},
		{"an embedded struct", with(func(u *user) { u.ID = "12345" }), `id max`},
		{"a nested pointer", with(func(u *user) { u.Work = &address{} }), `work.street required`},
		{"a slice in a struct", with(func(u *user) { u.Others = []address{{Street: "s"}, {}} }), `others.1.street required`},
		{"the slice itself", with(func(u *user) { u.Others = []address{{"s", ""}, {"s", ""}, {"s", ""}} }), `others max`},
		{"a map in a struct", with(func(u *user) { u.ByName = map[string]address{"a.b]": {}} }), `byName.a.b].street required`},
		{"of two keys the longer", with(func(u *user) { u.ByName = map[string]address{"a": {Street: "s"}, "a].Street": {}} }), `byName.a].Street.street required`},
		{"scalars in a slice", with(func(u *user) { u.Tags = []string{"ok", "x"} }), `tags.1 min`},
		{"a quoted name", with(func(u *user) { u.Quoted = "xx" }), `a,b max`},
		{"an inlined struct", with(func(u *user) { u.Inline = address{Street: "s", Zip: "x"} }), `Zip numeric`},
		{"slices of slices", with(func(u *user) { u.Deep = [][]*address{nil, {{}}} }), `deep.1.0.street required`},
		{"a map of slices", with(func(u *user) { u.Level = map[int][]int{7: {1, 9}} }), `level.7.1 lt`},
		{"a generic struct", &box[address]{}, `item.street required`},
		{"an anonymous struct", struct {
			A string `json:"a" validate:"required"`
		}{}, `a required`},
		{"a slice", []address{{Street: "s"}, {}}, `1.street required`},
		{"an array of pointers", [2]*address{nil, {}}, `1.street required`},
		{"a map", map[string]*address{"x": {}, "a": {}}, `a.street required, x.street required`},
		{"inside of any", m{"list": []any{1, "x", address{}}}, `list.2.street required`},
		{"a list of its own", &node{"a", &node{"b", &node{}}}, `next.next.label required`},
		{"scalars", []string{""}, ``},
		{"bytes", []byte{1}, ``},
		{"a time", time.Time{}, ``},
		{"times", []time.Time{{}}, ``},
		{"nothing", nil, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := issues(t, test.value, nil); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// issues validates a result and returns what is wrong with it.
func issues(t *testing.T, result any, rules func(*validator.Validate)) string {
	t.Helper()
	v := validator.New(validator.WithRequiredStructEnabled())
	if rules != nil {
		rules(v)
	}
	validate := kkvalidator.New(v, &kkvalidator.Options{Message: func(name string, e validator.FieldError) string { return e.Tag() }})
	_, err := validate(context.Background(), &kkrpc.Request{Inbound: true, Path: "p"},
		func(context.Context, *kkrpc.Request) (any, error) { return result, nil })
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*kkrpc.Error](err)
	if !ok || e.Name != "RPCValidationError" || e.Fields["phase"] != "output" {
		t.Fatal(err)
	}
	text, err := json.Marshal(e.Fields["issues"])
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Message string
		Path    []any
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, one := range list {
		var path []string
		for _, p := range one.Path {
			path = append(path, fmt.Sprint(p))
		}
		all = append(all, strings.Join(path, ".")+" "+one.Message)
	}
	return strings.Join(all, ", ")
}

func TestRulesOfTheProgram(t *testing.T) {
	rules := func(v *validator.Validate) {
		v.RegisterStructValidation(func(sl validator.StructLevel) {
			sl.ReportError("", "Street or Zip", "Street or Zip", "either", "")
		}, address{})
	}
	if got := issues(t, address{Street: "s"}, rules); got != "Street or Zip either" {
		t.Error(got)
	}
}

// A message names each alternative with its own parameter, and none twice.
func TestMessageOfAlternatives(t *testing.T) {
	type contact struct {
		To string `json:"to" validate:"email|len=3|startswith=+"`
	}
	frame := `{"t":"q","id":"i","op":"call","p":["users","create"],"a":[{"__kkrpc_next_arg__":"value","v":{"to":"home"}}]}`
	want := `"issues":[{"message":"to must satisfy email|len=3|startswith=+","path":[0,"to"]}]`
	if got := answer(t, nil, func(contact) {}, frame); !strings.Contains(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestCyclesAreRefused(t *testing.T) {
	ring := &node{Label: "a"}
	ring.Next = &node{Label: "b", Next: ring}
	own := map[string]any{"user": address{}}
	own["self"] = own
	list := []any{nil}
	list[0] = list
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"pointers", ring, " the value contains itself, which cannot be validated"},
		{"inside of a struct", with(func(u *user) { u.Callbacks = []*node{ring} }), " the value contains itself, which cannot be validated"},
		{"in any of a struct", with(func(u *user) { u.Extra = own }), " the value contains itself, which cannot be validated"},
		{"a map around the structs", own, "user.street required"},
		{"a slice", list, ""},
		{"twice the same is none", []*node{{Label: "x"}, {Label: "x"}}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := issues(t, test.value, nil); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestIssuesAreBounded(t *testing.T) {
	if got := strings.Count(issues(t, make([]address, 1000), nil), "required"); got != 32 {
		t.Errorf("%d issues", got)
	}
}

func TestOutboundValidatesResultsOnly(t *testing.T) {
	a, b := kkrpc.Pipe()
	server, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: kkrpc.Object{"move": func(address) map[string]string { return map[string]string{"Zip": "x"} }}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := kkrpc.New(context.Background(), b, &kkrpc.Options{Dialect: kkrpc.Compact, Outbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = kkrpc.Call[address](t.Context(), client, "move", address{})
	want := `kkrpc: call move: RPCValidationError: RPC output validation failed for "move": street is required; Zip must satisfy numeric`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestErrorsPassThrough(t *testing.T) {
	want := errors.New("no")
	_, err := kkvalidator.New(nil, nil)(t.Context(), &kkrpc.Request{Inbound: true, Path: "p"},
		func(context.Context, *kkrpc.Request) (any, error) { return address{}, want })
	if err != want {
		t.Error(err)
	}
}

// What stands for a value of a channel may be in use while it passes here; it must be left alone.
func TestSharedValuesAreLeftAlone(t *testing.T) {
	for range 50 {
		shared := kkrpc.Share(map[string]int{"a": 1})
		var calls sync.WaitGroup
		for range 4 {
			a, b := kkrpc.Pipe()
			api := kkrpc.Object{"get": func() *kkrpc.Shared { return shared }}
			s, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)}})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			ch, err := kkrpc.New(t.Context(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
			if err != nil {
				t.Fatal(err)
			}
			calls.Go(func() {
				if got, err := kkrpc.Call[map[string]int](t.Context(), ch, "get"); err != nil || got["a"] != 1 {
					t.Error(got, err)
				}
			})
		}
		calls.Wait()
	}
}
