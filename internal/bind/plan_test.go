package bind

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// tally has a method of every form that is called without reflection.
type tally struct{ name string }

func (s *tally) A0() string                                       { runtime.GC(); return s.name }
func (s *tally) B0() (string, error)                              { return s.name, nil }
func (s *tally) C0(ctx context.Context) string                    { return s.name + key(ctx) }
func (s *tally) D0(ctx context.Context) (string, error)           { return s.name + key(ctx), nil }
func (s *tally) A1(a string) string                               { runtime.GC(); return s.name + a }
func (s *tally) B1(a string) (string, error)                      { return s.name + a, nil }
func (s *tally) C1(ctx context.Context, a string) string          { return s.name + key(ctx) + a }
func (s *tally) D1(ctx context.Context, a string) (string, error) { return s.name + key(ctx) + a, nil }
func (s *tally) A2(a, b string) string                            { runtime.GC(); return s.name + a + b }
func (s *tally) B2(a, b string) (string, error)                   { return s.name + a + b, nil }
func (s *tally) C2(ctx context.Context, a, b string) string       { return s.name + key(ctx) + a + b }
func (s *tally) D2(ctx context.Context, a, b string) (string, error) {
	return s.name + key(ctx) + a + b, nil
}
func (s *tally) Fail1(a string) (string, error) { return "", errors.New(a) }

type keyType struct{}

func key(ctx context.Context) string { return ctx.Value(keyType{}).(string) }

// start decodes one request whose arguments are strings.
func start(t testing.TB, api *API, path string, args ...string) Invocation {
	t.Helper()
	in := parse(t, fmt.Sprintf(`"op":"call","p":["%s"],"a":["%s"]`, path, strings.Join(args, `","`)))
	if len(args) == 0 {
		in.Message.Args = nil
	}
	_, inv, refusal := api.Lookup(in.Message)
	if refusal != nil {
		t.Fatal(refusal)
	}
	if err := inv.Decode(in); err != nil {
		t.Fatal(err)
	}
	return inv
}

// ask runs one request whose arguments are strings.
func ask(t testing.TB, api *API, path string, args ...string) (inv Invocation, answer string) {
	t.Helper()
	inv = start(t, api, path, args...)
	if err := inv.Run(context.WithValue(t.Context(), keyType{}, "!")); err != nil {
		return inv, err.Error()
	}
	dst, _, err := inv.AppendResult(nil, newWriter(), "v")
	if err != nil {
		return inv, err.Error()
	}
	return inv, string(dst)
}

func TestScalarFunctionsAreCalledWithoutReflection(t *testing.T) {
	needsMethods(t)
	s := &tally{"s"}
	fromMethods := expose(t, s)
	fromFuncs := expose(t, object{
		"a0": s.A0, "b0": s.B0, "c0": s.C0, "d0": s.D0, "a1": s.A1, "b1": s.B1, "c1": s.C1, "d1": s.D1,
		"a2": s.A2, "b2": s.B2, "c2": s.C2, "d2": s.D2, "fail1": s.Fail1,
	})
	for _, r := range []struct {
		path string
		args []string
		want string
	}{
		{"a0", nil, `"s"`}, {"b0", nil, `"s"`}, {"c0", nil, `"s!"`}, {"d0", nil, `"s!"`},
		{"a1", []string{"1"}, `"s1"`}, {"b1", []string{"1"}, `"s1"`}, {"c1", []string{"1"}, `"s!1"`}, {"d1", []string{"1"}, `"s!1"`},
		{"a2", []string{"1", "2"}, `"s12"`}, {"b2", []string{"1", "2"}, `"s12"`}, {"c2", []string{"1", "2"}, `"s!12"`}, {"d2", []string{"1", "2"}, `"s!12"`},
		{"fail1", []string{"failed"}, `failed`},
	} {
		for from, api := range map[string]*API{"methods": fromMethods, "funcs": fromFuncs} {
			for range 3 {
				inv, got := ask(t, api, r.path, r.args...)
				if _, slow := inv.(*reflectCell); slow {
					t.Errorf("%s of %s is called by reflection", r.path, from)
				}
				if got != r.want {
					t.Errorf("%s of %s: got %s, want %s", r.path, from, got, r.want)
				}
				if c, ok := inv.(*fastCell); ok && r.path != "fail1" && *c != (fastCell{}) { // cells are for all functions
					t.Errorf("%s of %s: its cell was given back with %+v", r.path, from, *c)
				}
			}
		}
	}
}

