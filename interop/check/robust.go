package check

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
)

// stray are frames that a server has to ignore: malformed, unknown, or addressed to nothing it has.
var stray = []struct {
	name  string
	needs feature
	frame string
}{
	{"garbage", compactFrames, "this is no message"},
	{"empty-object", compactFrames, "{}"},
	{"unknown-kind", compactFrames, `{"t":"zz","id":"1"}`},
	{"unasked-response", compactFrames, `{"t":"r","id":"nobody-asked","v":1}`},
	{"unknown-callback", compactFrames, `{"t":"cb","id":"unknown","a":[1]}`},
	{"unknown-release", compactFrames, `{"t":"cbr","ids":["unknown"]}`},
	{"release-of-a-number", compactFrames, `{"t":"cbr","ids":[1]}`},
	{"no-path", compactFrames, `{"t":"q","id":"broken","op":"call","a":[]}`},
	{"unknown-operation", compactFrames, `{"t":"q","id":"broken","op":"destroy","p":["greet"]}`},
	{"garbage", classicLines, "this is no message\n"},
	{"empty-object", classicLines, "{}\n"},
	{"unknown-kind", classicLines, `{"type":"mystery","id":"1","method":"x","args":[]}` + "\n"},
	{"unasked-response", classicLines, `{"type":"response","id":"nobody-asked","method":"","args":{"result":1}}` + "\n"},
	{"unknown-callback", classicLines, `{"type":"callback","id":"1","method":"unknown","args":[1]}` + "\n"},
	{"split-line", classicLines, `{"type":"callback","id":"1",`}, // completed by the request that follows
}

// robustChecks send what no client would, each on a connection of its own, and then a request.
func robustChecks() (checks []check) {
	for _, s := range stray {
		request, answer := `{"id":"r1","method":"greet","args":["raw"],"type":"request","version":"json"}`+"\n", `"result":"Hello, raw!"`
		if s.needs&compactFrames != 0 {
			request, answer = `{"t":"q","id":"r1","op":"call","p":["greet"],"a":["raw"],"meta":{"unknown":[1]}}`, `"v":"Hello, raw!"`
		}
		checks = append(checks, check{name: "robust/" + s.name, needs: s.needs | plainJSON | webSocket, run: func(ctx context.Context, t *target) error {
			if s.name == "split-line" {
				return exchange(ctx, t.URL, answer, s.frame, `"method":"unknown","args":[]}`+"\n"+request)
			}
			// A valid message first, so that the stray one meets a server that knows the dialect.
			return exchange(ctx, t.URL, answer, strings.Replace(request, "r1", "r0", 1), s.frame, request)
		}})
	}
	return checks
}

// exchange sends frames on a new connection and waits for the answer to request r1, which has to contain want.
func exchange(ctx context.Context, url, want string, frames ...string) error {
	conn, buffered, _, err := ws.Dial(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	for _, frame := range frames {
		if err := wsutil.WriteClientText(conn, []byte(frame)); err != nil {
			return err
		}
	}
	defer wsutil.WriteClientMessage(conn, ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))
	var r io.ReadWriter = conn
	if buffered != nil {
		r = readBuffered{Conn: conn, buffered: buffered}
	}
	for {
		text, err := wsutil.ReadServerText(r)
		if err != nil {
			return err
		}
		if !strings.Contains(string(text), `"id":"r1"`) {
			continue
		}
		if !strings.Contains(string(text), want) {
			return fmt.Errorf("got %s, want %s in it", text, want)
		}
		return nil
	}
}

// readBuffered is a connection some of whose bytes came with the answer to the handshake.
type readBuffered struct {
	net.Conn
	buffered io.Reader
}

func (r readBuffered) Read(p []byte) (int, error) { return r.buffered.Read(p) }
