// Command parent starts a child in TypeScript and calls its functions, and the child calls back:
//
//	npm install
//	go run ./parent
//
// The child is what the arguments say, node --import tsx child.mts without any; bun child.mts and
// deno run -A child.mts do as well.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

type childAPI struct {
	Greet  func(ctx context.Context, name string) (string, error)
	Launch func(ctx context.Context, from int, tick func(n int)) (string, error)
}

func run(ctx context.Context, command []string) error {
	child, err := stdio.Start(ctx, exec.Command(command[0], command[1:]...), &stdio.Options{RPC: kkrpc.Options{
		Expose: kkrpc.Object{
			"confirm": func(what string) string { return what + " confirmed by Go" },
		},
	}})
	if err != nil {
		return err
	}
	defer child.Close()

	api := kkrpc.Remote[childAPI](child.Channel)
	greeting, err := api.Greet(ctx, "World")
	if err != nil {
		return err
	}
	fmt.Println(greeting) // Hello, World!

	outcome, err := api.Launch(ctx, 3, func(n int) { fmt.Println(n) }) // 3, 2, 1
	if err != nil {
		return err
	}
	fmt.Println(outcome) // lift-off confirmed by Go
	return nil
}

func main() {
	command := os.Args[1:]
	if len(command) == 0 {
		command = []string{"node", "--import", "tsx", "child.mts"}
	}
	if err := run(context.Background(), command); err != nil {
		log.Fatal(err)
	}
}
