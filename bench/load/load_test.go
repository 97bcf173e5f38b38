package load_test

import (
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/bench/load"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// serve returns a server of the project itself.
func serve(t *testing.T, api kkrpc.Object) load.Target {
	t.Helper()
	return target(t, ws.Handler(api, nil))
}

func target(t *testing.T, h http.Handler) load.Target {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return load.Target{Addr: strings.TrimPrefix(server.URL, "http://"), Path: "/ws"}
}

// script returns a server that answers each message with what answer returns.
func script(t *testing.T, answer func(msg string) []string) load.Target {
	t.Helper()
	return target(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := gobwas.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for {
				msg, err := wsutil.ReadClientText(conn)
				if err != nil {
					return
				}
				for _, a := range answer(string(msg)) {
					if wsutil.WriteServerText(conn, []byte(a)) != nil {
						return
					}
				}
			}
		}()
	}))
}

var api = kkrpc.Object{
	"math": kkrpc.Object{"add": func(a, b float64) float64 { return a + b }},
	"add":  func(a, b float64) float64 { return a + b },
	"echo": func(text string) string { return text },
	"user": func(v any) any { return v },
	"bytes": func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(i)
		}
		return b
	},
}

// until runs a load until it has made n calls or failed.
func until(t *testing.T, l load.Load, n int64) (load.Counts, *load.Histogram, error) {
	t.Helper()
	r, err := l.Start()
	if err != nil {
		return load.Counts{}, nil, err
	}
	r.Time(true)
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(time.Millisecond); r.Counts().Calls < n; {
		if err := r.Err(); err != nil {
			_, _ = r.Stop()
			return r.Counts(), nil, err
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%d calls, want %d", r.Counts().Calls, n)
		}
	}
	times, err := r.Stop()
	return r.Counts(), times, err
}

func TestLoadInEveryDialectOfKkrpc(t *testing.T) {
	for _, dialect := range []string{"compact-json", "compact-superjson", "classic-json", "classic-superjson"} {
		for _, w := range []struct {
			name string
			work load.Work
		}{{"add", load.Add()}, {"echo", load.Echo(300)}, {"long echo", load.Echo(70_000)}, {"bytes", load.Bytes(1000)}, {"struct", load.Struct()}} {
			for _, each := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/%v", dialect, w.name, each), func(t *testing.T) {
					const conns, inFlight = 3, 5
					calls := min(500, int64(1_000_000/w.work.Bytes))
					n, times, err := until(t, load.Load{Target: serve(t, api), Dialect: dialect, Work: w.work, Conns: conns, InFlight: inFlight, Each: each}, calls)
					if err != nil {
						t.Fatal(err)
					}
					if times.Quantile(0.5) == 0 || times.Quantile(0.99) < times.Quantile(0.5) {
						t.Errorf("p50 %v, p99 %v", times.Quantile(0.5), times.Quantile(0.99))
					}
					// The fields of a decoded object come back in another order.
					if n.Parsed > conns && w.name != "struct" {
						t.Errorf("%d of %d answers had to be parsed", n.Parsed, n.Calls)
					}
				})
			}
		}
	}
}

func TestLoadOfEcho(t *testing.T) {
	n, _, err := until(t, load.Load{Target: script(t, func(msg string) []string { return []string{msg} }), Dialect: "echo", Work: load.Add(), Conns: 2, InFlight: 4}, 200)
	if err != nil {
		t.Fatal(err)
	}
	if n.Parsed > 2 {
		t.Errorf("%d of %d answers had to be parsed", n.Parsed, n.Calls)
	}
}

var idOf = regexp.MustCompile(`"id":"([^"]*)"`)

// right is the answer that kkrpc 2 would give to a call of math.add.
func right(msg string) string {
	var a, b int
	args := msg[strings.Index(msg, `"a":[`):]
	if _, err := fmt.Sscanf(args, `"a":[{"__kkrpc_next_arg__":"value","v":%d},{"__kkrpc_next_arg__":"value","v":%d}]}`, &a, &b); err != nil {
		return err.Error()
	}
	return fmt.Sprintf(`{"t":"r","id":"%s","v":%d}`, idOf.FindStringSubmatch(msg)[1], a+b)
}

