package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/transport/ws"

	chat "github.com/kkrpc-go/kkrpc/examples/chat/api"
	"github.com/kkrpc-go/kkrpc/examples/chat/signin"
	"github.com/kkrpc-go/kkrpc/examples/chat/sqlite"
)

const otherOrigin = "https://app.example.com"

// world is a server in this process.
type world struct {
	*server
	url string
	key signin.Key
	t   *testing.T
}

// serveHere starts a server on a database, which ends with the test or with stop.
func serveHere(t *testing.T, dir string, key signin.Key) (w *world, stop func()) {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(dir, "chat.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config{addr: "127.0.0.1:0", rooms: []string{"lobby"}, origins: []string{otherOrigin}}
	s, err := newServer(cfg, key, rooms.Local(store), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(s)
	stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(s.drain(ctx), store.Close()); err != nil {
			t.Error(err)
		}
		listening.Close()
	})
	t.Cleanup(stop)
	return &world{s, listening.URL, key, t}, stop
}

func (w *world) token(user string) string {
	return w.key.Sign(signin.Session, user, time.Now().Add(time.Minute))
}

// client is a program that talks.
type client struct {
	*kkrpc.Channel
	t       *testing.T
	Joined  chat.Joined
	heard   chan chat.Message
	present chan rooms.Update[string, int]
}

// dial connects a user to a room.
func (w *world) dial(user, room string) *client {
	w.t.Helper()
	return dial(w.t, w.url, w.token(user), room)
}

