package main

import (
	"context"
	"log"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/durable"
)

// room is the program: Cloudflare runs one for each Durable Object.
type room struct {
	*rooms.Room[Message]
	hub *rooms.Hub[Message]
}

// greet knows the room by the request of the connection.
func greet(ctx context.Context, name string) string {
	return "Hello, " + name + ", in " + wasm.RequestFromContext(ctx).Params["room"] + "!"
}

// join runs again when the room wakes, with the same arguments.
func (r *room) join(ctx context.Context, name string, onMessage func(message Message)) error {
	if err := durable.Keep(ctx, "join"); err != nil {
		return err
	}
	if err := r.hub.Bind(ctx, name); err != nil {
		return err
	}
	_, err := r.Join(ctx, onMessage, nil)
	return err
}

// say sends text to everybody here, and returns how many that are.
func (r *room) say(ctx context.Context, text string) (reached int, err error) {
	from, err := r.sender(ctx)
	if err != nil {
		return 0, err
	}
	return r.Members(), r.Signal(Message{From: from, Text: text})
}

// remind says text later, also if whoever wanted it has left by then, and also if the room sleeps.
func (r *room) remind(ctx context.Context, milliseconds int, text string) error {
	from, err := r.sender(ctx)
	if err != nil {
		return err
	}
	return addReminder(ctx, milliseconds, Message{From: from, Text: text})
}

// sender is the name of whoever calls.
func (r *room) sender(ctx context.Context) (name string, err error) {
	ch := kkrpc.FromContext(ctx)
	if !r.Has(ch) {
		return "", &kkrpc.Error{Name: "NotAMember", Message: "join first"}
	}
	return r.hub.UserOf(ch), nil
}

func main() {
	hub, err := rooms.NewHub[Message](nil)
	if err != nil {
		log.Fatal(err)
	}
	here := &room{Room: hub.Room("here"), hub: hub}
	durable.Configure(&durable.Options{
		Hibernate: true,
		OnAlarm:   func(ctx context.Context, _ int) error { return sayReminders(ctx, here.Signal) },
	})
	log.Fatal(wasm.Serve(kkrpc.Object{
		"greet":   greet,
		"join":    here.join,
		"say":     here.say,
		"remind":  here.remind,
		"members": here.Users,
	}, nil))
}
