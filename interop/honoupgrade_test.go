package interop_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// upgrade asks for a WebSocket with these lines in the header, and returns the answer.
func upgrade(t *testing.T, target string, lines ...string) *http.Response {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	head := []string{
		"GET " + u.RequestURI() + " HTTP/1.1", "Host: " + u.Host, "Connection: Upgrade",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}
	fmt.Fprint(conn, strings.Join(append(head, lines...), "\r\n"), "\r\n\r\n")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

// TestUpgradesInHono is that no runtime chooses among subprotocols. Clients write "websocket" and ", ", as package ws does.
func TestUpgradesInHono(t *testing.T) {
	const upgrades = "Upgrade: websocket"
	first := map[host]string{"node": "a", "deno": "a", "bun": "a"}
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		for _, row := range []struct {
			lines    []string
			status   int
			selected string
			fails    []host // with another status
		}{
			{[]string{upgrades}, 101, "", nil},
			{[]string{upgrades, "Sec-WebSocket-Protocol: a"}, 101, first[h], nil},
			{[]string{upgrades, "Sec-WebSocket-Protocol: a, b"}, 101, first[h], nil},
			{[]string{upgrades, "Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"}, 101, first[h], nil},
			{[]string{upgrades, "Sec-WebSocket-Protocol: a,b"}, 101, first[h], []host{"deno"}},
			{[]string{"Upgrade: WebSocket"}, 101, "", []host{"deno", "workers-plain"}},
		} {
			got := upgrade(t, s.url, row.lines...)
			if slices.Contains(row.fails, h) {
				if got.StatusCode < 400 {
					t.Errorf("%q: %s, want a refusal", row.lines, got.Status)
				}
				continue
			}
			if selected := got.Header.Get("Sec-WebSocket-Protocol"); got.StatusCode != row.status || selected != row.selected {
				t.Errorf("%q: %s, subprotocol %q, want %d, %q", row.lines, got.Status, selected, row.status, row.selected)
			}
		}
	})
}

// TestHeaderValuesInHono has the program read fields of a header that are not ASCII as package ws does.
func TestHeaderValuesInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		for _, row := range []struct{ name, sent, want, onWorkers string }{
			{"UTF-8", "ä€ 😀", "ä€ 😀", "ä€ 😀"},
			{"UTF-8 that was taken for Latin-1 before", "Ã¤", "Ã¤", "Ã¤"},
			{"Latin-1", "a\xe4\xff", "aäÿ", "a\ufffd\ufffd"},
			{"ASCII", "plain", "plain", "plain"},
		} {
			ch := dialWith(t, s.url, &ws.DialOptions{Header: http.Header{"User-Agent": {row.sent}}})
			got, err := kkrpc.Call[map[string]string](t.Context(), ch, "request")
			want := row.want
			if h.runtime() == js.Workerd {
				want = row.onWorkers
			}
			if err != nil || got["agent"] != want {
				t.Errorf("%s: %q, %v, want %q", row.name, got["agent"], err, want)
			}
		}
	})
}

// TestHalfACharacterInHono has Go send a text with half a surrogate pair, which workerd would send as bytes that are not UTF-8.
func TestHalfACharacterInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		conn := rawDial(t, serve(t, h, "wasmserver", "").url)
		if err := wsutil.WriteClientText(conn, []byte(`{"t":"q","id":"1","op":"call","p":["echo"],"a":["\ud83d"]}`)); err != nil {
			t.Fatal(err)
		}
		if got, err := wsutil.ReadServerText(conn); err != nil || !strings.Contains(string(got), `"v":"\ud83d"`) {
			t.Errorf("%q, %v, want it escaped", got, err)
		}
	})
}

// TestServerThatThrowsInHono has the code around the program's handler throw. Only Deno ends with it, if that is in an event.
func TestServerThatThrowsInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		events, from := "createHonoWebSocketHandler(c)", "server.mjs"
		if h == "workers" {
			events, from = "handler(c)", "instance.mjs"
			writeInstanceServer(t, build(t, h, "wasmserver", ""), from)
		}
		s := serveEdited(t, h, edited(t, h, "wasmserver", from, "throws.mjs", events, `(() => {
	const events = `+events+`
	if (c.req.query("throws") === "factory") throw new Error("no handler")
	if (c.req.query("throws") === "event") return { ...events, onMessage() { throw new Error("no message") } }
	return events
})()`))
		other := dial(t, s.url, kkrpc.Options{})
		greets(t, other)
		if got := upgrade(t, s.url+"?throws=factory", "Upgrade: websocket"); got.StatusCode != 500 {
			t.Errorf("a factory that throws: %s, want 500", got.Status)
		}
		greets(t, other)
		if err := wsutil.WriteClientText(rawDial(t, s.url+"?throws=event"), []byte(greetMessage("1", "you"))); err != nil {
			t.Fatal(err)
		}
		if h == "deno" {
			<-other.Done()
			return
		}
		greets(t, other)
		greets(t, dial(t, s.url, kkrpc.Options{}))
	})
}

// serveEdited starts a script of edited until the test ends.
func serveEdited(t *testing.T, h host, script string) server {
	t.Helper()
	if h.runtime() != js.Workerd {
		return serveScript(t, js.Runtime(h), script)
	}
	w := js.Worker{Script: script, Wasm: []string{"api.wasm"}, Date: "2026-10-01"}
	if h == "workers" {
		w.Object = "Rpc"
	}
	addr, out := w.Start(t)
	return server{url: "ws://" + addr + "/ws", out: out}
}
