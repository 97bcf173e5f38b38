package main

import (
	"context"
	_ "embed"
	"net/http"
	"strings"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/contract"
	"github.com/kkrpc-go/kkrpc/schema"
)

//go:generate go run . gen json . -o api.json
//go:generate go run . gen ts . -o api.gen.ts

// The description of demoAPI and its types.
var (
	//go:embed api.json
	demoDescription []byte
	//go:embed api.gen.ts
	demoTypes string
)

// demoFiles serves both.
func demoFiles() (http.Handler, error) {
	described, err := schema.Parse(demoDescription)
	if err != nil {
		return nil, err
	}
	return contract.Files(described, nil)
}

// demoClient is the program that demo prints: client.mts with the types in place of their import.
func demoClient(url string) string {
	_, types, _ := strings.Cut(demoTypes, "\n\n") // behind the line that says how they were made
	return strings.NewReplacer(
		"import type { API } from \"./api.gen.ts\"\n", "",
		"\nconst clientAPI", "\n"+types+"\nconst clientAPI",
		"ws://localhost:3000/ws", url,
	).Replace(clientSource)
}

// clientSource calls all functions of the demo, and the demo calls it back.
//
//go:embed client.mts
var clientSource string

// clientInfo is the result of the client's getClientInfo.
type clientInfo struct {
	Type    string `json:"type"`
	Version string `json:"version"`
}

func demoAPI() kkrpc.Object {
	return kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
		"add":   func(a, b float64) float64 { return a + b },
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
		},
		"riskyOperation": riskyOperation,
		"progress":       progress,
		"whoAreYou":      whoAreYou,
	}
}

// riskyOperation fails. The caller catches an Error with a message and, by kkrpc 0.7 and 2, a cause.
func riskyOperation() error {
	return &kkrpc.Error{Message: "Something went wrong!", Cause: &kkrpc.Error{Message: "Root cause"}}
}

// progress calls back n times before it answers.
func progress(n int, report func(step, of int)) (string, error) {
	const most = 1000
	if n < 0 || n > most {
		return "", &kkrpc.Error{Name: "RangeError", Message: "n must be between 0 and 1000"}
	}
	for i := range n {
		report(i+1, n)
	}
	return "done", nil
}

// whoAreYou asks the caller, while the caller waits for the answer.
func whoAreYou(ctx context.Context) (string, error) {
	info, err := kkrpc.Call[clientInfo](ctx, kkrpc.FromContext(ctx), "getClientInfo")
	if err != nil {
		return "", err
	}
	return "You are " + info.Type + " " + info.Version + ".", nil
}
