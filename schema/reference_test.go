package schema_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/schema"
)

type (
	ledger interface {
		Deposit(ctx context.Context, amount int) (int, error)
		Partner() *kkrpc.RefTo[ledger]
		Watch(onChange func(balance int), note *string, rest ...string)
		hidden()
	}
	approve func(ctx context.Context, name string) (bool, error)
	hiding  interface{ hidden() }
	twins   interface {
		ID() int
		Id() int
	}
	pairs interface{ Pair() (int, int) }
)

func TestReferenceTypes(t *testing.T) {
	api := describe(t, kkrpc.Object{
		"open":    func() kkrpc.RefTo[ledger] { return kkrpc.RefTo[ledger]{} },
		"run":     func(kkrpc.RefTo[approve], []kkrpc.RefTo[func(int) string]) {},
		"perhaps": func(*kkrpc.RefTo[func()]) {},
		"closer":  func() (r kkrpc.RefTo[interface{ Close() error }]) { return },
	})
	named := func(name string) schema.Type { return schema.Type{Kind: schema.NamedType, Name: name, Package: here} }
	integer, text := schema.Type{Kind: schema.Integer}, schema.Type{Kind: schema.String}
	want := []schema.Member{
		{Name: "closer", Kind: schema.Method, Function: &schema.Function{Result: &schema.Type{Kind: schema.Reference, Members: []schema.Member{
			{Name: "close", Kind: schema.Method, Function: &schema.Function{}},
		}}}},
		{Name: "open", Kind: schema.Method, Function: &schema.Function{Result: new(named("ledger"))}},
		{Name: "perhaps", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{
			{Type: schema.Type{Kind: schema.Nullable, Elem: &schema.Type{Kind: schema.Reference, Function: &schema.Function{}}}, Optional: true},
		}}},
		{Name: "run", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{{Type: named("approve")}, {Type: schema.Type{
			Kind: schema.List, Elem: &schema.Type{Kind: schema.Reference, Function: &schema.Function{Params: []schema.Param{{Type: integer}}, Result: &text}},
		}}}}},
	}
	if diff := cmp.Diff(want, api.Members); diff != "" {
		t.Error(diff)
	}
	types := []schema.Named{
		{Name: "approve", Package: here, Type: schema.Type{Kind: schema.Reference, Function: &schema.Function{
			Params: []schema.Param{{Type: text}}, Result: &schema.Type{Kind: schema.Boolean},
		}}},
		{Name: "ledger", Package: here, Type: schema.Type{Kind: schema.Reference, Members: []schema.Member{
			{Name: "deposit", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{{Type: integer}}, Result: &integer}},
			{Name: "partner", Kind: schema.Method, Function: &schema.Function{Result: &schema.Type{Kind: schema.Nullable, Elem: new(named("ledger"))}}},
			{Name: "watch", Kind: schema.Method, Function: &schema.Function{Params: []schema.Param{
				{Type: schema.Type{Kind: schema.Callback, Function: &schema.Function{Params: []schema.Param{{Type: integer}}}}},
				{Type: schema.Type{Kind: schema.Nullable, Elem: &text}, Optional: true},
				{Type: text, Variadic: true},
			}}},
		}}},
	}
	if diff := cmp.Diff(types, api.Types); diff != "" {
		t.Error(diff)
	}
}

func TestReferenceTypesThatAreNone(t *testing.T) {
	for want, function := range map[string]any{
		"result: kkrpc.RefTo[hiding]: the interface has no exported method":                                 func() (r kkrpc.RefTo[hiding]) { return },
		"result: .id: two methods have this name; rename one":                                               func() (r kkrpc.RefTo[twins]) { return },
		"result: .pair: the function returns 2 values; want at most one, and an error behind it":            func() (r kkrpc.RefTo[pairs]) { return },
		"result: schema_test.ledger crosses as data and by reference; declare a type of its own for one of": func(kkrpc.RefTo[ledger]) (a ledger) { return },
	} {
		compiled, err := kkrpc.Expose(kkrpc.Object{"f": function})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := schema.Of(compiled); err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), here, "schema_test"), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

type (
	older interface {
		Add(n int) int
		Close()
		Next() kkrpc.RefTo[older]
	}
	newer interface {
		Add(s string) int
		Open()
		Next() kkrpc.RefTo[newer]
	}
)

func TestBreakingReferences(t *testing.T) {
	for name, test := range map[string]struct {
		old, new any
		want     []string
	}{
		"the same":                {func(kkrpc.RefTo[older]) (r kkrpc.RefTo[older]) { return }, func(kkrpc.RefTo[older]) (r kkrpc.RefTo[older]) { return }, nil},
		"one that did not say":    {func() *kkrpc.Ref { return nil }, func() (r kkrpc.RefTo[older]) { return }, nil},
		"one that does not say":   {func() (r kkrpc.RefTo[older]) { return }, func() *kkrpc.Ref { return nil }, nil},
		"null":                    {func() (r kkrpc.RefTo[older]) { return }, func() *kkrpc.RefTo[older] { return nil }, []string{"f: result: may be null"}},
		"no reference":            {func() (r kkrpc.RefTo[older]) { return }, func() string { return "" }, []string{"f: result: was a reference and is a string"}},
		"no function":             {func() (r kkrpc.RefTo[func()]) { return }, func() (r kkrpc.RefTo[older]) { return }, []string{"f: result: was a reference to a function and is one to an object"}},
		"an object that is got":   {func() (r kkrpc.RefTo[older]) { return }, func() (r kkrpc.RefTo[newer]) { return }, []string{"f: result.add: parameter 1: was an integer and is a string", "f: result.close: is gone"}},
		"an object that is sent":  {func(kkrpc.RefTo[older]) {}, func(kkrpc.RefTo[newer]) {}, []string{"f: parameter 1.add: parameter 1: was an integer and is a string", "f: parameter 1.open: is new, and the objects of older clients do not have it"}},
		"a function that is got":  {func() (r kkrpc.RefTo[func(int) int]) { return }, func() (r kkrpc.RefTo[func(float64) float64]) { return }, []string{"f: result: result: was an integer and is a number"}},
		"a function that is sent": {func(kkrpc.RefTo[func(int, int) int]) {}, func(kkrpc.RefTo[func(float64) float64]) {}, []string{"f: parameter 1: parameter 1: was an integer and is a number", "f: parameter 1: parameter 2: is not passed any more"}},
		"an answer that is sent":  {func(kkrpc.RefTo[func()]) {}, func(kkrpc.RefTo[func() int]) {}, []string{"f: parameter 1: result: is wanted now"}},
		"a narrower answer":       {func(kkrpc.RefTo[func() float64]) {}, func(kkrpc.RefTo[func() int]) {}, []string{"f: parameter 1: result: was a number and is an integer"}},
	} {
		t.Run(name, func(t *testing.T) {
			old, changed := describe(t, kkrpc.Object{"f": test.old}), describe(t, kkrpc.Object{"f": test.new})
			if diff := cmp.Diff(test.want, schema.Breaking(old, changed)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
