package schema_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type money int

func (money) MarshalText() ([]byte, error) { return nil, nil }
func (*money) UnmarshalText([]byte) error  { return nil }

type custom struct{}

func (custom) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

type status string

type base struct {
	ID string `json:"id"`
}

type job struct {
	base
	Name    string           `json:"name,omitempty"`
	Parent  *job             `json:"parent"`
	Count   int64            `json:"count,string"`
	ByState map[status]*bool `json:"byState"`
	Pair    [2]float64
	Price   money
	Custom  *custom
	Hidden  int `json:"-"`
}

// forms has a function for each form of values, and what its result is.
var forms = map[string]struct {
	function any
	want     schema.Type
}{
	"any":       {func() any { return nil }, schema.Type{Kind: schema.Unknown}},
	"bigint":    {func() *big.Int { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.BigInt}}},
	"bool":      {func() bool { return true }, schema.Type{Kind: schema.Boolean}},
	"bytes":     {func() []byte { return nil }, schema.Type{Kind: schema.Bytes}},
	"custom":    {func() custom { return custom{} }, schema.Type{Kind: schema.NamedType, Name: "custom", Package: here}},
	"date":      {func() time.Time { return time.Time{} }, schema.Type{Kind: schema.Date}},
	"error":     {func() superjson.Error { return superjson.Error{} }, schema.Type{Kind: schema.Error}},
	"fixed":     {func() [2]int8 { return [2]int8{} }, schema.Type{Kind: schema.List, Len: 2, Elem: &schema.Type{Kind: schema.Integer, GoKind: "int8"}}},
	"float":     {func() float32 { return 0 }, schema.Type{Kind: schema.Number, GoKind: "float32"}},
	"list":      {func() []string { return nil }, schema.Type{Kind: schema.List, Elem: &schema.Type{Kind: schema.String}}},
	"map":       {func() *superjson.Map { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.Map}}},
	"named":     {func() job { return job{} }, schema.Type{Kind: schema.NamedType, Name: "job", Package: here}},
	"nullable":  {func() **int { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.Integer}}},
	"number":    {func() json.Number { return "" }, schema.Type{Kind: schema.Number, GoKind: "string"}},
	"reader":    {func() (io.ReadCloser, error) { return nil, nil }, schema.Type{Kind: schema.Stream, Elem: &schema.Type{Kind: schema.Bytes}}},
	"writer":    {func(io.Writer) error { return nil }, schema.Type{Kind: schema.Stream, Elem: &schema.Type{Kind: schema.Bytes}}},
	"raw":       {func() json.RawMessage { return nil }, schema.Type{Kind: schema.Unknown}},
	"record":    {func() map[int]bool { return nil }, schema.Type{Kind: schema.Record, Key: &schema.Type{Kind: schema.String, GoKind: "int"}, Elem: &schema.Type{Kind: schema.Boolean}}},
	"reference": {func() *kkrpc.Ref { return nil }, schema.Type{Kind: schema.Reference}},
	"regexp":    {func() superjson.RegExp { return superjson.RegExp{} }, schema.Type{Kind: schema.RegExp}},
	"set":       {func() *superjson.Set { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.Set}}},
	"shared":    {func() *kkrpc.Shared { return nil }, schema.Type{Kind: schema.Unknown}},
	"stream":    {func() iter.Seq2[int, error] { return nil }, schema.Type{Kind: schema.Stream, Elem: &schema.Type{Kind: schema.Integer}}},
	"channel":   {func() (<-chan string, error) { return nil, nil }, schema.Type{Kind: schema.Stream, Elem: &schema.Type{Kind: schema.String}}},
	"text":      {func() *money { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.NamedType, Name: "money", Package: here}}},
	"typed":     {func() superjson.Float64Array { return nil }, schema.Type{Kind: schema.Typed, Name: "Float64Array"}},
	"url":       {func() *url.URL { return nil }, schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.URL}}},
	"value":     {func() superjson.Value { return superjson.Value{} }, schema.Type{Kind: schema.Unknown}},
}

const here = "github.com/kkrpc-go/kkrpc/schema_test"

func describe(t *testing.T, api any) *schema.API {
	t.Helper()
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		t.Fatal(err)
	}
	described, err := schema.Of(compiled)
	if err != nil {
		t.Fatal(err)
	}
	return described
}

