package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestRemote(t *testing.T) {
	type counter struct {
		Start int `json:"start"`
	}
	type serverAPI struct {
		Greet    func(ctx context.Context, name string) (string, error)
		GetURL   func() (string, error)
		Sum      func(ctx context.Context, numbers ...float64) (float64, error)
		Notify   func(message string)
		Fail     func(ctx context.Context) error
		Progress func(ctx context.Context, n int, progress func(i int)) error
		Renamed  func() (int, error) `kkrpc:"other"`
		Math     struct {
			Multiply func(ctx context.Context, a, b float64) (float64, error)
			Deep     struct{ Ping func() (string, error) } `kkrpc:"inner"`
		}
		Theme    func(ctx context.Context) (string, error)             `kkrpc:"theme,get"`
		SetTheme func(ctx context.Context, theme string) error         `kkrpc:"theme,set"`
		Counter  func(ctx context.Context, start int) (counter, error) `kkrpc:"Counter,new"`
		Version  func() (string, error)                                `kkrpc:",get"`
		Ignored  chan int                                              `kkrpc:"-"`
		private  int
	}
	notified, theme := "", kkrpc.NewProperty("light")
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{
		"greet":  func(name string) string { return "Hello, " + name },
		"getURL": func() string { return "http://x" },
		"sum": func(numbers ...float64) (sum float64) {
			for _, n := range numbers {
				sum += n
			}
			return sum
		},
		"notify": func(message string) { notified = message },
		"fail":   func() error { return &kkrpc.Error{Name: "DomainError", Message: "no"} },
		"progress": func(n int, progress func(i int)) {
			for i := range n {
				progress(i)
			}
		},
		"other":   func() int { return 7 },
		"theme":   theme,
		"version": "1.0",
		"Counter": kkrpc.Constructor(func(start int) counter { return counter{start} }),
		"math": kkrpc.Object{
			"multiply": func(a, b float64) float64 { return a * b },
			"inner":    kkrpc.Object{"ping": func() string { return "pong" }},
		},
	}}, kkrpc.Options{})
	for range 2 { // the second comes from the cache
		theme.Set("light")
		api := kkrpc.Remote[serverAPI](c)
		ctx := t.Context()
		var steps []int
		api.Notify("hello")
		var e *kkrpc.Error
		for what, got := range map[string]any{
			`Hello, Ada <nil>`: results(api.Greet(ctx, "Ada")),
			`http://x <nil>`:   results(api.GetURL()),
			`6 <nil>`:          results(api.Sum(ctx, 1, 2, 3)),
			`0 <nil>`:          results(api.Sum(ctx)),
			`true`:             errors.As(api.Fail(ctx), &e) && e.Name == "DomainError",
			`<nil>`:            api.Progress(ctx, 3, func(i int) { steps = append(steps, i) }),
			`7 <nil>`:          results(api.Renamed()),
			`24 <nil>`:         results(api.Math.Multiply(ctx, 4, 6)),
			`pong <nil>`:       results(api.Math.Deep.Ping()),
			"hello":            notified,
			`light <nil>`:      results(theme.Get(), api.SetTheme(ctx, "dark")),
			`dark <nil>`:       results(api.Theme(ctx)),
			`1.0 <nil>`:        results(api.Version()),
			`{3} <nil>`:        results(api.Counter(ctx, 3)),
		} {
			if fmt.Sprint(got) != what {
				t.Errorf("got %v, want %s", got, what)
			}
		}
		if fmt.Sprint(steps) != "[0 1 2]" {
			t.Errorf("progress was %v", steps)
		}
		if api.Ignored != nil || api.private != 0 {
			t.Error("fields that are no functions were touched")
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := api.Greet(cancelled, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled call returned %v", err)
		}
	}
}

func results[T any](v T, err error) string { return fmt.Sprintf("%v %v", v, err) }

func TestRemotePanicsForWhatCannotBeCalled(t *testing.T) {
	_, c := pair(t, kkrpc.Options{}, kkrpc.Options{})
	for want, try := range map[string]func(){
		"wants a struct of funcs, not int":                     func() { kkrpc.Remote[int](c) },
		"F: func() string must return an error last":           func() { kkrpc.Remote[struct{ F func() string }](c) },
		"F: func() (int, int, error) returns more than":        func() { kkrpc.Remote[struct{ F func() (int, int, error) }](c) },
		"F: parameter 1: time.Duration":                        func() { kkrpc.Remote[struct{ F func(time.Duration) error }](c) },
		"F: parameter 1: func() int cannot be a callback":      func() { kkrpc.Remote[struct{ F func(func() int) error }](c) },
		"F: result: nothing can be decoded into the interface": func() { kkrpc.Remote[struct{ F func() (fmt.Stringer, error) }](c) },
		"DB: want a func or a struct of them, not *int":        func() { kkrpc.Remote[struct{ DB *int }](c) },
		`F: the tag has the option "notfy"; want notify, get, set or new`: func() {
			kkrpc.Remote[struct {
				F func() error `kkrpc:"f,notfy"`
			}](c)
		},
		"F: func() (int, error) is to notify and returns a value": func() {
			kkrpc.Remote[struct {
				F func() (int, error) `kkrpc:",notify"`
			}](c)
		},
		"F: func(context.Context) error is to notify and takes a context": func() {
			kkrpc.Remote[struct {
				F func(context.Context) error `kkrpc:",notify"`
			}](c)
		},
		`N: the tag has the option "bogus"; a namespace has none`: func() {
			kkrpc.Remote[struct {
				N struct{ F func() error } `kkrpc:"n,bogus"`
			}](c)
		},
		"When: time.Time has nothing to call": func() { kkrpc.Remote[struct{ When time.Time }](c) },
		"F: func(int) (int, error) is to get a property": func() {
			kkrpc.Remote[struct {
				F func(int) (int, error) `kkrpc:",get"`
			}](c)
		},
		"F: func(...int) error is to set a property": func() {
			kkrpc.Remote[struct {
				F func(...int) error `kkrpc:",set"`
			}](c)
		},
		"F: func() error is to construct": func() {
			kkrpc.Remote[struct {
				F func() error `kkrpc:",new"`
			}](c)
		},
		`F: "a.b" cannot be called`: func() {
			kkrpc.Remote[struct {
				F func() error `kkrpc:"a.b"`
			}](c)
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
					t.Errorf("got panic %q, want %q", got, want)
				}
			}()
			try()
		}()
	}
}
