package main

import (
	"fmt"
	"log"
	"net/http"
	"strings"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

var users = map[string]string{"secret": "Ada"} // by token

// user returns who has sent the token of a request, or "".
func user(r *http.Request) string {
	for protocol := range strings.SplitSeq(r.Header.Get("Sec-WebSocket-Protocol"), ",") {
		if token, ok := strings.CutPrefix(strings.TrimSpace(protocol), "kkrpc.token."); ok {
			return users[token]
		}
	}
	return ""
}

type API struct{ user string }

func (a API) Whoami() string { return a.user }

func (a API) Order(item string) string {
	order := item + " for " + a.user
	fmt.Println(order)
	return order
}

func connected(r *http.Request) (any, error) {
	name := user(r)
	if name == "" {
		return nil, ws.Reject(4401, "unknown token") // a page learns the code and the reason
	}
	return API{name}, nil
}

func main() {
	http.Handle("/ws", ws.HandlerFor(connected, &ws.Options{
		Session: &ws.SessionOptions{Identity: user}, // a session goes on for its own user only
	}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
