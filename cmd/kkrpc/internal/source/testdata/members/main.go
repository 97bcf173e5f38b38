// Command members exposes names in every way.
package main

import (
	"context"
	"log"
	"net/http"

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
	return kkrpc.Object{"inner": o, "compiled": compiled()}
}

func compiled() *kkrpc.API {
	api, err := kkrpc.Expose(kkrpc.Object{"ping": func() {}})
	if err != nil {
		panic(err)
	}
	return api
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
	http.Handle("/shared", ws.Handler(shared, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:0", nil))
}
