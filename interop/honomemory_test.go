package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// countObjects has the server of the bundle for Bun tell, at /objects, how many objects JavaScript has.
func countObjects(t *testing.T) (script string) {
	t.Helper()
	dir := build(t, "bun", "wasmserver", "")
	text, err := os.ReadFile(filepath.Join(dir, "server.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	head, tail, found := strings.Cut(string(text), "const server = ")
	if !found {
		t.Fatalf("no server in\n%s", text)
	}
	const route = `app.get("/objects", (c) => {
	Bun.gc(true)
	return c.text(String(heapStats().objectCount))
})
const server = `
	script = filepath.Join(dir, "counted.mjs")
	if err := os.WriteFile(script, []byte("import { heapStats } from \"bun:jsc\"\n"+head+route+tail), 0o644); err != nil {
		t.Fatal(err)
	}
	return script
}

// TestMemoryIsBackInHono connects 10,000 times, with a call and a timer each: what the program and the host have afterwards
// must not grow with them. Of the host's objects Bun tells.
func TestMemoryIsBackInHono(t *testing.T) {
	const connects, warmup = 10_000, 1000
	eachHost(t, func(t *testing.T, h host) {
		var s server
		objects := func() int { return 0 }
		if h == "bun" {
			s = serveScript(t, js.Bun, countObjects(t))
			objects = func() int { return objectsOf(t, s) }
		} else {
			s = serve(t, h, "wasmserver", "")
		}
		watch := dial(t, s.url, kkrpc.Options{})
		memory := func() map[string]int {
			t.Helper()
			m, err := kkrpc.Call[map[string]int](t.Context(), watch, "memory")
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		connect(t, s, warmup)
		before, objectsBefore := memory(), objects()
		connect(t, s, connects)
		after := memory()
		for end := time.Now().Add(10 * time.Second); after["goroutines"] > before["goroutines"] && time.Now().Before(end); after = memory() {
			// The last ones have closed, and the program may be about to be told.
		}
		objectsAfter := objects()
		t.Logf("before: %v, %d objects; after: %v, %d objects", before, objectsBefore, after, objectsAfter)
		if got := objectsAfter - objectsBefore; got > connects {
			t.Errorf("JavaScript has %d objects more than before %d connects", got, connects)
		}
		if got := after["heap"] - before["heap"]; got > 1<<20 {
			t.Errorf("the heap has grown by %d bytes over %d connects, want less than 1 MiB", got, connects)
		}
		if got := after["sys"] - before["sys"]; got > 16<<20 {
			t.Errorf("linear memory has grown by %d MiB over %d connects", got>>20, connects)
		}
		if got := after["goroutines"] - before["goroutines"]; got > 0 {
			t.Errorf("%d goroutines more than before", got)
		}
	})
}

// connect opens n connections, some at a time, and closes each after a call that waits for a timer.
func connect(t *testing.T, s server, n int) {
	t.Helper()
	const atOnce = 32
	turns := make(chan struct{})
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for range turns {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				ch, err := ws.Dial(ctx, s.url, nil)
				if err == nil {
					_, err = kkrpc.Call[string](ctx, ch, "slow", 1)
					ch.Close()
				}
				cancel()
				if err != nil && !t.Failed() {
					t.Error(err) // one is enough
				}
			}
		})
	}
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	wg.Wait()
}

// objectsOf asks a server of countObjects.
func objectsOf(t *testing.T, s server) (n int) {
	t.Helper()
	resp, err := http.Get(strings.TrimSuffix(strings.Replace(s.url, "ws:", "http:", 1), "ws") + "objects")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := fmt.Fscan(resp.Body, &n); err != nil {
		t.Fatal(err)
	}
	return n
}