func TestForms(t *testing.T) {
	object := kkrpc.Object{}
	for name, form := range forms {
		object[name] = form.function
	}
	api := describe(t, object)
	if len(api.Members) != len(forms) {
		t.Fatalf("%d members of %d", len(api.Members), len(forms))
	}
	for _, m := range api.Members {
		if diff := cmp.Diff(&schema.Function{Result: new(forms[m.Name].want)}, m.Function); diff != "" {
			t.Errorf("%s: %s", m.Name, diff)
		}
	}
	text := schema.Type{Kind: schema.String}
	integer64 := schema.Type{Kind: schema.Integer, GoKind: "int64"}
	want := []schema.Named{
		{Name: "custom", Package: here, Type: schema.Type{Kind: schema.Unknown}},
		{Name: "job", Package: here, Type: schema.Type{Kind: schema.Struct, Fields: []schema.Field{
			{Name: "id", Type: text},
			{Name: "name", Type: text, Optional: true},
			{Name: "parent", Type: schema.Type{Kind: schema.Nullable, Elem: new(forms["named"].want)}},
			{Name: "count", Type: integer64, Quoted: true},
			{Name: "byState", Type: schema.Type{Kind: schema.Record, Key: &schema.Type{Kind: schema.NamedType, Name: "status", Package: here},
				Elem: &schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.Boolean}}}},
			{Name: "Pair", Type: schema.Type{Kind: schema.List, Len: 2, Elem: &schema.Type{Kind: schema.Number}}},
			{Name: "Price", Type: *forms["text"].want.Elem},
			{Name: "Custom", Type: schema.Type{Kind: schema.Nullable, Elem: new(forms["custom"].want)}},
		}}},
		{Name: "money", Package: here, Type: schema.Type{Kind: schema.String, GoKind: "text"}},
		{Name: "status", Package: here, Type: text},
	}
	if diff := cmp.Diff(want, api.Types); diff != "" {
		t.Error(diff)
	}
	written, err := json.Marshal(api)
	if err != nil {
		t.Fatal(err)
	}
	read := new(schema.API)
	if err := json.Unmarshal(written, read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(api, read); diff != "" {
		t.Error("written as JSON and read again: ", diff)
	}
}

type Deep struct {
	Level int `json:"level" validate:"gte=1"`
}

// worded is validated by its text.
type worded struct{ Text string }

func (w *worded) ValidatorValue() any { return w.Text }

type account struct {
	base `validate:"required"`
	*Deep
	Name     string `json:"name" validate:"max=80"`
	Password string `json:"-" validate:"required"`
	Ignored  string `json:"-" validate:"-"`
	Word     worded `json:"word"`
}

// TestRules has the rules of fields, with the names that other rules know them by.
func TestRules(t *testing.T) {
	api := describe(t, kkrpc.Object{"f": func(account) {}})
	text := schema.Type{Kind: schema.String}
	want := []schema.Named{
		{Name: "account", Package: here, Type: schema.Type{
			Kind: schema.Struct,
			Fields: []schema.Field{
				{Name: "id", Type: text, GoName: "*base.ID"},
				{Name: "level", Type: schema.Type{Kind: schema.Integer}, Optional: true, Validate: "gte=1", GoName: "*Deep.Level"},
				{Name: "name", Type: text, Validate: "max=80", GoName: "Name"},
				{Name: "word", Type: schema.Type{Kind: schema.NamedType, Name: "worded", Package: here}, GoName: "Word"},
			},
			Unsent: []schema.Unsent{{Validate: "required", GoName: "base"}, {Validate: "required", GoName: "Password"}},
		}},
		{Name: "worded", Package: here, Type: schema.Type{Kind: schema.Struct, GoKind: "valuer", Fields: []schema.Field{{Name: "Text", Type: text}}}},
	}
	if diff := cmp.Diff(want, api.Types); diff != "" {
		t.Error(diff)
	}
}

type service interface {
	Greet(ctx context.Context, name string, greeting *string) (string, error)
	Watch(progress func(ctx context.Context, done, total int) error, all ...any)
}

