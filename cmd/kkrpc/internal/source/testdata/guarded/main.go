// Command guarded serves one API in every way that package contract has.
package main

import (
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/contract"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func show(api *kkrpc.API) {
	if _, err := schema.Of(api); err != nil {
		log.Fatal(err)
	}
}

func main() {
	api := kkrpc.Object{"add": func(a, b int) int { return a + b }}
	api["describe"] = schema.Describe(api)
	guard, err := contract.New(api, nil)
	if err != nil {
		log.Fatal(err)
	}
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		log.Fatal(err)
	}
	show(compiled)
	files, err := contract.Files(&schema.API{Name: "API"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/api.json", files)
	http.Handle("/shared", ws.HandlerFor(guard.API, nil))
	http.Handle("/each", ws.HandlerFor(func(r *http.Request) (any, error) {
		if err := guard.Check(r); err != nil {
			return kkrpc.Refuse(err), nil
		}
		return api, nil
	}, nil))
	log.Fatal(http.ListenAndServe("127.0.0.1:0", nil))
}
