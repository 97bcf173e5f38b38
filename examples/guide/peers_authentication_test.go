package guide_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// post sends a form to the program of the page about authentication. The test fails unless the status is as wanted.
func post(t *testing.T, address, path, cookie string, form url.Values, status int) (answer, setCookie string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != status {
		t.Errorf("%s: %s %q, %v; want %d", path, response.Status, text, err, status)
	}
	setCookie, _, _ = strings.Cut(response.Header.Get("Set-Cookie"), ";")
	return string(text), setCookie
}

func peerAuthentication(t *testing.T) {
	_, address := serve(t, program(t, "authentication"))
	dial := func(cookie, query string, subprotocols ...string) (*kkrpc.Channel, error) {
		opts := &ws.DialOptions{RPC: kkrpc.Options{Dialect: kkrpc.Compact}, Header: http.Header{}}
		if cookie != "" {
			opts.Header.Set("Cookie", cookie)
		}
		if len(subprotocols) > 0 {
			opts.Subprotocols = append([]string{"kkrpc.compact-json"}, subprotocols...)
		}
		ch, err := ws.Dial(t.Context(), "ws://"+address+"/ws"+query, opts)
		if err == nil {
			t.Cleanup(func() { _ = ch.Close() })
		}
		return ch, err
	}
	wantRefused := func(what, reason string, ch *kkrpc.Channel, err error) {
		t.Helper()
		if err == nil { // the close frame comes behind the handshake
			<-ch.Done()
			err = ch.Err()
		}
		var closed *ws.CloseError
		if !errors.As(err, &closed) || closed.Code != 4401 || closed.Reason != reason {
			t.Errorf("%s: %v, want 4401 %s", what, err, reason)
		}
	}
	ctx := t.Context()

	ch, err := dial("", "")
	wantRefused("nobody", "sign in first", ch, err)
	for _, made := range []string{"", "session=guessed"} {
		post(t, address, "/token", made, nil, http.StatusUnauthorized)
		ch, err := dial(made, "?ticket=guessed", "kkrpc.token.guessed")
		wantRefused("a guess", "sign in first", ch, err)
	}
	post(t, address, "/login", "", url.Values{"user": {"Eve"}, "password": {"wrong"}}, http.StatusUnauthorized)
	post(t, address, "/login", "", url.Values{"user": {"nobody"}, "password": {""}}, http.StatusUnauthorized)
	_, eve := post(t, address, "/login", "", url.Values{"user": {"Eve"}, "password": {"apple"}}, http.StatusOK)
	_, ada := post(t, address, "/login", "", url.Values{"user": {"Ada"}, "password": {"lovelace"}}, http.StatusOK)

	page, err := dial(eve, "")
	if err != nil {
		t.Fatal(err)
	}
	want(t, "Eve")(kkrpc.Call[string](ctx, page, "whoami"))
	fails(t, page.Call(ctx, nil, "publish", "news"), "you may not call publish")

	// A ticket in the metadata of a call is good once, and for that call.
	ticket, _ := post(t, address, "/ticket", ada, nil, http.StatusOK)
	lent := kkrpc.WithMetadata(ctx, map[string]any{"ticket": ticket})
	want(t, "published news")(kkrpc.Call[string](lent, page, "publish", "news"))
	fails(t, page.Call(lent, nil, "publish", "news"), "the ticket is not good")
	fails(t, page.Call(ctx, nil, "publish", "news"), "you may not call publish")
	ch, err = dial("", "?ticket="+ticket)
	wantRefused("a used ticket", "sign in first", ch, err)

	ticket, _ = post(t, address, "/ticket", ada, nil, http.StatusOK)
	once, err := dial("", "?ticket="+ticket)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "Ada")(kkrpc.Call[string](ctx, once, "whoami"))
	ch, err = dial("", "?ticket="+ticket)
	wantRefused("a ticket for the second time", "sign in first", ch, err)

	// A cookie wins over a token, and a token is for its user alone.
	token, _ := post(t, address, "/token", ada, nil, http.StatusOK)
	fails(t, page.Call(ctx, nil, "renew", token), "the token is not good")
	program, err := dial("", "", "kkrpc.token."+token)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "published news")(kkrpc.Call[string](ctx, program, "publish", "news"))
	renewed, err := dial("", "", "kkrpc.token."+token)
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); time.Since(begun) < 200*time.Millisecond; { // the next token lives that much longer
		want(t, "Ada")(kkrpc.Call[string](ctx, renewed, "whoami"))
	}
	fresh, _ := post(t, address, "/token", ada, nil, http.StatusOK)
	succeeds(t, renewed.Call(ctx, nil, "renew", fresh))
	<-program.Done()
	want(t, "Ada")(kkrpc.Call[string](ctx, renewed, "whoami"))
	<-renewed.Done()
	wantRefused("a renewed token", "the token has expired", renewed, renewed.Err())
	wantRefused("an expired token", "the token has expired", program, program.Err())
	ch, err = dial("", "", "kkrpc.token."+token)
	wantRefused("an old token", "sign in first", ch, err)

	token, _ = post(t, address, "/token", eve, nil, http.StatusOK)
	post(t, address, "/logout", eve, nil, http.StatusOK)
	ch, err = dial("", "", "kkrpc.token."+token)
	wantRefused("a token of who has signed out", "sign in first", ch, err)
	<-page.Done()
	wantRefused("signed out", "signed out", page, page.Err())
	ch, err = dial(eve, "")
	wantRefused("an old cookie", "sign in first", ch, err)
}

// TestAuthenticationInPage signs in on a page in Chromium, whose WebSocket then has the cookie.
func TestAuthenticationInPage(t *testing.T) {
	js.Chromium.Path(t)
	_, address := serve(t, program(t, "authentication"))
	page := js.StartChrome(t).Open("http://" + address + "/")
	page.Wait(`location.href.startsWith("http") && document.readyState === "complete"`)
	page.Eval(`void (globalThis.connect = () => new Promise((resolve) => {
		const socket = new WebSocket("/ws", ["kkrpc.classic-json"])
		const told = []
		globalThis.ended = new Promise((end) => (socket.onclose = ({ code, reason }) => { end([code, reason]); resolve([code, reason]) }))
		socket.onopen = () => socket.send(JSON.stringify({ id: "1", method: "whoami", args: [], type: "request", version: "json" }) + "\n")
		socket.onmessage = ({ data }) => resolve([JSON.parse(data).args.result])
	}))`, nil)
	is := func(expression string, want ...any) {
		t.Helper()
		var got []any
		page.Eval(expression, &got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the page sees %v, want %v", expression, got, want)
		}
	}
	is("connect()", 4401.0, "sign in first")
	page.Eval(fmt.Sprintf(`fetch("/login", { method: "POST", body: new URLSearchParams({ user: %q, password: %q }) })`, "Eve", "apple"), nil)
	is("[document.cookie]", "") // no script sees it
	is("connect()", "Eve")
	page.Eval(`fetch("/logout", { method: "POST" })`, nil)
	is("ended", 4401.0, "signed out")
}
