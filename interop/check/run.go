// Package check is a client of the conformance API: a table of checks that any kkrpc server which exposes that API is
// held to, as far as its version of kkrpc can do what they need.
package check

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// timeout bounds one check.
const timeout = 5 * time.Second

// Config says which server is checked.
type Config struct {
	// Dial opens a channel with rpc. Nil dials the WebSocket at URL; checks that need one are left out otherwise.
	Dial func(ctx context.Context, rpc kkrpc.Options) (*kkrpc.Channel, error)

	URL     string
	Dialect kkrpc.Dialect // what the server speaks
	Peer    string        // its version of kkrpc, one of Peers
	Channel Channel       // the kind of its channels, where Peer is 2.1.0
}

// Result is how one check ended.
type Result struct {
	Name string
	Err  error // nil: passed
	Took time.Duration
}

// Run makes every check that applies to the server, one after the other, and tells report of each. It gives up when three
// got no answer. The error is that of connecting.
func Run(ctx context.Context, config Config, report func(Result)) (passed, failed int, err error) {
	can, err := featuresOf(config)
	if err != nil {
		return 0, 0, err
	}
	t := &target{Config: config, can: can}
	if t.ch, err = t.dial(ctx, kkrpc.Options{}); err != nil {
		return 0, 0, err
	}
	defer t.ch.Close()
	unanswered := 0
	for _, c := range all() {
		if c.needs&^can != 0 || c.unless&can != 0 {
			continue
		}
		if unanswered == 3 {
			break // the server is gone, and the rest would only take long to say so
		}
		start := time.Now()
		err := t.run(ctx, c)
		if err != nil {
			failed++
			if errors.Is(err, context.DeadlineExceeded) {
				unanswered++
			}
		} else {
			passed++
		}
		report(Result{Name: c.name, Err: err, Took: time.Since(start)})
	}
	return passed, failed, nil
}

// check is one row of the table.
type check struct {
	name   string
	needs  feature // what the peer must be able to do
	unless feature // what the peer must not be able to do
	run    func(ctx context.Context, t *target) error
}

func all() (checks []check) {
	for _, part := range [][]check{
		basicChecks(), echoChecks(), errorChecks(), reverseChecks(), concurrencyChecks(), callbackChecks(),
		propertyChecks(), valueChecks(), streamChecks(), lifeChecks(), robustChecks(), referenceChecks(),
	} {
		checks = append(checks, part...)
	}
	return checks
}

// target is the server under check.
type target struct {
	Config
	can feature
	ch  *kkrpc.Channel
}

func (t *target) run(ctx context.Context, c check) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return c.run(ctx, t)
}

// dial opens a further connection, on which the client API is exposed.
func (t *target) dial(ctx context.Context, rpc kkrpc.Options) (*kkrpc.Channel, error) {
	rpc.Expose = clientAPI
	rpc.Dialect = t.Dialect
	rpc.ErrorText = t.Peer == "0.2.2"
	if t.Dial != nil {
		return t.Dial(ctx, rpc)
	}
	return ws.Dial(ctx, t.URL, &ws.DialOptions{RPC: rpc})
}

var clientInfo = map[string]any{"name": "go-client", "version": "1"}

var clientAPI = kkrpc.Object{
	"getClientInfo": func() map[string]any { return clientInfo },
	"notify":        func(message string) string { return "received: " + message },
	"fail":          func() error { return &kkrpc.Error{Name: "ClientError", Message: "client failure"} },
}

// same is an error unless got is want.
func same(got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("got %#v, want %#v", got, want)
	}
	return nil
}

// returns calls path and compares the result, decoded as a T.
func returns[T any](want T, path string, args ...any) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		got, err := kkrpc.Call[T](ctx, t.ch, path, args...)
		if err != nil {
			return err
		}
		return same(got, want)
	}
}
