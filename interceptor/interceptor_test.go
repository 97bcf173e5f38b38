package interceptor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
)

var api = kkrpc.Object{
	"add":   func(a, b int) int { return a + b },
	"fail":  func() error { return errors.New("no luck") },
	"long":  func() error { return errors.New(strings.Repeat("x", 5000)) },
	"panic": func() { panic("of the function") },
	"ref":   func() *kkrpc.Ref { return kkrpc.Proxy(&vault{secret: "abc"}) },
	"slow":  func() { time.Sleep(250 * time.Millisecond) },
}

// vault is what must not be in a log.
type vault struct{ secret string }

func (v *vault) Open(key string) bool { return key == v.secret }

// connect serves api and returns the client's channel.
func connect(t testing.TB, server, client kkrpc.Options) *kkrpc.Channel {
	t.Helper()
	a, b := kkrpc.Pipe()
	server.Expose, client.Dialect = api, kkrpc.Compact
	s, err := kkrpc.New(context.Background(), a, &server)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kkrpc.New(context.Background(), b, &client)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); c.Close() })
	return c
}

func in(i ...kkrpc.Interceptor) kkrpc.Options  { return kkrpc.Options{Inbound: i} }
func out(i ...kkrpc.Interceptor) kkrpc.Options { return kkrpc.Options{Outbound: i} }

func TestLogging(t *testing.T) {
	all := &interceptor.LoggingOptions{Args: true, Result: true, Metadata: true, Level: slog.LevelDebug, ErrorLevel: slog.LevelError}
	for _, test := range []struct {
		name     string
		opts     *interceptor.LoggingOptions
		outbound bool
		path     string
		args     []any
		want     string
	}{
		{"a request, without its data", nil, false, "add", []any{1, 2}, `level=INFO msg="kkrpc request" operation=call path=add elapsed=0s channel=0`},
		{"a call, without its data", nil, true, "add", []any{1, 2}, `level=INFO msg="kkrpc call" operation=call path=add elapsed=0s channel=0`},
		{"an error", nil, false, "fail", nil, `level=WARN msg="kkrpc request" operation=call path=fail elapsed=0s channel=0 error="no luck"`},
		{"a panic", nil, false, "panic", nil, `level=WARN msg="kkrpc request" operation=call path=panic elapsed=0s channel=0 error="the function did not return: it panicked or called runtime.Goexit"`},
		{"elapsed", nil, false, "slow", nil, `level=INFO msg="kkrpc request" operation=call path=slow elapsed=250ms channel=0`},
		{"with its data", all, false, "add", []any{1, 2}, `level=DEBUG msg="kkrpc request" operation=call path=add elapsed=0s channel=0 args="[1 2]" metadata=map[k:v] result=3`},
		{"an error with its data", all, false, "fail", nil, `level=ERROR msg="kkrpc request" operation=call path=fail elapsed=0s channel=0 args=[] metadata=map[k:v] error="no luck"`},
		{"a long error", nil, false, "long", nil, `error=` + strings.Repeat("x", 1024) + "…"},
		{"below the level of the logger", &interceptor.LoggingOptions{Level: slog.LevelDebug - 1}, false, "add", []any{1, 2}, ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				logger := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
					switch a.Key {
					case slog.TimeKey:
						return slog.Attr{}
					case "channel": // counts over all tests
						if a.Value.Uint64() == 0 {
							t.Error("the channel has no number")
						}
						return slog.Int("channel", 0)
					}
					return a
				}}))
				server, client := in(interceptor.Logging(logger, test.opts)), kkrpc.Options{}
				if test.outbound {
					server, client = kkrpc.Options{}, out(interceptor.Logging(logger, test.opts))
				}
				c := connect(t, server, client)
				c.Call(kkrpc.WithMetadata(t.Context(), map[string]any{"k": "v"}), nil, test.path, test.args...)
				synctest.Wait()
				if got := strings.TrimSpace(text.String()); got != test.want && !(test.name == "a long error" && strings.HasSuffix(got, test.want)) {
					t.Errorf("got  %s\nwant %s", got, test.want)
				}
			})
		})
	}
}

func TestTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		timing := interceptor.Timing(func(_ context.Context, r *kkrpc.Request, elapsed time.Duration, err error) {
			seen = append(seen, fmt.Sprint(r.Inbound, " ", r.Path, " ", elapsed, " ", err))
		})
		c := connect(t, in(timing), out(timing))
		if err := c.Call(t.Context(), nil, "slow"); err != nil {
			t.Fatal(err)
		}
		if err := c.Call(t.Context(), nil, "fail"); err == nil {
			t.Fatal("no error")
		}
		if err := c.Call(t.Context(), nil, "panic"); err == nil {
			t.Fatal("no error")
		}
		want := []string{"true slow 250ms <nil>", "false slow 250ms <nil>", "true fail 0s no luck", "false fail 0s no luck",
			"true panic 0s the function did not return: it panicked or called runtime.Goexit", "false panic 0s InternalError: internal error"}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			t.Errorf("got  %q\nwant %q", seen, want)
		}
	})
}

