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

// login has its password hidden wherever it stands.
type login struct{ User, Password string }

func (l login) LogValue() slog.Value {
	return slog.GroupValue(slog.String("user", l.User), slog.Any("password", secret(l.Password)), slog.Int("tries", 2),
		slog.Group("more", slog.Any("password", secret(l.Password)), slog.Bool("ok", true)))
}

type broken struct{}

func (*broken) LogValue() slog.Value { panic("no value") }

// endless is a group in itself.
type endless struct{}

func (e endless) LogValue() slog.Value { return slog.GroupValue(slog.Any("again", e)) }

type Token struct{ Secret string }

func (Token) LogValue() slog.Value { return slog.StringValue("hidden") }

type (
	base struct {
		ID   int
		Kind string `json:"kind"`
	}
	twoTokens struct { // the methods of both are ambiguous here
		Token
		*login
		Name string
	}
	byTag struct {
		In Token `json:",embed"`
		N  int
	}
	strangeTags struct {
		*base
		ID int // hides the one in base
		//lint:ignore SA5008 this form of the tag is read, if not written
		Dash   int `json:"-,"`
		Quoted int `json:"'a,b'"`
		out    int
	}
)

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
		"a long Value":                     superjson.Value{JSON: []byte(`"` + strings.Repeat("x", 1<<20) + `"`)},
		"a long key":                       map[string]any{strings.Repeat("k", 1<<20): 1},
		"a Value that is longer by a byte": superjson.Value{JSON: []byte(`"` + strings.Repeat("x", 1<<10-1) + `"`)},
		"a group in itself":                endless{}, "a long group": login{User: strings.Repeat("x", 1<<20)},
	} {
		text, asJSON := log(t, []any{v}, v)
		if len(text) > 20<<10 || len(asJSON) > 20<<10 {
			t.Errorf("%s: %d bytes of text, %d of JSON: %.300s", name, len(text), len(asJSON), text)
		}
		var record map[string]json.RawMessage
		if err := json.Unmarshal([]byte(asJSON), &record); err != nil {
			t.Fatal(err)
		}
		for _, attribute := range []string{"args", "metadata", "result"} {
			if !strings.Contains(string(record[attribute]), "…") {
				t.Errorf("%s: %s does not show that something is left out: %.300s", name, attribute, record[attribute])
			}
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
		{login{"a", "p"}, `"map[more:map[ok:true password:hidden] password:hidden tries:2 user:a]"`,
			`{"more":{"ok":true,"password":"hidden"},"password":"hidden","tries":2,"user":"a"}`},
		{slog.AnyValue(secret("s")), `hidden`, `"hidden"`},
		{slog.Any("key", secret("s")), `map[key:hidden]`, `{"key":"hidden"}`},
		{map[secret]int{"k": 1}, `map[hidden:1]`, `{"hidden":1}`},
		{twoTokens{Token{"s"}, &login{"a", "p"}, "n"}, `"map[Name:n Token:hidden login:…]"`, `{"Name":"n","Token":"hidden","login":"…"}`},
		{twoTokens{}, `"map[Name: Token:hidden]"`, `{"Name":"","Token":"hidden"}`},
		{byTag{Token{"s"}, 1}, `"map[In:hidden N:1]"`, `{"In":"hidden","N":1}`},
		{strangeTags{base: &base{1, "k"}, ID: 2, Dash: 3, Quoted: 4, out: 5}, `"map[-:3 ID:2 a,b:4 kind:k]"`, `{"-":3,"ID":2,"a,b":4,"kind":"k"}`},
		{strangeTags{}, `"map[-:0 ID:0 a,b:0]"`, `{"-":0,"ID":0,"a,b":0}`},
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

// A panic in the user's LogValue must not end the call that is logged.
func TestLoggingSurvivesPanics(t *testing.T) {
	text, _ := log(t, []any{&broken{}, slog.GroupValue(slog.Any("inner", &broken{}))}, nil)
	if strings.Count(text, "LogValue panicked") != 4 { // twice in args, twice in the metadata
		t.Errorf("got %s", text)
	}
}
