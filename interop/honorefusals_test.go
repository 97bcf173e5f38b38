package interop_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
)

// TestConnectionsThatAreRefusedInHono has requests that the program refuses or panics for: only their own connection ends.
func TestConnectionsThatAreRefusedInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		other := dial(t, s.url, kkrpc.Options{})
		greets(t, other)
		own := strings.TrimSuffix(strings.TrimPrefix(s.url, "ws://"), "/ws")
		for _, row := range []struct {
			name   string
			query  string
			origin string
			code   int // of the close; 0 if the connection is served
			reason string
		}{
			{"no page", "", "", 0, ""},
			{"a page of the same host", "", "http://" + own, 0, ""},
			{"a page that is listed", "", "https://listed.example", 0, ""},
			{"a page of another host", "", "https://evil.example", 1008, "https://evil.example"},
			{"a page of another port", "", "http://127.0.0.1:1", 1008, "http://127.0.0.1:1"},
			{"a page of nowhere", "", "null", 1008, "null"},
			{"two origins", "", "http://" + own + ", http://" + own, 1008, "origin"},
			{"Reject", "?reject=4401", "", 4401, "as asked for"},
			{"Reject with a code of no close frame", "?reject=1005", "", 1011, "as asked for"},
			{"Reject with a code that is none", "?reject=77", "", 1011, "as asked for"},
			{"a panic of the function of ServeFor", "?panic=api", "", 1011, "internal error"},
			{"a panic of OnOpen", "?panic=open", "", 1011, "internal error"},
		} {
			t.Run(row.name, func(t *testing.T) {
				conn := rawDialFrom(t, s.url+row.query, row.origin)
				_ = wsutil.WriteClientText(conn, []byte(greetMessage("1", "you"))) // the peer may have closed
				got, err := wsutil.ReadServerText(conn)
				var closed wsutil.ClosedError
				switch {
				case row.code == 0 && (err != nil || !strings.Contains(string(got), "Hello, you!")):
					t.Errorf("answered %q, %v, want a greeting", got, err)
				case row.code != 0 && h == "deno" && err != nil: // closes without a close frame where a message is under way
				case row.code != 0 && (!errors.As(err, &closed) || int(closed.Code) != row.code || !strings.Contains(closed.Reason, row.reason)):
					t.Errorf("answered %q, %v, want a close with %d %q", got, err, row.code, row.reason)
				}
			})
		}
		greets(t, other)
	})
}

// rawDialFrom is rawDial for a page; "" is none.
func rawDialFrom(t *testing.T, url, origin string) net.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var d ws.Dialer
	if origin != "" {
		d.Header = ws.HandshakeHeaderHTTP(http.Header{"Origin": {origin}})
	}
	conn, early, _, err := d.Dial(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if early != nil { // frames came with the response
		return earlyConn{conn, early}
	}
	return conn
}

// earlyConn is a connection of which some has been read.
type earlyConn struct {
	net.Conn
	r *bufio.Reader
}

func (c earlyConn) Read(p []byte) (int, error) { return c.r.Read(p) }
