package main

import (
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkvalidator"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type NewUser struct {
	Name  string   `json:"name" validate:"required,max=20"`
	Email string   `json:"email" validate:"required,email"`
	Tags  []string `json:"tags,omitempty" validate:"max=3,dive,alphanum"`
}

type User struct {
	ID   int    `json:"id" validate:"min=1"`
	Name string `json:"name"`
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"create": func(u NewUser) User { return User{ID: 7, Name: u.Name} }, // runs for valid users only
		"broken": func() User { return User{} },                             // results are validated too
	}, &ws.Options{RPC: kkrpc.Options{
		Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)},
	}}))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
