package schema_test

import (
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type (
	before struct {
		Name   string `json:"name"`
		Age    int    `json:"age"`
		Note   *string
		Serial int64   `json:"serial,string"`
		Next   *before `json:"next"`
	}
	after struct {
		Name   string `json:"name,omitempty"`
		Note   string
		Serial int64  `json:"serial"`
		Extra  int    `json:"extra"`
		Next   *after `json:"next"`
	}
)

// Each pair is a function that clients know and what it has become.
func TestBreaking(t *testing.T) {
	for name, test := range map[string]struct {
		old, new any
		want     []string
	}{
		"the same":                   {func(before) before { return before{} }, func(before) before { return before{} }, nil},
		"gone":                       {func() {}, nil, []string{"f: is gone"}},
		"a constant":                 {func() {}, 5, []string{"f: was a method and is a constant"}},
		"a namespace":                {kkrpc.Object{"a": func() {}, "b": func() {}}, kkrpc.Object{"b": func() {}, "c": func() {}}, []string{"f.a: is gone"}},
		"a parameter more":           {func() {}, func(s string) {}, []string{"f: parameter 1: is new and cannot be left out"}},
		"an optional one more":       {func() {}, func(s *string, rest ...int) {}, nil},
		"a parameter less":           {func(s *string) {}, func() {}, []string{"f: parameter 1: is gone, and calls with it are refused"}},
		"no longer optional":         {func(s *string) {}, func(s string) {}, []string{"f: parameter 1: cannot be left out any more"}},
		"no longer variadic":         {func(s ...string) {}, func(s *string) {}, []string{"f: parameter 1: took any number of arguments"}},
		"now variadic":               {func(s, u string) {}, func(s ...string) {}, nil},
		"variadic of another type":   {func(s ...string) {}, func(s ...int) {}, []string{"f: parameter 1: was a string and is an integer"}},
		"a result less":              {func() int { return 0 }, func() {}, []string{"f: result: is gone"}},
		"a result more":              {func() {}, func() int { return 0 }, nil},
		"wider result":               {func() int { return 0 }, func() float64 { return 0 }, []string{"f: result: was an integer and is a number"}},
		"narrower result":            {func() float64 { return 0 }, func() int { return 0 }, nil},
		"wider parameter":            {func(int) {}, func(float64) {}, nil},
		"narrower parameter":         {func(float64) {}, func(int) {}, []string{"f: parameter 1: was a number and is an integer"}},
		"result may be null":         {func() string { return "" }, func() *string { return nil }, []string{"f: result: may be null"}},
		"result is never null":       {func() *string { return nil }, func() string { return "" }, nil},
		"result was anything":        {func() any { return nil }, func() string { return "" }, nil},
		"result is anything":         {func() string { return "" }, func() any { return nil }, []string{"f: result: was a string and is an unknown"}},
		"parameter takes anything":   {func(string) {}, func(any) {}, nil},
		"lists":                      {func([]int) [2]string { return [2]string{} }, func([]string) [3]string { return [3]string{} }, []string{"f: parameter 1[]: was an integer and is a string", "f: result: had 2 elements and has 3"}},
		"null for a list":            {func(*[]int) {}, func([]int, *int) {}, []string{"f: parameter 1: cannot be left out any more"}},
		"records":                    {func() map[string]int { return nil }, func() map[string]bool { return nil }, []string{"f: result[]: was an integer and is a boolean"}},
		"streams":                    {func() iter.Seq[int] { return nil }, func() iter.Seq[string] { return nil }, []string{"f: result items: was an integer and is a string"}},
		"no stream":                  {func() iter.Seq[int] { return nil }, func() []int { return nil }, []string{"f: result: was a stream and is a list"}},
		"typed arrays":               {func() superjson.Int8Array { return nil }, func() superjson.Float32Array { return nil }, []string{"f: result: was an Int8Array and is a Float32Array"}},
		"callbacks":                  {func(func(int, string)) {}, func(func(float64)) {}, []string{"f: parameter 1: parameter 1: was an integer and is a number", "f: parameter 1: parameter 2: is not passed any more"}},
		"a callback with more":       {func(func(float64)) {}, func(func(int, string)) {}, nil},
		"a property cannot be set":   {kkrpc.NewProperty(1), kkrpc.NewProperty(1).ReadOnly(), []string{"f: cannot be set any more"}},
		"a constant can be set now":  {1, kkrpc.NewProperty(1), nil},
		"a property of another type": {kkrpc.NewProperty(1), kkrpc.NewProperty("a"), []string{"f: was an integer and is a string"}},
		"a class":                    {kkrpc.Constructor(func(int) time.Time { return time.Time{} }), kkrpc.Constructor(func(string) string { return "" }), []string{"f: parameter 1: was an integer and is a string", "f: result: was a date and is a string"}},
		"what is received": {func() before { return before{} }, func() after { return after{} }, []string{
			"f: result.name: may be absent", "f: result.age: is gone", "f: result.serial: a number was and is not both in quotes"}},
		"what is sent": {func(before) {}, func(after) {}, []string{
			"f: parameter 1.age: is gone, and what clients send is ignored", "f: parameter 1.Note: null is not taken any more",
			"f: parameter 1.serial: a number was and is not both in quotes"}},
		"undefined": {func(superjson.UndefinedType) {}, func(*string) {}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			old, changed := kkrpc.Object{"f": test.old}, kkrpc.Object{"f": test.new}
			if test.new == nil {
				delete(changed, "f")
				changed["other"] = 1
			}
			got := schema.Breaking(describe(t, old), describe(t, changed))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Enumerations: what is received may not become more, what is sent may not become less.
func TestBreakingEnumerations(t *testing.T) {
	api := func(values ...string) *schema.API {
		status := schema.Named{Name: "Status", Package: "a", Type: schema.Type{Kind: schema.String}}
		for _, v := range values {
			status.Values = append(status.Values, schema.Value{Name: v, JSON: v})
		}
		named := schema.Type{Kind: schema.NamedType, Name: "Status", Package: "a"}
		return &schema.API{Name: "API", Source: true, Types: []schema.Named{status}, Members: []schema.Member{
			{Name: "f", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{{Name: "s", Type: named}}, Result: &named}}}}
	}
	reflected := api()
	reflected.Source = false
	for _, test := range []struct {
		old, new *schema.API
		want     []string
	}{
		{api("1"), reflected, nil}, // reflection does not know the constants
		{api("1", "2"), api("2", "1"), nil},
		{api("1"), api("1", "2"), []string{"f: result: may be 2"}},
		{api("1", "2"), api("1"), []string{"f: parameter s: 2 is not taken any more"}},
		{api("1"), api(), []string{"f: result: may be any value"}},
		{api(), api(), nil},
	} {
		if diff := cmp.Diff(test.want, schema.Breaking(test.old, test.new)); diff != "" {
			t.Error(diff)
		}
	}
}

// What clients read of an error is part of the contract; which errors there are is not, as they have to expect others too.
func TestBreakingErrors(t *testing.T) {
	number, text := schema.Type{Kind: schema.Number}, schema.Type{Kind: schema.String}
	old := &schema.API{Errors: []schema.Exception{
		{Name: "Gone", Fields: []schema.Field{{Name: "id", Type: text}}},
		{Name: "Taken", Fields: []schema.Field{{Name: "by", Type: text}, {Name: "at", Type: number}, {Name: "note", Type: text}}},
	}}
	new := &schema.API{Errors: []schema.Exception{
		{Name: "Denied"},
		{Name: "Taken", Fields: []schema.Field{{Name: "by", Type: number}, {Name: "note", Type: text, Optional: true}, {Name: "extra", Type: text}}},
	}}
	want := []string{"error Taken.by: was a string and is a number", "error Taken.at: is gone", "error Taken.note: may be absent"}
	if diff := cmp.Diff(want, schema.Breaking(old, new)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
