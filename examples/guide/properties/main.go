package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// Point is what new api.Point(x, y) gives: data, without methods.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

func main() {
	theme := kkrpc.NewProperty("light") // theme.Get() and theme.Set() in Go
	theme.OnSet(func(old, value string) error {
		if value != "light" && value != "dark" {
			return errors.New("theme is light or dark")
		}
		return nil
	})
	var visits atomic.Int64

	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"version": "1.0.0", // a constant
		"settings": kkrpc.Object{
			"theme":  theme,
			"visits": kkrpc.ReadOnly[int64](func(context.Context) (int64, error) { return visits.Add(1), nil }),
		},
		"Point": kkrpc.Constructor(func(x, y float64) Point { return Point{x, y} }),

		// rename does the same in the other direction, with a property of the client.
		"rename": func(ctx context.Context, title string) (string, error) {
			client := kkrpc.FromContext(ctx)
			old, err := kkrpc.Get[string](ctx, client, "page.title")
			if err != nil {
				return "", err
			}
			return old, kkrpc.Set(ctx, client, "page.title", title)
		},
		// size makes an object of a class of the client.
		"size": func(ctx context.Context) (Point, error) {
			return kkrpc.Construct[Point](ctx, kkrpc.FromContext(ctx), "Size", 3, 4)
		},
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