func dial(t *testing.T, url, token, room string) *client {
	t.Helper()
	ch, err := ws.Dial(t.Context(), url+"/chat/"+room, &ws.DialOptions{Header: http.Header{"Authorization": {"Bearer " + token}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return &client{ch, t, chat.Joined{}, make(chan chat.Message, 1000), make(chan rooms.Update[string, int], 1000)}
}

func (c *client) join(room string, after *rooms.Position) {
	c.t.Helper()
	if err := c.Call(c.t.Context(), &c.Joined, "joinRoom", room, func(m chat.Message) { c.heard <- m }, after); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) send(text, room string, id ...any) (seq uint64, err error) {
	err = c.Call(c.t.Context(), &seq, "sendMessage", append([]any{text, room}, id...)...)
	return seq, err
}

// hears waits for a message.
func (c *client) hears() chat.Message {
	c.t.Helper()
	select {
	case m := <-c.heard:
		return m
	case <-time.After(patience):
		c.t.Fatal("no message comes")
		panic("unreachable")
	}
}

func name(err error) string {
	var thrown *kkrpc.Error
	if errors.As(err, &thrown) {
		return thrown.Name
	}
	return ""
}

func TestRooms(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	ada, eve := w.dial("Ada", "lobby"), w.dial("Eve", "lobby")
	eve.join("lobby", nil)
	seq, err := ada.send("Hello!", "lobby", "id-1")
	if err != nil {
		t.Fatal(err)
	}
	got := eve.hears()
	if age := time.Since(got.At); age < 0 || age > patience {
		t.Errorf("the message was sent %v ago", age)
	}
	want := chat.Message{Seq: seq, ID: "id-1", User: "Ada", Text: "Hello!", At: got.At}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}

	if again, err := ada.send("Hello!", "lobby", "id-1"); err != nil || again != seq {
		t.Errorf("repeated, the message has the number %d, not %d: %v", again, seq, err)
	}
	if other, err := eve.send("Not Ada's", "lobby", "id-1"); err != nil || other == seq {
		t.Errorf("another user's message with the same id has the number %d: %v", other, err)
	}
	if _, err := ada.send("no id", "lobby"); err != nil {
		t.Error(err)
	}
	var texts []string
	for range 2 {
		texts = append(texts, eve.hears().Text)
	}
	if diff := cmp.Diff([]string{"Not Ada's", "no id"}, texts); diff != "" {
		t.Errorf("Eve has heard after the first message (-want +got):\n%s", diff)
	}
	page, err := kkrpc.Call[[]chat.Message](t.Context(), ada, "getMessages", "lobby", seq+1)
	if err != nil || len(page) != 1 || !page[0].At.Equal(want.At) {
		t.Errorf("the messages before %d are %+v, %v", seq+1, page, err)
	}

	if err := eve.Call(t.Context(), nil, "leaveRoom", "lobby"); err != nil {
		t.Error(err)
	}
	if _, err := ada.send("Eve?", "lobby"); err != nil {
		t.Error(err)
	}
	if err := eve.Call(t.Context(), nil, "ping"); err != nil {
		t.Error(err)
	}
	if len(eve.heard) > 0 {
		t.Errorf("Eve has left, and hears %+v", <-eve.heard)
	}
}

func TestDenied(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	ada := w.dial("Ada", "lobby")
	listen := func(any) {}
	for path, args := range map[string][]any{
		"sendMessage":   {"Hello!", "secrets"},
		"getMessages":   {"secrets"},
		"joinRoom":      {"secrets", listen},
		"watchPresence": {"secrets", listen},
		"watchTyping":   {"secrets", listen},
		"typing":        {"secrets"},
		"leaveRoom":     {"secrets"},
	} {
		if err := ada.Call(t.Context(), nil, path, args...); name(err) != "AccessDeniedError" || !strings.HasSuffix(err.Error(), "Access denied") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for text, want := range map[string]string{"": "MessageTextError", " \n": "MessageTextError", strings.Repeat("x", 4097): "MessageTextError", strings.Repeat("x", 4096): ""} {
		if _, err := ada.send(text, "lobby"); name(err) != want {
			t.Errorf("a text of %d bytes: %v", len(text), err)
		}
	}
	for id, want := range map[string]string{"": "MessageIDError", strings.Repeat("x", 65): "MessageIDError", strings.Repeat("€", 21): ""} {
		if _, err := ada.send("text", "lobby", id); name(err) != want {
			t.Errorf("an id of %d bytes: %v", len(id), err)
		}
	}
}

func TestPresenceAndTyping(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	ada := w.dial("Ada", "lobby")
	present := map[string]int{}
	see := func(user string, connections int) {
		t.Helper()
		late := time.After(patience)
		for present[user] != connections {
			select {
			case u := <-ada.present:
				if u.Reset {
					clear(present)
				}
				for _, item := range u.Set {
					present[item.Key] = item.Value
				}
				for _, key := range u.Deleted {
					delete(present, key)
				}
			case <-late:
				t.Fatalf("%s has %d connections, want %d", user, present[user], connections)
			}
		}
	}
	ada.join("lobby", nil)
	if err := ada.Call(t.Context(), nil, "watchPresence", "lobby", func(u rooms.Update[string, int]) { ada.present <- u }); err != nil {
		t.Fatal(err)
	}
	see("Ada", 1)
	eve, eve2 := w.dial("Eve", "lobby"), w.dial("Eve", "lobby")
	eve.join("lobby", nil)
	see("Eve", 1)
	eve2.join("lobby", nil)
	see("Eve", 2)

	typing := make(chan chat.Typing, 1)
	if err := ada.Call(t.Context(), nil, "watchTyping", "lobby", func(by chat.Typing) { typing <- by }); err != nil {
		t.Fatal(err)
	}
	if err := eve.Call(t.Context(), nil, "typing", "lobby"); err != nil {
		t.Fatal(err)
	}
	select {
	case by := <-typing:
		if by.User != "Eve" {
			t.Errorf("%s writes", by.User)
		}
	case <-time.After(patience):
		t.Error("nobody writes")
	}
	_ = eve.Close()
	see("Eve", 1)
	if err := eve2.Call(t.Context(), nil, "leaveRoom", "lobby"); err != nil {
		t.Fatal(err)
	}
	see("Eve", 0)
}

// TestResume has a client come back after a restart of the server. It gets what it has missed.
func TestResume(t *testing.T) {
	dir, key := t.TempDir(), signin.NewKey()
	w, stop := serveHere(t, dir, key)
	eve := w.dial("Eve", "lobby")
	eve.join("lobby", nil)
	ada := w.dial("Ada", "lobby")
	if _, err := ada.send("one", "lobby", "1"); err != nil {
		t.Fatal(err)
	}
	at := rooms.Position{Epoch: eve.Joined.Epoch, Seq: eve.hears().Seq}
	_ = eve.Close()
	if _, err := ada.send("two", "lobby", "2"); err != nil {
		t.Fatal(err)
	}
	stop()

	w, _ = serveHere(t, dir, key)
	ada = w.dial("Ada", "lobby")
	for _, text := range []string{"two", "three"} { // Ada has got no answer to the first
		if _, err := ada.send(text, "lobby", map[string]string{"two": "2", "three": "3"}[text]); err != nil {
			t.Fatal(err)
		}
	}
	eve = w.dial("Eve", "lobby")
	eve.join("lobby", &at)
	if eve.Joined.Reset || eve.Joined.Epoch != at.Epoch {
		t.Errorf("Eve has come back to %+v from %+v", eve.Joined, at)
	}
	for _, want := range []string{"two", "three"} {
		if got := eve.hears().Text; got != want {
			t.Errorf("Eve hears %q, want %q", got, want)
		}
	}
	lost := w.dial("Eve", "lobby")
	lost.join("lobby", &rooms.Position{Epoch: "of another database", Seq: 1})
	if !lost.Joined.Reset || lost.Joined.Epoch != at.Epoch {
		t.Errorf("a client of another database has joined with %+v", lost.Joined)
	}
}

// do sends a request and returns its answer with the body.
func (w *world) do(method, path, body string, header http.Header) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for key, values := range header {
		r.Header[key] = values
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response, string(text)
}

// connects returns the status with which a connection is refused, or 0.
func (w *world) connects(query string, header http.Header) int {
	w.t.Helper()
	ch, err := ws.Dial(w.t.Context(), w.url+"/chat/lobby"+query, &ws.DialOptions{Header: header})
	if refused := (*ws.StatusError)(nil); errors.As(err, &refused) {
		return refused.Status
	} else if err != nil {
		w.t.Fatal(err)
	}
	defer ch.Close()
	if err := ch.Call(w.t.Context(), nil, "ping"); err != nil {
		w.t.Error(err)
	}
	return 0
}

func TestSignIn(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	signedIn, body := w.do("POST", "/session", `{"name": " Ada "}`, nil)
	if signedIn.StatusCode != http.StatusOK || body != `{"user":"Ada","rooms":["lobby"]}`+"\n" {
		t.Fatalf("%s\n%s", signedIn.Status, body)
	}
	cookie := signedIn.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %v", cookie)
	}
	withCookie := http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}}
	if r, body := w.do("GET", "/session", "", withCookie); r.StatusCode != http.StatusOK || !strings.Contains(body, `"Ada"`) {
		t.Errorf("%s\n%s", r.Status, body)
	}
	for what, r := range map[string]struct {
		method, path, body string
		header             http.Header
		want               int
	}{
		"no JSON":            {"POST", "/session", "Ada", nil, 400},
		"no name":            {"POST", "/session", `{}`, nil, 400},
		"a name of controls": {"POST", "/session", `{"name": "A\u0007"}`, nil, 400},
		"a long name":        {"POST", "/session", `{"name": "` + strings.Repeat("x", 33) + `"}`, nil, 400},
		"a long body":        {"POST", "/session", `{"name": "` + strings.Repeat(" ", 5000) + `"}`, nil, 400},
		"another site":       {"POST", "/session", `{"name": "Ada"}`, http.Header{"Origin": {"https://evil.example"}}, 403},
		"a stranger":         {"GET", "/session", "", nil, 401},
		"a stranger's":       {"POST", "/ticket", "", nil, 401},
		"a ticket elsewhere": {"POST", "/ticket", "", http.Header{"Authorization": {"Bearer " + w.token("Ada")}, "Origin": {"https://evil.example"}}, 403},
		"a page of ours":     {"POST", "/ticket", "", http.Header{"Authorization": {"Bearer " + w.token("Ada")}, "Origin": {otherOrigin}}, 200},
	} {
		if got, body := w.do(r.method, r.path, r.body, r.header); got.StatusCode != r.want {
			t.Errorf("%s: %s, want %d\n%s", what, got.Status, r.want, body)
		}
	}
	preflight, _ := w.do("OPTIONS", "/ticket", "", http.Header{
		"Origin": {otherOrigin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"authorization"},
	})
	if preflight.Header.Get("Access-Control-Allow-Origin") != otherOrigin || preflight.Header.Get("Access-Control-Allow-Headers") == "" {
		t.Errorf("a preflight is answered with %s %v", preflight.Status, preflight.Header)
	}

	for what, c := range map[string]struct {
		query  string
		header http.Header
		want   int
	}{
		"nobody":         {"", nil, 401},
		"cookie":         {"", withCookie, 0},
		"another site":   {"", http.Header{"Cookie": withCookie["Cookie"], "Origin": {"https://evil.example"}}, 403},
		"header":         {"", http.Header{"Authorization": {"Bearer " + w.token("Ada")}}, 0},
		"token in a URL": {"?ticket=" + w.token("Ada"), nil, 401},
		"guessed":        {"", http.Header{"Authorization": {"Bearer guessed"}}, 401},
	} {
		if got := w.connects(c.query, c.header); got != c.want {
			t.Errorf("%s: status %d, want %d", what, got, c.want)
		}
	}
	gone, _ := w.do("DELETE", "/session", "", withCookie)
	if c := gone.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("signing out leaves %v", c)
	}
}

