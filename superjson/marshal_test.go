package superjson_test

import (
	stdjson "encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/superjson"
)

type (
	streamed  struct{ n int }
	written   struct{ n int }
	byPointer struct{ n int }
	appended  struct{ n int }
	texted    struct{ n int }
	ranked    struct{ n int } // has all of them
)

func (s streamed) MarshalJSONTo(e *jsontext.Encoder) error {
	for _, t := range []jsontext.Token{jsontext.BeginObject, jsontext.String("n"), jsontext.Int(int64(s.n)), jsontext.EndObject} {
		if err := e.WriteToken(t); err != nil {
			return err
		}
	}
	return nil
}

func (s *streamed) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	return json.UnmarshalDecode(d, &struct{ N *int }{&s.n}, json.MatchCaseInsensitiveNames(true))
}

func (w written) MarshalJSON() ([]byte, error) {
	return []byte("{ \"n\" :\n " + strconv.Itoa(w.n) + " }"), nil
}

func (w *written) UnmarshalJSON(b []byte) error {
	return stdjson.Unmarshal(b, &struct{ N *int }{&w.n})
}

func (p *byPointer) MarshalJSON() ([]byte, error) { return stdjson.Marshal(p.n) }
func (p *byPointer) UnmarshalJSON(b []byte) error { return stdjson.Unmarshal(b, &p.n) }
func (a appended) AppendText(b []byte) ([]byte, error) {
	return strconv.AppendInt(b, int64(a.n), 10), nil
}
func (a appended) MarshalText() ([]byte, error) { return nil, errors.New("AppendText goes first") }
func (a *appended) UnmarshalText(b []byte) (err error) {
	a.n, err = strconv.Atoi(string(b))
	return err
}
func (x texted) MarshalText() ([]byte, error) { return []byte("\"<" + strconv.Itoa(x.n) + ">"), nil }
func (x *texted) UnmarshalText(b []byte) (err error) {
	x.n, err = strconv.Atoi(strings.Trim(string(b), "\"<>"))
	return err
}
func (r ranked) MarshalJSONTo(e *jsontext.Encoder) error {
	return e.WriteToken(jsontext.Int(int64(r.n)))
}
func (r ranked) MarshalJSON() ([]byte, error)  { return []byte(`"MarshalJSON"`), nil }
func (r ranked) MarshalText() ([]byte, error)  { return []byte("MarshalText"), nil }
func (r *ranked) UnmarshalJSON(b []byte) error { return stdjson.Unmarshal(b, &r.n) }
func (r *ranked) UnmarshalText([]byte) error   { return errors.New("UnmarshalJSON goes first") }

// marshaled has every way in which a type can say how it is written.
type marshaled struct {
	Streamed  streamed
	Written   written
	Pointer   *byPointer
	ByPointer byPointer
	Appended  appended
	Texted    texted
	Ranked    ranked
	Raw       stdjson.RawMessage
	Value     jsontext.Value
	Addr      netip.Addr
	List      []written
	Map       map[string]byPointer
}

var everyForm = marshaled{
	Streamed: streamed{1}, Written: written{2}, Pointer: &byPointer{3}, ByPointer: byPointer{4}, Appended: appended{5}, Texted: texted{6},
	Ranked: ranked{7}, Raw: stdjson.RawMessage(`{"raw":8}`), Value: jsontext.Value(`[9]`), Addr: netip.MustParseAddr("::1"),
	List: []written{{10}}, Map: map[string]byPointer{"eleven": {11}},
}

// TestMarshalersAsVersion2 compares with json v2, whose order of methods is meant.
func TestMarshalersAsVersion2(t *testing.T) {
	want, err := json.Marshal(everyForm)
	if err != nil {
		t.Fatal(err)
	}
	got, err := superjson.Marshal(everyForm)
	if err != nil {
		t.Fatal(err)
	}
	var ours struct{ JSON jsontext.Value }
	if err := json.Unmarshal(got, &ours, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(ours.JSON)); diff != "" {
		t.Error(diff)
	}
	var back, backWant marshaled
	if err := superjson.Unmarshal(got, &back); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &backWant); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back, backWant) {
		t.Errorf("got %+v, want %+v", back, backWant)
	}
}

