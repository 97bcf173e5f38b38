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

type chat struct {
	hub  *rooms.Hub[Message]
	room *rooms.Room[Message]
}

// open makes the API of a connection.
func (c chat) open(r *http.Request) (any, error) {
	user := r.URL.Query().Get("user") // as a cookie or a token would say in earnest
	return kkrpc.Object{
		// join first sends what the client has missed, if it says where it was.
		"join": func(ctx context.Context, onMessage func(message Message), after *rooms.Position) (rooms.Position, error) {
			if err := c.hub.Bind(ctx, user); err != nil {
				return rooms.Position{}, err
			}
			return c.room.Join(ctx, onMessage, &rooms.JoinOptions{After: after})
		},
		"watch": func(ctx context.Context, onChange func(update rooms.Update[string, int])) error {
			return c.room.JoinPresence(ctx, onChange, nil)
		},
		// say stores a message with the same id once.
		"say": func(ctx context.Context, id, text string) (uint64, error) {
			return c.room.PublishOnce(ctx, user+"/"+id, Message{From: user, Text: text})
		},
		"history": func(ctx context.Context, before *uint64) ([]Message, error) {
			end := uint64(0) // after the last message
			if before != nil {
				end = *before
			}
			return c.room.History(ctx, end, 2)
		},
	}, nil
}

func main() {
	hub, err := rooms.NewHub(&rooms.Options[Message]{
		Backplane: rooms.Local(rooms.Memory(&rooms.MemoryOptions{History: 1000})), // messages of each room
		Number:    func(m *Message, seq uint64) { m.ID = seq },
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/ws", ws.HandlerFor(chat{hub, hub.Room("lobby")}.open, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
