package kkrpc_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// carrier is a transport whose peer takes binary frames.
type carrier struct {
	kkrpc.Transport
	frames *frameKinds
}

type frameKinds struct{ binary, text int }

func (carrier) ByteMark() string { return rand.Text()[:16] }

func (c carrier) WriteFrames(msgs [][]byte) error {
	for _, m := range msgs {
		if m[0] == 0xB1 {
			c.frames.binary++
		} else {
			c.frames.text++
		}
	}
	return c.Transport.WriteFrames(msgs)
}

// carriers returns two channels in one dialect that carry bytes, and what the second one has sent.
func carriers(t *testing.T, d kkrpc.Dialect, api any) (client *kkrpc.Channel, sent *frameKinds) {
	t.Helper()
	a, b := kkrpc.Pipe()
	sent = &frameKinds{}
	server, err := kkrpc.New(context.Background(), carrier{b, sent}, &kkrpc.Options{Expose: api})
	if err != nil {
		t.Fatal(err)
	}
	client, err = kkrpc.New(context.Background(), carrier{a, &frameKinds{}}, &kkrpc.Options{Dialect: d, OnError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, sent
}

func TestBytesBesideText(t *testing.T) {
	type file struct {
		Name  string
		Data  []byte
		Gains superjson.Float32Array
		Sums  []float64
	}
	api := kkrpc.Object{
		"bytes": func(b []byte) []byte { return b },
		"file":  func(f file) file { return f },
		"any":   func(v any) any { return v },
		"value": func(v superjson.Value) superjson.Value { return v },
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			ch, sent := carriers(t, d, api)
			data := bytes.Repeat([]byte{0, 0xff, '"', 1}, 1000)
			want := file{"a", data, superjson.Float32Array{1.5, -2}, []float64{1}}
			for _, call := range []struct {
				path      string
				arg, want any
				do        func(path string, arg any) (any, error)
			}{
				{"bytes", data, data, func(p string, a any) (any, error) { return kkrpc.Call[[]byte](t.Context(), ch, p, a) }},
				{"file", want, want, func(p string, a any) (any, error) { return kkrpc.Call[file](t.Context(), ch, p, a) }},
				{"any", data, data, func(p string, a any) (any, error) { return kkrpc.Call[any](t.Context(), ch, p, a) }},
				{"any", map[string]any{"a": []any{data, "b"}}, map[string]any{"a": []any{data, "b"}}, func(p string, a any) (any, error) { return kkrpc.Call[any](t.Context(), ch, p, a) }},
				{"value", want, want, func(p string, a any) (any, error) { return kkrpc.Call[file](t.Context(), ch, p, a) }},
				{"any", superjson.Float64Array{1, 2}, superjson.Float64Array{1, 2}, func(p string, a any) (any, error) { return kkrpc.Call[any](t.Context(), ch, p, a) }},
			} {
				before := sent.binary
				got, err := call.do(call.path, call.arg)
				if err != nil {
					t.Fatalf("%s: %v", call.path, err)
				}
				if diff := cmp.Diff(call.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", call.path, diff)
				}
				if sent.binary != before+1 {
					t.Errorf("%s: the answer is no binary frame", call.path)
				}
			}
		})
	}
}

// binary is a frame with the text, in which § stands for the mark, and parts of type 0.
func binaryFrame(text string, parts ...[]byte) []byte {
	const mark = "AAAAAAAAAAAAAAAA"
	text = strings.ReplaceAll(text, "§", mark)
	f := []byte{0xB1, 0, 0, 0}
	f = binary.LittleEndian.AppendUint32(f, uint32(len(parts)))
	f = binary.LittleEndian.AppendUint32(f, uint32(len(text)))
	f = append(append(f, 0, 0, 0, 0), mark...)
	for _, p := range parts {
		f = binary.LittleEndian.AppendUint32(f, uint32(len(p)))
		f = append(f, 0, 0, 0, 0)
	}
	f = append(f, text...)
	for _, p := range parts {
		f = append(f, make([]byte, (8-len(f)%8)%8)...)
		f = append(f, p...)
	}
	return f
}

