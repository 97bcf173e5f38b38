package guide_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func peerFromHono(t *testing.T) {
	type note struct {
		ID   int    `json:"id"`
		Text string `json:"text"`
	}
	var mu sync.Mutex
	var tell []func(note)
	mux := http.NewServeMux()
	mux.Handle("/ws", ws.Handler(kkrpc.Object{"notes": kkrpc.Object{
		"add": func(text string) note {
			mu.Lock()
			defer mu.Unlock()
			for _, f := range tell {
				f(note{1, text})
			}
			return note{1, text}
		},
		"list":  func() []note { return []note{{1, "tea"}} },
		"watch": func(onNote func(note)) { mu.Lock(); defer mu.Unlock(); tell = append(tell, onNote) },
	}}, nil))
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	front := program(t, "from-hono")
	front.Env = append(os.Environ(), "GUIDE_HONO="+strings.TrimPrefix(server.URL, "http://"))
	_, address := serve(t, front)

	ctx, ch := t.Context(), connect(t, kkrpc.ClassicSuperJSON, "ws://"+address+"/ws", nil)
	want(t, "Hello, World!")(kkrpc.Call[string](ctx, ch, "greet", "World"))
	told := make(chan note, 1)
	succeeds(t, ch.Call(ctx, nil, "notes.watch", func(n note) { told <- n }))
	want(t, note{1, "tea"})(kkrpc.Call[note](ctx, ch, "notes.add", "tea"))
	want(t, note{1, "tea"})(<-told, nil)
	want(t, []note{{1, "tea"}})(kkrpc.Call[[]note](ctx, ch, "notes.list"))
	response, err := http.Get("http://" + address + "/health")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	want(t, "ok")(string(text), err)
}

func peerGenerations(t *testing.T) {
	server, address := serve(t, program(t, "generations"))
	ctx := t.Context()
	heard := make(chan string, 4)
	join := func(dialect kkrpc.Dialect) *kkrpc.Channel {
		ch := connect(t, dialect, "ws://"+address+"/ws", nil)
		succeeds(t, ch.Call(ctx, nil, "join", func(text string) { heard <- dialect.String() + " " + text }))
		return ch
	}
	old := join(kkrpc.ClassicSuperJSON)
	want(t, time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC))(kkrpc.Call[time.Time](ctx, old, "released"))
	fails(t, old.Call(ctx, nil, "book", 7), "there is no such book")
	succeeds(t, join(kkrpc.Compact).Call(ctx, nil, "say", "hello"))
	got := map[string]bool{<-heard: true, <-heard: true}
	want(t, map[string]bool{kkrpc.ClassicSuperJSON.String() + " hello": true, kkrpc.Compact.String() + " hello": true})(got, nil)
	want(t, "joins with classic-superjson\njoins with compact-json\n")(server.stop(), nil)
}
