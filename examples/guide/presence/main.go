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
		Backplane: rooms.Local(rooms.Memory(&rooms.MemoryOptions{History: 1000})), // messages of each room
		Number:    func(m *Message, seq uint64) { m.ID = seq },
	})
	if err != nil {
		log.Fatal(err)
	}
	room := hub.Room("lobby")
	http.Handle("/ws", ws.HandlerFor(func(r *http.Request) (any, error) {
		user := r.URL.Query().Get("user") // as a cookie or a token would say in earnest
		return kkrpc.Object{
			// join first sends what the client has missed, if it says where it was.
			"join": func(ctx context.Context, onMessage func(message Message), after *rooms.Position) (rooms.Position, error) {
				if err := hub.Bind(ctx, user); err != nil {
					return rooms.Position{}, err
				}
				return room.Join(ctx, onMessage, &rooms.JoinOptions{After: after})
			},
			"watch": func(ctx context.Context, onChange func(update rooms.Update[string, int])) error {
				return room.JoinPresence(ctx, onChange, nil)
			},
			// say stores a message with the same id once.
			"say": func(ctx context.Context, id, text string) (uint64, error) {
				return room.PublishOnce(ctx, user+"/"+id, Message{From: user, Text: text})
			},
			"history": func(ctx context.Context, before *uint64) ([]Message, error) {
				end := uint64(0) // after the last message
				if before != nil {
					end = *before
				}
				return room.History(ctx, end, 2)
			},
		}, nil
	}, nil))
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
