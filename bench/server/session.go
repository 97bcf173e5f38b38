//go:build !js

package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
)

// session is what a connection has of its own, with an API that is made for it. The methods have the signatures of the
// functions in the shared API, so that the two can be compared.
type session struct {
	client string
	orders []int
}

// sessionFunctions is how many functions the API of a session has at least.
const sessionFunctions = 6

// newSessions returns what ws.HandlerFor calls for each connection. The APIs have n functions.
func newSessions(n int) (func(*http.Request) (any, error), error) {
	if n < sessionFunctions {
		return nil, fmt.Errorf("-per-connection %d: at least %d functions", n, sessionFunctions)
	}
	hall, err := newRoom()
	if err != nil {
		return nil, err
	}
	return func(r *http.Request) (any, error) {
		s := &session{client: r.RemoteAddr}
		api := kkrpc.Object{
			"math":       kkrpc.Object{"add": s.add},
			"placeOrder": s.placeOrder,
			"getUsers":   s.getUsers,
			"storm":      storm,
			"join":       hall.join,
			"burst":      hall.burst,
		}
		s.others(api, n-sessionFunctions)
		return api, nil
	}, nil
}

func (s *session) add(_ context.Context, a, b float64) (float64, error) { return a + b, nil }

func (s *session) placeOrder(_ context.Context, order Order) (Receipt, error) {
	return placeOrder(order)
}

func (s *session) getUsers() []User { return getUsers() }

// others adds n functions, of signatures that APIs have. Nobody calls them.
func (s *session) others(api kkrpc.Object, n int) {
	signatures := []any{
		func(_ context.Context, id int) (User, error) { return getUser(id) },
		func(user User) (User, error) { return user, nil },
		func(_ context.Context, id int, tags []string) error { return nil },
		func(id string) bool { return id == s.client },
		func() string { return s.client },
		func(n int) []int { return s.orders[:min(max(n, 0), len(s.orders))] },
		func(_ context.Context, filter map[string]string) ([]Order, error) { return nil, nil },
		func(_ context.Context, listener func(Receipt)) error { return nil },
	}
	for i := range n {
		group, ok := api[groups[i/len(signatures)%len(groups)]].(kkrpc.Object)
		if !ok {
			group = kkrpc.Object{}
			api[groups[i/len(signatures)%len(groups)]] = group
		}
		group[fmt.Sprint("function", i)] = signatures[i%len(signatures)]
	}
}

var groups = []string{"users", "orders", "stock", "shipping", "reports"}
