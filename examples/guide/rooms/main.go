package main

import (
	"context"
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type Message struct {
	ID   uint64 `json:"id"`
	From string `json:"from"`
	Text string `json:"text"`
}

func main() {
	hub, err := rooms.NewHub(&rooms.Options[Message]{
		Number:       func(m *Message, seq uint64) { m.ID = seq },
		Queue:        256, // messages of a room that may wait for its slow members
		SlowConsumer: rooms.Disconnect,
	})
	if err != nil {
		log.Fatal(err)
	}
	api := kkrpc.Object{
		"join": func(ctx context.Context, room string, onMessage func(message Message)) error {
			_, err := hub.Room(room).Join(ctx, onMessage, nil)
			return err
		},
		"follow": func(ctx context.Context, room string) error { // calls a function that the client exposes
			_, err := hub.Room(room).JoinMethod(ctx, "chat.onMessage", &rooms.JoinOptions{Args: []any{room}})
			return err
		},
		"say": func(ctx context.Context, room, from, text string) (id uint64, err error) {
			return hub.Room(room).Publish(ctx, Message{From: from, Text: text})
		},
		"leave": func(ctx context.Context, room string) error { return hub.Room(room).Leave(ctx) },
	}
	http.Handle("/ws", ws.Handler(api, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
