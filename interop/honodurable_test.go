package interop_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// rooms are Durable Objects, each with a program of wasmdurable. A room is at the URL + "/" + its name.
type rooms struct {
	server
	disk string // where workerd has the storage of the objects
}

// serveRooms starts workerd.
func serveRooms(t *testing.T) *rooms {
	t.Helper()
	have(t, js.Workerd)
	dir := build(t, "workers", "wasmdurable", "")
	script, err := os.ReadFile(filepath.Join(js.Dir(t), "durable-worker.mjs"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "durable-worker.mjs"), script, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := &rooms{disk: t.TempDir()}
	w := js.Worker{Script: filepath.Join(dir, "durable-worker.mjs"), Wasm: []string{"api.wasm"}, Object: "Room", Date: "2026-10-01", Disk: r.disk,
		Flags: []string{"unsafe_module"}, Experimental: true}
	addr, out := w.Start(t)
	r.server = server{url: "ws://" + addr + "/ws", out: out}
	return r
}

// tell asks the worker for something, and returns what it answers.
func (r *rooms) tell(t *testing.T, path string) string {
	t.Helper()
	response, err := http.Get("http" + strings.TrimPrefix(strings.TrimSuffix(r.url, "/ws"), "ws") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("%s: %s, %v: %s", path, response.Status, err, text)
	}
	return string(text)
}

// evict has the room's object leave memory, with its program.
func (r *rooms) evict(t *testing.T, room string) {
	t.Helper()
	r.tell(t, "/evict/"+room)
}

// awaitSleep returns when workerd has taken all objects out of memory by itself: their databases have no open log then. Each
// must have been stored into.
func (r *rooms) awaitSleep(t *testing.T, objects int) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	limit := time.After(40 * time.Second)
	for {
		databases, _ := filepath.Glob(filepath.Join(r.disk, "Room", "????????????????????????????????*.sqlite"))
		logs, _ := filepath.Glob(filepath.Join(r.disk, "Room", "????????????????????????????????*.sqlite-wal"))
		if len(databases) >= objects && len(logs) == 0 {
			return
		}
		select {
		case <-look.C:
		case <-limit:
			t.Fatalf("%d of %d objects are in memory after 40 s", len(logs), len(databases))
		}
	}
}

// said is a message in a room.
type said struct {
	From string `json:"from"`
	Text string `json:"text"`
}

// roomMember is a connection to a room that has joined it.
type roomMember struct {
	*kkrpc.Channel
	heard chan said
}

func (r *rooms) enter(t *testing.T, room, user string, opts kkrpc.Options) *roomMember {
	t.Helper()
	return &roomMember{dial(t, r.url+"/"+room+"?user="+user, opts), make(chan said, 100)}
}

func (r *rooms) join(t *testing.T, room, user string) *roomMember {
	t.Helper()
	m := r.enter(t, room, user, kkrpc.Options{})
	calls[any](t, m.Channel, "join", user, func(message said) { m.heard <- message })
	return m
}

// hears wants the next messages to be these.
func (m *roomMember) hears(t *testing.T, want ...said) {
	t.Helper()
	for _, message := range want {
		if got := await(t, "a message", m.heard); got != message {
			t.Errorf("heard %v, want %v", got, message)
		}
	}
}

