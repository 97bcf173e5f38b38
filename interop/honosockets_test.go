package interop_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestSocketsReachEachOtherInHono has one socket's call make the program send to all others. On Workers they belong to
// other requests.
func TestSocketsReachEachOtherInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		const listeners, texts = 8, 20
		s := serve(t, h, "wasmserver", "")
		var heard [listeners]chan string
		for i := range heard {
			heard[i] = make(chan string, texts)
			ch := dial(t, s.url, kkrpc.Options{Expose: kkrpc.Object{
				"notify": func(text string) string { return fmt.Sprint(i, " got ", text) },
			}})
			if err := ch.Call(t.Context(), nil, "listen", func(text string) { heard[i] <- text }); err != nil {
				t.Fatal(err)
			}
		}
		tells := dial(t, s.url, kkrpc.Options{})
		var want []string
		for i := range texts {
			text := strings.Repeat("x", i*i*10) + fmt.Sprint(i)
			want = append(want, text)
			if told, err := kkrpc.Call[int](t.Context(), tells, "tellOthers", text); err != nil || told != listeners {
				t.Fatalf("tellOthers told %d, %v; want %d", told, err, listeners)
			}
		}
		for i := range heard {
			var got []string
			for range texts {
				select {
				case text := <-heard[i]:
					got = append(got, text)
				case <-time.After(30 * time.Second):
					t.Fatalf("listener %d heard %d texts, want %d", i, len(got), texts)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("listener %d heard %.100q, want %.100q", i, got, want)
			}
		}
		answers, err := kkrpc.Call[[]string](t.Context(), tells, "askOthers", "a question")
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(answers)
		for i, answer := range answers {
			if want := fmt.Sprint(i, " got a question"); answer != want {
				t.Errorf("answer %d is %q, want %q", i, answer, want)
			}
		}
		if len(answers) != listeners {
			t.Errorf("%d answers, want %d", len(answers), listeners)
		}
	})
}

// dropper has the connection of a channel that can be cut without a close frame.
type dropper struct {
	net.Dialer
	mu   sync.Mutex
	conn net.Conn
}

func (d *dropper) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.DialContext(ctx, network, addr)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conn = conn
	return conn, err
}

// TestTimersOutliveTheirSocketInHono has sockets wait for timers of the program while those that came before them leave:
// on Workers a timer belongs to the request in which it was armed, and ends with it.
func TestTimersOutliveTheirSocketInHono(t *testing.T) {
	for _, row := range []struct {
		name string
		cut  bool // without a close frame
	}{
		{"closed", false},
		{"cut", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			eachHost(t, func(t *testing.T, h host) {
				s := serve(t, h, "wasmserver", "")
				const sockets = 6
				var leave [sockets]func()
				slept := make(chan error, sockets)
				for i := range sockets {
					var d dropper
					ch := dialWith(t, s.url, &ws.DialOptions{NetDial: d.dial})
					greets(t, ch)
					leave[i] = func() {
						if row.cut {
							d.conn.Close()
						} else {
							ch.Close()
						}
					}
					// The last one's sleep is the shortest but one: Go rearms its timer on this socket's message.
					ms := 900 + 100*(sockets-i)
					go func() {
						got, err := kkrpc.Call[string](t.Context(), ch, "slow", ms)
						if want := fmt.Sprint("slept ", ms); err == nil && got != want {
							err = fmt.Errorf("got %q, want %q", got, want)
						}
						slept <- err
					}()
				}
				// All but two leave, the oldest first: the timer goes from one to the next.
				for _, f := range leave[:sockets-2] {
					f()
				}
				late := time.After(15 * time.Second)
				ok := 0
				for range sockets {
					select {
					case err := <-slept:
						if err == nil {
							ok++
						}
					case <-late:
						t.Fatal("a sleep did not end")
					}
				}
				if ok != 2 {
					t.Errorf("%d sleeps ended well, want those of the two that stayed", ok)
				}
			})
		})
	}
}

// TestTimersWaitForASocketInHono has the last socket leave with timers armed, and another come.
func TestTimersWaitForASocketInHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		s := serve(t, h, "wasmserver", "")
		for range 3 {
			ch := dial(t, s.url, kkrpc.Options{})
			if _, err := kkrpc.Call[string](t.Context(), ch, "lateCallback", 50, func(string) {}); err != nil {
				t.Fatal(err)
			}
			ch.Close()
			<-ch.Done()
		}
		ch := dial(t, s.url, kkrpc.Options{})
		for _, ms := range []int{100, 1, 30} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			got, err := kkrpc.Call[string](ctx, ch, "slow", ms)
			cancel()
			if want := fmt.Sprint("slept ", ms); err != nil || got != want {
				t.Errorf("slow: %q, %v, want %q", got, err, want)
			}
		}
	})
}
