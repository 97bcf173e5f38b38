//go:build !js

package ws

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/errlog"
)

// A stranger can cause an error with each message, request or connection, and must not fill the log with them.
func TestErrorsDoNotFillTheLog(t *testing.T) {
	upgrade := httptest.NewRequest(http.MethodGet, "/"+strings.Repeat("x", 2*errlog.Longest), nil)
	upgrade.Header = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
	long := errors.New("boom" + strings.Repeat("x", 2*errlog.Longest))
	channel := func(t *testing.T) *kkrpc.Channel {
		a, b := kkrpc.Pipe()
		ch, err := kkrpc.New(t.Context(), a, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close(1000, "") })
		return ch
	}
	for _, row := range []struct {
		name  string
		cause func(t *testing.T, s *Server) func()
	}{
		{"an error without a caller", func(_ *testing.T, s *Server) func() {
			return func() { s.opts.RPC.OnError(long) }
		}},
		{"an error of the function of HandlerFor", func(_ *testing.T, s *Server) func() {
			return func() { s.ServeHTTP(httptest.NewRecorder(), upgrade) }
		}},
		{"an upgrade that fails", func(_ *testing.T, s *Server) func() {
			s.api = func(*http.Request) (any, error) { return nil, nil }
			return func() { s.ServeHTTP(httptest.NewRecorder(), upgrade) } // a recorder cannot be hijacked
		}},
		{"a panic in OnOpen", func(t *testing.T, s *Server) func() {
			ch := channel(t)
			return func() {
				defer s.opened(ch)
				panic("boom")
			}
		}},
		{"no channel for a connection", func(t *testing.T, s *Server) func() {
			s.opts.RPC.Inbound = []kkrpc.Interceptor{nil}
			return func() {
				nc, peer := net.Pipe()
				_ = peer.Close()
				s.start(newConn(nc, nil, config{}), &s.opts.RPC, upgrade, new(ends))
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := HandlerFor(func(*http.Request) (any, error) { return nil, long }, &Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				once := row.cause(t, s)
				cause := func(n int) (lines []string) {
					log.Reset()
					for range n {
						once()
					}
					return strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
				}
				lines := cause(5000)
				if len(lines) != errlog.AtOnce {
					t.Errorf("%d lines, the first is %.200s", len(lines), lines[0])
				}
				if size := len(lines[0]); size > 3*errlog.Longest {
					t.Errorf("a line has %d bytes", size)
				}
				time.Sleep(time.Second)
				if lines := cause(10); len(lines) != 1 || !strings.Contains(lines[0], "left_out=4900") {
					t.Errorf("a second later the log has %.300q", lines)
				}
			})
		})
	}
}
