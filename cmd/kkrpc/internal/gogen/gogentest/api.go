// Package gogentest has clients that kkrpc gen go has written. Its tests run them.
package gogentest

import (
	"context"
	"iter"
	"math/big"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

//go:generate go run github.com/kkrpc-go/kkrpc/cmd/kkrpc gen go . --type Server -o server.gen.go
//go:generate go run github.com/kkrpc-go/kkrpc/cmd/kkrpc gen go . --type Funcs -o funcs.gen.go
//go:generate go run github.com/kkrpc-go/kkrpc/cmd/kkrpc gen go . --type Account -o account.gen.go

// Server has a method of each form.
type Server interface {
	// Add adds, and Greet greets.
	Add(ctx context.Context, a, b float64) (float64, error)
	Greet(ctx context.Context, name string) (string, error)
	Flip(ctx context.Context, on bool) (bool, error)
	Find(ctx context.Context, id int) (*User, error)
	List(ctx context.Context, where Filter, limit *int) (Page[User], error)
	Factorial(n int64) (*big.Int, error)
	Tomorrow(ctx context.Context, day time.Time) (time.Time, error)
	Reverse(ctx context.Context, data []byte) ([]byte, error)
	Sum(ctx context.Context, start float64, numbers ...float64) (float64, error)
	Copy(ctx context.Context, files []string, progress func(done, total int) error) error
	Count(ctx context.Context, to int) iter.Seq2[int, error]
	Total(ctx context.Context, numbers iter.Seq[int]) (int, error)
	Fail(ctx context.Context) error
	Log(line string)
	Open(ctx context.Context, owner string) (*kkrpc.Ref, error)
	Account(ctx context.Context, like *kkrpc.RefTo[Account]) (kkrpc.RefTo[Account], error)
}

// Account is what references are to.
type Account interface {
	Deposit(ctx context.Context, amount int) (balance int, err error)
	// Watch calls watcher at each change, until it says false.
	Watch(ctx context.Context, watcher kkrpc.RefTo[func(balance int) bool]) error
}

// User is a struct that both sides know.
type User struct {
	ID   int      `json:"id"`
	Name string   `json:"name"`
	Tags []string `json:"tags,omitempty"`
}

// Filter maps names of fields to the values that are wanted.
type Filter map[string]any

// Page is a part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	Next  int `json:"next"`
}

// Point is an instance that crosses as data.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Funcs is for kkrpc.Remote.
type Funcs struct {
	Greet func(ctx context.Context, name string) (string, error) `kkrpc:"sayHello"`
	// Math is a namespace.
	Math struct {
		Multiply func(ctx context.Context, a, b float64) (float64, error)
		Deep     struct {
			Ping func() (string, error)
		}
	}
	Theme    func(ctx context.Context) (string, error)              `kkrpc:"theme,get"`
	SetTheme func(ctx context.Context, theme string) error          `kkrpc:"theme,set"`
	Point    func(ctx context.Context, x, y float64) (Point, error) `kkrpc:"Point,new"`
	Note     func(line string) error                                `kkrpc:",notify"`
	Tick     func(func(time.Time, error) bool)                      `kkrpc:"-"`
	Ticks    func() iter.Seq2[int, error]
}
