package load_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kkrpc-go/kkrpc/bench/load"
)

// TestLoadOfObjects has servers that write the members of an object in another order, which costs the generator one look at
// each kind of answer.
func TestLoadOfObjects(t *testing.T) {
	tests := []struct {
		name string
		work load.Work
		most int64 // answers to parse, on each connection
	}{{"users", load.Users(), 1}, {"user", load.User(), 100}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var forms [][]byte
			for kind := range tt.work.Kinds {
				forms = append(forms, sorted(t, tt.work.Result(nil, uint64(kind))))
			}
			const conns = 2
			n, _, err := until(t, load.Load{Target: script(t, func(msg string) []string {
				return []string{answer(msg, forms[callOf(msg)%uint64(len(forms))])}
			}), Dialect: "compact-json", Work: tt.work, Conns: conns, InFlight: 4}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if n.Parsed > conns*tt.most {
				t.Errorf("%d of %d answers had to be parsed", n.Parsed, n.Calls)
			}
		})
	}
}

// callOf is the number of the call of a request.
func callOf(msg string) (id uint64) {
	text := idOf.FindStringSubmatch(msg)[1]
	id, _ = strconv.ParseUint(text[len(text)-12:], 16, 64)
	return id
}

func answer(msg string, value []byte) string {
	return fmt.Sprintf(`{"t":"r","id":"%s","v":%s}`, idOf.FindStringSubmatch(msg)[1], value)
}

// sorted returns an object with its members in alphabetical order.
func sorted(t *testing.T, text []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(again, text) {
		t.Fatalf("%.200s is in alphabetical order already", text)
	}
	return again
}

// TestLoadNoticesWrongObjects has servers go wrong in the 250th call, long after the right answers are known.
func TestLoadNoticesWrongObjects(t *testing.T) {
	tests := []struct {
		name  string
		work  load.Work
		wrong func(msg string, right []byte) string
	}{
		{"another user", load.User(), func(msg string, _ []byte) string { return answer(msg, load.User().Result(nil, callOf(msg)+1)) }},
		{"a part of a name", load.User(), func(msg string, right []byte) string {
			return answer(msg, bytes.Replace(right, []byte(`example`), []byte(`exemple`), 1))
		}},
		{"99 users", load.Users(), func(msg string, right []byte) string {
			return answer(msg, append(bytes.Clone(right[:bytes.LastIndex(right, []byte(`,{"id"`))]), ']'))
		}},
		{"the last of the users", load.Users(), func(msg string, right []byte) string {
			at := bytes.LastIndex(right, []byte(`:20,`))
			return answer(msg, slices.Concat(right[:at], []byte(`:21,`), right[at+4:]))
		}},
		{"a total", load.Order(), func(msg string, right []byte) string {
			return answer(msg, bytes.Replace(right, []byte(`"total":`), []byte(`"total":1`), 1))
		}},
		{"the last byte", load.Users(), func(msg string, right []byte) string { return strings.TrimSuffix(answer(msg, right), "}") + "]" }},
		{"what follows the value", load.Users(), func(msg string, right []byte) string {
			return strings.TrimSuffix(answer(msg, right), "}") + `,"e":{"n":"Error","m":"no"}}`
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			srv := script(t, func(msg string) []string {
				right := tt.work.Result(nil, callOf(msg))
				if n.Add(1) == 250 {
					return []string{tt.wrong(msg, right)}
				}
				return []string{answer(msg, right)}
			})
			_, _, err := until(t, load.Load{Target: srv, Dialect: "compact-json", Work: tt.work, Conns: 1, InFlight: 4}, 1000)
			if err == nil || n.Load() < 250 {
				t.Errorf("error %v after %d calls", err, n.Load())
			}
		})
	}
}

// TestOrderIsExact: the request has 50 items, and the total is theirs.
func TestOrderIsExact(t *testing.T) {
	w := load.Order()
	for id := range uint64(20) {
		var order struct {
			Number int
			Items  []struct {
				Quantity int
				Price    float64
			}
		}
		var got struct {
			Number, Items int
			Total         float64
		}
		text := w.Arg(nil, 0, id)
		if err := errors.Join(json.Unmarshal(text, &order), json.Unmarshal(w.Result(nil, id), &got)); err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, item := range order.Items {
			total += float64(item.Quantity) * item.Price
		}
		if got.Number != order.Number || got.Items != len(order.Items) || len(order.Items) != 50 || got.Total != total {
			t.Errorf("order %d of %d items, total %v; want %+v", order.Number, len(order.Items), total, got)
		}
		if len(text) < 4400 || len(text) > 4800 {
			t.Errorf("an order of %d bytes", len(text))
		}
	}
}
