package guide_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
	"github.com/kkrpc-go/kkrpc/transport/stdio"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func peerBothDirections(t *testing.T) {
	members := 0
	server := httptest.NewServer(ws.Handler(kkrpc.Object{
		"join": func(ctx context.Context, name string) (int, error) {
			client := kkrpc.FromContext(ctx)
			if ok, err := kkrpc.Call[bool](ctx, client, "confirm", "Join as "+name+"?"); err != nil || !ok {
				return 0, errors.Join(errors.New("not confirmed"), err)
			}
			members++
			return members, client.Call(ctx, nil, "show", "Welcome, "+name+"!")
		},
		"rooms": kkrpc.Object{"list": func() []string { return []string{"general", "random"} }},
	}, nil))
	t.Cleanup(server.Close)
	client := program(t, "both-directions")
	client.Env = append(os.Environ(), "GUIDE_URL="+server.URL)
	want(t, "Welcome, Ada!\n1 [general random]\n0 kkrpc: call join: not confirmed\n")(run(t, client), nil)
}

func peerReconnecting(t *testing.T) {
	var failures atomic.Int32
	server := httptest.NewServer(ws.HandlerFor(func(*http.Request) (any, error) {
		user := "nobody"
		lose := func(ctx context.Context) {
			if failures.Add(1) <= 2 {
				_ = kkrpc.FromContext(ctx).Close()
			}
		}
		return kkrpc.Object{
			"login":  func(name string) { user = name },
			"whoami": func() string { return user },
			"order":  func(ctx context.Context, item string) string { lose(ctx); return item },
			"stock":  func(ctx context.Context, item string) int { lose(ctx); return len(item) },
		}, nil
	}, nil))
	t.Cleanup(server.Close)
	client := program(t, "reconnecting")
	client.Env = append(os.Environ(), "GUIDE_URL="+server.URL)
	want(t, "Ada <nil>\nlost: true\nAda <nil>\n3 <nil>\n")(run(t, client), nil)
}

func peerTypeScriptClient(t *testing.T) {
	server, address := serve(t, program(t, "typescript-client"))
	dial := func(token string) (*kkrpc.Channel, error) {
		return ws.Dial(t.Context(), "ws://"+address+"/ws", &ws.DialOptions{Subprotocols: []string{"kkrpc.compact-json", "kkrpc.token." + token}, Session: &ws.SessionOptions{}})
	}
	ch, err := dial("secret")
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	want(t, "Ada")(kkrpc.Call[string](t.Context(), ch, "whoami"))
	want(t, "tea for Ada")(kkrpc.Call[string](t.Context(), ch, "order", "tea"))
	_, err = dial("other")
	fails(t, err, "unknown token")
	want(t, "tea for Ada\n")(server.stop(), nil)
}

func peerStdio(t *testing.T) {
	child, err := stdio.Start(t.Context(), program(t, "child"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer child.Close()
	var done []int
	want(t, "c3f9c8c2")(kkrpc.Call[string](t.Context(), child, "hash", []string{"one", "two"}, func(n int) { done = append(done, n) }))
	want(t, []int{1, 2})(done, nil)

	// The test program itself is the child of the other one.
	parent := program(t, "parent")
	parent.Args = append(parent.Args, os.Args[0])
	parent.Env = append(os.Environ(), childVar+"=1")
	want(t, "printed\nHELLO FROM THE GUIDE\nthe child ended with 3\n")(run(t, parent), nil)
}

func peerHTTP(t *testing.T) {
	_, address := serve(t, program(t, "http"))
	ch, err := kkhttp.NewClient("http://"+address+"/rpc", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ch.Close()
	ctx := t.Context()
	want(t, "Hello, World!")(kkrpc.Call[string](ctx, ch, "greet", "World"))
	want(t, 1)(kkrpc.Call[int](ctx, ch, "visit"))
	want(t, 2)(kkrpc.Call[int](ctx, ch, "visit"))
	want(t, 5.0)(kkrpc.Call[float64](ctx, ch, "add", 2, 3))
	fails(t, ch.Call(ctx, nil, "askBack"), kkrpc.ErrUnsupported.Error())
	fails(t, ch.Call(ctx, nil, "add", func() {}), kkrpc.ErrUnsupported.Error())
}

// childVar makes the test program the child that examples/guide/stdio/parent expects.
const childVar = "GUIDE_CHILD"

func serveParent() {
	fmt.Println("printed")
	err := stdio.Serve(context.Background(), kkrpc.Object{
		"shout": func(ctx context.Context, text string) (string, error) {
			title, err := kkrpc.Call[string](ctx, kkrpc.FromContext(ctx), "title")
			return strings.ToUpper(text + " from " + title), err
		},
		"quit": func(code int) { os.Exit(code) },
	}, nil)
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func peerRouters(t *testing.T) {
	_, address := serve(t, program(t, "routers"))
	for room, user := range map[string]string{"kitchen": "Ada", "garden": "Bob"} {
		ch := connect(t, kkrpc.Compact, "ws://"+address+"/rooms/"+room+"?user="+user, nil)
		want(t, user+" is in the "+room)(kkrpc.Call[string](t.Context(), ch, "where"))
	}
	_, err := ws.Dial(t.Context(), "ws://"+address+"/rooms/cellar", nil)
	fails(t, err, "nobody goes there")
}

func peerUsers(t *testing.T) {
	type user struct {
		ID, Name string
		Age      int
	}
	_, address := serve(t, program(t, "users"))
	for _, dialect := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.ClassicSuperJSON} {
		told := make(chan user, 1)
		ch := connect(t, dialect, "ws://"+address+"/users", kkrpc.Object{"onUserUpdate": func(u user) { told <- u }})
		ada, err := kkrpc.Call[user](t.Context(), ch, "createUser", map[string]any{"name": "Ada", "age": 27})
		succeeds(t, err)
		ada.Age = 28
		want(t, ada)(kkrpc.Call[user](t.Context(), ch, "updateUser", ada.ID, map[string]any{"age": 28}))
		want(t, ada)(<-told, nil)
		fails(t, ch.Call(t.Context(), nil, "updateUser", "user9", struct{}{}), "no user user9")
		succeeds(t, ch.Close())

		proxy := connect(t, dialect, "ws://"+address+"/api", nil)
		want(t, []struct{ Title string }{{"Notes"}})(kkrpc.Call[[]struct{ Title string }](t.Context(), proxy, "getPosts"))
		fails(t, proxy.Call(t.Context(), nil, "getUsers"), "404 Not Found")
	}
}

func peerNeverReturns(t *testing.T) {
	_, address := serve(t, program(t, "never-returns"))
	ctx := t.Context()
	ch := connect(t, kkrpc.Compact, "ws://"+address+"/bounded", nil)
	fails(t, ch.Call(ctx, nil, "wait"), "deadline exceeded")
	ch = connect(t, kkrpc.Compact, "ws://"+address+"/ws", nil)
	fails(t, ch.Call(ctx, nil, "leave"), "closed by the peer with code 4000: gone")
	_, err := ws.Dial(ctx, "ws://"+address+"/status", nil)
	fails(t, err, "401")
	ch, err = ws.Dial(ctx, "ws://"+address+"/closed", &ws.DialOptions{RPC: kkrpc.Options{Dialect: kkrpc.Compact}})
	if err == nil { // the close frame comes behind the handshake
		<-ch.Done()
		err = ch.Err()
	}
	fails(t, err, "4401: sign in first")
}
