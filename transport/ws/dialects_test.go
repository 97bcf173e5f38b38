//go:build !js

package ws_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	gobwas "github.com/gobwas/ws"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

func TestServerRefusesOtherDialects(t *testing.T) {
	handler := ws.Handler(kkrpc.Object{"f": func() string { return "served" }},
		&ws.Options{RPC: kkrpc.Options{Dialects: []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic}}})
	srv := httptest.NewServer(handler)
	defer srv.Close()
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	const refusal = "is not accepted here, only compact-json classic-json"
	for _, test := range []struct {
		name, query string
		protocols   []string
		dialect     kkrpc.Dialect
		want        string // of the refusal; "" for none
	}{
		{"accepted", "?kkrpc=classic-json", nil, kkrpc.Classic, ""},
		{"unsaid", "", nil, kkrpc.Compact, ""},
		{"auto", "?kkrpc=auto", nil, kkrpc.Compact, ""},
		{"other", "?kkrpc=compact-superjson", nil, kkrpc.CompactSuperJSON, "the dialect compact-superjson " + refusal},
		{"other, though the subprotocol is accepted", "?kkrpc=compact-superjson", []string{"kkrpc.compact-json"}, kkrpc.Compact, "the dialect compact-superjson " + refusal},
		{"accepted subprotocol", "", []string{"kkrpc.classic-json"}, kkrpc.Classic, ""},
		{"one of the subprotocols is accepted", "", []string{"kkrpc.classic-superjson", "kkrpc.compact-json"}, kkrpc.Compact, ""},
		{"other subprotocol", "", []string{"soap", "kkrpc.classic-superjson"}, kkrpc.ClassicSuperJSON, "the dialect classic-superjson " + refusal},
	} {
		t.Run(test.name, func(t *testing.T) {
			ch, err := ws.Dial(t.Context(), url+test.query, &ws.DialOptions{Subprotocols: test.protocols, RPC: kkrpc.Options{Dialect: test.dialect}})
			if test.want != "" {
				status, ok := errors.AsType[*ws.StatusError](err)
				if !ok || status.Status != 400 || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%v, want %s", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			if got, err := kkrpc.Call[string](t.Context(), ch, "f"); got != "served" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	t.Run("spoken only", func(t *testing.T) {
		ch, err := ws.Dial(t.Context(), url+"?kkrpc=auto", &ws.DialOptions{RPC: kkrpc.Options{Dialect: kkrpc.CompactSuperJSON}})
		if err != nil {
			t.Fatal(err)
		}
		err = ch.Call(context.Background(), nil, "f")
		closed, ok := errors.AsType[*ws.CloseError](ch.Err())
		if err == nil || !ok || closed.Code != 1008 || !strings.Contains(closed.Reason, "the dialect compact-superjson is not accepted here") {
			t.Errorf("%v, closed with %v", err, ch.Err())
		}
		_ = handler.Shutdown(t.Context())
		if n := handler.Stats().Closed.Protocol; n != 1 {
			t.Errorf("%d connections closed for what the peer spoke", n)
		}
	})
}

// TestDialByANamedDialect has a server that answers no question: the program has named the dialect in another way.
func TestDialByANamedDialect(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := gobwas.UpgradeHTTP(r, w)
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Read(make([]byte, 1)) // of the close, or a question
		conn.Close()
	}))
	defer srv.Close()
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	for _, test := range []struct {
		name, query string
		opts        ws.DialOptions
		want        kkrpc.Dialect
	}{
		{"in the URL", "?kkrpc=classic-json", ws.DialOptions{}, kkrpc.Classic},
		{"in the URL with bytes", "?kkrpc=compact-superjson,bytes.1", ws.DialOptions{}, kkrpc.CompactSuperJSON},
		{"as a subprotocol", "", ws.DialOptions{Subprotocols: []string{"a", "kkrpc.classic-superjson"}}, kkrpc.ClassicSuperJSON},
		{"not at all, without asking", "", ws.DialOptions{RPC: kkrpc.Options{Negotiate: -1}}, kkrpc.Compact},
	} {
		t.Run(test.name, func(t *testing.T) {
			ch, err := ws.Dial(t.Context(), url+test.query, &test.opts)
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			if got := ch.Dialect(); got != test.want {
				t.Errorf("the dialect is %v, want %v", got, test.want)
			}
		})
	}
}
