package kkrpc_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

type chosen struct{ details []string } // not comparable

func (chosen) Error() string { return "chosen" }

func (c chosen) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "Chosen", Message: "chosen for the peer", Fields: map[string]any{"count": len(c.details)}}
}

func TestJoinedErrorsKeepTheirTexts(t *testing.T) {
	missing := &kkrpc.Error{Name: "NotFound", Message: "no such user", Fields: map[string]any{"id": 7.0}}
	disk := errors.New("close: disk full")
	rows := map[string]struct {
		err           error
		name, message string
		fields        int
	}{
		"alone":              {missing, "NotFound", "no such user", 1},
		"wrapped":            {fmt.Errorf("secret: %w", missing), "NotFound", "no such user", 1},
		"joined":             {errors.Join(missing, disk), "NotFound", "no such user\nclose: disk full", 1},
		"joined behind":      {errors.Join(disk, nil, missing), "NotFound", "close: disk full\nno such user", 1},
		"two":                {errors.Join(missing, &kkrpc.Error{Name: "Gone", Message: "b"}), "NotFound", "no such user\nGone: b", 1},
		"wrapped and joined": {fmt.Errorf("all: %w", errors.Join(fmt.Errorf("secret: %w", missing), fmt.Errorf("close: %w", disk))), "NotFound", "no such user\nclose: close: disk full", 1},
		"two verbs":          {fmt.Errorf("%w and %w", disk, missing), "NotFound", "close: disk full\nno such user", 1},
		"chosen":             {errors.Join(disk, chosen{[]string{"a", "b"}}, chosen{}), "Chosen", "close: disk full\nchosen for the peer\nchosen", 1},
		"others":             {errors.Join(disk, disk), "Error", "close: disk full\nclose: disk full", 0},
		"without a message":  {errors.Join(&kkrpc.Error{Name: "Odd"}, disk), "Odd", "Odd\nclose: disk full", 0},
	}
	api, causes := kkrpc.Object{}, kkrpc.Object{}
	for name, row := range rows {
		api[name] = func() error { return row.err }
		causes[name] = func() error { return &kkrpc.Error{Message: "outer", Cause: row.err} }
	}
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"api": api, "causes": causes}}, kkrpc.Options{Dialect: d})
			for name, row := range rows {
				_, err := kkrpc.Call[any](t.Context(), c, "api."+name)
				got, ok := errors.AsType[*kkrpc.Error](err)
				if !ok || got.Name != row.name || got.Message != row.message || len(got.Fields) != row.fields {
					t.Errorf("%v: %s: got %+v", d, name, got)
				}
				if name == "chosen" {
					continue // an error that chooses its form is found before the one around it
				}
				_, err = kkrpc.Call[any](t.Context(), c, "causes."+name)
				if outer, ok := errors.AsType[*kkrpc.Error](err); !ok {
					t.Errorf("%v: %s: got %v", d, name, err)
				} else if cause, ok := errors.AsType[*kkrpc.Error](outer.Cause); !ok || cause.Name != row.name || cause.Message != row.message {
					t.Errorf("%v: the cause %s: got %+v", d, name, outer)
				}
			}
		})
	}
	if missing.Message != "no such user" {
		t.Error("the error has changed")
	}
}

// A refusing API answers every operation on every path with its error, in each dialect.
func TestRefuse(t *testing.T) {
	api := kkrpc.Refuse(fmt.Errorf("secret: %w", &kkrpc.Error{Name: "Denied", Message: "not for you", Fields: map[string]any{"code": 7.0}}))
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
			_, called := kkrpc.Call[any](t.Context(), c, "a.b", 1)
			_, got := kkrpc.Get[any](t.Context(), c, "a")
			for name, err := range map[string]error{"call": called, "get": got, "set": kkrpc.Set(t.Context(), c, "a.b", 1)} {
				e, ok := errors.AsType[*kkrpc.Error](err)
				if !ok || e.Name != "Denied" || e.Message != "not for you" || e.Fields["code"] != 7.0 {
					t.Errorf("%v: %s: %v", d, name, err)
				}
			}
		})
	}
	if _, err := kkrpc.Expose(kkrpc.Object{"part": api}); err == nil {
		t.Error("a part of an API refuses")
	}
	defer func() {
		if text := recover(); text != "kkrpc: Refuse: the error is nil" {
			t.Errorf("Refuse(nil) panicked with %v", text)
		}
	}()
	kkrpc.Refuse(nil)
}
