package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

type calculator struct{ factor float64 }

func (c *calculator) Multiply(a, b float64) float64 { return a * b * c.factor }
func (c *calculator) Divide(_ context.Context, a, b float64) (float64, error) {
	if b == 0 {
		return 0, &kkrpc.Error{Name: "DivisionByZero", Message: "division by zero"}
	}
	return a / b, nil
}

type status struct{}

func (status) Name() string { return "status" }
func (status) Up(_ context.Context) (bool, error) {
	return true, nil
}

type service struct {
	DB       *io.PipeReader // exported, and not exposed
	Math     *calculator    `kkrpc:"math"`
	Status   status         `kkrpc:"state"`
	Theme    kkrpc.Property[string]
	Limit    *kkrpc.Property[int]
	Uptime   kkrpc.ReadOnly[float64]
	Extra    kkrpc.Object
	Version  string `kkrpc:"version"`
	Plain    string
	Counter  kkrpc.Class
	Hidden   kkrpc.Object `kkrpc:"-"`
	greeting string
}

func (s *service) Greet(name string) string               { return s.greeting + ", " + name }
func (s *service) GetURL() (string, error)                { return "http://x", nil }
func (s *service) Count(args ...any) int                  { return len(args) }
func (s *service) Fail(context.Context) error             { return errors.New("failed") }
func (s *service) Length(_ context.Context, x string) int { return len(x) }

func newService(greeting string) *service {
	return &service{
		Math: &calculator{1}, Limit: kkrpc.NewProperty(10), greeting: greeting, Version: "2",
		Uptime:  func(context.Context) (float64, error) { return 1.5, nil },
		Extra:   kkrpc.Object{"ping": func() string { return "pong" }},
		Counter: kkrpc.Constructor(func(n int) map[string]int { return map[string]int{"count": n} }),
	}
}

func TestStructsExposeWhatTheyDeclare(t *testing.T) {
	needsMethods(t)
	p := newPeer(t, newService("Hi"))
	for _, r := range []struct{ op, path, rest, want string }{
		{"call", `"greet"`, `"a":["Ada"]`, `"Hi, Ada"`},
		{"call", `"getURL"`, `"a":[]`, `"http://x"`},
		{"call", `"count"`, `"a":[1,null,"x"]`, `3`},
		{"call", `"length"`, `"a":["four"]`, `4`},
		{"call", `"fail"`, `"a":[]`, `{"n":"Error","m":"failed"}`},
		{"call", `"math","multiply"`, `"a":[2.5,3]`, `7.5`},
		{"call", `"math","divide"`, `"a":[1,0]`, `{"n":"DivisionByZero","m":"division by zero"}`},
		{"call", `"state","name"`, `"a":[]`, `"status"`},
		{"call", `"state","up"`, `"a":[]`, `true`},
		{"call", `"extra","ping"`, `"a":[]`, `"pong"`},
		{"new", `"counter"`, `"a":[3]`, `{"count":3}`},
		{"set", `"theme"`, `"v":"dark"`, `true`},
		{"get", ``, ``, `{"extra":{},"limit":10,"math":{},"state":{},"theme":"dark","uptime":1.5,"version":"2"}`},
		{"get", `"plain"`, ``, `undefined`},
		{"get", `"dB"`, ``, `undefined`},
		{"get", `"db"`, ``, `undefined`},
		{"call", `"hidden"`, `"a":[]`, `{"n":"Error","m":"hidden is not a function"}`},
	} {
		if got := p.compact(r.op, r.path, r.rest); got != r.want {
			t.Errorf("%s %s: got %s, want %s", r.op, r.path, got, r.want)
		}
	}
}

type base struct{}

func (base) Close() error { return nil }
func (base) Greet() string {
	return "base"
}

type derived struct {
	base
	name string
}

func (d *derived) Greet() string { return d.name }

type greeter interface{ Greet() string }

