package replay

import (
	"context"
	"errors"

	"github.com/kkrpc-go/kkrpc"
)

// referring is the API of the scenarios with references. Its state is that of one recording.
func referring(*recording) any {
	value := kkrpc.NewProperty(1)
	object := func() kkrpc.Object {
		return kkrpc.Object{
			"value": value,
			"nested": kkrpc.Object{
				"k":    kkrpc.NewProperty("v"),
				"base": 100,
				"fn":   func(x int) int { return x + 100 },
			},
			"inc": func(by *int) int {
				n := 1
				if by != nil {
					n = *by
				}
				value.Set(value.Get() + n)
				return value.Get()
			},
			"fail": func() error { return errors.New("ref method failed") },
		}
	}
	// The original has one id for an object, and another one for it as a property of a certain object.
	obj, property := object(), object()
	fn := func(x int) int { return x * 2 }
	open := func() *kkrpc.Ref { return kkrpc.Proxy(obj) }
	return kkrpc.Object{
		"open":  open,
		"getFn": func() *kkrpc.Ref { return kkrpc.Proxy(fn) },
		"getNested": func() any {
			return map[string]any{
				"list": []any{kkrpc.Proxy(fn), 1},
				"o":    map[string]any{"ref": kkrpc.Proxy(property)},
			}
		},
		"plainFn": func() any { return fn },
		"applyTwice": func(ctx context.Context, f *kkrpc.Ref, x int) (int, error) {
			err := f.Apply(ctx, &x, x)
			if err == nil {
				err = f.Apply(ctx, &x, x)
			}
			return x, err
		},
		"callMethod": func(ctx context.Context, o *kkrpc.Ref) (string, error) {
			return kkrpc.Call[string](ctx, o, "hello", "server")
		},
		"readProp": func(ctx context.Context, o *kkrpc.Ref) (string, error) { return kkrpc.Get[string](ctx, o, "name") },
		"same":     func(o *kkrpc.Ref) bool { return o == open() || isObject(o, obj) },
		"sameFn":   func(f *kkrpc.Ref) bool { _, own := f.Value().(func(int) int); return own },
		"releaseIt": func(ctx context.Context, f *kkrpc.Ref) (string, error) {
			if err := f.Release(ctx); err != nil {
				return "", err
			}
			if err := f.Apply(ctx, nil, 1); !errors.Is(err, kkrpc.ErrReleased) {
				return "", err
			}
			return "RPCRemoteReferenceReleasedError", nil
		},
		"isRemote": func(o *kkrpc.Ref) bool { return o.Value() == nil },
		"throwRef": func() error {
			return &kkrpc.Error{Message: "with ref", Fields: map[string]any{"handler": kkrpc.Proxy(fn)}}
		},
		"echo": func(v any) any { return v },
		"cbObj": func(ctx context.Context, o struct{ OnProgress *kkrpc.Ref }) (n int, err error) {
			err = o.OnProgress.Apply(ctx, &n, 7)
			return n, err
		},
	}
}

// isObject reports whether ref is that of the very map want.
func isObject(ref *kkrpc.Ref, want kkrpc.Object) bool {
	o, ok := ref.Value().(kkrpc.Object)
	if !ok {
		return false
	}
	o["mark"] = nil
	defer delete(o, "mark")
	_, same := want["mark"]
	return same
}

func firing(*recording) any {
	type data struct {
		A int `json:"a"`
	}
	return kkrpc.Object{"fire": func(cb func(int, data)) string {
		cb(1, data{1})
		return "undefined"
	}}
}

// passed is what the client of the scenario refs-from-client passes by reference, in that order.
func passed() []*kkrpc.Ref {
	same := func(x any) any { return x }
	return []*kkrpc.Ref{
		kkrpc.Proxy(func(x int) int { return x + 3 }),
		kkrpc.Proxy(kkrpc.Object{"hello": func(who string) string { return "hello " + who }}),
		kkrpc.Proxy(kkrpc.Object{"name": "client object"}),
		kkrpc.Proxy(same),
		kkrpc.Proxy(kkrpc.Object{}),
		kkrpc.Proxy(func() int { return 1 }),
		kkrpc.Proxy(func(n int) int { return n + 1 }),
		kkrpc.Proxy(func(x string) string { return x }),
	}
}
