package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/big"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type meeting struct {
	Title      string
	Start, End time.Time
	Who        []string
}

type serverAPI struct {
	Greet    func(ctx context.Context, name string) (string, error)
	Calendar struct {
		Book   func(ctx context.Context, title string, start time.Time, minutes int, who []string) (meeting, error)
		Busy   func(ctx context.Context) (*superjson.Map, error)
		Export func(ctx context.Context) ([]byte, error)
		Clear  func(ctx context.Context) error
	}
	EpochNanoseconds func(ctx context.Context, at time.Time) (*big.Int, error)
}

func run(ctx context.Context) error {
	ch, err := ws.Dial(ctx, "ws://localhost:3000/ws", &ws.DialOptions{RPC: kkrpc.Options{
		Dialect: kkrpc.CompactSuperJSON, // for Map and bigint
	}})
	if err != nil {
		return err
	}
	defer ch.Close()
	api := kkrpc.Remote[serverAPI](ch)

	greeting, err := api.Greet(ctx, "World")
	if err != nil {
		return err
	}
	fmt.Println(greeting)

	if err := api.Calendar.Clear(ctx); err != nil {
		return err
	}
	monday := time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
	planning, err := api.Calendar.Book(ctx, "Planning", monday, 90, []string{"Ada", "Eve"})
	if err != nil {
		return err
	}
	fmt.Println(planning.End)

	_, err = api.Calendar.Book(ctx, "Lunch", monday, 60, nil)
	var thrown *kkrpc.Error
	if !errors.As(err, &thrown) {
		return err
	}
	fmt.Println(thrown.Message, "until", thrown.Fields["until"])

	busy, err := api.Calendar.Busy(ctx)
	if err != nil {
		return err
	}
	for _, e := range busy.Entries() {
		fmt.Println(e.Key, e.Value)
	}

	file, err := api.Calendar.Export(ctx)
	if err != nil {
		return err
	}
	fmt.Print(string(file))

	ns, err := api.EpochNanoseconds(ctx, monday)
	if err != nil {
		return err
	}
	fmt.Println(ns)
	return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
