package wasm

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type claims struct {
	Sub   string   `json:"sub"`
	Roles []string `json:"roles"`
	N     int      `json:"n"`
}

// TestValues decodes what the host answers.
func TestValues(t *testing.T) {
	var typeErr *superjson.TypeError
	for _, row := range []struct {
		name   string
		answer string // of the host
		kind   valueKind
		want   claims
		err    string
	}{
		{"a value", "\x01" + `{"sub":"Ada","roles":["a"]}`, variable, claims{Sub: "Ada", Roles: []string{"a"}}, ""},
		{"not set", "\x00no middleware", variable, claims{}, `wasm: variable "x": not set: no middleware`},
		{"no JSON", "\x02it has no JSON: a function", variable, claims{}, `wasm: variable "x": it has no JSON: a function`},
		{"the connection has ended", "", variable, claims{}, `wasm: variable "x": the connection has ended`},
		{"another type", "\x01[1]", variable, claims{}, `wasm: variable "x": superjson: expected object, got array`},
		{"another type within, behind what fits", "\x01" + `{"sub":"Ada","n":"one"}`, variable, claims{},
			`wasm: variable "x": superjson: n: expected integer, got string`},
		{"a variable that is JSON as text", "\x01" + `"{\"sub\":\"Ada\"}"`, variable, claims{}, "expected object, got string"},
		{"an environment variable that is JSON as text", "\x01" + `"{\"sub\":\"Ada\"}"`, environment, claims{Sub: "Ada"}, ""},
		{"an environment variable that is other JSON as text", "\x01" + `"{\"sub\":\"Ada\",\"n\":\"one\"}"`, environment, claims{},
			`wasm: environment variable "x": superjson: expected object, got string`},
		{"an environment variable that is no JSON", "\x01" + `"s3cret"`, environment, claims{},
			`wasm: environment variable "x": superjson: expected object, got string`},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := start(nil, nil)
			s.host.values = func(_ int32, kind valueKind, name string, _ int) []byte {
				if kind != row.kind || name != "x" {
					t.Errorf("the host was asked for %v %q", kind, name)
				}
				return []byte(row.answer)
			}
			r := &Request{server: s.server, conn: &conn{}}
			read := Var[claims]
			if row.kind == environment {
				read = Env[claims]
			}
			got, err := read(r.Context(), "x")
			if !cmp.Equal(got, row.want) || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
				t.Errorf("got %v, %v; want %v and an error with %q", got, err, row.want, row.err)
			}
			if errors.Is(err, ErrNotSet) != (row.answer != "" && row.answer[0] == answerUnset) {
				t.Errorf("%v: wraps ErrNotSet: %v", err, errors.Is(err, ErrNotSet))
			}
			if errors.As(err, &typeErr) != strings.Contains(row.err, "expected") {
				t.Errorf("%v: wraps a *superjson.TypeError: %v", err, errors.As(err, &typeErr))
			}
		})
	}
}

// TestValuesOfNoConnection has contexts and requests that come from elsewhere.
func TestValuesOfNoConnection(t *testing.T) {
	for _, ctx := range []context.Context{context.Background(), (&Request{}).Context()} {
		if _, err := Var[string](ctx, "x"); err == nil || !strings.Contains(err.Error(), "of no connection in Hono") {
			t.Errorf("got %v", err)
		}
	}
}

// TestValuesOfConnections has functions, ServeFor and OnOpen ask for those of their own connection.
func TestValuesOfConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened []string
		read := func(ctx context.Context) string {
			text, err := Var[string](ctx, "user")
			return errors.Join(errors.New(text), err).Error()
		}
		s := start(func(r *Request) (any, error) {
			first := read(r.Context())
			return kkrpc.Object{"greet": func(ctx context.Context, _ string) string { return first + " " + read(ctx) }}, nil
		}, &Options{MaxValue: 77, OnOpen: func(_ *kkrpc.Channel, r *Request) { opened = append(opened, read(r.Context())) }})
		s.host.values = func(id int32, _ valueKind, name string, most int) []byte {
			if name != "user" || most != 77 {
				t.Errorf("the host was asked for %q of %d bytes", name, most)
			}
			return []byte{answerValue, '"', byte('A' + id), '"'}
		}
		for id := range int32(2) {
			s.connect(id, "")
			s.message(id, []byte(greet), true)
			want := string([]byte{byte('A' + id), ' ', byte('A' + id)})
			if got := s.answers(id); len(got) != 1 || !strings.Contains(got[0], want) {
				t.Errorf("connection %d was answered %q, want %q", id, got, want)
			}
			s.hangUp(id, closeNormal)
		}
		synctest.Wait()
		if want := []string{"A", "B"}; !cmp.Equal(opened, want) {
			t.Errorf("OnOpen read %q, want %q", opened, want)
		}
	})
}
