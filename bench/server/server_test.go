package main

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/bench/load"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestAnswers has the load generator check what the two kinds of server answer.
func TestAnswers(t *testing.T) {
	for _, server := range []struct {
		name    string
		options options
		works   map[string]load.Work
		fans    map[string]load.Fan
	}{
		{
			"shared", options{handlers: "ctx"},
			map[string]load.Work{"add": load.Add(), "profile": load.Struct(), "order": load.Order(), "users": load.Users(), "user": load.User()},
			map[string]load.Fan{"room": load.Burst, "members": load.Tell, "shared": load.TellShared},
		},
		{
			"per connection", options{perConnection: 40},
			map[string]load.Work{"add": load.Add(), "order": load.Order(), "users": load.Users()},
			map[string]load.Fan{"room": load.Burst},
		},
	} {
		for name, work := range server.works {
			for _, dialect := range []string{"compact-json", "classic-superjson"} {
				t.Run(server.name+"/"+name+"/"+dialect, func(t *testing.T) { calls(t, listen(t, server.options), dialect, work) })
			}
		}
		for name, fan := range server.fans {
			t.Run(server.name+"/"+name, func(t *testing.T) {
				room, err := listen(t, server.options).Room("compact-json", fan, 5)
				if err != nil {
					t.Fatal(err)
				}
				defer room.Close()
				if err := room.Send(3, "text"); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func listen(t *testing.T, o options) load.Target {
	t.Helper()
	handler, err := o.handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return load.Target{Addr: strings.TrimPrefix(server.URL, "http://"), Path: "/ws"}
}

// calls makes some calls, whose answers have to be as the generator writes them, since it has to parse all others.
func calls(t *testing.T, target load.Target, dialect string, work load.Work) {
	t.Helper()
	const conns, enough = 2, 500
	r, err := (&load.Load{Target: target, Dialect: dialect, Work: work, Conns: conns, InFlight: 3}).Start()
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(time.Millisecond); r.Counts().Calls < enough && r.Err() == nil; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d calls", r.Counts().Calls)
		}
	}
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := r.Counts(); n.Parsed > int64(conns*max(1, work.Kinds)) {
		t.Errorf("%d of %d answers had to be parsed", n.Parsed, n.Calls)
	}
}

// TestSessions counts the functions of APIs that are made for each connection.
func TestSessions(t *testing.T) {
	for _, n := range []int{6, 7, 40, 100} {
		api, err := newSessions(n)
		if err != nil {
			t.Fatal(err)
		}
		first, err := api(httptest.NewRequest(http.MethodGet, "/ws", nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := functions(first.(kkrpc.Object)); got != n {
			t.Errorf("%d functions, want %d", got, n)
		}
		ws.Handler(first, nil) // panics if one cannot be exposed
	}
	if _, err := newSessions(5); err == nil {
		t.Error("5 functions are taken, though there are more")
	}
}

func functions(o kkrpc.Object) (n int) {
	for _, v := range o {
		if inner, ok := v.(kkrpc.Object); ok {
			n += functions(inner)
		} else if reflect.TypeOf(v).Kind() == reflect.Func {
			n++
		}
	}
	return n
}
