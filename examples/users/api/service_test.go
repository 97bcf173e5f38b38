package api_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// client is a connection to a Service, and what it was told.
type client struct {
	*kkrpc.Channel
	mu      sync.Mutex
	updates []api.User
	deletes []string
}

func newService(t *testing.T, store api.Store, opts *api.Options) *api.Service {
	t.Helper()
	service, err := api.New(store, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	return service
}

// connect connects a client. asked is that of TextErrors.
func connect(t *testing.T, service *api.Service, dialect kkrpc.Dialect, asked func(context.Context) bool) *client {
	t.Helper()
	c := &client{}
	a, b := kkrpc.Pipe()
	server, err := kkrpc.New(t.Context(), a, &kkrpc.Options{Expose: kkrpc.As[api.ServerAPI](service), Inbound: service.Inbound(asked)})
	if err != nil {
		t.Fatal(err)
	}
	c.Channel, err = kkrpc.New(t.Context(), b, &kkrpc.Options{Dialect: dialect, Expose: kkrpc.Object{
		"onUserUpdate": func(user api.User) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.updates = append(c.updates, user)
		},
		"onUserDelete": func(id string) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.deletes = append(c.deletes, id)
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Close()
		_ = server.Close()
	})
	return c
}

func thrown(t *testing.T, err error) *kkrpc.Error {
	t.Helper()
	e, ok := errors.AsType[*kkrpc.Error](err)
	if !ok {
		t.Fatalf("%v is no error of the peer", err)
	}
	return e
}

// All clients of all servers on one Backplane are told, in the order of the changes.
func TestTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, backplane := api.NewMemory(), rooms.Local(nil)
		one := newService(t, store, &api.Options{Backplane: backplane})
		two := newService(t, store, &api.Options{Backplane: backplane})
		clients := []*client{connect(t, one, kkrpc.CompactSuperJSON, nil), connect(t, one, kkrpc.Classic, nil), connect(t, two, kkrpc.Compact, nil)}
		for _, c := range clients {
			if _, err := kkrpc.Call[[]api.User](t.Context(), c, "getUsers"); err != nil {
				t.Fatal(err)
			}
		}
		ada, err := kkrpc.Call[api.User](t.Context(), clients[0], "createUser", api.NewUser{Name: "Ada", Email: "Ada@example.com", Role: api.Admin})
		if err != nil {
			t.Fatal(err)
		}
		var changing sync.WaitGroup
		for i := range 10 {
			changing.Go(func() {
				if err := clients[i%2].Call(t.Context(), nil, "updateUser", ada.ID, map[string]any{"name": strings.Repeat("A", i+1)}); err != nil {
					t.Error(err)
				}
			})
		}
		changing.Wait()
		if err := clients[2].Call(t.Context(), nil, "deleteUser", ada.ID); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for i, c := range clients {
			c.mu.Lock()
			var versions []int64
			for _, u := range c.updates {
				versions = append(versions, u.Version)
			}
			if diff := cmp.Diff([]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, versions); diff != "" {
				t.Errorf("client %d was told other versions (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff([]string{ada.ID}, c.deletes); diff != "" {
				t.Errorf("client %d was told other deletions (-want +got):\n%s", i, diff)
			}
			if diff := cmp.Diff(ada, c.updates[0]); diff != "" || ada.Email != "ada@example.com" {
				t.Errorf("client %d was told of another user (-want +got):\n%s", i, diff)
			}
			c.mu.Unlock()
		}
	})
}

// broken is a Store whose database fails.
type broken struct{ api.Store }

var errDisk = errors.New("disk I/O error in /var/lib/users.db")

func (broken) Users(context.Context) ([]api.User, error) { return nil, errDisk }

func (broken) Delete(context.Context, string) error { return errDisk }

