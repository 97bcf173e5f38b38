package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	hub, err := rooms.NewHub[string](nil)
	if err != nil {
		log.Fatal(err)
	}
	room := hub.Room("lobby")
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"join": func(ctx context.Context, onText func(text string)) error {
			fmt.Println("joins with", kkrpc.DialectFrom(ctx))
			_, err := room.Join(ctx, onText, nil)
			return err
		},
		"say": func(ctx context.Context, text string) error {
			_, err := room.Publish(ctx, text)
			return err
		},
		"released": func() time.Time { return time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC) },
		"book": func(id int) error {
			return &kkrpc.Error{Name: "NotFoundError", Message: "there is no such book", Fields: map[string]any{"id": id}}
		},
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
