package interop_test

import (
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestPingsOfTheServerForNode ends the connection of a peer that no longer answers pings, and keeps that of one that does. The
// test gives the server its intervals: nothing waits.
func TestPingsOfTheServerForNode(t *testing.T) {
	t.Parallel()
	cmd := js.Node.Command(t, filepath.Join(build(t, "node", "wasmserver", ""), "server.mjs"))
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

// TestGuideShowsThePings keeps what the page about Hono has for other servers what the one for Node does.
func TestGuideShowsThePings(t *testing.T) {
	script, err := os.ReadFile("../npm/node/server.mjs")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(script), "\nconst sockets = ")
	code, _, _ = strings.Cut(code, "\n\nserve(")
	code = strings.ReplaceAll("\nconst sockets = "+code, "\n", "\n    ")
	code = strings.ReplaceAll(code, "\n    \n", "\n\n")
	page, err := os.ReadFile("../docs/guide/hono.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), code+"\n\n") {
		t.Errorf("docs/guide/hono.md does not show\n%s", code)
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