// TestMembers describes each kind of member, and parameters.
func TestMembers(t *testing.T) {
	api := describe(t, kkrpc.Object{
		"service": kkrpc.As[service](implementation{}),
		"new":     kkrpc.Constructor(func(x int) [1]int { return [1]int{x} }),
		"theme":   kkrpc.NewProperty("dark"),
		"visits":  kkrpc.NewProperty(0).ReadOnly(),
		"version": 1,
		"nothing": nil,
		"keep":    func(c *kkrpc.Callback) {},
	})
	kinds := map[string]schema.MemberKind{"service": schema.Namespace, "new": schema.Class, "theme": schema.Property, "visits": schema.ReadOnly,
		"version": schema.Constant, "nothing": schema.Constant, "keep": schema.Method}
	for _, m := range api.Members {
		if m.Kind != kinds[m.Name] {
			t.Errorf("%s is a %s", m.Name, m.Kind)
		}
		delete(kinds, m.Name)
	}
	if len(kinds) > 0 || api.Name != "API" {
		t.Errorf("%v, %s", kinds, api.Name)
	}
	methods := api.Members[slices.IndexFunc(api.Members, func(m schema.Member) bool { return m.Name == "service" })].Members
	text, integer, unknown := schema.Type{Kind: schema.String}, schema.Type{Kind: schema.Integer}, schema.Type{Kind: schema.Unknown}
	want := []schema.Member{
		{Name: "greet", Kind: schema.Method, Function: &schema.Function{Result: &text,
			Params: []schema.Param{{Type: text}, {Type: schema.Type{Kind: schema.Nullable, Elem: &text}, Optional: true}}}},
		{Name: "watch", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{
			{Type: schema.Type{Kind: schema.Callback, Function: &schema.Function{Params: []schema.Param{{Type: integer}, {Type: integer}}}}},
			{Type: unknown, Variadic: true},
		}}},
	}
	if diff := cmp.Diff(want, methods); diff != "" {
		t.Error(diff)
	}
	if named := describe(t, kkrpc.As[service](implementation{})); named.Name != "service" {
		t.Errorf("the API has the name %q", named.Name)
	}
}

type implementation struct{}

func (implementation) Greet(context.Context, string, *string) (string, error)           { return "", nil }
func (implementation) Watch(progress func(context.Context, int, int) error, all ...any) {}

// A producer that makes a mistake is told.
func TestBuildRefuses(t *testing.T) {
	if _, err := schema.Of(nil); err == nil {
		t.Error("a nil API is described")
	}
	for want, entries := range map[string][]schema.Entry{
		"schema: a.b comes before its namespace": {{Path: []string{"a", "b"}, Kind: schema.Method}},
	} {
		if _, err := schema.Build("", "", slices.Values(entries)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	failing := errors.New("fails")
	entries := []schema.Entry{{Path: []string{"f"}, Kind: schema.Constant, Type: brokenType{err: failing}}}
	if _, err := schema.Build("", "", slices.Values(entries)); !errors.Is(err, failing) || !strings.HasPrefix(err.Error(), "schema: f: ") {
		t.Errorf("%v", err)
	}
}

// brokenType is a struct whose fields cannot be read.
type brokenType struct {
	schema.GoType
	err error
}

func (brokenType) Kind() reflect.Kind    { return reflect.Struct }
func (brokenType) Name() string          { return "" }
func (brokenType) Package() string       { return "" }
func (brokenType) Form() schema.Form     { return schema.Plain }
func (brokenType) IsError() bool         { return false }
func (brokenType) IsValuer() bool        { return false }
func (brokenType) Is(schema.GoType) bool { return false }

func (t brokenType) Fields() ([]schema.GoField, error) { return nil, t.err }

// An API may contain its own description.
func TestDescribe(t *testing.T) {
	api := kkrpc.Object{"add": func(a, b int) int { return a + b }}
	api["describe"] = schema.Describe(api)
	a, b := kkrpc.Pipe()
	if _, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Expose: api}); err != nil {
		t.Fatal(err)
	}
	ch, err := kkrpc.New(t.Context(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	text, err := kkrpc.Call[json.RawMessage](t.Context(), ch, "describe")
	if err != nil {
		t.Fatal(err)
	}
	if parsed, err := schema.Parse(text); err != nil || len(parsed.Members) != 2 || parsed.Hash() != describe(t, api).Hash() {
		t.Errorf("%v: %s", err, text)
	}
}