type (
	failing  struct{}
	raw      string // writes itself
	twice    struct{}
	lazy     struct{}
	textOnly struct{ s string }
)

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("out of ink") }
func (*failing) UnmarshalJSON([]byte) error  { return errors.New("cannot read") }
func (r raw) MarshalJSON() ([]byte, error)   { return []byte(r), nil }
func (twice) MarshalJSONTo(e *jsontext.Encoder) error {
	return errors.Join(e.WriteToken(jsontext.Null), e.WriteToken(jsontext.Null))
}
func (*lazy) UnmarshalJSONFrom(d *jsontext.Decoder) error { _, err := d.ReadToken(); return err }
func (x *textOnly) UnmarshalText(b []byte) error          { x.s = string(b); return nil }

func TestMarshalersThatFail(t *testing.T) {
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"an error", failing{}, "superjson: a superjson_test.failing: out of ink"},
		{"part of JSON", raw(`{"a":`), "superjson: a superjson_test.raw: jsontext: unexpected EOF within \"/a\" after offset 5"},
		{"nothing", raw(""), "superjson: a superjson_test.raw: unexpected EOF"},
		{"no JSON", raw(`{"a":x}`), "superjson: a superjson_test.raw: jsontext: invalid character 'x' at start of value within \"/a\" after offset 5"},
		{"two values", twice{}, "superjson: a superjson_test.twice: more follows after the JSON value, at byte offset 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := superjson.Marshal(c.value)
			if _, ok := errors.AsType[*superjson.EncodeError](err); !ok || err.Error() != c.want {
				t.Errorf("got %v, want an EncodeError %q", err, c.want)
			}
		})
	}
}

// FuzzCompact compares what MarshalJSON returned, as it is written, with what package jsontext makes of it.
func FuzzCompact(f *testing.F) {
	for _, text := range []string{
		`{ "a" : [ 1 , "b c" , true ] }`, "\t[\r\n\t{}\n]\r ", `" \" , \\"`, `[" \\\" ", "\\" , "\u0020"]`, "\" \xff\xc3 \"", `"\ud800 "`, `{"a": 1, "a": 2}`,
		" ", "", "1 2", `"`, `"\`, `{"a":`, "nul", "01",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want := jsontext.Value(text)
		fails := want.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
		got, err := superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", raw(text))
		if (err == nil) != (fails == nil) {
			t.Errorf("%q: got %v, want %v", text, err, fails)
		} else if err == nil && string(got) != string(want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	})
}

func TestUnmarshalersThatFail(t *testing.T) {
	for _, c := range []struct {
		name string
		json string
		into any
		want string
	}{
		{"an error", `{"json":1}`, new(failing), "a superjson_test.failing: cannot read"},
		{"a value read in part", `{"json":[1]}`, new(lazy), "a superjson_test.lazy: UnmarshalJSONFrom has not read the whole value"},
		{"a number for a text", `{"json":1}`, new(textOnly), "expected superjson_test.textOnly, got number"},
		{"an undefined", `{"json":null,"meta":{"values":["undefined"]}}`, new(written), "expected superjson_test.written, got undefined"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := superjson.Unmarshal([]byte(c.json), c.into)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestTextIsCleared(t *testing.T) {
	x := textOnly{"before"}
	if err := superjson.Unmarshal([]byte(`{"json":null}`), &x); err != nil || x.s != "" {
		t.Errorf("got %+v, %v; null must clear it", x, err)
	}
}

func TestTextOfHalfASurrogate(t *testing.T) {
	var got, want textOnly
	const text = `"a\ud800b"`
	if err := json.Unmarshal([]byte(text), &want, jsontext.AllowInvalidUTF8(true)); err != nil {
		t.Fatal(err)
	}
	if err := superjson.Unmarshal([]byte(`{"json":`+text+`}`), &got); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

// The types that superjson has a form for keep it, though they have methods too.
func TestOwnFormGoesFirst(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	got, err := superjson.Marshal([]any{at, big.NewInt(7)})
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"json":["2026-01-02T03:04:05.006Z","7"],"meta":{"values":{"0":["Date"],"1":["bigint"]},"v":1}}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
