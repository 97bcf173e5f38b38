package guide_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// ledger is what one client was told, in order.
type ledger struct {
	mu    sync.Mutex
	lines []string
}

func (l *ledger) add(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
}

func (l *ledger) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// deaf sends one request over a WebSocket and never reads what the server sends.
func deaf(t *testing.T, address, path, request string) {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", path, address)
	response, err := http.ReadResponse(bufio.NewReader(nc), nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(response, err)
	}
	header := []byte{0x81, 0x80 | byte(len(request))}
	if len(request) > 125 {
		header = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(request)))
	}
	if _, err := nc.Write(append(append(header, 0, 0, 0, 0), request...)); err != nil { // a mask of zeros
		t.Fatal(err)
	}
}

// Two clients have a server tell everybody, at the same time, beside one that does not read. All others are told the
// same, in one order, and nobody waits for the slow one. Each program is that of a page, to the letter.
func TestOneOrderBesideASlowClient(t *testing.T) {
	const value = `{"__kkrpc_next_arg__":"value","v":`
	const function = `{"__kkrpc_next_arg__":"callback","id":"f1"}`
	for _, test := range []struct {
		name, path string
		request    string // of the slow client
		each       int    // messages of each sender
		join       func(ctx context.Context, ch *kkrpc.Channel, heard *ledger) error
		tell       func(ctx context.Context, ch *kkrpc.Channel, sender, i int) error
	}{
		{
			"fan-out", "/ws", `{"t":"q","id":"1","op":"call","p":["join"],"a":[` + value + `"Deaf"},` + function + `]}`, 400,
			func(ctx context.Context, ch *kkrpc.Channel, heard *ledger) error {
				return ch.Call(ctx, nil, "join", "Ada", func(m map[string]any) { heard.add(strings.Trim(m["text"].(string), ".")) })
			},
			func(ctx context.Context, ch *kkrpc.Channel, sender, i int) error {
				return ch.Call(ctx, nil, "say", fmt.Sprint(sender, " ", i)+strings.Repeat(".", 20_000)) // 16 MB in all
			},
		},
		{
			"callbacks", "/ws", `{"t":"q","id":"1","op":"call","p":["subscribe"],"a":[` + function + `]}`, 1000,
			func(ctx context.Context, ch *kkrpc.Channel, heard *ledger) error {
				return ch.Call(ctx, nil, "subscribe", func(price float64) { heard.add(fmt.Sprint(price)) })
			},
			func(ctx context.Context, ch *kkrpc.Channel, sender, i int) error {
				return ch.Call(ctx, nil, "publish", float64(sender*10_000+i))
			},
		},
		{
			"users", "/users", `{"t":"q","id":"1","op":"call","p":["getUsers"],"a":[]}`, 1000,
			nil,
			func(ctx context.Context, ch *kkrpc.Channel, sender, i int) error {
				return ch.Call(ctx, nil, "updateUser", "user1", map[string]any{"age": sender*10_000 + i})
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, address := serve(t, program(t, test.name))
			ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
			defer cancel()
			url := "ws://" + address + test.path
			var clients []*kkrpc.Channel
			var heard []*ledger
			for range 3 {
				l := new(ledger)
				ch, err := ws.Dial(ctx, url, &ws.DialOptions{RPC: kkrpc.Options{
					Expose: kkrpc.Object{"onUserUpdate": func(user map[string]any) { l.add(fmt.Sprint(user["age"])) }},
					Limits: kkrpc.Limits{Running: 1}, // each ends before the next one begins
				}})
				if err != nil {
					t.Fatal(err)
				}
				defer ch.Close()
				clients, heard = append(clients, ch), append(heard, l)
				switch {
				case test.join != nil:
					err = test.join(ctx, ch, l)
				case len(clients) == 1:
					err = ch.Call(ctx, nil, "createUser", map[string]any{"name": "Ada", "age": 1})
				default:
					err = ch.Call(ctx, nil, "getUsers") // tells the dialect
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(clients) == 1 {
					deaf(t, address, test.path, test.request)
				}
			}
			var senders sync.WaitGroup
			for sender := range 2 {
				senders.Go(func() {
					for i := range test.each {
						if err := test.tell(ctx, clients[sender], sender, i); err != nil {
							t.Error(err)
							return
						}
					}
				})
			}
			senders.Wait()
			for i, l := range heard { // the last messages may be on their way, or wait for their turn
				for len(l.all()) < 2*test.each && ctx.Err() == nil {
					if err := clients[i].Call(ctx, nil, "nobody"); err == nil {
						t.Error("a function that is not there was called")
					}
				}
			}
			first := heard[0].all()
			for i, l := range heard {
				if all := l.all(); len(all) != 2*test.each || !slices.Equal(all, first) {
					t.Errorf("client %d was told %d of %d, or in another order than client 0", i, len(all), 2*test.each)
				}
			}
		})
	}
}
