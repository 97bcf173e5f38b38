package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type message struct{ From, Text string }

type chatAPI struct {
	Greet       func(ctx context.Context) (string, error)
	JoinRoom    func(ctx context.Context, room string, onMessage func(m message)) error
	SendMessage func(ctx context.Context, text, room string) (reached int, err error)
	GetMessages func(ctx context.Context, room string) ([]message, error)
}

const server = "ws://localhost:3000"

func connect(ctx context.Context, token string) (*kkrpc.Channel, error) {
	return ws.Dial(ctx, server+"/chat/go", &ws.DialOptions{
		Header: http.Header{"Authorization": {"Bearer " + token}},
	})
}

func run(ctx context.Context) error {
	ch, err := connect(ctx, "ada-token")
	if err != nil {
		return err
	}
	defer ch.Close()
	api := kkrpc.Remote[chatAPI](ch)

	greeting, err := api.Greet(ctx)
	if err != nil {
		return err
	}
	fmt.Println(greeting)

	heard := make(chan message, 1)
	err = api.JoinRoom(ctx, "go", func(m message) { heard <- m })
	if err != nil {
		return err
	}
	reached, err := api.SendMessage(ctx, "Anybody here?", "go")
	if err != nil {
		return err
	}
	fmt.Println(reached, "reached")
	fmt.Println("Ada has heard", (<-heard).Text)

	_, err = api.GetMessages(ctx, "secrets")
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) {
		return err
	}
	fmt.Println(thrown.Name, thrown.Message, thrown.Fields)

	stranger, err := connect(ctx, "guessed")
	if err != nil {
		return err
	}
	<-stranger.Done()
	fmt.Println(stranger.Err())
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
