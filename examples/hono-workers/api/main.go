package main

import (
	"context"
	"log"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// The program is one room: Cloudflare runs one for each Durable Object.
var here = room{members: map[*kkrpc.Channel]member{}}

// greet knows the room by the request of the connection.
func greet(ctx context.Context, name string) string {
	return "Hello, " + name + ", in " + wasm.RequestFromContext(ctx).Params["room"] + "!"
}

func join(ctx context.Context, name string, onMessage func(message Message)) {
	here.join(kkrpc.FromContext(ctx), member{name, kkrpc.CallbackOf(onMessage)})
}

// say sends text to everybody here, and returns how many that are.
func say(ctx context.Context, text string) (reached int, err error) {
	from, err := here.sender(ctx)
	if err != nil {
		return 0, err
	}
	return here.broadcast(Message{From: from, Text: text}), nil
}

// longest is how far ahead a reminder may be: an object that nobody is connected to is not kept running for one.
const longest = time.Hour

// remind says text later, also if whoever wanted it has left by then, and somebody else has not.
func remind(ctx context.Context, milliseconds int, text string) error {
	from, err := here.sender(ctx)
	if err != nil {
		return err
	}
	if milliseconds < 0 || milliseconds > int(longest.Milliseconds()) {
		return &kkrpc.Error{Name: "RangeError", Message: "a reminder is at most an hour ahead", Fields: map[string]any{"milliseconds": milliseconds}}
	}
	return here.later(time.Duration(milliseconds)*time.Millisecond, Message{From: from, Text: text})
}

func main() {
	log.Fatal(wasm.Serve(kkrpc.Object{
		"greet":   greet,
		"join":    join,
		"say":     say,
		"remind":  remind,
		"members": here.names,
	}, &wasm.Options{OnClose: here.leave}))
}
