package interop_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/api"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// inFrames is what a URL has for bytes in binary frames.
const inFrames = "?kkrpc=compact-json,bytes.1"

// TestNpmClientBytesOfGoInHono has npm/client, in each runtime, exchange bytes with Go in each. It counts the frames.
func TestNpmClientBytesOfGoInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmbytes", "")
		for _, rt := range js.Runtimes {
			t.Run(string(rt), func(t *testing.T) {
				have(t, rt)
				out, err := rt.Command(t, filepath.Join(js.Dir(t), "bytes-run.mjs"), s.url+inFrames, "plain").CombinedOutput()
				var found foundInRuntime
				if err != nil || json.Unmarshal(out, &found) != nil || found.Values != 15 {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	})
}

// TestGoClientBytesOfGoInHono has the Go client exchange bytes with Go inside Hono: in arguments, results, callbacks, calls back
// and streams, in frames by the URL, and in text without.
func TestGoClientBytesOfGoInHono(t *testing.T) {
	swap := kkrpc.Object{"swap": func(b []byte) map[string]any {
		b = slices.Clone(b)
		slices.Reverse(b)
		return map[string]any{"swapped": b, "length": len(b)}
	}}
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmbytes", "")
		for _, row := range []struct {
			name, query string
			dialect     kkrpc.Dialect
		}{
			{"frames", "?kkrpc=compact-json,bytes.1", kkrpc.Compact},
			{"frames of SuperJSON", "?kkrpc=compact-superjson%2Cbytes.1", kkrpc.CompactSuperJSON},
			{"frames of the other generation", "?kkrpc=classic-json,bytes.1", kkrpc.Classic},
			{"text", "", kkrpc.Compact},
		} {
			t.Run(row.name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				ch := dial(t, s.url+row.query, kkrpc.Options{Dialect: row.dialect, Expose: swap})
				large := api.Pattern(1, 1<<20)
				if got, err := kkrpc.Call[[]byte](ctx, ch, "echo", large); err != nil || !bytes.Equal(got, large) {
					t.Errorf("echo: %d bytes, %v", len(got), err)
				}
				var told int
				if _, err := kkrpc.Call[any](ctx, ch, "report", large, func(n int, b []byte) {
					if bytes.Equal(b, large) {
						told += n
					}
				}); err != nil || told != 6 {
					t.Errorf("report told %d, %v", told, err)
				}
				if n, err := kkrpc.Call[int](ctx, ch, "drive", 5); err != nil || n != 5 {
					t.Errorf("drive: %d, %v", n, err)
				}
				if row.dialect == kkrpc.Classic {
					return // which has no streams of arguments
				}
				n := 0
				items, err := kkrpc.Call[iter.Seq2[[]byte, error]](ctx, ch, "items", 5, 100_000)
				if err != nil {
					t.Fatal(err)
				}
				for item, err := range items {
					if err != nil || !bytes.Equal(item, api.Pattern(n, 100_000)) {
						t.Fatalf("item %d: %d bytes, %v", n, len(item), err)
					}
					n++
				}
				taken, err := kkrpc.Call[int](ctx, ch, "take", func(yield func([]byte) bool) {
					for i := range 5 {
						if !yield(api.Pattern(i, 100_000)) {
							return
						}
					}
				})
				if n != 5 || err != nil || taken != 5 {
					t.Errorf("%d items were read, %d taken, %v", n, taken, err)
				}
			})
		}
	})
}

// frameOf is a binary frame as docs/protocol.md has it, with one Uint8Array.
func frameOf(text string, part []byte) []byte {
	frame := append([]byte{0xB1, 0, 0, 0, 1, 0, 0, 0}, make([]byte, 8)...)
	binary.LittleEndian.PutUint32(frame[8:], uint32(len(text)))
	frame = append(frame, "AAAAAAAAAAAAAAAA"...)
	frame = append(binary.LittleEndian.AppendUint32(frame, uint32(len(part))), 0, 0, 0, 0)
	frame = append(frame, text...)
	for len(frame)%8 != 0 {
		frame = append(frame, 0)
	}
	return append(frame, part...)
}

// TestFramesOfGoInHono writes and reads frames by hand.
func TestFramesOfGoInHono(t *testing.T) {
	const echo = `{"t":"q","id":"1","op":"call","p":["echo"],"a":["AAAAAAAAAAAAAAAA0"]}`
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmbytes", "")
		for _, row := range []struct {
			name  string
			query string
			sent  []byte
			op    ws.OpCode // of the answer
			code  ws.StatusCode
		}{
			{"agreed", inFrames, frameOf(echo, []byte{1, 2, 255}), ws.OpBinary, 0},
			{"agreed, and the bytes in the text", inFrames, []byte(strings.Replace(echo, "AAAAAAAAAAAAAAAA0", "AQL/", 1)), ws.OpBinary, 0},
			{"not agreed", "", frameOf(echo, []byte{1, 2, 255}), 0, 1007},
			{"not agreed, and the bytes in the text", "", []byte(strings.Replace(echo, "AAAAAAAAAAAAAAAA0", "AQL/", 1)), ws.OpText, 0},
			{"an unknown layer", "?kkrpc=compact-json,bytes.2", []byte(echo), 0, 1008},
		} {
			t.Run(row.name, func(t *testing.T) {
				conn := rawDial(t, s.url+row.query)
				if err := wsutil.WriteClientBinary(conn, row.sent); err != nil {
					t.Fatal(err)
				}
				got, op, err := wsutil.ReadServerData(conn)
				closed, _ := errors.AsType[wsutil.ClosedError](err)
				switch {
				case row.code != 0 && h == "deno" && err != nil && !errors.Is(err, net.ErrClosed): // it closes without a close frame at times
				case row.code != 0:
					if closed.Code != row.code {
						t.Errorf("answered %.100q, %v, want a close with %d", got, err, row.code)
					}
				case err != nil || op != row.op:
					t.Errorf("answered %.100q, opcode %v, %v, want opcode %v", got, op, err, row.op)
				case op == ws.OpBinary && !bytes.HasSuffix(got, []byte{0, 1, 2, 255}):
					t.Errorf("the frame is %q", got)
				}
			})
		}
	})
}

// TestNpmClientOfWorkers is that npm/client does not connect if it offers subprotocols, of which Workers select none.
func TestNpmClientOfWorkers(t *testing.T) {
	for _, h := range []host{"workers", "workers-plain"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			s := serve(t, h, "wasmbytes", "")
			for _, rt := range js.Runtimes {
				refused := "connecting "
				if rt == js.Deno { // which does not mind
					refused = "open "
				}
				for query, want := range map[string]string{"": refused, "?kkrpc=compact-json": "open ", inFrames: "open "} {
					out, err := rt.Command(t, filepath.Join(js.Dir(t), "npm-client-state.mjs"), s.url+query).CombinedOutput()
					if err != nil || !strings.HasPrefix(string(out), want) {
						t.Errorf("%s with %q: %s, %v, want %q", rt, query, out, err, want)
					}
				}
			}
		})
	}
}
