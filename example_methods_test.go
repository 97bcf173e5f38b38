//go:build !kkrpc_functions

package kkrpc_test

import (
	"context"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
)

func ExampleProxyTo() {
	type adder interface{ Add(n int) int }
	ch := connect(kkrpc.Object{
		"open": func() kkrpc.RefTo[adder] { return kkrpc.ProxyTo[adder](new(sum)) },
		"isOurs": func(r kkrpc.RefTo[adder]) bool {
			_, ok := r.Value()
			return ok
		},
	}, nil)
	defer ch.Close()
	ctx := context.Background()
	ref, err := kkrpc.Call[kkrpc.RefTo[adder]](ctx, ch, "open")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(kkrpc.Call[int](ctx, ref, "add", 2))
	fmt.Println(kkrpc.Call[int](ctx, ref, "add", 3))
	fmt.Println(kkrpc.Call[bool](ctx, ch, "isOurs", ref))
	// Output:
	// 2 <nil>
	// 5 <nil>
	// true <nil>
}

// sum is a number that can be added to.
type sum int

func (s *sum) Add(n int) int {
	*s += sum(n)
	return int(*s)
}
