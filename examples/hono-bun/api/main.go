package main

import (
	"context"
	"iter"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// divide throws a RangeError with a field.
func divide(a, b float64) (float64, error) {
	if b == 0 {
		return 0, &kkrpc.Error{Name: "RangeError", Message: "division by zero", Fields: map[string]any{"dividend": a}}
	}
	return a / b, nil
}

// resize tells the client how far it has got, by a function of the client.
func resize(images []string, progress func(done, total int)) string {
	for i := range images {
		progress(i+1, len(images))
	}
	return "resized"
}

// primes computes the next one when the client asks for it.
func primes() iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := 2; ; n++ {
			if isPrime(n) && !yield(n) {
				return
			}
		}
	}
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

type clientInfo struct {
	Type    string `json:"type"`
	Version string `json:"version"`
}

// whoAmI calls back whoever calls it.
func whoAmI(ctx context.Context) (string, error) {
	info, err := kkrpc.Call[clientInfo](ctx, kkrpc.FromContext(ctx), "getClientInfo")
	if err != nil {
		return "", err
	}
	return "a " + info.Type + ", version " + info.Version, nil
}

func main() {
	log.Fatal(wasm.Serve(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"add":   func(a, b float64) float64 { return a + b },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
			"divide":   divide,
		},
		"resize": resize,
		"primes": primes,
		"whoAmI": whoAmI,
	}, nil))
}
