package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// NoFunds is an error of the program that says itself how it crosses.
type NoFunds struct{ Balance int }

func (e *NoFunds) Error() string { return fmt.Sprintf("only %d left", e.Balance) }

func (e *NoFunds) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "NoFunds", Message: e.Error(), Fields: map[string]any{"balance": e.Balance}}
}

func withdraw(amount int) (int, error) {
	switch {
	case amount < 0:
		return 0, errors.New("amount must not be negative") // name "Error", this text
	case amount > 100:
		return 0, fmt.Errorf("withdraw %d: %w", amount, &NoFunds{Balance: 100}) // found in the chain
	}
	return 100 - amount, nil
}

// ask calls a function of the client and looks at what it throws.
func ask(ctx context.Context) (string, error) {
	pin, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "enterPIN")
	var thrown *kkrpc.Error
	if errors.As(err, &thrown) {
		return fmt.Sprintf("%s (%s, attempts: %v)", thrown.Message, thrown.Name, thrown.Fields["attempts"]), nil
	}
	return pin, err
}

func main() {
	http.Handle("/ws", ws.Handler(kkrpc.Object{"withdraw": withdraw, "ask": ask}, nil))
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
