package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Profile has 20 fields.
type Profile struct {
	ID        int     `json:"id"`
	Name      string  `json:"name"`
	Email     string  `json:"email"`
	Active    bool    `json:"active"`
	Age       int     `json:"age"`
	Score     float64 `json:"score"`
	Street    string  `json:"street"`
	City      string  `json:"city"`
	Postcode  string  `json:"postcode"`
	Country   string  `json:"country"`
	Phone     string  `json:"phone"`
	CreatedAt string  `json:"createdAt"`
	UpdatedAt string  `json:"updatedAt"`
	Role      string  `json:"role"`
	Logins    int     `json:"logins"`
	Verified  bool    `json:"verified"`
	Locale    string  `json:"locale"`
	Timezone  string  `json:"timezone"`
	Balance   float64 `json:"balance"`
	Notes     string  `json:"notes"`
}

// newAPI returns the methods, of which add and echo are written in one of three ways: functions of the values alone,
// with a context and an error, or of types that the library calls by reflection.
func newAPI(handlers string) (kkrpc.Object, error) {
	var add, echo any
	switch handlers {
	case "typed":
		add = func(a, b float64) float64 { return a + b }
		echo = func(text string) string { return text }
	case "ctx":
		add = func(_ context.Context, a, b float64) (float64, error) { return a + b, nil }
		echo = func(_ context.Context, text string) (string, error) { return text, nil }
	case "reflected":
		add = func(_ context.Context, a, b float32) (float32, error) { return a + b, nil }
		echo = func(_ context.Context, text *string) (*string, error) { return text, nil }
	default:
		return nil, fmt.Errorf("-handlers %s: typed, ctx or reflected", handlers)
	}
	hall, err := newRoom()
	if err != nil {
		return nil, err
	}
	m := newMembers()
	return kkrpc.Object{
		"math":      kkrpc.Object{"add": add},
		"add":       add,
		"echo":      echo,
		"user":      func(_ context.Context, p Profile) (Profile, error) { return p, nil },
		"bytes":     countBytes,
		"echoBytes": func(_ context.Context, b []byte) ([]byte, error) { return b, nil },
		"count":     count,
		"storm":     storm,
		"join":      hall.join,
		"burst":     hall.burst,
		"say":       hall.say,

		"placeOrder": placeOrder,
		"getUsers":   getUsers,
		"getUser":    getUser,

		"watch":      m.watch,
		"tell":       m.tell,
		"tellShared": m.tellShared,
	}, nil
}

func countBytes(_ context.Context, n int) ([]byte, error) {
	const most = 4 << 20
	if n < 0 || n > most {
		return nil, fmt.Errorf("bytes: %d is not between 0 and %d", n, most)
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b, nil
}

// count is a stream.
func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// storm calls a function of the peer n times.
func storm(_ context.Context, n int, fn func(int) error) (int, error) {
	for i := range n {
		if err := fn(i); err != nil {
			return i, err
		}
	}
	return n, nil
}

// room sends texts to all connections that have joined.
type room struct{ *rooms.Room[string] }

func newRoom() (room, error) {
	hub, err := rooms.NewHub[string](nil)
	if err != nil {
		return room{}, err
	}
	return room{hub.Room("bench")}, nil
}

func (r room) join(ctx context.Context, member func(string)) error {
	_, err := r.Join(ctx, member, nil)
	return err
}

func (r room) say(ctx context.Context, text string) error {
	_, err := r.Publish(ctx, text)
	return err
}

// burst sends n messages to all members and returns how many deliveries that are.
func (r room) burst(ctx context.Context, n int, text string) (int, error) {
	for range n {
		if _, err := r.Publish(ctx, text); err != nil {
			return 0, err
		}
	}
	return n * r.Members(), nil
}
