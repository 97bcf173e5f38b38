package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type message struct{ From, Text string }

type roomAPI struct {
	Greet   func(ctx context.Context, name string) (string, error)
	Join    func(ctx context.Context, name string, onMessage func(m message)) error
	Say     func(ctx context.Context, text string) (reached int, err error)
	Remind  func(ctx context.Context, milliseconds int, text string) error
	Members func(ctx context.Context) ([]string, error)
}

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/chat/water", nil)
	if err != nil {
		return err
	}
	defer ch.Close()
	api := kkrpc.Remote[roomAPI](ch)

	greeting, err := api.Greet(ctx, "Gopher")
	if err != nil {
		return err
	}
	fmt.Println(greeting)

	heard := make(chan message, 2)
	if err := api.Join(ctx, "Gopher", func(m message) { heard <- m }); err != nil {
		return err
	}
	members, err := api.Members(ctx)
	if err != nil {
		return err
	}
	fmt.Println(members)

	reached, err := api.Say(ctx, "Anybody here?")
	if err != nil {
		return err
	}
	fmt.Println(reached, "reached")
	if err := api.Remind(ctx, 100, "stand up"); err != nil {
		return err
	}
	fmt.Println((<-heard).Text)
	fmt.Println((<-heard).Text)

	err = api.Remind(ctx, -1, "yesterday")
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) {
		return err
	}
	fmt.Println(thrown.Name, thrown.Message, thrown.Fields)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
