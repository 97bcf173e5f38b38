package interop_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestWhoClosedInHono has OnClose tell which side has closed a connection, and why.
func TestWhoClosedInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		other := dial(t, s.url, kkrpc.Options{})
		greets(t, other)
		tooMuch := 3 << 20 // for the runtime; the servers for Node and Bun set its limit from Limits.Frame
		switch h {
		case "deno":
			tooMuch = 64 << 20
		case "workers", "workers-plain":
			tooMuch = 33 << 20
		}
		for _, row := range []struct {
			name string
			does func(conn net.Conn) error
			want string // some of the error
		}{
			{"a text over Limits.Frame", func(c net.Conn) error { return wsutil.WriteClientText(c, make([]byte, 3<<20)) },
				"limit: channel closed: wasm: closed with code 1009: the message is "},
			{"a text over what the runtime takes", func(c net.Conn) error { return wsutil.WriteClientText(c, make([]byte, tooMuch)) },
				"limit: channel closed: wasm: closed with code 1009: the message is too large for the JavaScript server"},
			{"bytes that are not UTF-8", func(c net.Conn) error { return wsutil.WriteClientBinary(c, []byte("{\xff}")) },
				"closed with code 1007"},
			{"a close of the peer", func(c net.Conn) error {
				_ = ws.WriteFrame(c, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1009, "too much for me"))))
				_, _ = ws.ReadHeader(c) // the answer
				return c.Close()
			}, "the peer closed with code 1009"},
			{"a cut", net.Conn.Close, "without a close frame"},
		} {
			t.Run(row.name, func(t *testing.T) {
				conn := rawDial(t, s.url)
				if err := wsutil.WriteClientText(conn, []byte(greetMessage("1", "you"))); err != nil {
					t.Fatal(err)
				}
				if got, err := wsutil.ReadServerText(conn); err != nil {
					t.Fatalf("answered %q, %v", got, err)
				}
				_ = row.does(conn) // the server may have closed
				var got []string
				for end := time.Now().Add(30 * time.Second); len(got) == 0; {
					var err error
					if got, err = kkrpc.Call[[]string](t.Context(), other, "ends"); err != nil {
						t.Fatal(err)
					}
					if time.Now().After(end) {
						t.Fatal("the program was not told of the end")
					}
				}
				if len(got) != 1 || !strings.Contains(got[0], row.want) {
					t.Errorf("the program was told %q, want %q", got, row.want)
				}
			})
		}
	})
}

// TestLargeMessagesInHono has a program whose Limits.Frame is above what some servers take by default: the servers of
// kkrpc build hono take as much as their runtime can, and say where that is less.
func TestLargeMessagesInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmlarge", "")
		ch := dial(t, s.url, kkrpc.Options{CallTimeout: 2 * time.Minute, Limits: kkrpc.Limits{Outbound: 64 << 20}})
		const size = 24 << 20
		if got, err := kkrpc.Call[int](t.Context(), ch, "size", strings.Repeat("x", size)); err != nil || got != size {
			t.Errorf("size: %d, %v, want %d", got, err, size)
		}
		warns := h != "node" && h != "bun"
		if said := s.out.String(); strings.Contains(said, "Limits.Frame is 73400320 bytes, but this runtime takes") != warns {
			t.Errorf("it was to warn: %t; the server said:\n%s", warns, said)
		}
	})
}

// TestMessagesInPartsOnDeno has a message in two frames that are each below Deno's limit, and together above it.
func TestMessagesInPartsOnDeno(t *testing.T) {
	have(t, js.Deno)
	conn := rawDial(t, serve(t, "deno", "wasmlarge", "").url)
	const size = 66 << 20
	text := []byte(fmt.Sprintf(`{"t":"q","id":"1","op":"call","p":["size"],"a":[%q]}`, strings.Repeat("x", size)))
	for _, frame := range []ws.Frame{ws.NewFrame(ws.OpText, false, text[:size/2]), ws.NewFrame(ws.OpContinuation, true, text[size/2:])} {
		if err := ws.WriteFrame(conn, ws.MaskFrame(frame)); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := wsutil.ReadServerText(conn); err != nil || !strings.Contains(string(got), fmt.Sprint(`"v":`, size)) {
		t.Errorf("%q, %v, want %d", got, err, size)
	}
}

// TestLimitOfBunInHono has a server for Bun that does not set its limit.
func TestLimitOfBunInHono(t *testing.T) {
	have(t, js.Bun)
	s := serveScript(t, js.Bun, edited(t, "bun", "wasmlarge", "server.mjs", "unlimited.mjs", ", maxPayloadLength: await maxMessage()", ""))
	for _, row := range []struct {
		size int
		fits bool
	}{{15 << 20, true}, {17 << 20, false}} {
		ch := dial(t, s.url, kkrpc.Options{Limits: kkrpc.Limits{Outbound: 64 << 20}})
		got, err := kkrpc.Call[int](t.Context(), ch, "size", strings.Repeat("x", row.size))
		if (err == nil && got == row.size) != row.fits {
			t.Errorf("%d bytes: %d, %v; want it to fit: %t", row.size, got, err, row.fits)
		}
	}
}

// edited is the script from of a folder that build has made, changed, as another file there.
func edited(t *testing.T, h host, pkg, from, name, old, text string) (script string) {
	t.Helper()
	dir := build(t, h, pkg, "")
	server, err := os.ReadFile(filepath.Join(dir, from))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(server), old) {
		t.Fatalf("no %s in\n%s", old, server)
	}
	script = filepath.Join(dir, name)
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(string(server), old, text)), 0o666); err != nil {
		t.Fatal(err)
	}
	return script
}

