package replay

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// properties is the API of the property scenarios. An array is a namespace of its indexes: in Go only what is registered
// can be read.
func properties(r *recording) any {
	var promised any = "from promise"
	if r.server.classic() {
		promised = struct{}{} // which does not wait for a promise
	}
	return kkrpc.Object{
		"version": "1.0.0",
		"n":       kkrpc.NewProperty[any](0),
		"f":       false,
		"u":       superjson.Undefined,
		"nul":     nil,
		"arr":     kkrpc.Object{"0": 1, "1": kkrpc.Object{"x": 2}, "length": 2},
		"settings": kkrpc.Object{
			"theme": kkrpc.NewProperty("light"),
			"deep":  kkrpc.Object{"a": kkrpc.Object{"b": kkrpc.NewProperty[any](1)}},
		},
		"computed": "getter",
		"bad":      kkrpc.ReadOnly[string](func(context.Context) (string, error) { return "", errors.New("getter failed") }),
		"pr":       promised,
		"fn":       func() int { return 1 },
		"frozen":   kkrpc.Object{"k": 1},
	}
}

// assignable is properties, with what the property-set scenario adds to it declared: a peer cannot declare anything.
func assignable(r *recording) any {
	api := properties(r).(kkrpc.Object)
	api["newProp"] = kkrpc.NewProperty[any](superjson.Undefined)
	api["settings"].(kkrpc.Object)["when"] = kkrpc.NewProperty[any](superjson.Undefined)
	return api
}

func constructors(*recording) any {
	type counter struct {
		Count int `json:"count"`
	}
	newCounter := kkrpc.Constructor(func(start *int) (counter, error) {
		if start == nil {
			return counter{}, nil
		}
		if *start < 0 {
			return counter{}, &kkrpc.Error{Name: "RangeError", Message: "negative"}
		}
		return counter{*start}, nil
	})
	return kkrpc.Object{
		"Counter": newCounter,
		"WithCb":  kkrpc.Constructor(func(cb any) any { return map[string]string{"kind": typeOf(cb)} }),
		"ns":      kkrpc.Object{"Counter": newCounter},
		"arrow":   func() int { return 1 },
		"notFn":   5,
	}
}

// crossed is the API of the recordings between different versions.
func crossed(r *recording) any {
	var stream any = func() iter.Seq[int] {
		return func(yield func(int) bool) { _ = yield(1) && yield(2) }
	}
	if r.server.version != "0.7.0" && r.server.variant != "streaming" {
		stream = func() any { return struct{}{} } // which it is where there are no streams
	}
	return kkrpc.Object{
		"greet": func(n string) string { return "Hello " + n },
		"fail": func() error {
			return &kkrpc.Error{Name: "TypeError", Message: "bad", Fields: map[string]any{"code": "E"}}
		},
		"date": func() time.Time { return time.Unix(0, 0) },
		"cb": func(f func(int)) string {
			f(1)
			return "ok"
		},
		"version": kkrpc.NewProperty("1"),
		"Counter": kkrpc.Constructor(func() any { return map[string]int{"n": 1} }),
		"stream":  stream,
	}
}

func metadata(*recording) any {
	return kkrpc.Object{
		"hi": func() string { return "hi" },
		"p":  5,
	}
}

// showMetadata puts into the result what the recorded server's plugin put into it.
func showMetadata(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	result, err := next(ctx, r)
	answer := map[string]any{"v": result, "meta": nil, "method": r.Path, "op": r.Operation}
	if r.Metadata != nil {
		answer["meta"] = r.Metadata
	}
	return answer, err
}