// The text of an error of the database stays on the server.
func TestConceal(t *testing.T) {
	var (
		mu       sync.Mutex
		reported []error
	)
	service := newService(t, broken{api.NewMemory()}, &api.Options{OnError: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		reported = append(reported, err)
	}})
	for name, asked := range map[string]func(context.Context) bool{"as it is": nil, "as text": func(context.Context) bool { return true }} {
		t.Run(name, func(t *testing.T) {
			c := connect(t, service, kkrpc.Compact, asked)
			for _, err := range []error{c.Call(t.Context(), nil, "getUsers"), c.Call(t.Context(), nil, "deleteUser", "a")} {
				if e := thrown(t, err); e.Name != "InternalError" || strings.Contains(e.Message, "disk") {
					t.Errorf("the client gets %v", e)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if len(reported) != 2 || !errors.Is(reported[0], errDisk) || !strings.Contains(reported[0].Error(), "getUsers") {
				t.Errorf("reported: %v", reported)
			}
			reported = nil
		})
	}
}

func TestErrorsOfGo(t *testing.T) {
	service := newService(t, api.NewMemory(), &api.Options{MaxUsers: 1})
	c := connect(t, service, kkrpc.CompactSuperJSON, nil)
	create := func(email string) error {
		return c.Call(t.Context(), nil, "createUser", api.NewUser{Name: "Ada", Email: email, Role: api.Viewer})
	}
	if err := create("ada@example.com"); err != nil {
		t.Fatal(err)
	}
	users, err := service.GetUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		err    error
		fields []string
	}{
		{"FullError", create("eve@example.com"), []string{"max"}},
		{"EmailTakenError", create("ADA@example.com"), []string{"email"}},
		{"NotFoundError", c.Call(t.Context(), nil, "deleteUser", "nobody"), []string{"id"}},
		{"ConflictError", c.Call(t.Context(), nil, "updateUser", users[0].ID, map[string]any{"version": 7}), []string{"current"}},
		{"RPCValidationError", create("at home"), []string{"phase", "method", "issues"}},
	} {
		e := thrown(t, test.err)
		if e.Name != test.name || len(e.Fields) != len(test.fields) {
			t.Errorf("%s: %v with fields %v", test.name, e, e.Fields)
		}
		for _, field := range test.fields {
			if e.Fields[field] == nil {
				t.Errorf("%s has no field %s", test.name, field)
			}
		}
	}
}

func TestExamples(t *testing.T) {
	service := newService(t, api.NewMemory(), nil)
	for range 2 {
		if err := service.AddExamples(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	users, err := service.GetUsers(t.Context())
	if err != nil || len(users) != 3 {
		t.Errorf("%d users, %v", len(users), err)
	}
	for _, u := range users {
		if u.ID == "" || u.Version != 1 || time.Since(u.UpdatedAt) > time.Minute {
			t.Errorf("%+v", u)
		}
	}
}

func TestOptions(t *testing.T) {
	if _, err := api.New(api.NewMemory(), &api.Options{MaxUsers: -1}); err == nil {
		t.Error("a negative MaxUsers is accepted")
	}
}

// A client that asks for it finds the whole error in the message.
func TestTextErrors(t *testing.T) {
	service := newService(t, api.NewMemory(), nil)
	if err := service.AddExamples(t.Context()); err != nil {
		t.Fatal(err)
	}
	users, err := service.GetUsers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := connect(t, service, kkrpc.Compact, func(context.Context) bool { return true })
	e := thrown(t, c.Call(t.Context(), nil, "updateUser", users[0].ID, map[string]any{"version": 7}))
	var whole struct {
		Name    string   `json:"name"`
		Message string   `json:"message"`
		Current api.User `json:"current"`
	}
	if err := superjson.Unmarshal([]byte(e.Message), &whole); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(users[0], whole.Current); diff != "" || whole.Name != "ConflictError" || !strings.HasPrefix(whole.Message, "Ada Lovelace was changed") {
		t.Errorf("%+v (-want +got):\n%s", whole, diff)
	}
}
