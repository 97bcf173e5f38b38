package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

func run(ctx context.Context, command ...string) error {
	child, err := stdio.Start(ctx, exec.Command(command[0], command[1:]...), &stdio.Options{
		RPC:    kkrpc.Options{Expose: kkrpc.Object{"title": func() string { return "the guide" }}},
		Output: os.Stdout, // what the child prints that is no message
	})
	if err != nil {
		return err
	}
	defer child.Close() // closes its standard input, and waits

	text, err := kkrpc.Call[string](ctx, child, "shout", "hello")
	if err != nil {
		return err
	}
	fmt.Println(text)

	var exit *stdio.ExitError
	if err := child.Call(ctx, nil, "quit", 3); errors.As(err, &exit) {
		fmt.Println("the child ended with", exit.State.ExitCode())
	}
	return nil
}

// main is started with the command of the child: parent bun child.mts
func main() {
	if err := run(context.Background(), os.Args[1:]...); err != nil {
		log.Fatal(err)
	}
}
