package main

import (
	"log"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// tokens stands for your way to know who somebody is.
var tokens = map[string]string{"ada-token": "Ada", "eve-token": "Eve"}

// topics are the names of the rooms.
var topics = []string{"go", "typescript"}

// server makes the API of each connection. All connections meet in one Go program, so that rooms need no broker.
type server struct{ hub *rooms.Hub[Message] }

// open makes the API of a connection from its request.
func (s server) open(r *wasm.Request) (any, error) {
	user, ok := tokens[token(r)]
	if !ok {
		return nil, wasm.Reject(4401, "unknown token")
	}
	if !slices.Contains(topics, r.Params["room"]) {
		return nil, wasm.Reject(4404, "no such room")
	}
	return kkrpc.As[ChatAPI](&member{name: user, room: s.hub.Room(r.Params["room"])}), nil
}

// token is what the header says, or the query: a page cannot set headers of its WebSockets.
func token(r *wasm.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header["authorization"], "Bearer "); ok {
		return bearer
	}
	return r.URL.Query().Get("token")
}

func main() {
	history := rooms.Memory(&rooms.MemoryOptions{History: kept})
	hub, err := rooms.NewHub(&rooms.Options[Message]{Backplane: rooms.Local(history)})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(wasm.ServeFor(server{hub}.open, nil))
}
