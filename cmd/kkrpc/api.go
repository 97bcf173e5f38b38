package main

import (
	"context"

	"github.com/kkrpc-go/kkrpc"
)

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

// riskyOperation fails: the caller catches an Error with this message and, where its version of kkrpc has them, the cause.
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
