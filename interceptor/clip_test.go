package interceptor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interceptor"
	"github.com/kkrpc-go/kkrpc/superjson"
)

type secret string

func (secret) LogValue() slog.Value { return slog.StringValue("hidden") }

type account struct {
	Name    string `json:"name"`
	Key     secret `json:"key"`
	Private string `json:"-"`
	Next    *account
	inner   string
}

// log writes one record about a call with args and a result, with a handler of each form.
func log(t *testing.T, args []any, result any) (text, asJSON string) {
	t.Helper()
	var texts [2]bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&texts[0], nil), slog.NewJSONHandler(&texts[1], nil)} {
		log := interceptor.Logging(slog.New(handler), &interceptor.LoggingOptions{Args: true, Result: true, Metadata: true})
		r := &kkrpc.Request{Operation: "call", Path: "f", Args: args, Metadata: map[string]any{"args": args}}
		got, err := log(context.Background(), r, func(context.Context, *kkrpc.Request) (any, error) { return result, nil })
		if err != nil || got == nil && result != nil {
			t.Fatal(got, err)
		}
	}
	if !json.Valid(texts[1].Bytes()) {
		t.Errorf("no JSON: %.200s", texts[1].Bytes())
	}
	return texts[0].String(), texts[1].String()
}

// Formatting a value that contains itself would end the process, and a large one cost more than the call.
func TestLoggingOfHostileValues(t *testing.T) {
	loop := map[string]any{}
	loop["self"] = []any{loop}
	list := []any{nil, nil}
	list[0], list[1] = list, list
	ring := &account{Name: "a"}
	ring.Next = ring
	set := superjson.NewSet()
	set.Add(set)
	var deep any
	for range 100_000 {
		deep = []any{deep}
	}
	var doubled any = "leaf"
	for range 60 {
		doubled = []any{doubled, doubled}
	}
	many := map[string]any{}
	for i := range 10_000 {
		many[big.NewInt(int64(i)).String()] = i
	}
	for name, v := range map[string]any{
		"a map in itself": loop, "an array in itself": list, "a pointer to itself": ring, "a Set in itself": set, "deep": deep,
		"doubled": doubled, "a long string": strings.Repeat("x\xff€", 1<<20), "bytes": make([]byte, 1<<20), "a large map": many,
		"a long array": make([]any, 1<<20), "a long error": errors.New(strings.Repeat("x", 1<<20)),
		"a long Value": superjson.Value{JSON: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)},
		"a long key":   map[string]any{strings.Repeat("k", 1<<20): 1},
	} {
		text, asJSON := log(t, []any{v}, v)
		if len(text) > 20<<10 || len(asJSON) > 20<<10 || !strings.Contains(text, "…") {
			t.Errorf("%s: %d bytes of text, %d of JSON: %.300s", name, len(text), len(asJSON), text)
		}
	}
}

func TestLoggingOfValues(t *testing.T) {
	type pair struct {
		v          any
		text, json string
	}
	at := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	for _, row := range []pair{
		{nil, `<nil>`, `null`},
		{1.5, `1.5`, `1.5`},
		{"text", `text`, `"text"`},
		{[]int{1, 2}, `"[1 2]"`, `[1,2]`},
		{[]byte{1, 255}, `"[1 255]"`, `[1,255]`},
		{map[int]string{7: "x"}, `map[7:x]`, `{"7":"x"}`},
		{account{Name: "a", Key: "k", Private: "p", inner: "i", Next: &account{}}, `"map[Next:map[Next:<nil> key:hidden name:] key:hidden name:a]"`,
			`{"Next":{"Next":null,"key":"hidden","name":""},"key":"hidden","name":"a"}`},
		{[]any{secret("s"), (*account)(nil)}, `"[hidden <nil>]"`, `["hidden",null]`},
		{big.NewInt(7), `7`, `"7"`},
		{at, `2024-02-29T00:00:00.000Z`, `"2024-02-29T00:00:00Z"`},
		{superjson.Undefined, `undefined`, `"undefined"`},
		{superjson.NewMap(superjson.Entry{Key: "k", Value: 1}), `"[map[Key:k Value:1]]"`, `[{"Key":"k","Value":1}]`},
		{superjson.Value{JSON: []byte(`{"a":1}`)}, `"{\"a\":1}"`, `"{\"a\":1}"`},
		{func() {}, `func()`, `"func()"`},
	} {
		text, asJSON := log(t, nil, row.v)
		if got := strings.TrimSpace(text[strings.Index(text, "result=")+len("result="):]); got != row.text {
			t.Errorf("%v as text: %s, want %s", row.v, got, row.text)
		}
		if got := strings.TrimSuffix(strings.TrimSpace(asJSON[strings.Index(asJSON, `"result":`)+len(`"result":`):]), "}"); got != row.json {
			t.Errorf("%v as JSON: %s, want %s", row.v, got, row.json)
		}
	}
}