// writeInstanceServer writes a server for Workers by createInstance and Hono's upgradeWebSocket, in place of GoDurableObject.
func writeInstanceServer(t *testing.T, dir, name string) {
	t.Helper()
	const script = `import { DurableObject } from "cloudflare:workers"
import { Hono } from "hono"
import { upgradeWebSocket } from "hono/cloudflare-workers"
import { createInstance, forward } from "./index.mjs"

export class Rpc extends DurableObject {
	#app = new Hono()

	constructor(ctx, env) {
		super(ctx, env)
		const { handler } = createInstance()
		this.#app.get("*", upgradeWebSocket((c) => handler(c)))
	}

	fetch(request) {
		return this.#app.fetch(request, this.env)
	}
}

export default new Hono().get("/ws", (c) => c.env.RPC.get(c.env.RPC.idFromName("rpc")).fetch(forward(c)))
`
	if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestNoContextInHono has a server that does not give the handler Hono's context: the program cannot tell the origin.
func TestNoContextInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		old, text := "createHonoWebSocketHandler(c)", "createHonoWebSocketHandler()"
		name := "server.mjs"
		if h == "workers" {
			name, old, text = "instance.mjs", "handler(c)", "handler()"
			writeInstanceServer(t, build(t, h, "wasmlarge", ""), name)
		}
		script := edited(t, h, "wasmlarge", name, "blind.mjs", old, text)
		conn := rawDialFrom(t, serveEdited(t, h, script).url, "https://evil.example")
		_ = wsutil.WriteClientText(conn, []byte(greetMessage("1", "you"))) // the peer may have closed
		got, err := wsutil.ReadServerText(conn)
		if h == "deno" && err != nil { // it closes without a close frame where a message is under way
			return
		}
		closed, ok := errors.AsType[wsutil.ClosedError](err)
		if !ok || closed.Code != ws.StatusPolicyViolation || !strings.Contains(closed.Reason, "Hono context") {
			t.Errorf("answered %q, %v, want a close with 1008", got, err)
		}
	})
}

// TestBackpressureLimitOfBunInHono has a server with a small one, and a peer that reads late: Bun drops what is over it.
func TestBackpressureLimitOfBunInHono(t *testing.T) {
	have(t, js.Bun)
	script := edited(t, "bun", "wasmserver", "server.mjs", "small.mjs", "...websocket,", "...websocket, backpressureLimit: 64 << 10,")
	s := serveScript(t, js.Bun, script)
	small := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { _ = setReceiveBuffer(fd, 4<<10) })
	}}
	conn, early, _, err := ws.Dialer{NetDial: small.DialContext}.Dial(t.Context(), s.url)
	if err != nil || early != nil {
		t.Fatal(err, early)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	const requests = 100
	text := strings.Repeat("x", 100<<10)
	for i := range requests {
		if err := wsutil.WriteClientText(conn, []byte(greetMessage(string(rune('0'+i%10)), text))); err != nil {
			t.Fatal(err)
		}
	}
	greets(t, dial(t, s.url, kkrpc.Options{})) // by now it has answered
	for i := range requests {
		got, err := wsutil.ReadServerText(conn)
		if err != nil || len(got) < len(text) || !strings.Contains(string(got[:30]), `"id":"`+string(rune('0'+i%10))+`"`) {
			t.Fatalf("answer %d is %.50q, %v", i, got, err)
		}
	}
}
