package superjson_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// frame is a recorded superjson message.
type frame struct {
	name string
	text []byte
}

// recordedFrames returns what the published implementation sent, without what the recordings injected by hand.
func recordedFrames(t testing.TB, injected bool) []frame {
	t.Helper()
	files, err := filepath.Glob("../testdata/vectors/*/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	var frames []frame
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 16<<20)
		for lines.Scan() {
			var line struct {
				Dir, Frame string
				Injected   bool
				Binary     bool
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			for _, text := range strings.Split(line.Frame, "\n") {
				if strings.HasPrefix(text, `{"json":`) && json.Valid([]byte(text)) && line.Injected == injected {
					name := filepath.Base(filepath.Dir(file)) + "/" + strings.TrimSuffix(filepath.Base(file), ".jsonl")
					frames = append(frames, frame{name, []byte(text)})
				}
			}
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return frames
}

func TestRecordedFramesSurviveAny(t *testing.T) {
	frames := recordedFrames(t, false)
	if len(frames) < 1000 {
		t.Fatalf("only %d frames", len(frames))
	}
	for _, f := range frames {
		if strings.HasSuffix(f.name, "/cycles") {
			continue // an any takes none
		}
		var first, second any
		if err := superjson.Unmarshal(f.text, &first); err != nil {
			t.Errorf("%s: %v\n%s", f.name, err, f.text)
			continue
		}
		again, err := superjson.Marshal(first)
		if err != nil {
			t.Errorf("%s: marshal: %v\n%s", f.name, err, f.text)
			continue
		}
		if err := superjson.Unmarshal(again, &second); err != nil {
			t.Errorf("%s: again: %v\n%s", f.name, err, again)
			continue
		}
		if !sameTree(first, second) {
			t.Errorf("%s:\n %s\n became\n %s", f.name, f.text, again)
		}
	}
}

// sameTree is deep equality with NaN equal to itself, cycles included.
func sameTree(a, b any) bool {
	one, err1 := superjson.Marshal(a)
	two, err2 := superjson.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(one, two)
}

func TestRecordedFramesSurviveValue(t *testing.T) {
	for _, f := range recordedFrames(t, false) {
		var v superjson.Value
		if err := superjson.Unmarshal(f.text, &v); err != nil {
			t.Errorf("%s: %v\n%s", f.name, err, f.text)
			continue
		}
		again, err := superjson.Marshal(v)
		if err != nil {
			t.Errorf("%s: %v\n%s", f.name, err, f.text)
			continue
		}
		if !bytes.Equal(again, f.text) && !sameJSON(again, f.text) {
			t.Errorf("%s:\n %s\n became\n %s", f.name, f.text, again)
		}
	}
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// Byte for byte, so that the order of annotations is the library's.
func TestRecordedValueBytes(t *testing.T) {
	different := 0
	frames := recordedFrames(t, false)
	for _, f := range frames {
		var v superjson.Value
		if superjson.Unmarshal(f.text, &v) != nil {
			continue
		}
		if again, _ := superjson.Marshal(v); !bytes.Equal(again, f.text) {
			different++
			t.Logf("%s:\n %s\n became\n %s", f.name, f.text, again)
		}
	}
	if different > 0 {
		t.Errorf("%d of %d frames changed", different, len(frames))
	}
}
