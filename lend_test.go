package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// spoiler lends its messages, as transport/ws does, and spoils each before it reads the next one.
type spoiler struct {
	kkrpc.Transport
	lent []byte
}

func (s *spoiler) LendFrame() ([]byte, bool, error) {
	for i := range s.lent {
		s.lent[i] = 0xA5
	}
	msg, more, err := s.Transport.ReadFrame(nil)
	s.lent = msg
	return msg, more, err
}

// keeper holds on to values, and knows how they looked when it got them.
type keeper struct {
	mu     sync.Mutex
	values []any
	looks  []string
}

func (k *keeper) keep(values ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, v := range values {
		k.values = append(k.values, v)
		k.looks = append(k.looks, look(v))
	}
}

func look(v any) string {
	if err, ok := v.(*kkrpc.Error); ok {
		return fmt.Sprintf("%+v", *err)
	}
	return fmt.Sprintf("%T %+v", v, v)
}

func (k *keeper) check(t *testing.T) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, v := range k.values {
		if now := look(v); now != k.looks[i] {
			t.Errorf("%s has become %s", k.looks[i], now)
		}
	}
}

// Nothing that functions, callbacks, streams, interceptors and callers are given refers to the message that it came in,
// whose memory is another connection's by then.
func TestNothingOfALentMessageIsKept(t *testing.T) {
	type record struct {
		Name string          `json:"name"`
		Raw  json.RawMessage `json:"raw"`
		Any  any             `json:"any"`
		Map  map[string]json.RawMessage
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var k keeper
				intercept := func(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
					k.keep(r.Path, r.Operation, r.Args, r.Metadata)
					v, err := next(ctx, r)
					k.keep(v, err)
					return v, err
				}
				setting := kkrpc.NewProperty(json.RawMessage("1"))
				server := kkrpc.Object{
					"setting": setting,
					"raw":     func(v json.RawMessage) json.RawMessage { k.keep(v); return v },
					"token":   func(v jsontext.Value) jsontext.Value { k.keep(v); return v },
					"value":   func(v superjson.Value) { k.keep(v) },
					"any":     func(v any) any { k.keep(v); return v },
					"text":    func(v string) string { k.keep(v); return v },
					"bytes":   func(v []byte) []byte { k.keep(v); return v },
					"record":  func(v record) record { k.keep(v); return v },
					"records": func(v ...map[string]record) int { k.keep(v); return len(v) },
					"meta":    func(ctx context.Context) { k.keep(kkrpc.MetadataFrom(ctx)) },
					"fail": func(v json.RawMessage) error {
						return &kkrpc.Error{Name: "OwnError", Message: string(v), Fields: map[string]any{"raw": v}}
					},
					"callBack": func(ctx context.Context, v json.RawMessage, f func(json.RawMessage, any), own *kkrpc.Callback) {
						f(v, string(v))
						k.keep(v)
						_ = own
					},
					"items": func(v []json.RawMessage) iter.Seq[json.RawMessage] {
						return func(yield func(json.RawMessage) bool) {
							for _, item := range v {
								if !yield(item) {
									return
								}
							}
						}
					},
				}
				a, b := kkrpc.Pipe()
				open := func(tr kkrpc.Transport, o kkrpc.Options) *kkrpc.Channel {
					ch, err := kkrpc.New(context.Background(), &spoiler{Transport: tr}, &o)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { ch.Close() })
					return ch
				}
				both := []kkrpc.Interceptor{intercept}
				open(a, kkrpc.Options{Expose: server, Inbound: both})
				c := open(b, kkrpc.Options{Dialect: d, Outbound: both})
				ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"user": "someone", "n": 1})

				long := strings.Repeat("z", 5<<10) // is let go of as large messages are
				for _, text := range []string{`a b`, `q"uo\te` + "\n", "é😀", long} {
					raw, _ := json.Marshal(map[string]any{"t": text, "list": []any{1, text, nil}})
					rec := record{text, raw, []any{text, 1.5}, map[string]json.RawMessage{text: raw}}
					for _, call := range []struct {
						path string
						args []any
					}{
						{"raw", []any{json.RawMessage(raw)}},
						{"token", []any{jsontext.Value(raw)}},
						{"value", []any{json.RawMessage(raw)}},
						{"any", []any{json.RawMessage(raw)}},
						{"any", []any{text}},
						{"text", []any{text}},
						{"bytes", []any{[]byte(text)}},
						{"record", []any{rec}},
						{"records", []any{map[string]record{text: rec}, map[string]record{"other": rec}}},
						{"meta", nil},
						{"callBack", []any{json.RawMessage(raw), func(v json.RawMessage, s any) { k.keep(v, s) }, kkrpc.NewCallback(func() {})}},
						{"setting", nil},
						{"fail", []any{json.RawMessage(raw)}},
						{"no." + strings.ReplaceAll(text, `\`, ""), []any{text}},
						{"text", []any{json.RawMessage(raw)}},
					} {
						var err error
						switch call.path {
						case "setting":
							err = kkrpc.Set(ctx, c, "setting", json.RawMessage(raw))
							v, _ := kkrpc.Get[json.RawMessage](ctx, c, "setting")
							k.keep(v, setting.Get())
						case "raw":
							var v json.RawMessage
							v, err = kkrpc.Call[json.RawMessage](ctx, c, call.path, call.args...)
							k.keep(v)
						case "text":
							var v string
							v, err = kkrpc.Call[string](ctx, c, call.path, call.args...)
							k.keep(v)
						case "value", "record":
							var v superjson.Value
							v, err = kkrpc.Call[superjson.Value](ctx, c, call.path, call.args...)
							k.keep(v)
						default:
							var v any
							v, err = kkrpc.Call[any](ctx, c, call.path, call.args...)
							k.keep(v)
						}
						if e, ok := errors.AsType[*kkrpc.Error](err); ok {
							k.keep(e)
						} else if err != nil {
							t.Errorf("%s: %v", call.path, err)
						}
					}
					for v, err := range kkrpc.Stream[json.RawMessage](ctx, c, "items", []json.RawMessage{raw, raw, raw}) {
						if err != nil {
							t.Fatal(err)
						}
						k.keep(v)
					}
				}
				if err := c.Call(ctx, nil, "text", "the last message of all is spoiled by one more"); err != nil {
					t.Error(err)
				}
				k.check(t)
			})
		})
	}
}