func want[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// fails wants an error of the peer with this name and text.
func fails(t *testing.T, ch *kkrpc.Channel, name, text, function string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, err := kkrpc.Call[any](ctx, ch, function, args...)
	wantError(t, function, err, name, text)
}

func wantError(t *testing.T, what string, err error, name, text string) {
	t.Helper()
	thrown, ok := errors.AsType[*kkrpc.Error](err)
	if !ok || thrown.Name != name && !(thrown.Name == "" && name == "Error") || !strings.Contains(thrown.Message, text) {
		t.Errorf("%s: %v, want the error %s with %q", what, err, name, text)
	}
}

func TestStorageOfDurableObject(t *testing.T) {
	r := serveRooms(t)
	ch := r.enter(t, "storage", "Ada", kkrpc.Options{}).Channel
	put := func(key string, value any) { t.Helper(); calls[any](t, ch, "storage.put", key, value) }

	t.Run("values", func(t *testing.T) {
		put("text", "some")
		put("object", map[string]any{"list": []any{1, "two", nil}})
		calls[any](t, ch, "storage.putBytes", "bytes", "\x00é")
		r.evict(t, "storage")
		want(t, "text", calls[string](t, ch, "storage.get", "text"), "some")
		want(t, "object", calls[any](t, ch, "storage.get", "object"), any(map[string]any{"list": []any{1, "two", nil}}))
		want(t, "bytes", calls[string](t, ch, "storage.getBytes", "bytes"), "\x00é")
		want(t, "unset", calls[bool](t, ch, "storage.unset", "other"), true)
		want(t, "what JavaScript reads", r.tell(t, "/read/storage/object"), `{"list":[1,"two",null]}`)
		want(t, "deleted", calls[bool](t, ch, "storage.delete", "text"), true)
		want(t, "deleted again", calls[bool](t, ch, "storage.delete", "text"), false)
	})
	t.Run("errors", func(t *testing.T) {
		fails(t, ch, "Error", `durable: get "object": `, "storage.getInt", "object")
		fails(t, ch, "Error", `durable: get "bytes": it is 3 bytes: want a []byte, not a *int`, "storage.getInt", "bytes")
		fails(t, ch, "Error", `durable: put "huge": superjson: 1152921504606846976 is outside`, "storage.huge")
		fails(t, ch, "Error", `durable: put "late": too late`, "storage.late")
		fails(t, ch, "Error", `durable: list "n:": `, "storage.list", "n:", "", "", -1, false)
		calls[any](t, ch, "storage.large", 1<<20+1)
		fails(t, ch, "Error", "(MaxValue in durable.Options)", "storage.get", "large")
		calls[any](t, ch, "storage.delete", "large")
	})
	t.Run("list", func(t *testing.T) {
		for i, key := range []string{"n:a", "n:b", "n:c", "n:é"} {
			put(key, i)
		}
		for _, row := range []struct {
			prefix, start, end string
			limit              int
			reverse            bool
			want               string
		}{
			{"n:", "", "", 0, false, "n:a n:b n:c n:é"},
			{"n:", "", "", 2, false, "n:a n:b"},
			{"n:", "n:b", "", 0, false, "n:b n:c n:é"},
			{"n:", "n:b", "n:c", 0, false, "n:b"},
			{"n:", "", "", 2, true, "n:é n:c"},
			{"none", "", "", 0, false, ""},
		} {
			want(t, fmt.Sprintf("%+v", row), calls[string](t, ch, "storage.list", row.prefix, row.start, row.end, row.limit, row.reverse), row.want)
		}
		fails(t, ch, "Error", `durable: list "bytes": `, "storage.list", "", "", "", 0, false)
	})
	t.Run("transactions", func(t *testing.T) {
		balance := func() string { return r.tell(t, "/read/storage/from") + " " + r.tell(t, "/read/storage/to") }
		put("from", 10)
		put("to", 0)
		fails(t, ch, "Overdrawn", "from", "storage.transfer", "from", "to", 11, "")
		want(t, "after a rollback", balance(), "10 0")
		want(t, "the alarm after a rollback", calls[bool](t, ch, "storage.alarm"), false)
		fails(t, ch, "InternalError", "", "storage.transfer", "from", "to", 3, "panic")
		want(t, "after a panic", balance(), "10 0")
		fails(t, ch, "Error", "transactions do not nest", "storage.transfer", "from", "to", 3, "nested")
		want(t, "after one inside", balance(), "10 0")
		calls[any](t, ch, "storage.transfer", "from", "to", 3, "")
		want(t, "after a commit", balance(), "7 3")
		want(t, "the alarm after a commit", calls[bool](t, ch, "storage.alarm"), true)
		fails(t, ch, "Error", "the transaction of this context has ended", "storage.escape")
		want(t, "many at the same time", calls[int](t, ch, "storage.race", 20), 20)
	})
	t.Run("all", func(t *testing.T) {
		calls[any](t, ch, "storage.deleteAlarm")
		want(t, "the alarm", calls[bool](t, ch, "storage.alarm"), false)
		calls[any](t, ch, "storage.deleteAll")
		want(t, "keys", calls[string](t, ch, "storage.list", "", "", "", 0, false), "")
	})
}

// TestTransactionThatIsAskedForAgain fails it: a closure that waits for Go a second time would lock the object.
func TestTransactionThatIsAskedForAgain(t *testing.T) {
	dir := build(t, "workers", "wasmdurable", "")
	cmd := js.Node.Command(t, filepath.Join(js.Dir(t), "hono-again.mjs"), dir)
	out, err := cmd.CombinedOutput()
	if want := "done\nthe storage asks for it again, and has done nothing; try again\n"; err != nil || string(out) != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
}

// TestNoDurableObject has the program in servers without one: it serves, and its storage says why there is none.
func TestNoDurableObject(t *testing.T) {
	for _, h := range []host{"bun", "workers-plain"} {
		t.Run(string(h), func(t *testing.T) {
			have(t, h.runtime())
			ch := dial(t, serve(t, h, "wasmdurable", "").url, kkrpc.Options{})
			heard := make(chan said, 10)
			calls[any](t, ch, "join", "Ada", func(message said) { heard <- message })
			want(t, "heard", await(t, "a message", heard), said{"Ada", "has joined"})
			fails(t, ch, "Error", `durable: get "a": this program is in no Durable Object`, "storage.get", "a")
			fails(t, ch, "Error", "durable: transaction: this program is in no Durable Object", "storage.transfer", "a", "b", 1, "")
		})
	}
}
