package wire_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// otherwise says why we take a request for one although the original did not answer it, or the reverse.
func otherwise(r recording, id string) string {
	_, scenario, _ := strings.Cut(r.name, "/")
	switch {
	case scenario == "framing-binary":
		return "the original loses binary frames, or the line after one"
	case scenario == "numbers-raw-integers" && id == "n1E400":
		return "what is beyond the range of a double is refused when it is decoded into any"
	case strings.HasPrefix(r.peer, "2.1.0") && strings.HasSuffix(r.peer, "superjson") && (scenario == "malformed-to-server" || scenario == "framing-split"):
		return "the original closed the connection at the first bad frame"
	case strings.HasPrefix(r.peer, "0.2.2") && scenario == "malformed-to-server" && (id == "m3" || id == "m4" || id == "m5"):
		return "arguments that are no array are none since 0.7"
	}
	return ""
}

// TestInjected replays the frames that were written by hand, each file as one connection, and compares which requests
// we recognise with which were answered. A request whose values cannot be decoded counts as none: the original drops
// it, a channel answers it with an error.
func TestInjected(t *testing.T) {
	total := 0
	for _, r := range recordings(t) {
		d := r.dialect()
		if d == wire.Unknown || !slices.ContainsFunc(r.frames, func(f recordedFrame) bool { return f.Injected && f.Dir == "c2s" }) {
			continue
		}
		answered := map[string]int{}
		in := wire.NewInbound(codecOf, d, 4<<20, 64)
		requests := map[string]int{}
		for _, f := range r.frames {
			if f.Dir == "s2c" {
				var v struct {
					T, Type string
					ID      any
					JSON    struct {
						T, Type string
						ID      any
					}
				}
				if json.Unmarshal([]byte(f.Frame), &v) == nil {
					if v.T == "r" || v.Type == "response" {
						answered[fmt.Sprint(v.ID)]++
					} else if v.JSON.T == "r" || v.JSON.Type == "response" {
						answered[fmt.Sprint(v.JSON.ID)]++
					}
				}
				continue
			}
			if err := in.Push([]byte(f.Frame)); err != nil {
				t.Fatal(err)
			}
			for {
				var m wire.Message
				ok, err := in.Next(&m)
				if !ok && err == nil {
					break
				}
				if !ok || err != nil || m.Kind < wire.Call || m.Kind > wire.Ref || !decodable(&m) {
					continue
				}
				if m.Kind != wire.Call && strings.HasPrefix(r.peer, "0.2.2") {
					continue // unknown to it
				}
				requests[requestID(&m)]++
				total++
			}
		}
		for id := range answered {
			if requests[id] == 0 && otherwise(r, id) == "" {
				t.Errorf("%s: request %s was answered, but not recognised", r.name, id)
			}
		}
		for id, n := range requests {
			if n > answered[id] && otherwise(r, id) == "" {
				t.Errorf("%s: request %s was answered %d times, but recognised %d times", r.name, id, answered[id], n)
			}
		}
	}
	if total < 600 {
		t.Errorf("only %d requests", total)
	}
}

func requestID(m *wire.Message) string {
	if m.ID == nil {
		return "<nil>"
	}
	var v any
	_ = json.Unmarshal(m.ID, &v)
	return fmt.Sprint(v)
}

func decodable(m *wire.Message) bool {
	var v any
	for i, a := range m.Args {
		if a.JSON != nil && superjson.Decode(m.Dialect.Mode(), a.JSON, m.ArgMeta(i), &v) != nil {
			return false
		}
	}
	return m.Value == nil || superjson.Decode(m.Dialect.Mode(), m.Value, m.ValueMeta(), &v) == nil
}