func TestRecovery(t *testing.T) {
	for _, test := range []struct {
		name string
		err  error
		want string
	}{
		{"the error is the peer's", &kkrpc.Error{Name: "Oops", Message: "reported as 17"}, "kkrpc: call panic: Oops: reported as 17"},
		{"nil", nil, "kkrpc: call panic: InternalError: internal error"},
	} {
		t.Run(test.name, func(t *testing.T) {
			told := 0
			server := in(interceptor.Recovery(func(_ context.Context, r *kkrpc.Request, recovered any, stack []byte) error {
				told++
				if r.Path != "panic" || recovered != "of the function" || !strings.Contains(string(stack), "interceptor_test.go") {
					t.Errorf("%s, %v\n%s", r.Path, recovered, stack)
				}
				return test.err
			}))
			server.OnError = func(err error) { t.Errorf("OnError: %v", err) }
			c := connect(t, server, kkrpc.Options{})
			if err := c.Call(t.Context(), nil, "panic"); err == nil || err.Error() != test.want || told != 1 {
				t.Errorf("got %v, told %d times", err, told)
			}
			if sum, err := kkrpc.Call[int](t.Context(), c, "add", 1, 2); sum != 3 || err != nil {
				t.Error(sum, err)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	for _, direction := range []string{"inbound", "outbound"} {
		t.Run(direction, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limit := interceptor.RateLimit(4, 2)
				server, client := in(limit), kkrpc.Options{}
				if direction == "outbound" {
					server, client = kkrpc.Options{}, out(limit)
				}
				c, other := connect(t, server, client), connect(t, server, client)
				ask := func(ch *kkrpc.Channel) (retryAfter any) {
					err := ch.Call(t.Context(), nil, "add", 1, 2)
					if err == nil {
						return nil
					}
					e, ok := errors.AsType[*kkrpc.Error](err)
					if !ok || e.Name != "RPCRateLimitError" {
						t.Fatal(err)
					}
					return fmt.Sprint(e.Fields["retryAfter"])
				}
				for i, step := range []struct {
					wait time.Duration
					ch   *kkrpc.Channel
					want any
				}{
					{0, c, nil}, {0, c, nil}, {0, c, "250"}, {0, c, "250"}, // a refusal costs nothing
					{0, other, nil},
					{200 * time.Millisecond, c, "50"},
					{50 * time.Millisecond, c, nil}, {0, c, "250"},
					{time.Hour, c, nil}, {0, c, nil}, {0, c, "250"},
				} {
					time.Sleep(step.wait)
					if got := ask(step.ch); got != step.want {
						t.Errorf("step %d: %v, want %v", i, got, step.want)
					}
				}
			})
		})
	}
}

func TestMisuse(t *testing.T) {
	for name, f := range map[string]func(){
		"Logging":         func() { interceptor.Logging(nil, nil) },
		"Timing":          func() { interceptor.Timing(nil) },
		"Recovery":        func() { interceptor.Recovery(nil) },
		"RateLimit(0, 1)": func() { interceptor.RateLimit(0, 1) },
		"RateLimit(1, 0)": func() { interceptor.RateLimit(1, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "interceptor: "+name) {
					t.Errorf("got %q", text)
				}
			}()
			f()
		})
	}
}

func TestLoggingOfReferences(t *testing.T) {
	for _, direction := range []string{"inbound", "outbound"} {
		t.Run(direction, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				logging := interceptor.Logging(slog.New(slog.NewTextHandler(&text, nil)), &interceptor.LoggingOptions{Args: true, Result: true})
				server, client, seen := in(logging), kkrpc.Options{}, `"reference to *interceptor_test.vault"`
				if direction == "outbound" {
					server, client, seen = kkrpc.Options{}, out(logging), `"reference of the peer"`
				}
				c := connect(t, server, client)
				ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), c, "ref")
				if err != nil {
					t.Fatal(err)
				}
				if yes, err := kkrpc.Call[bool](t.Context(), ref, "open", "x"); yes || err != nil {
					t.Error(yes, err)
				}
				synctest.Wait()
				got := text.String()
				if !strings.Contains(got, "result="+seen) || !strings.Contains(got, "operation=call path=open elapsed=0s on="+seen) || strings.Contains(got, "abc") {
					t.Errorf("got %s", got)
				}
			})
		})
	}
}
