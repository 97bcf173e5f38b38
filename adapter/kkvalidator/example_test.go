package kkvalidator_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkvalidator"
)

func ExampleNew() {
	type NewUser struct {
		Name  string `json:"name" validate:"required,max=80"`
		Email string `json:"email" validate:"required,email"`
	}
	api := kkrpc.Object{"create": func(u NewUser) string { return "created " + u.Name }}
	a, b := kkrpc.Pipe() // a server over WebSockets passes the options to ws.Handler
	kkrpc.New(context.Background(), a, &kkrpc.Options{Expose: api, Inbound: []kkrpc.Interceptor{kkvalidator.New(nil, nil)}})
	ch, _ := kkrpc.New(context.Background(), b, &kkrpc.Options{Dialect: kkrpc.Compact})
	defer ch.Close()

	for _, u := range []NewUser{{"Ann", "ann@example.com"}, {"Ann", "at home"}} {
		text, err := kkrpc.Call[string](context.Background(), ch, "create", u)
		if e := (*kkrpc.Error)(nil); errors.As(err, &e) && e.Name == "RPCValidationError" {
			fmt.Println(e.Fields["phase"], e.Fields["issues"])
			continue
		}
		fmt.Println(text)
	}
	// Output:
	// created Ann
	// input [map[message:email must satisfy email path:[0 email]]]
}
