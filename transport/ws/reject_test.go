//go:build !js

package ws_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestRejectByCloseCode upgrades and closes, and frees the place of the connection.
func TestRejectByCloseCode(t *testing.T) {
	for _, test := range []struct {
		name   string
		code   int
		reason string
		want   ws.CloseError
	}{
		{"first application code", 3000, "no", ws.CloseError{Code: 3000, Reason: "no"}},
		{"private code", 4401, "sign in first", ws.CloseError{Code: 4401, Reason: "sign in first"}},
		{"last code", 4999, "", ws.CloseError{Code: 4999}},
		{"long reason", 4000, strings.Repeat("é", 100), ws.CloseError{Code: 4000, Reason: strings.Repeat("é", 61)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := ws.HandlerFor(func(*http.Request) (any, error) {
				return nil, fmt.Errorf("wrapped: %w", ws.Reject(test.code, test.reason))
			}, &ws.Options{Logger: silent, MaxConns: 1, Session: &ws.SessionOptions{}})
			url := serve(t, s)
			for range 3 { // each takes the only place
				ch := dial(t, url, nil)
				<-ch.Done()
				if got, ok := errors.AsType[*ws.CloseError](ch.Err()); !ok || *got != test.want {
					t.Errorf("the client got %v", ch.Err())
				}
				until(t, func() bool { return s.Stats().Open == 0 })
			}
			_, err := ws.Dial(testContext(t), url, &ws.DialOptions{Session: &ws.SessionOptions{}})
			if got, ok := errors.AsType[*ws.CloseError](err); !ok || *got != test.want {
				t.Errorf("a client that asks for a session got %v", err)
			}
			if refused := s.Stats().Refused.API; refused != 4 {
				t.Errorf("%d refusals were counted", refused)
			}
		})
	}
}

// TestRejectByStatus refuses before the upgrade. A code that is neither a failure nor an application's is 403.
func TestRejectByStatus(t *testing.T) {
	for code, want := range map[int]int{400: 400, 401: 401, 599: 599, 200: 403, 399: 403, 600: 403, 1008: 403, 2999: 403, 5000: 403} {
		s := ws.HandlerFor(func(*http.Request) (any, error) { return nil, ws.Reject(code, "no") }, &ws.Options{Logger: silent})
		_, err := ws.Dial(testContext(t), serve(t, s), nil)
		if refused, ok := errors.AsType[*ws.StatusError](err); !ok || refused.Status != want {
			t.Errorf("%d: got %v, want %d", code, err, want)
		}
	}
}
