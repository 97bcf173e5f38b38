package main

import (
	"log"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// tokens stands for your way to know who somebody is.
var tokens = map[string]string{"ada-token": "Ada", "eve-token": "Eve"}

// rooms are those of all connections, which meet in one Go program.
var rooms = map[string]*room{"go": newRoom("go"), "typescript": newRoom("typescript")}

// open makes the API of a connection, of what its request says.
func open(r *wasm.Request) (any, error) {
	user, ok := tokens[token(r)]
	if !ok {
		return nil, wasm.Reject(4401, "unknown token")
	}
	room, ok := rooms[r.Params["room"]]
	if !ok {
		return nil, wasm.Reject(4404, "no such room")
	}
	return kkrpc.As[ChatAPI](&member{name: user, room: room}), nil
}

// token is what the header says, or the query: a page cannot set headers of its WebSockets.
func token(r *wasm.Request) string {
	if bearer, ok := strings.CutPrefix(r.Header["authorization"], "Bearer "); ok {
		return bearer
	}
	return r.URL.Query().Get("token")
}

// closed takes the connection out of the rooms.
func closed(ch *kkrpc.Channel, _ error) {
	for _, r := range rooms {
		r.leave(ch)
	}
}

func main() { log.Fatal(wasm.ServeFor(open, &wasm.Options{OnClose: closed})) }
