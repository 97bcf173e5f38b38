package interop_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// TestServersThatStopInHono has each server stop by the means of its runtime, which closes the connections with code 1001.
func TestServersThatStopInHono(t *testing.T) {
	for _, row := range []struct {
		host      host
		old, text string
	}{
		{"deno", "Deno.serve({", "app.get(\"/stop\", (c) => (server.shutdown(), c.text(\"\")))\nconst server = Deno.serve({"},
		{"bun", "const server = ", "app.get(\"/stop\", (c) => (queueMicrotask(() => server.stop(true)), c.text(\"\")))\nconst server = "},
	} {
		t.Run(string(row.host), func(t *testing.T) {
			t.Parallel()
			have(t, row.host.runtime())
			s := serveScript(t, row.host.runtime(), edited(t, row.host, "wasmserver", "server.mjs", "stops.mjs", row.old, row.text))
			conn := rawDial(t, s.url)
			if err := wsutil.WriteClientText(conn, []byte(greetMessage("1", "you"))); err != nil {
				t.Fatal(err)
			}
			if _, err := wsutil.ReadServerText(conn); err != nil {
				t.Fatal(err)
			}
			stop := strings.NewReplacer("ws://", "http://", "/ws", "/stop").Replace(s.url)
			if response, err := http.Get(stop); err == nil { // it may stop before it answers
				response.Body.Close()
			}
			got, err := wsutil.ReadServerText(conn)
			if closed, ok := errors.AsType[wsutil.ClosedError](err); !ok || closed.Code != ws.StatusGoingAway {
				t.Errorf("the connection ended with %q, %v, want code 1001", got, err)
			}
		})
	}
}

// TestWorkerdThatIsTerminated takes no more connections, and serves those that it has.
func TestWorkerdThatIsTerminated(t *testing.T) {
	have(t, js.Workerd)
	var workerd *os.Process
	w := js.Worker{
		Script: filepath.Join(build(t, "workers-plain", "wasmserver", ""), "server.mjs"), Wasm: []string{"api.wasm"}, Date: "2026-10-01",
		Started: func(p *os.Process) { workerd = p },
	}
	addr, _ := w.Start(t)
	ch := dial(t, "ws://"+addr+"/ws", kkrpc.Options{})
	greets(t, ch)
	if err := workerd.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	for end := time.Now().Add(10 * time.Second); ; {
		response, err := client.Get("http://" + addr + "/")
		if err != nil {
			break
		}
		response.Body.Close()
		if time.Now().After(end) {
			t.Fatal("it still takes connections")
		}
	}
	greets(t, ch)
}

// TestBunHotInHono has `bun --hot` load a changed server. That has another program, and the connections of the old one go on.
func TestBunHotInHono(t *testing.T) {
	have(t, js.Bun)
	script := edited(t, "bun", "wasmserver", "server.mjs", "hot.mjs", "\nconst app", "\nconst app")
	cmd := exec.CommandContext(t.Context(), js.Bun.Path(t), "--hot", script)
	cmd.Env = os.Environ()
	s := serveCommand(t, cmd)
	old := dial(t, s.url, kkrpc.Options{})
	if err := old.Call(t.Context(), nil, "listen", func(string) {}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(script)
	if err == nil {
		err = os.WriteFile(script, append(text, "\n// changed\n"...), 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
	serving := regexp.MustCompile(`serving ws://localhost(:\d+/ws)`)
	var again []string
	for end := time.Now().Add(10 * time.Second); again == nil; {
		if again = serving.FindStringSubmatch(s.out.String()); again == nil && time.Now().After(end) {
			t.Fatal("the changed server does not serve")
		}
	}
	fresh := dial(t, fmt.Sprint("ws://127.0.0.1", again[1]), kkrpc.Options{})
	if told, err := kkrpc.Call[int](t.Context(), fresh, "tellOthers", "hello"); err != nil || told != 0 {
		t.Errorf("the new program told %d connections, %v, want none of the old one", told, err)
	}
	greets(t, old)
}