// TestTicket lets each ticket be used once, on whichever process.
func TestTicket(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	_, body := w.do("POST", "/ticket", "", http.Header{"Authorization": {"Bearer " + w.token("Ada")}})
	var answer struct{ Ticket string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	query := "?ticket=" + answer.Ticket
	fromPage := http.Header{"Origin": {otherOrigin}}
	for i, want := range []int{0, 401, 401} {
		if got := w.connects(query, fromPage); got != want {
			t.Errorf("use %d of a ticket: status %d, want %d", i+1, got, want)
		}
	}
	if r, _ := w.do("POST", "/ticket", "", http.Header{"Authorization": {"Bearer " + answer.Ticket}}); r.StatusCode != 401 {
		t.Errorf("a ticket for a ticket: %s", r.Status)
	}
}

func TestPage(t *testing.T) {
	w, _ := serveHere(t, t.TempDir(), signin.NewKey())
	r, body := w.do("GET", "/", "", nil)
	if r.StatusCode != 200 || !strings.Contains(body, "<title>Chat</title>") {
		t.Errorf("%s\n%s", r.Status, body)
	}
	if policy := r.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if r, _ := w.do("GET", "/chat/UPPER", "", nil); r.StatusCode < 400 {
		t.Errorf("a room with a wrong name: %s", r.Status)
	}
	if r, _ := w.do("GET", "/ready", "", nil); r.StatusCode != 200 {
		t.Errorf("ready: %s", r.Status)
	}
}
