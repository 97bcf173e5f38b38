package kknats_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// A program keeps its rooms in a folder, by a server of its own.
func Example() {
	store, err := os.MkdirTemp("", "rooms")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(store)
	ctx := context.Background()

	server, err := embedded.Start(&embedded.Options{Store: store})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Shutdown()
	backplane, err := server.Connect(ctx, &kknats.Options{History: 100})
	if err != nil {
		log.Fatal(err)
	}
	defer backplane.Close()

	if _, err := backplane.Append(ctx, "kitchen", "", []byte("Hello")); err != nil {
		log.Fatal(err)
	}
	heard := make(chan string, 1)
	stop, err := backplane.Follow(ctx, "kitchen", 0, rooms.Follower{
		Entry: func(e rooms.Entry) { heard <- string(e.Data) },
		Lost:  func(err error) { log.Print(err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stop()
	fmt.Println(<-heard)
	// Output: Hello
}
