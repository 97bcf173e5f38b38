package main

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// User has 20 fields.
type User struct {
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
	var members room
	return kkrpc.Object{
		"math":  kkrpc.Object{"add": add},
		"add":   add,
		"echo":  echo,
		"user":  func(_ context.Context, u User) (User, error) { return u, nil },
		"bytes": countBytes,
		"count": count,
		"storm": storm,
		"join":  members.join,
		"burst": members.burst,
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

// room has functions of peers who want to be told.
type room struct {
	mu      sync.Mutex
	members []func(*kkrpc.Shared) error
}

func (r *room) join(_ context.Context, member func(*kkrpc.Shared) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, member)
	return nil
}

// burst sends n messages to all members and returns how many it sent.
func (r *room) burst(_ context.Context, n int, text string) (int, error) {
	r.mu.Lock()
	members := r.members
	r.mu.Unlock()
	sent := 0
	for range n {
		message := kkrpc.Share(text)
		for _, member := range members {
			if err := member(message); err == nil {
				sent++
			}
		}
	}
	return sent, nil
}