// TestLoadNoticesWrongAnswers has servers go wrong after a hundred calls.
func TestLoadNoticesWrongAnswers(t *testing.T) {
	tests := []struct {
		name  string
		wrong func(msg string) []string
		want  string
	}{
		{"a wrong sum", func(msg string) []string {
			return []string{right(strings.Replace(msg, `"v":1`, `"v":2`, 1))}
		}, "want"},
		{"the answer to an earlier call", func(string) []string {
			return []string{`{"t":"r","id":"dcd7065b-6b28-49ee-8b34-000000000028","v":4080}`}
		}, "call 40, which is not under way"},
		{"no id of a call", func(msg string) []string {
			return []string{`{"t":"r","id":"x","v":1}`}
		}, "an id that no call has"},
		{"two answers", func(msg string) []string { return []string{right(msg), right(msg)} }, "not under way"},
		{"an error", func(msg string) []string {
			return []string{fmt.Sprintf(`{"t":"r","id":"%s","e":{"n":"Error","m":"no"}}`, idOf.FindStringSubmatch(msg)[1])}
		}, "not the answer to a call"},
		{"no result", func(msg string) []string {
			return []string{fmt.Sprintf(`{"t":"r","id":"%s"}`, idOf.FindStringSubmatch(msg)[1])}
		}, "has no result"},
		{"no JSON", func(string) []string { return []string{"oops"} }, "invalid character"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			srv := script(t, func(msg string) []string {
				if n.Add(1) == 100 {
					return tt.wrong(msg)
				}
				return []string{right(msg)}
			})
			_, _, err := until(t, load.Load{Target: srv, Dialect: "compact-json", Work: load.Add(), Conns: 1, InFlight: 4}, 1000)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestLoadTakesAnswersThatLookDifferent: another order of fields is right as well.
func TestLoadTakesAnswersThatLookDifferent(t *testing.T) {
	var n atomic.Int64
	srv := script(t, func(msg string) []string {
		answer := right(msg)
		if n.Add(1)%2 == 0 {
			at := strings.LastIndex(answer, `,"v"`)
			answer = `{` + answer[at+1:len(answer)-1] + "," + answer[1:at] + `}`
		}
		return []string{answer}
	})
	if _, _, err := until(t, load.Load{Target: srv, Dialect: "compact-json", Work: load.Add(), Conns: 1, InFlight: 4}, 300); err != nil {
		t.Error(err)
	}
}

func TestSession(t *testing.T) {
	count := func(n int) iter.Seq[int] {
		return func(yield func(int) bool) {
			for i := range n {
				if !yield(i) {
					return
				}
			}
		}
	}
	storm := func(n int, fn func(int)) int {
		for i := range n {
			fn(i)
		}
		return n
	}
	good := kkrpc.Object{"count": count, "storm": storm, "add": func(a, b float64) float64 { return a + b }}
	short := kkrpc.Object{
		"count": func(n int) iter.Seq[int] { return count(n - 1) },
		"storm": func(n int, fn func(int)) int { storm(n-1, fn); return n },
		"add":   func(a, b float64) float64 { return a + b },
	}
	for _, dialect := range []string{"compact-json", "classic-json"} {
		for _, op := range []struct {
			name string
			do   func(*load.Session) error
		}{
			{"stream", func(s *load.Session) error { return s.Stream(1000) }},
			{"callbacks", func(s *load.Session) error { return s.Storm(1000) }},
		} {
			t.Run(dialect+"/"+op.name, func(t *testing.T) {
				s := session(t, good, dialect)
				for range 3 {
					if err := op.do(s); err != nil {
						t.Fatal(err)
					}
				}
			})
			t.Run(dialect+"/"+op.name+"/one too few", func(t *testing.T) {
				if err := op.do(session(t, short, dialect)); err == nil {
					t.Error("not noticed")
				}
			})
		}
	}
}

func session(t *testing.T, api kkrpc.Object, dialect string) *load.Session {
	t.Helper()
	s, err := serve(t, api).Session(dialect)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestRoom(t *testing.T) {
	type message struct {
		From   string `json:"from"`
		Number int    `json:"number"`
		Text   string `json:"text"`
	}
	tests := []struct {
		name string
		fan  load.Fan
		send func(member, i int, text string) []any // what a member gets for the ith message
		good bool
	}{
		{"texts", load.Burst, func(_, _ int, text string) []any { return []any{text} }, true},
		{"another text", load.Burst, func(member, _ int, text string) []any { return []any{text[min(member, 1):]} }, false},
		{"objects", load.Tell, func(_, i int, text string) []any { return []any{message{"Ada", i, text}} }, true},
		{"shared objects", load.TellShared, func(_, i int, text string) []any { return []any{message{"Ada", i, text}} }, true},
		{"objects in another order", load.Tell, func(_, i int, text string) []any { return []any{message{"Ada", i ^ 1, text}} }, false},
		{"a message too much", load.Tell, func(member, i int, text string) []any {
			return []any{message{"Ada", i, text}, message{"Ada", i, text}}[:1+i/4*(1-min(member, 1))]
		}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			var members []*kkrpc.Callback
			join := func(fn *kkrpc.Callback) {
				mu.Lock()
				defer mu.Unlock()
				members = append(members, fn)
			}
			send := func(n int, text string) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				for i := range n {
					for m, fn := range members {
						for _, v := range tt.send(m, i, text) {
							if err := fn.Notify(v); err != nil {
								return 0, err
							}
						}
					}
				}
				return n * len(members), nil
			}
			srv := serve(t, kkrpc.Object{"join": join, "burst": send, "watch": join, "tell": send, "tellShared": send})
			room, err := srv.Room("compact-json", tt.fan, 10)
			if err != nil {
				t.Fatal(err)
			}
			defer room.Close()
			if err := room.Send(5, `it's "quoted"`); (err == nil) != tt.good {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestConnecting(t *testing.T) {
	srv := serve(t, api)
	idle, err := srv.Idle("compact-json", 50, load.Dialers)
	if err != nil {
		t.Fatal(err)
	}
	idle.Close()
	if err := srv.OneByOne("compact-json", 20); err != nil {
		t.Error(err)
	}
	if n, err := srv.Connect("classic-json", 50*time.Millisecond); err != nil || n == 0 {
		t.Errorf("%d connections, %v", n, err)
	}
	if _, err := (load.Target{Addr: srv.Addr, Path: "/ws"}).Idle("no such", 1, 1); err == nil {
		t.Error("a dialect that does not exist was taken")
	}
}

func TestHistogram(t *testing.T) {
	for _, q := range []struct {
		q    float64
		want time.Duration
	}{{0, 1}, {0.5, 50_000}, {0.99, 99_000}} {
		var a, b load.Histogram
		for i := range time.Duration(100_000) {
			if i%2 == 0 {
				a.Add(i+1, 1)
			} else {
				b.Add(i+1, 1)
			}
		}
		a.Merge(&b)
		if got := a.Quantile(q.q); got > q.want*103/100 || got < q.want*97/100 {
			t.Errorf("quantile %v is %d, want about %d", q.q, got, q.want)
		}
	}
}