type (
	label   string
	level   int    // has a String method
	shouted string // has its own JSON
)

func (l level) String() string                                    { return "level" }
func (s shouted) MarshalText() ([]byte, error)                    { return []byte(strings.ToUpper(string(s))), nil }
func (s *shouted) UnmarshalText(text []byte) error                { *s = shouted(text) + "?"; return nil }
func (s *tally) Named(a label) (level, error)                     { runtime.GC(); return level(len(s.name) + len(a)), nil }
func (s *tally) Own(a shouted) shouted                            { return a }
func (s *tally) Mixed(_ context.Context, a label, b string) label { return a + label(s.name+b) }

// Interceptors see values of the declared types, and a type with a form of its own keeps it.
func TestNamedScalarsAreCalledWithoutReflection(t *testing.T) {
	needsMethods(t)
	type function func(label) (level, error)
	s := &tally{"s"}
	fromMethods := expose(t, s)
	fromFuncs := expose(t, object{"named": function(s.Named), "own": s.Own, "mixed": s.Mixed})
	for _, r := range []struct {
		path       string
		args       []string
		reflected  bool
		want       string
		seen, came any
	}{
		{"named", []string{"ab"}, false, `3`, []any{label("ab")}, level(3)},
		{"mixed", []string{"a", "b"}, false, `"asb"`, []any{label("a"), "b"}, label("asb")},
		{"own", []string{"a"}, true, `"A?"`, []any{shouted("a?")}, shouted("a?")},
	} {
		for from, api := range map[string]*API{"methods": fromMethods, "funcs": fromFuncs} {
			inv, got := ask(t, api, r.path, r.args...)
			if _, slow := inv.(*reflectCell); slow != r.reflected {
				t.Errorf("%s of %s: by reflection %v, want %v", r.path, from, slow, r.reflected)
			}
			if got != r.want {
				t.Errorf("%s of %s: got %s, want %s", r.path, from, got, r.want)
			}
			inv = start(t, api, r.path, r.args...)
			if seen := inv.Arguments(); !reflect.DeepEqual(seen, r.seen) {
				t.Errorf("%s of %s: an interceptor sees %#v, want %#v", r.path, from, seen, r.seen)
			}
			if err := inv.Run(t.Context()); err != nil {
				t.Error(err)
			}
			if came := inv.Outcome(); came != r.came {
				t.Errorf("%s of %s: an interceptor gets %#v, want %#v", r.path, from, came, r.came)
			}
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	api := expose(t, object{"math": object{"add": func(a, b float64) float64 { return a + b }}})
	for _, path := range []wire.Path{{Raw: []byte(`"math","add"`)}, {Raw: []byte(`math.add`), Dotted: true}} {
		m := &wire.Message{Kind: wire.Call, Path: path}
		if n := testing.AllocsPerRun(100, func() {
			var node = api.quoted[string(m.Path.Raw)]
			if m.Path.Dotted {
				node = api.dotted[string(m.Path.Raw)]
			}
			if node == nil {
				t.Error("not found")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", path.Raw, n)
		}
	}
}

func BenchmarkInvoke(b *testing.B) {
	add := func(a, b float64) float64 { return a + b }
	api := expose(b, object{
		"func":    add,
		"reflect": func(a, b float32) float32 { return a + b },
		"struct": func(ctx context.Context, p struct{ A, B float64 }) (struct{ Sum float64 }, error) {
			return struct{ Sum float64 }{p.A + p.B}, nil
		},
		"method": as{(*interface{ Add(a, b float64) float64 })(nil), adder{}},
	})
	for _, r := range []struct{ path, args string }{
		{`"func"`, `4,6`}, {`"reflect"`, `4,6`}, {`"method","add"`, `4,6`}, {`"struct"`, `{"A":1,"B":2.5}`},
	} {
		b.Run(strings.ReplaceAll(strings.Trim(r.path, `"`), `","`, "."), func(b *testing.B) {
			in := parse(b, fmt.Sprintf(`"op":"call","p":[%s],"a":[%s]`, r.path, r.args))
			out := newWriter()
			ctx := b.Context()
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				_, inv, refusal := api.Lookup(in.Message)
				if refusal != nil {
					b.Fatal(refusal)
				}
				if err := inv.Decode(in); err != nil {
					b.Fatal(err)
				}
				if err := inv.Run(ctx); err != nil {
					b.Fatal(err)
				}
				var err error
				if dst, _, err = inv.AppendResult(dst[:0], out, "v"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

type adder struct{}

func (adder) Add(a, b float64) float64 { return a + b }