func TestAsExposesTheInterfaceAlone(t *testing.T) {
	needsMethods(t)
	for name, api := range map[string]any{
		"hidden method": kkrpc.As[greeter](&derived{name: "derived"}),
		"in an Object":  kkrpc.Object{"greet": kkrpc.As[greeter](&derived{name: "x"})},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, api)
			if got := p.call("close", ""); !strings.Contains(got, "close is not a function") {
				t.Errorf("close: %s", got)
			}
		})
	}
	if got := newPeer(t, kkrpc.As[greeter](&derived{name: "derived"})).call("greet", ""); got != `"derived"` {
		t.Errorf("got %s", got)
	}
	if got := newPeer(t, kkrpc.As[greeter](base{})).call("greet", ""); got != `"base"` {
		t.Errorf("value receiver: got %s", got)
	}
	promoted := struct{ greeter }{&derived{name: "embedded"}}
	if got := newPeer(t, kkrpc.As[greeter](promoted)).call("greet", ""); got != `"embedded"` {
		t.Errorf("promoted: got %s", got)
	}
}

// One tree serves all values of a type, each with its own receivers and properties.
func TestEachValueOfATypeIsItsOwnAPI(t *testing.T) {
	needsMethods(t)
	type api struct {
		Math  calculator `kkrpc:"math"`
		Theme kkrpc.Property[string]
	}
	for i, factor := range []float64{1, 2, 3} {
		v := &api{Math: calculator{factor}}
		p := newPeer(t, v)
		if got, want := p.call("math.multiply", "2,3"), []string{"6", "12", "18"}[i]; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if got := p.compact("get", `"theme"`, ""); got != `""` {
			t.Errorf("theme of another value: %s", got)
		}
		p.compact("set", `"theme"`, `"v":"dark"`)
		if v.Theme.Get() != "dark" {
			t.Error("set did not reach the value")
		}
	}
	first, second := newPeer(t, kkrpc.As[greeter](&derived{name: "1"})), newPeer(t, kkrpc.As[greeter](&derived{name: "2"}))
	if a, b := first.call("greet", ""), second.call("greet", ""); a != `"1"` || b != `"2"` {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestNilBehindACachedTypeIsAnError(t *testing.T) {
	needsMethods(t)
	type api struct {
		Math  *calculator `kkrpc:"math"`
		Theme *kkrpc.Property[string]
	}
	if _, err := kkrpc.Expose(&api{Math: &calculator{}, Theme: kkrpc.NewProperty("")}); err != nil {
		t.Fatal(err)
	}
	_, err := kkrpc.Expose(&api{})
	if err == nil || !strings.Contains(err.Error(), "math: *kkrpc_test.calculator is nil") || !strings.Contains(err.Error(), "theme: ") {
		t.Errorf("got %v", err)
	}
	if _, err := kkrpc.Expose((*api)(nil)); err == nil {
		t.Error("a nil pointer was accepted")
	}
}

func TestCompiledAPIs(t *testing.T) {
	needsMethods(t)
	inner, err := kkrpc.Expose(newService("Hi"))
	if err != nil {
		t.Fatal(err)
	}
	if same, err := kkrpc.Expose(inner); same != inner || err != nil {
		t.Errorf("an *API became another: %v", err)
	}
	p := newPeer(t, kkrpc.Object{"first": kkrpc.As[greeter](base{}), "inner": inner})
	for path, want := range map[string]string{"first.greet": `"base"`, "inner.greet": `{"n":"TypeError","m":"greet: argument 1: expected string, got undefined"}`,
		"inner.math.multiply": `{"n":"TypeError","m":"math.multiply: argument 1: expected number, got undefined"}`, "inner.extra.ping": `"pong"`} {
		if got := p.call(path, ""); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := p.compact("get", `"inner","limit"`, ""); got != "10" {
		t.Errorf("property of a namespace: %s", got)
	}
}

type recursive struct {
	Next *recursive `kkrpc:"next"`
}

func (*recursive) Do() {}

type badMethods struct{}

func (badMethods) Chan(chan int)                            {}
func (badMethods) Two() (int, int)                          { return 0, 0 }
func (badMethods) Wait(struct{ In []time.Duration })        {}
func (badMethods) Cb(func(int) int)                         {}
func (badMethods) Late(int, context.Context)                {}
func (badMethods) Iface(fmt.Stringer)                       {}
func (badMethods) Own() *kkrpc.Error                        { return nil }
func (badMethods) Ticks() map[string]time.Duration          { return nil }
func (badMethods) Nested(struct{ F func() })                {}
func (badMethods) CbDuration(func(time.Duration))           {}
func (badMethods) Fine(*big.Int, time.Time, []byte, func()) {}

func TestWhatCannotBeExposedIsNamed(t *testing.T) {
	needsMethods(t)
	self := kkrpc.Object{}
	self["self"] = self
	type clash struct {
		ID kkrpc.Property[int]
		Id kkrpc.Property[int]
	}
	type embedsMutex struct {
		sync.Mutex
		Theme kkrpc.Property[int]
	}
	type hidden struct {
		math calculator `kkrpc:"math"` //nolint:unused // what is tested
	}
	_ = hidden{}.math
	for _, r := range []struct {
		name string
		api  any
		want []string
	}{
		{"methods, all at once", badMethods{}, []string{
			"chan: method Chan: parameter 1: chan int cannot cross the connection",
			"two: method Two: it returns 2 values; want at most one, and an error behind it",
			"wait: method Wait: parameter 1.In[]: time.Duration has no unit",
			"cb: method Cb: parameter 1: func(int) int returns values",
			"late: method Late: parameter 2: a context.Context must be the first parameter",
			"iface: method Iface: parameter 1: nothing can be decoded into the interface fmt.Stringer",
			"own: method Own: it returns a *kkrpc.Error; want error",
			"ticks: method Ticks: result[]: time.Duration",
			"nested: method Nested: parameter 1.F: func(): a function can only be a parameter itself",
			"cbDuration: method CbDuration: parameter 1: its parameter 1: time.Duration",
		}},
		{"promoted", &derived{}, []string{"method Close of *kkrpc_test.derived is promoted from the embedded field base; use kkrpc.As"}},
		{"promoted mutex", &embedsMutex{}, []string{"method Lock", "embedded field Mutex"}},
		{"pointer receiver", service{}, []string{"method Greet has a pointer receiver; expose a *kkrpc_test.service"}},
		{"collision", &clash{}, []string{"id: both field ID and field Id have this name"}},
		{"tag on an unexported field", &hidden{}, []string{"field kkrpc_test.hidden.math is tagged but not exported"}},
		{"Object in itself", self, []string{"namespaces nest too deeply"}},
		{"empty struct", struct{ DB *int }{}, []string{"has nothing to expose"}},
		{"number", 5, []string{"the API: int cannot be exposed"}},
		{"func", func() {}, []string{"func() cannot be exposed"}},
		{"As of a struct", kkrpc.As(&derived{}), []string{"kkrpc.As wants an interface"}},
		{"As of nothing", kkrpc.As[greeter](nil), []string{"the implementation of kkrpc_test.greeter is nil"}},
		{"As of an empty interface", kkrpc.As[any](1), []string{"has no methods"}},
		{"nil func", kkrpc.Object{"f": (func())(nil)}, []string{"f: the func() is nil"}},
		{"nil property", kkrpc.Object{"p": (*kkrpc.Property[int])(nil)}, []string{"p: *kkrpc.Property[int] is nil"}},
		{"nil getter", kkrpc.Object{"p": kkrpc.ReadOnly[int](nil)}, []string{"p: kkrpc.ReadOnly[int] is nil"}},
		{"duration constant", kkrpc.Object{"timeout": time.Second}, []string{"timeout: time.Duration"}},
		{"duration property", kkrpc.Object{"p": kkrpc.NewProperty(time.Second)}, []string{"time.Duration"}},
		{"interface property", kkrpc.Object{"p": kkrpc.NewProperty[io.Reader](nil)}, []string{"io.Reader"}},
		{"struct with methods", kkrpc.Object{"math": &calculator{}}, []string{"math: *kkrpc_test.calculator has methods; expose them with kkrpc.As"}},
		{"constructor of nothing", kkrpc.Object{"C": kkrpc.Constructor(func() {})}, []string{"C: constructor: func() returns no value"}},
		{"constructor of no func", kkrpc.Object{"C": kkrpc.Constructor(5)}, []string{"C: constructor: want a func, not int"}},
		{"constructor of nil", kkrpc.Object{"C": kkrpc.Class{}}, []string{"want a func, not nil"}},
		{"invalid name", kkrpc.Object{"\xff": 1}, []string{"the name is not valid UTF-8"}},
		{"empty API inside", kkrpc.Object{"x": (*kkrpc.API)(nil)}, []string{"x: is an API with nothing in it"}},
		{"several", kkrpc.Object{"a": make(chan int), "b": func() (int, string) { return 0, "" }}, []string{"a: ", "b: "}},
		{"readers", kkrpc.Object{
			"file":     func() *os.File { return nil },
			"seeker":   func() io.ReadSeeker { return nil },
			"nested":   func() struct{ R []io.Reader } { panic("not called") },
			"property": kkrpc.NewProperty[io.ReadCloser](nil),
			"class":    kkrpc.Constructor(func() io.Reader { return nil }),
		}, []string{
			"file: result: *os.File can be read, but is neither io.Reader nor io.ReadCloser; declare one of them for a stream",
			"seeker: result: io.ReadSeeker can be read",
			"nested: result.R[]: io.Reader: a stream can only be a result, a parameter or a property itself",
			"property: io.ReadCloser can be read only once, a property any time; use a kkrpc.ReadOnly, which makes one each time",
			"class: constructor: func() io.Reader returns a stream",
		}},
		{"writers", kkrpc.Object{
			"two":      func(a, b io.Writer) {},
			"many":     func(w ...io.Writer) {},
			"result":   func(w io.Writer) (int64, error) { return 0, nil },
			"callback": func(f func(io.Writer)) {},
			"closer":   func(io.WriteCloser) {},
			"class":    kkrpc.Constructor(func(io.Writer) error { return nil }),
		}, []string{
			"two: parameter 2: only one io.Writer can be a parameter, since what is written to it is the result",
			"many: parameter 1: only one io.Writer",
			"result: it returns a int64, but what it writes to its io.Writer is the result; return nothing but an error",
			"callback: parameter 1: func(io.Writer) takes an io.Writer, but has no result that its caller could read; pass it an io.Reader",
			"closer: parameter 1: nothing can be decoded into the interface io.WriteCloser",
			"class: constructor: func(io.Writer) error returns a stream",
		}},
		{"map key", kkrpc.Object{"f": func(map[time.Duration]int, map[[2]int]int) {}}, []string{"parameter 1: time.Duration", "parameter 2: [2]int cannot be the key"}},
	} {
		t.Run(r.name, func(t *testing.T) {
			_, err := kkrpc.Expose(r.api)
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range r.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in\n%v", want, err)
				}
			}
			if strings.Contains(err.Error(), "fine") {
				t.Errorf("a good method is named in\n%v", err)
			}
		})
	}
	loop := &recursive{}
	loop.Next = loop
	if _, err := kkrpc.Expose(loop); err == nil || !strings.Contains(err.Error(), "too deeply") {
		t.Errorf("a struct in itself: %v", err)
	}
}

func BenchmarkExpose(b *testing.B) {
	b.Run("interface", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := kkrpc.Expose(kkrpc.As[tenMethods](new(ten))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := kkrpc.Expose(new(ten)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Object", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := kkrpc.Expose(exampleObject()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type tenMethods interface {
	A(x string) string
	B(x string) string
	C(x, y float64) float64
	D(x []int) []int
	E(ctx context.Context, x string) (string, error)
	F(ctx context.Context, x map[string]any) (any, error)
	G()
	H() error
	I(n int, progress func(i, n int)) string
	J(x time.Time) time.Time
}

type ten struct{}

func (*ten) A(x string) string                                  { return x }
func (*ten) B(x string) string                                  { return x }
func (*ten) C(x, y float64) float64                             { return x + y }
func (*ten) D(x []int) []int                                    { return x }
func (*ten) E(_ context.Context, x string) (string, error)      { return x, nil }
func (*ten) F(_ context.Context, x map[string]any) (any, error) { return x, nil }
func (*ten) G()                                                 {}
func (*ten) H() error                                           { return nil }
func (*ten) I(int, func(i, n int)) string                       { return "" }
func (*ten) J(x time.Time) time.Time                            { return x }
