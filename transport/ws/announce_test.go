//go:build !js

package ws_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// asking is a server that calls each client at once, and tells what that answers and which dialect it has.
func asking(t *testing.T, opts ws.Options) (url string, answers <-chan string) {
	said := make(chan string, 1)
	opts.OnOpen = func(ch *kkrpc.Channel, _ *http.Request) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		answer, err := kkrpc.Call[string](ctx, ch, "ask")
		if err != nil {
			answer = err.Error()
		}
		said <- answer
	}
	return serve(t, ws.Handler(nil, &opts)), said
}

// dialectOfCaller is the API of a client.
var dialectOfCaller = kkrpc.Object{"ask": func(ctx context.Context) string { return kkrpc.DialectFrom(ctx).String() }}

// TestClientThatOnlyListens is called by its server before it has said anything.
func TestClientThatOnlyListens(t *testing.T) {
	for _, dialect := range []kkrpc.Dialect{0, kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		for _, row := range []struct {
			name    string
			path    string
			offered []string
			server  ws.Options
		}{
			{name: "announced by Dial"},
			{name: "with parameters", path: "/ws?a=%2f&b"},
			{name: "beside subprotocols", offered: []string{"one", "two"}},
			{name: "beside one that the server picks", offered: []string{"one", "two"}, server: ws.Options{Subprotocols: []string{"two"}}},
			{name: "to a server that expects another", server: ws.Options{RPC: kkrpc.Options{Dialect: kkrpc.Classic}}},
		} {
			t.Run(dialect.String()+"/"+row.name, func(t *testing.T) {
				t.Parallel()
				url, answers := asking(t, row.server)
				opts := ws.DialOptions{RPC: kkrpc.Options{Dialect: dialect, Expose: dialectOfCaller}, Subprotocols: row.offered}
				want := dialect
				if want == 0 {
					want = kkrpc.Compact
				}
				dial(t, url+row.path, &opts)
				if got := <-answers; got != want.String() {
					t.Errorf("Dial: the server was answered %q, want %s", got, want)
				}
				p, err := ws.DialPersistent(testContext(t), url+row.path, &ws.PersistentOptions{Dial: opts})
				if err != nil {
					t.Fatal(err)
				}
				defer p.Close()
				if got := <-answers; got != want.String() {
					t.Errorf("DialPersistent: the server was answered %q, want %s", got, want)
				}
			})
		}
	}
}

// TestAnnouncementByTheProgram is left as it is.
func TestAnnouncementByTheProgram(t *testing.T) {
	for _, row := range []struct {
		name, query string
		offered     []string
		want        []string // Sec-WebSocket-Protocol
	}{
		{"none", "", nil, []string{"kkrpc.compact-json, kkrpc.bytes.1"}},
		{"in the URL", "?kkrpc=compact-json", nil, nil},
		{"as subprotocol", "", []string{"kkrpc.compact-json", "one"}, []string{"kkrpc.compact-json, one, kkrpc.bytes.1"}},
		{"another subprotocol", "", []string{"one"}, []string{"one, kkrpc.compact-json, kkrpc.bytes.1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			requests := make(chan *http.Request, 1)
			url := serve(t, ws.HandlerFor(func(r *http.Request) (any, error) {
				requests <- r
				return nil, nil
			}, nil))
			opts := ws.DialOptions{Subprotocols: slices.Clip(row.offered)}
			dial(t, url+"/"+row.query, &opts)
			r := <-requests
			if got := r.Header["Sec-Websocket-Protocol"]; !slices.Equal(got, row.want) || r.RequestURI != "/"+row.query {
				t.Errorf("%s with subprotocols %q, want %q", r.RequestURI, got, row.want)
			}
		})
	}
}

// TestDialNamesOneOfDialects has a client that accepts some dialects, and says no more.
func TestDialNamesOneOfDialects(t *testing.T) {
	url := serve(t, ws.Handler(kkrpc.Object{"dialect": func(ctx context.Context) string { return kkrpc.DialectFrom(ctx).String() }}, nil))
	for _, row := range []struct {
		accepts []kkrpc.Dialect
		want    kkrpc.Dialect
	}{
		{[]kkrpc.Dialect{kkrpc.Classic, kkrpc.Compact}, kkrpc.Compact},
		{[]kkrpc.Dialect{kkrpc.Classic, kkrpc.CompactSuperJSON}, kkrpc.CompactSuperJSON},
		{[]kkrpc.Dialect{kkrpc.ClassicSuperJSON, kkrpc.Classic}, kkrpc.ClassicSuperJSON},
	} {
		ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{RPC: kkrpc.Options{Dialects: row.accepts}})
		if err != nil {
			t.Errorf("of %v: %v", row.accepts, err)
			continue
		}
		if got, err := kkrpc.Call[string](t.Context(), ch, "dialect"); got != row.want.String() || err != nil {
			t.Errorf("of %v: %v, %v, want %v", row.accepts, got, err, row.want)
		}
		ch.Close()
	}
}
