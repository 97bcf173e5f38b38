package main

import (
	"fmt"
	"log"
	"math/big"
	"net/http"
	"slices"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"tomorrow": func(day time.Time) time.Time { return day.AddDate(0, 0, 1) },
		"factorial": func(n int64) *big.Int {
			return new(big.Int).MulRange(1, n)
		},
		"reverse": func(data []byte) []byte {
			slices.Reverse(data)
			return data
		},
		"lengths": func(words *superjson.Set) *superjson.Map {
			lengths := superjson.NewMap()
			for _, word := range words.Values() {
				lengths.Set(word, len(fmt.Sprint(word)))
			}
			return lengths
		},
		"find": func(name string) *string { // a nil pointer is null
			if name != "Ada" {
				return nil
			}
			found := "Ada Lovelace"
			return &found
		},
		"forget": func() superjson.UndefinedType { return superjson.Undefined },
		"goType": func(v any) string { return fmt.Sprintf("%T", v) },
	}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