// bytesPeer is a peer of a channel with api that writes frames by hand.
func bytesPeer(t *testing.T, opts kkrpc.Options) (ask func(frames ...[]byte) (answer string)) {
	t.Helper()
	a, b := kkrpc.Pipe()
	server, err := kkrpc.New(context.Background(), carrier{b, &frameKinds{}}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return func(frames ...[]byte) string {
		if err := a.WriteFrames(frames); err != nil {
			t.Fatal(err)
		}
		answer, _, err := a.ReadFrame(nil)
		if err != nil {
			t.Fatal(err)
		}
		return string(answer)
	}
}

func TestHostilePlaceholders(t *testing.T) {
	api := kkrpc.Object{
		"text":   func(s string) string { return s },
		"number": func(n float64) float64 { return n },
		"bytes":  func(b []byte) int { return len(b) },
		"all":    func(list [][]byte) int { return len(list) },
		"names":  func(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) },
		"raw":    func(m json.RawMessage) string { return string(m) },
	}
	ask := bytesPeer(t, kkrpc.Options{Expose: api, Limits: kkrpc.Limits{Decoded: 1 << 20}})
	request := func(path, arg string) string {
		return `{"t":"q","id":"1","op":"call","p":["` + path + `"],"a":[` + arg + `]}`
	}
	many := strings.TrimSuffix(strings.Repeat(`"§0",`, 2000), ",")
	for _, row := range []struct{ name, path, arg, want string }{
		{"bytes", "bytes", `"§0"`, `"v":3`},
		{"bytes for a text", "text", `"§0"`, "expected string, got Uint8Array"},
		{"bytes for a number", "number", `"§0"`, "expected number, got Uint8Array"},
		{"index beyond the parts", "bytes", `"§1"`, "bytes that the message does not have"},
		{"index beyond all numbers", "bytes", `"§99999999999999999999"`, "bytes that the message does not have"},
		{"negative index", "bytes", `"§-1"`, "bytes that the message does not have"},
		{"index with a zero before it", "bytes", `"§00"`, "bytes that the message does not have"},
		{"no index", "bytes", `"§"`, "bytes that the message does not have"},
		{"index beyond the parts for a text", "text", `"§7"`, "bytes that the message does not have"},
		{"base64 beside it", "bytes", `"AQID"`, `"v":3`},
		{"name of a member", "names", `{"§0":1}`, `"v":["AAAAAAAAAAAAAAAA0"]`},
		{"raw JSON", "raw", `{"a":"§0","§0":"\"§0"}`, `"v":"{\"a\":\"AQID\",\"AAAAAAAAAAAAAAAA0\":\"\\\"AAAAAAAAAAAAAAAA0\"}"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if answer := ask(binaryFrame(request(row.path, row.arg), []byte{1, 2, 3})); !strings.Contains(answer, row.want) {
				t.Errorf("the answer is %s, want %s", answer, row.want)
			}
		})
	}
	t.Run("one part for many values", func(t *testing.T) {
		answer := ask(binaryFrame(request("all", "["+many+"]"), make([]byte, 1000)))
		if !strings.Contains(answer, "RPCLimitError") {
			t.Errorf("2000 copies of 1000 bytes: %s", answer)
		}
	})
}

// TestMalformedBinaryFrames are reported, and the frames behind them are served.
func TestMalformedBinaryFrames(t *testing.T) {
	var reported []string
	ask := bytesPeer(t, kkrpc.Options{
		Expose:  kkrpc.Object{"size": func(b []byte) int { return len(b) }},
		OnError: func(err error) { reported = append(reported, err.Error()) },
	})
	good := binaryFrame(`{"t":"q","id":"1","op":"call","p":["size"],"a":["§0"]}`, []byte{1, 2})
	ask(good)
	for _, row := range []struct {
		name, want string
		frame      []byte
	}{
		{"head", "malformed binary frame: its head has 32 bytes", []byte{0xB1, 1, 2}},
		{"text that is not UTF-8", "UTF-8", binaryFrame("{\"t\":\"q\",\"id\":\"\xff\"}", nil)},
		{"text that is no JSON", "dropped", binaryFrame(`{"t":`, nil)},
		{"text that is no message", "not a kkrpc message", binaryFrame(`{"a":1}`, nil)},
	} {
		t.Run(row.name, func(t *testing.T) {
			reported = nil
			if answer := ask(row.frame, good); !strings.Contains(answer, `"v":2`) {
				t.Errorf("the request behind it is answered with %s", answer)
			}
			if len(reported) != 1 || !strings.Contains(reported[0], row.want) {
				t.Errorf("reported %q, want %q", reported, row.want)
			}
		})
	}
}

// A shared value has its bytes beside the text for peers that take that, and in the text for others.
func TestSharedBytes(t *testing.T) {
	type image struct {
		Name string
		Data []byte
		When time.Time
	}
	want := image{"a", []byte{1, 2, 3}, time.Unix(1, 0).UTC()}
	shared := kkrpc.Share(want)
	api := kkrpc.Object{
		"get":  func() *kkrpc.Shared { return shared },
		"tell": func(f *kkrpc.Callback) error { return f.Call(shared, shared) },
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			ch, sent := carriers(t, d, api)
			for range 2 {
				got, err := kkrpc.Call[image](t.Context(), ch, "get")
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
			type images struct{ a, b image }
			told := make(chan images, 1)
			if _, err := kkrpc.Call[any](t.Context(), ch, "tell", func(a, b image) { told <- images{a, b} }); err != nil {
				t.Fatal(err)
			}
			if got := <-told; !cmp.Equal(got.a, want) || !cmp.Equal(got.b, want) {
				t.Errorf("a callback got %v", got)
			}
			if sent.binary != 3 {
				t.Errorf("%d binary frames", sent.binary)
			}
			_, other := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
			got, err := kkrpc.Call[image](t.Context(), other, "get")
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("over text: %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A kept value has its bytes wherever it goes, and what one decoding got is not what the next one gets.
func TestKeptBytes(t *testing.T) {
	type doc struct {
		Data []byte
		Next *doc
	}
	want := doc{[]byte{1, 2, 3}, &doc{Data: []byte{}}}
	var kept superjson.Value
	api := kkrpc.Object{
		"keep": func(v superjson.Value) { kept = v },
		"give": func() superjson.Value { return kept },
	}
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			ch, _ := carriers(t, d, api)
			if _, err := kkrpc.Call[any](t.Context(), ch, "keep", want); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var got doc
				if err := kept.Decode(&got); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				got.Data[0] = 9
			}
			_, other := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: d})
			for _, ch := range []*kkrpc.Channel{ch, other} {
				got, err := kkrpc.Call[doc](t.Context(), ch, "give")
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, diff)
				}
			}
		})
	}
}

// Bytes in metadata and in the fields of errors are text.
func TestBytesInText(t *testing.T) {
	api := kkrpc.Object{"fail": func(ctx context.Context, _ []byte) error {
		return &kkrpc.Error{Message: "no", Fields: map[string]any{"data": []byte{1, 2}, "meta": kkrpc.MetadataFrom(ctx)["data"]}}
	}}
	ch, sent := carriers(t, kkrpc.Compact, api)
	ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"data": []byte{1, 2}})
	_, err := kkrpc.Call[any](ctx, ch, "fail", []byte{3})
	var e *kkrpc.Error
	if !errors.As(err, &e) || e.Fields["data"] != "AQI=" || e.Fields["meta"] != "AQI=" || sent.binary != 0 {
		t.Errorf("%#v, %d binary frames", err, sent.binary)
	}
}

// Bytes that are returned or thrown into a stream count for what is kept of the message, and their placeholder is no text.
func TestBytesInControls(t *testing.T) {
	ask := bytesPeer(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() iter.Seq[int] { return upTo(3) }}})
	control := func(op string, part []byte) []byte {
		return binaryFrame(`{"t":"sq","id":"1","sid":"s1","op":"`+op+`","v":"§0"}`, part)
	}
	ask([]byte(openStream))
	if got, want := ask(control("throw", []byte{1})), `{"t":"sr","id":"1","sid":"s1","e":{"n":"Error","m":"Error: bytes"}}`; got != want {
		t.Errorf("thrown bytes: %s, want %s", got, want)
	}
	if got, want := ask(control("return", []byte{1})), `{"t":"sr","id":"1","sid":"s1","d":true,"v":"AQ=="}`; got != want {
		t.Errorf("a byte: %s, want %s", got, want)
	}
	if got, want := ask(control("return", make([]byte, 5<<10))), `{"t":"sr","id":"1","sid":"s1","d":true}`; got != want {
		t.Errorf("5 KiB: %s, want %s", got, want)
	}
}
