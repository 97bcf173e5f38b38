package studioclient

import (
	"context"
	"iter"
	"time"
)

//go:generate go run github.com/kkrpc-go/kkrpc/cmd/kkrpc gen go . --type Funcs -o funcs.gen.go

// Funcs is a Studio as a Go program declares it.
type Funcs struct {
	Greet     func(ctx context.Context, name string, greeting ...string) (string, error)
	Count     func(ctx context.Context, to int) iter.Seq2[int, error]
	FailAfter func(ctx context.Context, n int) iter.Seq2[int, error]
	Total     func(ctx context.Context, numbers iter.Seq[int]) (int, error)
	Double    func(ctx context.Context, numbers <-chan int) iter.Seq2[int, error]
	Watch     func(ctx context.Context, onPrice func(id string, price *float64, at time.Time)) error
	Reserve   func(ctx context.Context, id string, count *int) error
	Note      func(line string) error `kkrpc:",notify"`
	Notes     func(ctx context.Context) ([]string, error)
	Theme     func(ctx context.Context) (string, error)                              `kkrpc:",get"`
	SetTheme  func(ctx context.Context, theme string) error                          `kkrpc:"theme,set"`
	Settings  func(ctx context.Context) (map[string]any, error)                      `kkrpc:",get"`
	Counter   func(ctx context.Context, start int, names ...string) (Counter, error) `kkrpc:"Counter,new"`
	Nested    struct {
		Level    func(ctx context.Context) (int, error)     `kkrpc:",get"`
		SetLevel func(ctx context.Context, level int) error `kkrpc:"level,set"`
	} `kkrpc:"nested"`
	Math struct {
		Multiply func(ctx context.Context, a, b float64) (float64, error)
	} `kkrpc:"math"`
}
