package interop_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// recordedFolders are the recordings of kkrpc 2.1 whose channels write what the minimal peer does, by codec.
var recordedFolders = map[string][]string{
	"json":      {"2.1.0-json", "2.1.0-streaming"},
	"superjson": {"2.1.0-superjson", "2.1.0-streaming-superjson"},
}

// recordedShapes returns where each shape was recorded first.
var recordedShapes = func() func(t *testing.T, codec string) map[string]string {
	var once sync.Once
	all := map[string]map[string]string{}
	var failure error
	return func(t *testing.T, codec string) map[string]string {
		t.Helper()
		once.Do(func() {
			for codec, folders := range recordedFolders {
				all[codec] = map[string]string{}
				for _, folder := range folders {
					if failure == nil {
						failure = readShapes(codec, folder, all[codec])
					}
				}
			}
		})
		if failure != nil {
			t.Fatal(failure)
		}
		return all[codec]
	}
}()

func readShapes(codec, folder string, into map[string]string) error {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "vectors", folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no recordings in %s: %v", folder, err)
	}
	for _, file := range files {
		if filepath.Base(file) == "callback-lookalike-string.jsonl" { // data of users that looks like kkrpc's
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		number := 0
		lines := bufio.NewScanner(bytes.NewReader(data))
		lines.Buffer(nil, len(data)+1)
		for lines.Scan() {
			number++
			var frame struct {
				Frame    string
				Injected bool
			}
			if err := json.Unmarshal(lines.Bytes(), &frame); err != nil {
				return fmt.Errorf("%s:%d: %w", file, number, err)
			}
			if number == 1 || frame.Injected { // the header, and what kkrpc has not written
				continue
			}
			parts, err := shapes(codec, frame.Frame)
			if err != nil {
				return fmt.Errorf("%s:%d: %w", file, number, err)
			}
			for _, part := range parts {
				if into[part] == "" {
					into[part] = fmt.Sprintf("%s/%s:%d", folder, filepath.Base(file), number)
				}
			}
		}
	}
	return nil
}

// unrecorded are the shapes of a message that kkrpc 2.1 was not recorded writing, or that it is no message.
func unrecorded(recorded map[string]string, codec, text string) (parts, missing []string) {
	parts, err := shapes(codec, text)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for _, part := range parts {
		if recorded[part] == "" {
			missing = append(missing, part)
		}
	}
	return parts, missing
}

// wantRecorded fails for each message that has a shape which no recording has, and logs where the others have theirs.
func wantRecorded(t *testing.T, codec string, texts []string) {
	t.Helper()
	recorded := recordedShapes(t, codec)
	where := map[string]string{}
	failures := 0
	for _, text := range texts {
		parts, missing := unrecorded(recorded, codec, text)
		for _, part := range parts {
			where[part] = recorded[part]
		}
		for _, part := range missing {
			if failures++; failures <= 10 {
				t.Errorf("no recording has %q, which was written in %.200s", part, text)
			}
		}
	}
	if len(texts) < 100 {
		t.Errorf("only %d messages: has the peer run its checks?", len(texts))
	}
	var list strings.Builder
	for _, part := range slices.Sorted(maps.Keys(where)) {
		fmt.Fprintf(&list, "\n  %s: %s", part, where[part])
	}
	t.Logf("%d messages of these shapes:%s", len(texts), list.String())
}

func TestUnrecordedShapesAreFound(t *testing.T) {
	for _, row := range []struct {
		name, codec, text string
		want              string // a part of what is missing; empty for nothing
	}{
		{"a call", "json", `{"t":"q","id":"1","op":"call","p":["a","b"],"a":[{"__kkrpc_next_arg__":"value","v":1}]}`, ""},
		{"an answer", "superjson", `{"json":{"t":"r","id":"1","v":null},"meta":{"values":{"v":["undefined"]},"v":1}}`, ""},
		{"ours: a call given up", "json", `{"t":"qc","id":"1"}`, "qc {"},
		{"an id that is a number", "json", `{"t":"r","id":1,"v":1}`, "id:number"},
		{"a missing member", "json", `{"t":"q","id":"1","op":"call","p":["a"]}`, "p:strings }"},
		{"a member too many", "json", `{"t":"r","id":"1","v":1,"ok":true}`, "ok:boolean"},
		{"another order", "json", `{"id":"1","t":"r","v":1}`, "{ id:string t:r"},
		{"a path of numbers", "json", `{"t":"q","id":"1","op":"get","p":[1]}`, "p:no strings"},
		{"an argument without its envelope", "json", `{"t":"q","id":"1","op":"call","p":["a"],"a":[1]}`, "argument bare number"},
		{"an unknown envelope", "json", `{"t":"q","id":"1","op":"call","p":["a"],"a":[{"__kkrpc_next_arg__":"thing","v":1}]}`, "__kkrpc_next_arg__:thing"},
		{"an error that is text", "json", `{"t":"r","id":"1","e":"failed"}`, "e:string"},
		{"an error without its message", "json", `{"t":"r","id":"1","e":{"n":"Error"}}`, "e:{ n:string }"},
		{"a stream of another kind", "json", `{"t":"r","id":"1","v":{"__kkrpc_next_stream__":"sync","id":"2"}}`, "__kkrpc_next_stream__:sync"},
		{"an item that does not say whether it is the last", "json", `{"t":"sr","id":"1","sid":"2","v":1}`, "sid:string v:number"},
		{"credit as text", "json", `{"t":"sq","id":"1","sid":"2","op":"pull","n":"32"}`, "n:string"},
		{"a note that SuperJSON has not", "superjson", `{"json":{"t":"r","id":"1","v":"x"},"meta":{"values":{"v":["Temporal"]},"v":1}}`, "note Temporal"},
		{"plain JSON for SuperJSON", "superjson", `{"t":"r","id":"1","v":1}`, "no member json"},
		{"a stream whose marker is not the first member", "json", `{"t":"r","id":"1","v":{"id":"2","__kkrpc_next_stream__":"async-iterable"}}`, "v:{ id:string"},
		{"an envelope whose marker is not the first member", "json", `{"t":"q","id":"1","op":"call","p":["a"],"a":[{"v":1,"__kkrpc_next_arg__":"value"}]}`, "{ v:number"},
		{"a line", "json", `{"t":"r","id":"1","v":1}` + "\n", "white space"},
		{"white space", "json", `{"t":"r", "id":"1","v":1}`, "white space"},
		{"no JSON", "json", `ping`, "invalid character"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, missing := unrecorded(recordedShapes(t, row.codec), row.codec, row.text)
			if got := strings.Join(missing, "\n"); (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
