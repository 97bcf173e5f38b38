package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
)

// connect joins two channels in memory; over a network they come from package transport/ws.
func connect(server, client any) *kkrpc.Channel {
	a, b := kkrpc.Pipe()
	if _, err := kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: server}); err != nil {
		log.Fatal(err)
	}
	ch, err := kkrpc.New(context.Background(), b, &kkrpc.Options{Expose: client, Dialect: kkrpc.Compact})
	if err != nil {
		log.Fatal(err)
	}
	return ch
}

func ExampleCall() {
	ch := connect(kkrpc.Object{
		"math": kkrpc.Object{"multiply": func(a, b float64) float64 { return a * b }},
	}, nil)
	defer ch.Close()
	product, err := kkrpc.Call[float64](context.Background(), ch, "math.multiply", 4, 6)
	fmt.Println(product, err)
	_, err = kkrpc.Call[float64](context.Background(), ch, "math.multiply", 4, "six")
	fmt.Println(err)
	// Output:
	// 24 <nil>
	// kkrpc: call math.multiply: TypeError: math.multiply: argument 2: expected number, got string
}

func ExampleCall_callback() {
	ch := connect(kkrpc.Object{
		"count": func(n int, progress func(i, n int)) string {
			for i := range n {
				progress(i+1, n)
			}
			return "done"
		},
	}, nil)
	defer ch.Close()
	result, err := kkrpc.Call[string](context.Background(), ch, "count", 2, func(i, n int) {
		fmt.Printf("%d of %d\n", i, n)
	})
	fmt.Println(result, err)
	// Output:
	// 1 of 2
	// 2 of 2
	// done <nil>
}

func ExampleFromContext() {
	server := kkrpc.Object{
		"whoAreYou": func(ctx context.Context) (string, error) {
			name, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "getName")
			return "You are " + name, err
		},
	}
	ch := connect(server, kkrpc.Object{"getName": func() string { return "Go" }})
	defer ch.Close()
	fmt.Println(kkrpc.Call[string](context.Background(), ch, "whoAreYou"))
	// Output: You are Go <nil>
}

func ExampleRemote() {
	ch := connect(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"math":  kkrpc.Object{"add": func(a, b int) int { return a + b }},
	}, nil)
	defer ch.Close()
	api := kkrpc.Remote[struct {
		Greet func(ctx context.Context, name string) (string, error)
		Math  struct {
			Add func(ctx context.Context, a, b int) (int, error)
		}
	}](ch)
	fmt.Println(api.Greet(context.Background(), "World"))
	fmt.Println(api.Math.Add(context.Background(), 5, 3))
	// Output:
	// Hello, World! <nil>
	// 8 <nil>
}

func ExampleError() {
	ch := connect(kkrpc.Object{
		"divide": func(a, b float64) (float64, error) {
			if b == 0 {
				return 0, &kkrpc.Error{Name: "DivisionByZero", Message: "division by zero", Fields: map[string]any{"code": "E_DIV"}}
			}
			return a / b, nil
		},
	}, nil)
	defer ch.Close()
	_, err := kkrpc.Call[float64](context.Background(), ch, "divide", 1, 0)
	var thrown *kkrpc.Error
	if errors.As(err, &thrown) {
		fmt.Println(thrown.Name, thrown.Fields["code"])
	}
	// Output: DivisionByZero E_DIV
}

func ExampleNewProperty() {
	theme := kkrpc.NewProperty("light")
	ch := connect(kkrpc.Object{"settings": kkrpc.Object{"theme": theme}}, nil)
	defer ch.Close()
	if err := kkrpc.Set(context.Background(), ch, "settings.theme", "dark"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(theme.Get())
	fmt.Println(kkrpc.Get[string](context.Background(), ch, "settings.theme"))
	// Output:
	// dark
	// dark <nil>
}

func ExampleProxy() {
	type counter struct{ Value kkrpc.Property[int] }
	ch := connect(kkrpc.Object{
		"openCounter": func(start int) *kkrpc.Ref {
			c := &counter{}
			c.Value.Set(start)
			return kkrpc.Proxy(kkrpc.Object{
				"value":     &c.Value,
				"increment": func(by int) int { c.Value.Set(c.Value.Get() + by); return c.Value.Get() },
			})
		},
	}, nil)
	defer ch.Close()
	ctx := context.Background()
	counterRef, err := kkrpc.Call[*kkrpc.Ref](ctx, ch, "openCounter", 5)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(kkrpc.Call[int](ctx, counterRef, "increment", 2))
	fmt.Println(kkrpc.Get[int](ctx, counterRef, "value"))
	_ = counterRef.Release(ctx)
	_, err = kkrpc.Get[int](ctx, counterRef, "value")
	fmt.Println(err)
	// Output:
	// 7 <nil>
	// 7 <nil>
	// kkrpc: get reference.value: released
}

func ExampleRef_Apply() {
	ch := connect(kkrpc.Object{
		"applyTwice": func(ctx context.Context, f *kkrpc.Ref, x int) (int, error) {
			if err := f.Apply(ctx, &x, x); err != nil {
				return 0, err
			}
			err := f.Apply(ctx, &x, x)
			return x, err
		},
	}, nil)
	defer ch.Close()
	triple := kkrpc.Proxy(func(x int) int { return 3 * x })
	fmt.Println(kkrpc.Call[int](context.Background(), ch, "applyTwice", triple, 2))
	// Output: 18 <nil>
}
