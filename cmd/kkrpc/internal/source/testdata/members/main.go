// Command members exposes names in every way.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// API is an interface.
type API interface {
	// Greet says hello.
	Greet(ctx context.Context, name string) (string, error)
	GetURL() string
	unexported()
}

type impl struct{}

func (impl) Greet(context.Context, string) (string, error) { return "", nil }
func (impl) GetURL() string                                { return "" }
func (impl) Other() string                                 { return "" }
func (impl) unexported()                                   {}

// Service is a struct with methods and fields.
type Service struct {
	Theme    *kkrpc.Property[string]
	Count    kkrpc.Property[int]
	Now      kkrpc.ReadOnly[int64]
	Math     Math                 `kkrpc:"math"`
	Release  string               `kkrpc:"release"`
	Hidden   *kkrpc.Property[int] `kkrpc:"-"`
	Ignored  string
	Point    kkrpc.Class
	Tools    kkrpc.Object
	internal int
}

// Add adds.
func (s *Service) Add(a, b int) int { return a + b }

// Math is a namespace.
type Math struct{}

// Sum adds numbers.
func (Math) Sum(numbers ...float64) float64 { return 0 }

func object() kkrpc.Object {
	o := kkrpc.Object{
		"named": named, // a function of the package
	}
	o["later"] = func(x int) int { return x }
	return o
}

func named(first, second string) string { return first + second }

func wrap(o kkrpc.Object) kkrpc.Object {
	return kkrpc.Object{"inner": o, "compiled": compiled().RequireMembers()}
}

func compiled() *kkrpc.API {
	api, err := kkrpc.Expose(kkrpc.Object{"ping": func() {}})
	if err != nil {
		panic(err)
	}
	return api
}

// Store keeps values of one type.
type Store[T any] struct{ values []T }

// List returns all values.
func (s *Store[T]) List() []T { return s.values }

// Put adds values.
func (s *Store[T]) Put(values ...T) (map[string][2]T, error) { return nil, nil }

func crud[T any](s *Store[T]) kkrpc.Object {
	return kkrpc.Object{
		"list":   s.List,
		"put":    s.Put,
		"first":  func(match func(T)) *T { return nil },
		"watch":  func() <-chan Page[T] { return nil },
		"nested": latest[T](nil),
	}
}

func latest[T any](_ *T) kkrpc.Object {
	return kkrpc.Object{"get": get[T], "set": kkrpc.NewProperty(*new(T))}
}

func get[T any]() (t T, err error) { return t, nil }

func (s *Store[T]) object() kkrpc.Object { return kkrpc.Object{"last": get[T]} }

// Page is a part of a list.
type Page[T any] struct{ Items []T }

// Row is a row of a table.
type Row struct{ ID int }

// Tools is a struct in a variable.
type Tools struct {
	Hammer  kkrpc.Object
	Saw     kkrpc.Object
	Measure func(length float64) string `kkrpc:"measure"`
}

// View is a Row with other names.
type View struct {
	ID int `json:"id"`
}

// Seen has other methods than impl.
type Seen impl

// See sees.
func (*Seen) See(what string) error { return nil }

var raw = []byte("x")

func listed(numbers ...int) kkrpc.Object { return kkrpc.Object{"numbers": numbers} }

func two() (any, any) { return Row{}, View{} }

func third() any {
	_, third := again()
	return third
}

func again() (any, any) { return two() }

func newTools() *Tools {
	tools := &Tools{Hammer: kkrpc.Object{"hit": func() {}}}
	tools.Saw = kkrpc.Object{"cut": func(length int) {}}
	tools.Saw["oil"] = func() {}
	if len(os.Args) > 1 {
		tools.Measure = func(l float64) string { return "" }
	} else {
		tools.Measure = func(length float64) string { return "" }
	}
	return tools
}

var shared = kkrpc.Object{"shared": kkrpc.As[API](impl{})}

func main() {
	http.Handle("/as", ws.Handler(kkrpc.As[API](impl{}), nil))
	http.Handle("/struct", ws.Handler(&Service{
		Theme: kkrpc.NewProperty("dark"),
		Now:   func(context.Context) (int64, error) { return 0, nil },
		Point: kkrpc.Constructor(func(x, y int) [2]int { return [2]int{x, y} }),
		Tools: kkrpc.Object{"hammer": func() {}},
	}, nil))
	http.Handle("/wrapped", ws.Handler(wrap(object()), nil))
	http.Handle("/generic", ws.Handler(kkrpc.Object{
		"rows":  crud(&Store[Row]{}),
		"names": crud(&Store[string]{}),
		"last":  new(Store[Row]).object(),
	}, nil))
	tools := newTools()
	http.Handle("/tools", ws.Handler(tools, nil))
	http.Handle("/converted", ws.Handler(kkrpc.Object(map[string]any{"one": 1, "get": get[Row]}), nil))
	first, second := two()
	http.Handle("/values", ws.Handler(kkrpc.Object{
		"text":   string(raw),
		"bytes":  []byte("x"),
		"view":   View(Row{}),
		"viewed": (*View)(&Row{}),
		"number": int64(time.Second),
		"list":   listed(1, 2),
		"spread": listed([]int{1}...),
		"first":  first,
		"second": second,
		"third":  third(),
	}, nil))
	http.Handle("/seen", ws.Handler((*Seen)(&impl{}), nil))
	http.Handle("/shared", ws.Handler(shared, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:0", nil))
}
