// Command wasmfetch sends requests from inside Hono, as its tests ask for.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/console"
	"github.com/kkrpc-go/kkrpc/wasm/fetch"
)

// answer is a response with its whole body.
type answer struct {
	Status       int          `json:"status"`
	StatusText   string       `json:"statusText"`
	URL          string       `json:"url"`
	Redirected   bool         `json:"redirected"`
	Uncompressed bool         `json:"uncompressed"`
	Header       fetch.Header `json:"header"`
	Body         string       `json:"body"`
}

func whole(response *fetch.Response, err error) (*answer, error) {
	if err != nil {
		return nil, described(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, described(fmt.Errorf("after %d bytes: %w", len(body), err))
	}
	return &answer{response.Status, response.StatusText, response.URL, response.Redirected, response.Uncompressed, response.Header, string(body)}, nil
}

// described adds what the error wraps.
func described(err error) error {
	for name, target := range map[string]error{"ErrConnection": fetch.ErrConnection, "ErrRedirect": fetch.ErrRedirect, "Canceled": context.Canceled, "DeadlineExceeded": context.DeadlineExceeded, "errReader": errReader} {
		if errors.Is(err, target) {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

// generated is a body of n bytes that is made as it is read. It fails at its end if fails is set.
type generated struct {
	mu    sync.Mutex
	size  int
	left  int
	given int
	last  time.Time
	fails bool
}

var errReader = errors.New("the reader has failed")

func (g *generated) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = time.Now()
	if g.left == 0 && g.fails {
		return 0, errReader
	}
	if g.left == 0 {
		return 0, io.EOF
	}
	n := min(len(p), g.left)
	for i := range p[:n] {
		p[i] = 'a'
	}
	g.left -= n
	g.given += n
	return n, nil
}

// quiet returns how much has been read, if nothing has been read for half a second.
func (g *generated) quiet() (given int, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.given, g.given > 0 && time.Since(g.last) > 500*time.Millisecond
}

// state is shared by all connections.
type state struct {
	uploading *generated
	opened    *fetch.Response
	told      chan struct{}
	shared    chan error // how the shared fetch has ended
}

func (s *state) api() kkrpc.Object {
	return kkrpc.Object{
		"get": func(ctx context.Context, url string, redirect int) (*answer, error) {
			return whole(fetch.Do(ctx, &fetch.Request{URL: url, Redirect: fetch.Redirect(redirect)}))
		},
		"send": func(ctx context.Context, method, url string, header fetch.Header, body string) (*answer, error) {
			r := &fetch.Request{Method: method, URL: url, Header: header}
			if body != "" {
				r.Body = strings.NewReader(body)
			}
			return whole(fetch.Do(ctx, r))
		},
		"upload": func(ctx context.Context, url string, n int, fails bool) (*answer, error) {
			s.uploading = &generated{size: n, left: n, fails: fails}
			return whole(fetch.Post(ctx, url, "text/plain", s.uploading))
		},
		// uploadStalled returns how much of an upload of n bytes has been read when it does not go on.
		"uploadStalled": func(n int) int {
			for range time.Tick(50 * time.Millisecond) {
				if g := s.uploading; g != nil && g.size == n {
					if given, ok := g.quiet(); ok {
						return given
					}
				}
			}
			return 0
		},
		// talk writes the next line when the server has echoed the one before. Node.js sends the request with the first one.
		"talk": func(ctx context.Context, url string, lines int) (string, error) {
			pr, pw := io.Pipe()
			line := func(i int) string { return fmt.Sprintf("line %d\n", i) }
			go func() { _, _ = io.WriteString(pw, line(0)) }()
			response, err := fetch.Post(ctx, url, "text/plain", pr)
			if err != nil {
				return "", err
			}
			defer response.Body.Close()
			var all strings.Builder
			for i := 1; ; i++ {
				echo := make([]byte, len(line(0)))
				if _, err := io.ReadFull(response.Body, echo); err != nil {
					return "", err
				}
				all.Write(echo)
				if i == lines {
					break
				}
				if _, err := io.WriteString(pw, line(i)); err != nil {
					return "", err
				}
			}
			pw.Close()
			rest, err := io.ReadAll(response.Body)
			return all.String() + string(rest), err
		},
		// open keeps a response whose body readOn and shut use.
		"open": func(ctx context.Context, url string) (first string, err error) {
			s.opened, err = fetch.Get(context.WithoutCancel(ctx), url)
			if err != nil {
				return "", err
			}
			p := make([]byte, 100)
			n, err := s.opened.Body.Read(p)
			return string(p[:n]), err
		},
		"readOn": func() (int64, error) { return io.Copy(io.Discard, s.opened.Body) },
		"shut": func() string {
			s.opened.Body.Close()
			_, err := s.opened.Body.Read(make([]byte, 1))
			return err.Error()
		},
		// within fetches with a deadline of so many milliseconds.
		"within": func(ctx context.Context, url string, ms int) (*answer, error) {
			ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(ms)*time.Millisecond, errors.New("too slow for me"))
			defer cancel()
			return whole(fetch.Get(ctx, url))
		},
		// inBackground fetches without a connection.
		"inBackground": func(url string) (*answer, error) { return whole(fetch.Get(context.Background(), url)) },
		// share begins a fetch whose end awaitShared returns to whoever calls.
		"share": func(ctx context.Context, url string) {
			s.shared = make(chan error, 1)
			go func() {
				_, err := whole(fetch.Get(context.WithoutCancel(ctx), url))
				s.shared <- err
			}()
		},
		// closeAndRead closes the connection of its caller before it reads the rest of a body. awaitShared returns what came of it.
		"closeAndRead": func(ctx context.Context, url string) error {
			s.shared = make(chan error, 1)
			response, err := fetch.Get(context.WithoutCancel(ctx), url)
			if err != nil {
				return err
			}
			defer response.Body.Close()
			if _, err := response.Body.Read(make([]byte, 5)); err != nil {
				return err
			}
			kkrpc.FromContext(ctx).Close()
			_, err = io.ReadAll(response.Body)
			if err == nil {
				err = errors.New("the body looks complete")
			}
			s.shared <- described(err)
			return nil
		},
		"awaitShared": func() error { return <-s.shared },
		// getWhenTold fetches when another connection calls tell. Its goroutine then runs in the request of that one.
		"getWhenTold": func(ctx context.Context, url string, waits func()) (*answer, error) {
			waits()
			<-s.told
			return whole(fetch.Get(ctx, url))
		},
		"tell": func() { s.told <- struct{}{} },
		"exit": func() { os.Exit(3) },
		"memory": func() map[string]uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return map[string]uint64{"heap": m.HeapAlloc, "sys": m.Sys, "goroutines": uint64(runtime.NumGoroutine())}
		},
		"logs": func() {
			for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
				slog.Log(context.Background(), level, "a record", "n", 1)
			}
			log.Print("by package log")
			fmt.Fprintln(os.Stderr, "to standard error")
		},
	}
}

func main() {
	slog.SetDefault(slog.New(console.NewHandler(&slog.HandlerOptions{Level: slog.LevelDebug})))
	log.Fatal(wasm.Serve((&state{told: make(chan struct{})}).api(), nil))
}
