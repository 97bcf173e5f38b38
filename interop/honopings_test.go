package interop_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestPingsOfTheServerForNode ends the connection of a peer that no longer answers pings, and keeps that of one that does. The
// test gives the server its intervals: nothing waits.
func TestPingsOfTheServerForNode(t *testing.T) {
	for name, options := range map[string]string{"tracked": "", "untracked": "{ clientTracking: false }"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			call := "createWebSocketServer(" + options + ")"
			pingsOfTheServerForNode(t, edited(t, "node", "wasmserver", "server.mjs", name+".mjs", "createWebSocketServer()", call))
		})
	}
}

func pingsOfTheServerForNode(t *testing.T, script string) {
	cmd := js.Node.Command(t, script)
	intervals := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(js.Dir(t), "intervals.mjs"))}
	cmd.Env = append(cmd.Env, "NODE_OPTIONS=--import="+intervals.String())
	passes, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s := serveCommand(t, cmd)
	pass := func() {
		t.Helper()
		if _, err := io.WriteString(passes, "an interval\n"); err != nil {
			t.Fatal(err)
		}
	}

	pong := func(conn net.Conn) {
		t.Helper()
		writeFrame(t, conn, ws.NewPongFrame(nil))
		writeFrame(t, conn, ws.NewPingFrame(nil))
		gets(t, conn, ws.OpPong) // the server has read what came before
	}

	alive, lost := rawDial(t, s.url), rawDial(t, s.url)
	for range 2 {
		pass()
		for _, conn := range []net.Conn{alive, lost} {
			gets(t, conn, ws.OpPing)
			pong(conn)
		}
	}
	pass()
	gets(t, alive, ws.OpPing)
	pong(alive)
	gets(t, lost, ws.OpPing)
	pass()
	gets(t, alive, ws.OpPing)
	if header, err := ws.ReadHeader(lost); !errors.Is(err, io.EOF) {
		t.Errorf("the peer that does not answer got %+v, %v, want the end", header, err)
	}
}

// TestOptionsOfTheServerForNode gives options to createWebSocketServer: of package ws, and no pings.
func TestOptionsOfTheServerForNode(t *testing.T) {
	t.Parallel()
	script := edited(t, "node", "wasmserver", "server.mjs", "options.mjs", "createWebSocketServer()", "createWebSocketServer({ pingInterval: 0, maxPayload: 1000, noServer: false })")
	cmd := js.Node.Command(t, script)
	intervals := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(js.Dir(t), "intervals.mjs"))}
	cmd.Env = append(cmd.Env, "NODE_OPTIONS=--import="+intervals.String())
	s := serveCommand(t, cmd)
	greets(t, dial(t, s.url, kkrpc.Options{}))
	conn := rawDial(t, s.url)
	if err := wsutil.WriteClientText(conn, []byte(greetMessage("1", strings.Repeat("x", 1000)))); err != nil {
		t.Fatal(err)
	}
	got, err := wsutil.ReadServerText(conn)
	if closed, ok := errors.AsType[wsutil.ClosedError](err); !ok || closed.Code != ws.StatusMessageTooBig {
		t.Errorf("%q, %v, want a close with 1009", got, err)
	}
}

// gets reads a frame without a payload.
func gets(t *testing.T, conn net.Conn, op ws.OpCode) {
	t.Helper()
	if header, err := ws.ReadHeader(conn); err != nil || header.OpCode != op || header.Length != 0 {
		t.Fatalf("got %+v, %v, want opcode %v without a payload", header, err, op)
	}
}

func writeFrame(t *testing.T, conn net.Conn, frame ws.Frame) {
	t.Helper()
	if err := ws.WriteFrame(conn, ws.MaskFrame(frame)); err != nil {
		t.Fatal(err)
	}
}
