package kkrpc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

type requiredUser struct {
	Name string   `json:"name"`
	Age  *int     `json:"age"`
	Tags []string `json:"tags,omitempty"`
}

// requiredAPI takes a user in every place that a peer can write to.
func requiredAPI() kkrpc.Object {
	return kkrpc.Object{
		"create": func(u requiredUser) string { return u.Name },
		"all":    func(users ...requiredUser) int { return len(users) },
		"user":   kkrpc.NewProperty(requiredUser{}),
		"User":   kkrpc.Constructor(func(u requiredUser) *requiredUser { return &u }),
	}
}

// TestRequireMembers has requests without the required member of their argument be refused, if the option or the API says so.
func TestRequireMembers(t *testing.T) {
	type object = map[string]any
	compiled, err := kkrpc.Expose(requiredAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		opts   kkrpc.Options
		strict bool
	}{
		{"by default", kkrpc.Options{Expose: compiled}, false},
		{"by the option", kkrpc.Options{Expose: compiled, RequireMembers: true}, true},
		{"by the API", kkrpc.Options{Expose: compiled.RequireMembers()}, true},
		{"of an API in a namespace", kkrpc.Options{Expose: kkrpc.Object{"users": compiled.RequireMembers()}}, false},
	} {
		for _, d := range dialects {
			t.Run(row.name+"/"+d.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					ctx := t.Context()
					_, c := pair(t, row.opts, kkrpc.Options{Dialect: d})
					prefix := ""
					if strings.Contains(row.name, "namespace") {
						prefix = "users."
					}
					for _, request := range []struct {
						what string
						do   func(u any) error
					}{
						{prefix + "create: argument 1", func(u any) error { return c.Call(ctx, nil, prefix+"create", u) }},
						{prefix + "all: argument 2", func(u any) error { return c.Call(ctx, nil, prefix+"all", object{"name": "Eve"}, u) }},
						{prefix + "user", func(u any) error { return kkrpc.Set(ctx, c, prefix+"user", u) }},
					} {
						if err := request.do(object{"name": "Ada"}); err != nil {
							t.Errorf("%s: with what is required: %v", request.what, err)
						}
						err := request.do(object{"age": 5})
						e, refused := errors.AsType[*kkrpc.Error](err)
						if refused != row.strict || refused && (d == kkrpc.Compact || d == kkrpc.CompactSuperJSON) && e.Name != "TypeError" {
							t.Errorf("%s: got %v", request.what, err)
						}
						if want := request.what + ".name: expected string, got undefined"; refused && !strings.Contains(e.Message, want) {
							t.Errorf("got %q, want %q", e.Message, want)
						}
					}
				})
			})
		}
	}
}

// Calls back to this side are requests too.
func TestRequireMembersOfCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		got := make(chan error, 1)
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"each": func(tell func(u map[string]any)) {
			tell(map[string]any{"age": 5})
		}}}, kkrpc.Options{RequireMembers: true, OnError: func(err error) { got <- err }})
		called := false
		if err := c.Call(t.Context(), nil, "each", func(requiredUser) { called = true }); err != nil {
			t.Fatal(err)
		}
		if err := <-got; called || !strings.Contains(err.Error(), "expected string, got undefined") {
			t.Errorf("the function ran: %t, and the error is %v", called, err)
		}
	})
}

func TestRequireMembersWithoutChannel(t *testing.T) {
	compiled, err := kkrpc.Expose(requiredAPI())
	if err != nil {
		t.Fatal(err)
	}
	request := []byte(`{"t":"q","id":"q","op":"call","p":["create"],"a":[{"age":1}]}`)
	for _, row := range []struct {
		api  *kkrpc.API
		opts *kkrpc.Options
		want string
	}{
		{compiled, nil, `"v":""`},
		{compiled, &kkrpc.Options{RequireMembers: true}, "create: argument 1.name: expected string, got undefined"},
		{compiled.RequireMembers(), nil, "create: argument 1.name: expected string, got undefined"},
	} {
		answer, err := row.api.Answer(t.Context(), request, row.opts)
		if err != nil || !strings.Contains(string(answer), row.want) {
			t.Errorf("got %s, %v, want %s", answer, err, row.want)
		}
	}
}
