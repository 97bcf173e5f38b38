// Command child serves its functions to the program that started it, and calls back:
//
//	npm install
//	npx tsx parent.mts
package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

func main() {
	err := stdio.Serve(context.Background(), kkrpc.Object{
		"greet": func(name string) string {
			fmt.Println("the child greets", name) // goes to standard error: standard output carries the channel
			return "Hello, " + name + "!"
		},
		"launch": func(ctx context.Context, from int, tick func(n int)) (string, error) {
			for n := from; n > 0; n-- {
				tick(n) // a function of the parent
			}
			return kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "confirm", "lift-off")
		},
	}, nil)
	if err != nil {
		log.Fatal(err)
	}
}
