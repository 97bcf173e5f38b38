package interop_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"github.com/kkrpc-go/kkrpc"
)

// rawDial connects without a channel: what is sent is up to the test.
func rawDial(t *testing.T, url string) net.Conn {
	t.Helper()
	return rawDialFrom(t, url, "")
}

func greetMessage(id, name string) string {
	return fmt.Sprintf(`{"t":"q","id":%q,"op":"call","p":["greet"],"a":[%q]}`, id, name)
}

// TestPeersThatDoHarmInHono sends what no client of kkrpc does. Another connection is served before and after.
func TestPeersThatDoHarmInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		other := dial(t, s.url, kkrpc.Options{})
		greets(t, other)
		for _, row := range []struct {
			name string
			op   ws.OpCode
			sent string
			code int    // of the close; 0 if it is answered
			got  string // some of the answer
		}{
			{"bytes in place of a text", ws.OpBinary, greetMessage("1", "bytes"), 0, "Hello, bytes!"},
			{"characters of all lengths", ws.OpText, greetMessage("1", "aä€😀"), 0, "Hello, aä€😀!"},
			{"a long text", ws.OpText, greetMessage("1", strings.Repeat("ä€😀", 100_000)), 0, "Hello, ä€😀"},
			{"long bytes", ws.OpBinary, greetMessage("1", strings.Repeat("x", 100_000)), 0, "Hello, x"},
			{"as long as the scratch", ws.OpText, greetMessage("1", strings.Repeat("x", 65_536-len(greetMessage("1", "")))), 0, "Hello, x"},
			{"as long as the scratch with the head", ws.OpBinary, greetMessage("1", strings.Repeat("x", 65_528-len(greetMessage("1", "")))), 0, "Hello, x"},
			{"bytes that are not UTF-8", ws.OpBinary, "{\"t\":\"q\xff\"}", 1007, ""},
			{"a text over the limit", ws.OpText, strings.Repeat("x", 3<<20), 1009, ""},
			{"bytes over the limit", ws.OpBinary, strings.Repeat("x", 3<<20), 1009, ""},
		} {
			t.Run(row.name, func(t *testing.T) {
				conn := rawDial(t, s.url)
				if err := wsutil.WriteClientMessage(conn, row.op, []byte(row.sent)); err != nil {
					t.Fatal(err)
				}
				got, err := wsutil.ReadServerText(conn)
				var closed wsutil.ClosedError
				switch {
				case row.code == 0 && (err != nil || !strings.Contains(string(got), row.got)):
					t.Errorf("answered %.100q, %v, want %q", got, err, row.got)
				case row.code != 0 && (!errors.As(err, &closed) || int(closed.Code) != row.code):
					t.Errorf("answered %.100q, %v, want a close with %d", got, err, row.code)
				}
			})
			greets(t, other)
		}
	})
}

// TestMessagesBeforeTheStartInHono sends many at once to a program that has not been started.
func TestMessagesBeforeTheStartInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		const messages = 200
		conn := rawDial(t, serve(t, h, "wasmserver", "").url)
		for i := range messages {
			op := ws.OpText
			if i%2 == 1 {
				op = ws.OpBinary // those are as quick as the others
			}
			if err := wsutil.WriteClientMessage(conn, op, []byte(greetMessage(fmt.Sprint(i), "you"))); err != nil {
				t.Fatal(err)
			}
		}
		for i := range messages {
			var answer struct{ ID, V string }
			text, err := wsutil.ReadServerText(conn)
			if err == nil {
				err = json.Unmarshal(text, &answer)
			}
			if err != nil || answer.ID != fmt.Sprint(i) || answer.V != "Hello, you!" {
				t.Fatalf("answer %d is %q, %v", i, text, err)
			}
		}
	})
}

// TestPeerThatDoesNotReadInHono asks for 128 MiB and reads none of them meanwhile: requests that would have to wait are
// refused, or the connection is closed, and the program has not kept all answers. workerd does not tell what it has not
// sent.
func TestPeerThatDoesNotReadInHono(t *testing.T) {
	for _, h := range []host{"node", "deno", "bun"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			s := serve(t, h, "wasmserver", "")
			other := dial(t, s.url, kkrpc.Options{})
			conn := rawDial(t, s.url)
			const requests = 2048
			text := strings.Repeat("x", 64<<10)
			for i := range requests {
				msg := fmt.Sprintf(`{"t":"q","id":"%d","op":"call","p":["echo"],"a":[%q]}`, i, text)
				if err := wsutil.WriteClientText(conn, []byte(msg)); err != nil {
					break // it has been closed
				}
			}
			greets(t, other)
			memory, err := kkrpc.Call[map[string]int](t.Context(), other, "memory")
			if err != nil || memory["sys"] > 200<<20 {
				t.Errorf("the program has %d MB of memory, %v", memory["sys"]>>20, err)
			}
			read := 0
			for range requests {
				text, err := wsutil.ReadServerText(conn)
				if errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("neither an answer nor a close after %d bytes of answers", read)
				} else if err != nil {
					break
				}
				read += len(text)
			}
			if read > 64<<20 {
				t.Errorf("%d MiB of answers were kept", read>>20)
			}
		})
	}
}
