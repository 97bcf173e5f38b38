package interop_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// serveAborting serves a plain Worker that aborts the request of a socket with ?abort=1 when that says so: no event tells.
func serveAborting(t *testing.T) (url string) {
	t.Helper()
	have(t, js.Workerd)
	dir := build(t, "workers-plain", "wasmserver", "")
	text, err := os.ReadFile(filepath.Join(dir, "server.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	const events = "createHonoWebSocketHandler(c)"
	aborts := strings.Replace(string(text), events, `({ ...`+events+`, ...(c.req.query("abort") && { onMessage: (() => {
	const { onMessage } = `+events+`
	return (event, ws) => (event.data === "abort" ? c.executionCtx.abort(new Error("enough")) : onMessage(event, ws))
})() }) })`, 1)
	if aborts == string(text) {
		t.Fatalf("no %s in\n%s", events, text)
	}
	script := filepath.Join(dir, "aborts.mjs")
	if err := os.WriteFile(script, []byte(aborts), 0o666); err != nil {
		t.Fatal(err)
	}
	addr, _ := js.Worker{Script: script, Wasm: []string{"api.wasm"}, Date: "2026-10-01"}.Start(t)
	return "ws://" + addr + "/ws"
}

// abortable dials a socket of serveAborting and has it answered. abort aborts its request.
func abortable(t *testing.T, url string) (abort func()) {
	t.Helper()
	conn := rawDial(t, url+"?abort=1")
	say := func(text string) {
		if err := wsutil.WriteClientText(conn, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	say(greetMessage("1", "you"))
	if answer, err := wsutil.ReadServerText(conn); err != nil {
		t.Fatalf("%q, %v", answer, err)
	}
	return func() { say("abort") }
}

// TestRequestThatEndsWithoutAWordInHono aborts the request of the socket in whose request the program's timers are kept:
// the others' timers go on.
func TestRequestThatEndsWithoutAWordInHono(t *testing.T) {
	url := serveAborting(t)
	abort := abortable(t, url)
	other := dial(t, url, kkrpc.Options{})
	greets(t, other)
	slept := make(chan error, 1)
	go func() { // it has nothing to say meanwhile
		_, err := callWithin(t, other, 10*time.Second, "slow", 1000)
		slept <- err
	}()
	greets(t, dial(t, url, kkrpc.Options{})) // after the other one's message
	abort()
	if err := <-slept; err != nil {
		t.Errorf("a call that waited for a timer: %v", err)
	}
	for _, ms := range []int{1, 100, 20} {
		if _, err := callWithin(t, other, 10*time.Second, "slow", ms); err != nil {
			t.Errorf("a call afterwards: %v", err)
		}
	}
}

// TestRequestsThatEndWithoutAWordInHono has a second socket that keeps the timers go as the first did, when only one that came
// between is left.
func TestRequestsThatEndWithoutAWordInHono(t *testing.T) {
	url := serveAborting(t)
	first, second := abortable(t, url), abortable(t, url)
	wakes := dial(t, url, kkrpc.Options{})
	greets(t, wakes)
	first()
	if _, err := callWithin(t, wakes, 10*time.Second, "slow", 500); err != nil {
		t.Fatalf("a call that waited for a timer: %v", err)
	}
	wakes.Close()
	<-wakes.Done()
	stays := dial(t, url, kkrpc.Options{})
	greets(t, stays)
	slept := make(chan error, 1)
	go func() { // it has nothing to say meanwhile
		_, err := callWithin(t, stays, 10*time.Second, "slow", 1000)
		slept <- err
	}()
	greets(t, dial(t, url, kkrpc.Options{})) // after that
	second()
	if err := <-slept; err != nil {
		t.Errorf("a call that waited for a timer: %v", err)
	}
}

// TestCompatibilityDatesOfWorkers has the bundle in a Worker that its owner does not bring up to date.
func TestCompatibilityDatesOfWorkers(t *testing.T) {
	for _, row := range []struct {
		host    host
		date    string
		refused bool
	}{
		{"workers", "2023-05-01", false},
		{"workers", "2026-04-06", false}, // the last on which workerd leaves the answer to a close to the Worker
		{"workers-plain", "2024-10-13", true},
		{"workers-plain", "2024-10-14", false},
		{"workers-plain", "2026-04-06", false},
	} {
		t.Run(string(row.host)+" "+row.date, func(t *testing.T) {
			t.Parallel()
			have(t, js.Workerd)
			w := js.Worker{Script: filepath.Join(build(t, row.host, "wasmserver", ""), "server.mjs"), Wasm: []string{"api.wasm"}, Date: row.date}
			if row.host == "workers" {
				w.Object = "Rpc"
			}
			addr, out := w.Start(t)
			url := "ws://" + addr + "/ws"
			if row.refused {
				if _, _, _, err := ws.Dial(t.Context(), url); err == nil {
					t.Error("a connection was opened")
				}
				for end := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "2024-10-14"); {
					if time.Now().After(end) { // what it prints comes beside its answer
						t.Fatalf("the Worker did not name the date, but said:\n%s", out)
					}
					runtime.Gosched()
				}
				return
			}
			heard := make(chan string, 1)
			listens := dial(t, url, kkrpc.Options{})
			if err := listens.Call(t.Context(), nil, "listen", func(text string) { heard <- text }); err != nil {
				t.Fatal(err)
			}
			if _, err := kkrpc.Call[int](t.Context(), dial(t, url, kkrpc.Options{}), "tellOthers", "hello"); err != nil {
				t.Fatal(err)
			}
			select {
			case <-heard:
			case <-time.After(10 * time.Second):
				t.Error("what one socket told the other was lost")
			}
			closes := rawDial(t, url)
			if err := wsutil.WriteClientText(closes, []byte(greetMessage("1", "you"))); err != nil {
				t.Fatal(err)
			}
			if _, err := wsutil.ReadServerText(closes); err != nil {
				t.Fatal(err)
			}
			if err := wsutil.WriteClientBinary(closes, []byte(greetMessage("2", "bytes"))); err != nil { // a Blob or an ArrayBuffer
				t.Fatal(err)
			}
			if got, err := wsutil.ReadServerText(closes); err != nil || !strings.Contains(string(got), "Hello, bytes!") {
				t.Errorf("a binary message was answered by %q, %v", got, err)
			}
			_ = closes.SetDeadline(time.Now().Add(10 * time.Second))
			if err := ws.WriteFrame(closes, ws.MaskFrame(ws.NewCloseFrame(ws.NewCloseFrameBody(1000, "bye")))); err != nil {
				t.Fatal(err)
			}
			if header, err := ws.ReadHeader(closes); err != nil || header.OpCode != ws.OpClose {
				t.Errorf("a close was answered by %v, %v", header, err)
			}
		})
	}
}
