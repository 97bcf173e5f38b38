package main

import (
	"context"
	"log"
	"net/http"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

type member struct {
	name   string
	listen *kkrpc.Callback // a function of the client
}

type room struct {
	mu      sync.Mutex
	members map[*kkrpc.Channel]member
}

func (r *room) join(ctx context.Context, name string, listen func(message Message)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[kkrpc.FromContext(ctx)] = member{name, kkrpc.CallbackOf(listen)}
}

func (r *room) leave(ch *kkrpc.Channel, _ *http.Request, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, ch)
}

func (r *room) say(ctx context.Context, text string) (reached int) {
	r.mu.Lock() // so that all members get all messages in one order; Notify never waits
	defer r.mu.Unlock()
	message := kkrpc.Share(Message{From: r.members[kkrpc.FromContext(ctx)].name, Text: text}) // encoded once
	for _, m := range r.members {
		if m.listen.Notify(message) == nil {
			reached++
		}
	}
	return reached
}

func main() {
	r := &room{members: map[*kkrpc.Channel]member{}}
	http.Handle("/ws", ws.Handler(kkrpc.Object{"join": r.join, "say": r.say}, &ws.Options{OnClose: r.leave}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
