package stdio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
)

// A child that is this program again; it could be exec.Command("node", "child.mjs") as well.
func ExampleStart() {
	ctx := context.Background()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVar+"=serve") // where it calls Serve
	cmd.Stderr = io.Discard
	child, err := stdio.Start(ctx, cmd, &stdio.Options{StderrTail: 17})
	if err != nil {
		log.Fatal(err)
	}
	defer child.Close()
	fmt.Println(kkrpc.Call[int](ctx, child.Channel, "double", 21))

	err = child.Call(ctx, nil, "die", 3)
	fmt.Println(errors.Is(err, kkrpc.ErrClosed), err)
	// Output:
	// 42 <nil>
	// true kkrpc: call die: channel closed: stdio: the child ended: exit status 3; its last words: fatal: no way on
}

// Two ends of one program, over pipes in memory.
func ExampleNew() {
	ctx := context.Background()
	ar, bw := io.Pipe()
	br, aw := io.Pipe()
	server, err := kkrpc.New(ctx, stdio.New(ar, aw, nil), &kkrpc.Options{Expose: kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := kkrpc.New(ctx, stdio.New(br, bw, nil), &kkrpc.Options{Dialect: kkrpc.Compact})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(kkrpc.Call[string](ctx, client, "greet", "World"))
	// Output: Hello, World! <nil>
}
