// Command browser serves notes that all open pages show.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Note is a line on the board.
type Note struct {
	ID   uint64 `json:"id"`
	Text string `json:"text"`
}

// API is what a page can call.
type API struct{ board *rooms.Room[Note] }

// Follow calls onNote with each new note until Unfollow, or until the connection closes. It returns the notes so far.
func (a API) Follow(ctx context.Context, onNote func(note Note)) ([]Note, error) {
	if _, err := a.board.Join(ctx, onNote, nil); err != nil {
		return nil, err
	}
	return a.board.History(ctx, 0, 100)
}

// Unfollow takes back what Follow has begun.
func (a API) Unfollow(ctx context.Context) error { return a.board.Leave(ctx) }

// Add writes a note on the board.
func (a API) Add(ctx context.Context, text string) error {
	if text == "" || len(text) > 1000 {
		return &kkrpc.Error{Name: "BadNoteError", Message: "a note has 1 to 1000 bytes"}
	}
	_, err := a.board.Publish(ctx, Note{Text: text})
	return err
}

func main() {
	addr := flag.String("addr", "localhost:3000", "listen on `host:port`; port 0 takes a free one")
	page := flag.String("page", "examples/browser/web/dist", "serve the page in `folder`, as Vite has built it")
	flag.Parse()

	hub, err := rooms.NewHub(&rooms.Options[Note]{Number: func(note *Note, seq uint64) { note.ID = seq }})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("GET /ws", ws.Handler(API{hub.Room("board")}, &ws.Options{
		Session: &ws.SessionOptions{},               // a page whose network fails goes on where it was
		Hosts:   []string{"localhost", "127.0.0.1"}, // against DNS rebinding
	}))
	http.Handle("GET /", http.FileServer(http.Dir(*page)))
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("serving http://localhost:%d/\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal((&http.Server{ReadHeaderTimeout: 10 * time.Second}).Serve(listener))
}
