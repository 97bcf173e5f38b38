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

// Account stays in Go; clients hold references to it.
type Account interface {
	Owner() string
	// Deposit returns the new balance.
	Deposit(amount int) (balance int)
}

type account struct {
	owner   string
	mu      sync.Mutex
	balance int
}

func (a *account) Owner() string { return a.owner }

func (a *account) Deposit(amount int) (balance int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += amount
	return a.balance
}

func open(owner string) kkrpc.RefTo[Account] {
	return kkrpc.ProxyTo[Account](&account{owner: owner})
}

// transfer gets references back that open gave out.
func transfer(from, to kkrpc.RefTo[Account], amount int) error {
	a, ok := from.Value() // the very account
	b, ok2 := to.Value()
	if !ok || !ok2 {
		return &kkrpc.Error{Name: "TypeError", Message: "transfer wants two accounts of this server"}
	}
	a.Deposit(-amount)
	b.Deposit(amount)
	return nil
}

// Approve is a function of the client. It answers, unlike a callback, and may be anywhere in data.
type Approve func(name string) bool

// Log is an object of the client.
type Log interface {
	// Append returns the number of lines.
	Append(line string) (lines int)
}

type job struct {
	Name    string               `json:"name"`
	Approve kkrpc.RefTo[Approve] `json:"approve"`
	Log     kkrpc.RefTo[Log]     `json:"log"`
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
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
