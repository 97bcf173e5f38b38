package superjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

func addSeeds(f *testing.F) {
	for i, frame := range recordedFrames(f, false) {
		if i%40 == 0 {
			f.Add(frame.text)
		}
	}
	for _, frame := range recordedFrames(f, true) {
		f.Add(frame.text)
	}
}

func FuzzUnmarshal(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		var tree any
		var typed struct {
			JSON profile
			A    []user
			Args []any
			V    superjson.Value
		}
		_ = superjson.Unmarshal(data, &tree)
		_ = superjson.Unmarshal(data, &typed)
	})
}

func FuzzMeta(f *testing.F) {
	f.Add([]byte(`{"values":{"a.b":["map",{"0.1":["set"]}]},"referentialEqualities":[["x"],{"a":["b","c.d"]}],"v":1}`))
	f.Add([]byte(`{"values":["Date"]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		meta, err := superjson.ParseMeta(raw)
		if err != nil || meta == nil {
			return
		}
		meta.Sub("a", "b")
		e := superjson.NewEncoder(superjson.ModeSuperJSON)
		if _, err := e.Append(nil, "", superjson.Value{JSON: []byte("null"), Meta: meta}); err != nil {
			t.Fatal(err)
		}
		first := e.AppendMeta(nil)
		again, err := superjson.ParseMeta(first)
		if err != nil {
			t.Fatalf("%v: %s", err, first)
		}
		e.Reset(superjson.ModeSuperJSON)
		if _, err := e.Append(nil, "", superjson.Value{JSON: []byte("null"), Meta: again}); err != nil {
			t.Fatal(err)
		}
		if second := e.AppendMeta(nil); !bytes.Equal(first, second) {
			t.Fatalf("%s\nbecame\n%s", first, second)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		var tree, back any
		if superjson.Unmarshal(data, &tree) != nil {
			return
		}
		first, err := superjson.Marshal(tree)
		if err != nil {
			return
		}
		if err := superjson.Unmarshal(first, &back); err != nil {
			t.Fatalf("%v: %s", err, first)
		}
		second, err := superjson.Marshal(back)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%s\nbecame\n%s", err, first, second)
		}
	})
}

// FuzzScalars has the short ways for scalars agree with encoding/json about what a number is, and how large.
func FuzzScalars(f *testing.F) {
	for _, text := range []string{"0", "-0", "1.5", "-1e3", "1E+2", "01", "1.", ".5", "-", "1e", "255", "256", "-129", "65536", "4294967296", "1e-400", "3.5e38", "1_0", " 7 ", "18446744073709551615"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scalar(t, text, new(float32))
		scalar(t, text, new(float64))
		scalar(t, text, new(int8))
		scalar(t, text, new(uint16))
		scalar(t, text, new(uint32))
		scalar(t, text, new(uint64))
	})
}

// scalar compares where encoding/json accepts, and has refused what is no JSON; integers written as 1e2 are ours alone.
// An integer that a JavaScript number does not hold is refused.
func scalar[T comparable](t *testing.T, text string, got *T) {
	t.Helper()
	var want T
	err := superjson.Decode(superjson.ModeJSON, []byte(text), nil, got)
	wantErr := json.Unmarshal([]byte(text), &want)
	switch {
	case unsafe(want):
		if err == nil {
			t.Errorf("%q into %T became %v", text, want, *got)
		}
	case text == "" || strings.TrimSpace(text) == "null":
	case wantErr == nil && (err != nil || *got != want):
		t.Errorf("%q into %T: %v, %v, want %v", text, want, *got, err, want)
	case err == nil && !json.Valid([]byte(text)):
		t.Errorf("%q into %T was accepted", text, want)
	}
}

func unsafe(v any) bool {
	n, is := v.(uint64)
	return is && n > 1<<53-1
}
