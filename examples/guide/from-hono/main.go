package main

import (
	"context"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type Note struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
}

// Old is the part of the API that is still in the Hono server.
type Old struct {
	Notes struct {
		Add   func(ctx context.Context, text string) (Note, error)
		List  func(ctx context.Context) ([]Note, error)
		Watch func(ctx context.Context, onNote func(note Note)) error
	}
}

var hono = "localhost:8787" // the Hono server

func main() {
	server, err := ws.DialPersistent(context.Background(), "ws://"+hono+"/ws", &ws.PersistentOptions{Background: true})
	if err != nil {
		log.Fatal(err)
	}
	old := kkrpc.Remote[Old](server)
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"notes": kkrpc.Object{
			"add":   old.Notes.Add,
			"list":  old.Notes.List,
			"watch": old.Notes.Watch,
		},
	}, nil))
	http.Handle("/", httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: hono}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
