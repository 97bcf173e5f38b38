package superjson_test

import (
	"bytes"
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
