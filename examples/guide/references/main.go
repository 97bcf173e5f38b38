package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// account stays in Go; clients hold references to it.
type account struct {
	Owner   kkrpc.ReadOnly[string]
	mu      sync.Mutex
	balance int
}

func (a *account) Deposit(amount int) (balance int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += amount
	return a.balance
}

func open(owner string) *kkrpc.Ref {
	return kkrpc.Proxy(&account{Owner: func(context.Context) (string, error) { return owner, nil }})
}

// transfer gets references back that it gave out: Value is the very account.
func transfer(from, to *kkrpc.Ref, amount int) error {
	a, ok := from.Value().(*account)
	b, ok2 := to.Value().(*account)
	if !ok || !ok2 {
		return &kkrpc.Error{Name: "TypeError", Message: "transfer wants two accounts"}
	}
	a.Deposit(-amount)
	b.Deposit(amount)
	return nil
}

// job holds a reference of the client: a function that answers, unlike a callback, and may be anywhere in data.
type job struct {
	Name    string     `json:"name"`
	Approve *kkrpc.Ref `json:"approve"`
	Log     *kkrpc.Ref `json:"log"`
}

func run(ctx context.Context, j job) (string, error) {
	defer j.Approve.Release(ctx)
	var approved bool
	if err := j.Approve.Apply(ctx, &approved, j.Name); err != nil {
		return "", err
	}
	lines, err := kkrpc.Call[int](ctx, j.Log, "append", fmt.Sprintf("%s approved: %t", j.Name, approved))
	return fmt.Sprintf("%d lines in the log", lines), err
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{"open": open, "transfer": transfer, "run": run}, nil))
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
