package main

import (
	"context"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// chat is what the server exposes.
type chat struct {
	Join  func(ctx context.Context, name string) (members int, err error)
	Rooms struct {
		List func(ctx context.Context) ([]string, error)
	}
}

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", &ws.DialOptions{RPC: kkrpc.Options{
		Expose: kkrpc.Object{ // what the server may call
			"show":    func(line string) { fmt.Println(line) },
			"confirm": func(question string) bool { return question == "Join as Ada?" },
		},
	}})
	if err != nil {
		return err
	}
	defer ch.Close()

	server := kkrpc.Remote[chat](ch)
	members, err := server.Join(ctx, "Ada")
	if err != nil {
		return err
	}
	rooms, err := server.Rooms.List(ctx)
	if err != nil {
		return err
	}
	fmt.Println(members, rooms)

	// The same without a struct.
	members, err = kkrpc.Call[int](ctx, ch, "join", "Eve")
	fmt.Println(members, err)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
