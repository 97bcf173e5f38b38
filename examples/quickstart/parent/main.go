// Command parent starts the child of the README and calls it.
package main

import (
	"context"
	"fmt"
	"log"
	"os/exec"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

func run(ctx context.Context) error {
	child, err := stdio.Start(ctx, exec.Command("node", "child.mjs"), nil)
	if err != nil {
		return err
	}
	defer child.Close()
	greeting, err := kkrpc.Call[string](ctx, child.Channel, "greet", "World")
	fmt.Println(greeting, err) // Hello, World! <nil>
	return err
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
