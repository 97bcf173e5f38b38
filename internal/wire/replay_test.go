package wire_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/classic"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
	"github.com/kkrpc-go/kkrpc/superjson"
)

const vectors = "../../testdata/vectors"

var codecs = map[wire.Dialect]wire.Codec{
	wire.Compact:          compact.JSON,
	wire.CompactSuperJSON: compact.SuperJSON,
	wire.Classic:          classic.JSON,
	wire.ClassicSuperJSON: classic.SuperJSON,
}

func codecOf(d wire.Dialect) wire.Codec { return codecs[d] }

type recordedFrame struct {
	Dir, Frame       string
	Injected, Binary bool
}

// recording is one file of the vectors.
type recording struct {
	name   string // folder/scenario
	peer   string // folder
	frames []recordedFrame
}

// dialect is what the peers of a folder speak; Unknown in cross.
func (r recording) dialect() wire.Dialect {
	super := strings.HasSuffix(r.peer, "superjson")
	switch {
	case strings.HasPrefix(r.peer, "2.") && super:
		return wire.CompactSuperJSON
	case strings.HasPrefix(r.peer, "2."):
		return wire.Compact
	case strings.HasPrefix(r.peer, "0.") && super:
		return wire.ClassicSuperJSON
	case strings.HasPrefix(r.peer, "0."):
		return wire.Classic
	}
	return wire.Unknown
}

func recordings(t testing.TB) []recording {
	files, err := filepath.Glob(vectors + "/*/*.jsonl")
	if err != nil || len(files) != 513 {
		t.Fatalf("%d recordings, want 513; %v", len(files), err)
	}
	var all []recording
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		peer := filepath.Base(filepath.Dir(file))
		r := recording{name: peer + "/" + strings.TrimSuffix(filepath.Base(file), ".jsonl"), peer: peer}
		_, lines, _ := bytes.Cut(data, []byte("\n"))
		for line := range bytes.Lines(lines) {
			var f recordedFrame
			if err := json.Unmarshal(line, &f); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			r.frames = append(r.frames, f)
		}
		all = append(all, r)
	}
	return all
}

// TestReplay parses every frame that a real peer sent and writes it again.
func TestReplay(t *testing.T) {
	parsed, identical := 0, 0
	for _, r := range recordings(t) {
		sides := map[string]*wire.Inbound{}
		for _, f := range r.frames {
			if f.Injected {
				continue
			}
			in := sides[f.Dir]
			if in == nil {
				d := r.dialect()
				if d == wire.Unknown {
					d, _, _ = wire.Detect([]byte(f.Frame), 64)
				}
				in = wire.NewInbound(codecOf, d, 4<<20, 64)
				sides[f.Dir] = in
			}
			if r.peer == "cross" {
				// Either side goes on in its own dialect, which the other may not understand.
				d, _, _ := wire.Detect([]byte(f.Frame), 64)
				in = wire.NewInbound(codecOf, d, 4<<20, 64)
			}
			if err := in.Push([]byte(f.Frame)); err != nil {
				t.Fatalf("%s: %v", r.name, err)
			}
			var m wire.Message
			ok, err := in.Next(&m)
			if !ok || err != nil {
				t.Errorf("%s: ok %v, %v: %s", r.name, ok, err, f.Frame)
				continue
			}
			parsed++
			if writable(&m) {
				if compareWritten(t, r.name, f.Frame, &m) {
					identical++
				}
			}
			if ok, err := in.Next(new(wire.Message)); ok || err != nil {
				t.Errorf("%s: a second message, %v: %s", r.name, err, f.Frame)
			}
		}
	}
	t.Logf("%d frames, %d written again byte for byte", parsed, identical)
	if parsed < 5000 {
		t.Errorf("only %d frames", parsed)
	}
}

// compareWritten writes m and compares the result with the frame it came from. Bytes are the same unless one of the
// differences that are ours on purpose is in it: no stacks, error fields in the order of their names, annotations in
// the order of our encoder.
func compareWritten(t *testing.T, name, frame string, m *wire.Message) (identical bool) {
	t.Helper()
	got := string(rewrite(t, m, strings.Contains(frame, `"callbackIds":["`) && !strings.Contains(frame, `"callbackIds":null`)))
	if got == frame {
		return true
	}
	exact := m.Err == nil && m.Annotations() == nil && !strings.HasPrefix(name, "0.2.2-superjson") && name[0] != 'c'
	switch {
	case strings.Contains(frame, `"referentialEqualities":{"args.0":["args.1"]}`), strings.Contains(frame, `"referentialEqualities":{"a.0.v":["a.1.v"]}`):
		return false // each value was encoded alone, so that what arguments share is not known
	case m.Kind == wire.Callback && m.Dialect.IsClassic(): // the id of the message itself is random
		exact = false
	case m.Kind == wire.Response && m.Value == nil, m.Kind == wire.Set && m.Value == nil, m.ID == nil:
		exact = false // undefined has two forms
	case m.Dialect == wire.ClassicSuperJSON && m.TextErrors:
		exact = false
	case slices.ContainsFunc(m.Args, func(a wire.Arg) bool { return a.JSON == nil && a.ID == nil }):
		exact = false
	}
	if exact {
		t.Errorf("%s:\n got %s\nwant %s", name, got, frame)
		return false
	}
	if !reflect.DeepEqual(meaning(t, frame, m), meaning(t, got, m)) {
		t.Errorf("%s: not the same meaning:\n got %s\nwant %s", name, got, frame)
	}
	return false
}

// meaning is a frame without what has more than one form.
func meaning(t *testing.T, frame string, m *wire.Message) any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(frame), &v); err != nil {
		t.Fatalf("%v: %s", err, frame)
	}
	body := v
	if m.Dialect.Mode() == superjson.ModeSuperJSON {
		body = v["json"].(map[string]any)
	}
	args, _ := body["args"].(map[string]any)
	if meta, ok := v["meta"].(map[string]any); ok {
		values, _ := meta["values"].(map[string]any)
		maps.DeleteFunc(values, func(path string, a any) bool {
			if !reflect.DeepEqual(a, []any{"undefined"}) {
				return false
			}
			switch path {
			case "transferSlots", "callbackIds", "v", "value", "id":
				delete(body, path)
			case "e.s":
			case "args.result", "args.value":
				delete(args, strings.TrimPrefix(path, "args."))
			default:
				if index, ok := strings.CutPrefix(strings.TrimSuffix(path, ".v"), "a."); ok && index == "0" {
					delete(body["a"].([]any)[0].(map[string]any), "v")
					return true
				}
				return false
			}
			return true
		})
		if len(values) == 0 {
			delete(meta, "values")
		}
		if delete(meta, "v"); len(meta) == 0 {
			delete(v, "meta")
		}
	}
	if m.Kind == wire.Callback && m.Dialect.IsClassic() {
		delete(body, "id")
	}
	if e, ok := body["e"].(map[string]any); ok {
		delete(e, "s")
		if e["n"] == "" || e["n"] == nil { // ours is never empty
			e["n"] = "Error"
		}
	}
	if args["error"] == "" {
		delete(args, "error")
	}
	if e, ok := args["error"].(map[string]any); ok {
		delete(e, "stack")
	}
	return v
}

// writable reports whether there is a writer for m: there is none for Destroy and for a control with a value.
func writable(m *wire.Message) bool {
	isControl := m.Kind == wire.StreamReturn || m.Kind == wire.StreamThrow
	return m.Kind != wire.Destroy && (!isControl || m.Value == nil)
}

// rewrite writes m through the codec of its dialect. listed says that callbacks are listed: a string that looks like
// one is not. m is writable.
func rewrite(t testing.TB, m *wire.Message, listed bool) []byte {
	t.Helper()
	c := codecOf(m.Dialect)
	tail := &wire.Tail{Metadata: m.Meta}
	if m.Dialect.Mode() == superjson.ModeSuperJSON {
		tail.Values = superjson.NewEncoder(superjson.ModeSuperJSON)
	}
	value := func(dst []byte, path string, raw []byte, meta *superjson.Meta) []byte {
		if tail.Values == nil {
			return append(dst, raw...)
		}
		dst, err := tail.Values.Append(dst, path, superjson.Value{JSON: raw, Meta: meta})
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		return dst
	}
	args := func(dst []byte) []byte {
		for i, a := range m.Args {
			switch {
			case a.Kind == wire.ArgCallback:
				id := strings.Trim(string(a.ID), `"`)
				if listed {
					tail.CallbackIDs = append(tail.CallbackIDs, id)
				}
				dst = c.AppendCallbackArg(dst, i, id)
			case a.JSON == nil:
				dst = c.AppendUndefinedArg(dst, i, tail)
			case a.Bare:
				dst = value(c.BeginBareArg(dst, i), c.BareArgPath(i), a.JSON, m.ArgMeta(i))
			default:
				dst = c.EndArg(value(c.BeginArg(dst, i), c.ArgPath(i), a.JSON, m.ArgMeta(i)))
			}
		}
		return dst
	}
	id := strings.Trim(string(m.ID), `"`)
	sid := strings.Trim(string(m.StreamID), `"`)
	var path []string
	var err error
	if m.Path.Raw != nil {
		if path, err = m.Path.Segments(nil); err != nil {
			t.Fatal(err)
		}
	}
	stream := m.StreamID
	if m.Dialect.IsClassic() {
		stream, sid = m.ID, id
	}
	var dst []byte
	switch m.Kind {
	case wire.Call, wire.New:
		return c.EndCall(args(c.BeginCall(dst, m.Kind, id, path)), m.Kind, tail)
	case wire.Ref:
		if m.Value != nil {
			return c.EndSet(value(c.BeginRefSet(dst, id, path), c.SetPath(), m.Value, m.ValueMeta()), path, tail)
		}
		if path[1] == "get" || path[1] == "release" {
			return c.AppendRef(dst, id, path, tail)
		}
		return c.EndCall(args(c.BeginCall(dst, m.Kind, id, path)), m.Kind, tail)
	case wire.Callback:
		return c.EndCallback(args(c.BeginCallback(dst, id)), tail)
	case wire.Get:
		return c.AppendGet(dst, id, path, tail)
	case wire.Set:
		if m.Value == nil {
			return c.AppendUndefinedSet(dst, id, path, tail)
		}
		return c.EndSet(value(c.BeginSet(dst, id, path), c.SetPath(), m.Value, m.ValueMeta()), path, tail)
	case wire.Release:
		var ids []string
		for _, raw := range m.IDs {
			ids = append(ids, strings.Trim(string(raw), `"`))
		}
		return c.AppendRelease(dst, ids)
	case wire.StreamPull:
		return c.AppendPull(dst, id, sid, m.Credit)
	case wire.StreamReturn, wire.StreamThrow:
		return c.AppendControl(dst, m.Kind, id, sid)
	case wire.Cancel:
		return c.AppendCancel(dst, id)
	case wire.Response, wire.StreamData:
	default:
		t.Fatalf("kind %d", m.Kind)
	}
	switch {
	case m.Err != nil && m.Err[0] == '"':
		e := wire.ParseError(m, nil, nil)
		e.Text = true
		dst, err = c.AppendError(dst, m.ID, e, tail.Values)
	case m.Err != nil && m.Kind == wire.Response:
		dst, err = c.AppendError(dst, m.ID, parseAnyError(t, m), tail.Values)
	case m.Err != nil:
		dst, err = c.AppendStreamError(dst, m.ID, stream, parseAnyError(t, m), tail.Values)
	case m.Kind == wire.Response && m.Value == nil:
		dst = c.AppendNoResult(dst, m.ID)
	case m.Kind == wire.Response:
		dst = c.EndResult(value(c.BeginResult(dst, m.ID), c.ResultPath(), m.Value, m.ValueMeta()), tail)
	case m.Value == nil:
		dst = c.AppendItem(dst, m.ID, stream, m.Done)
	default:
		dst = c.EndItem(value(c.BeginItem(dst, m.ID, stream, m.Done), c.ItemPath(), m.Value, m.ValueMeta()), tail)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dst
}

// parseAnyError is ParseError, but for empty names and messages in classic, which ParseError takes for text as the
// original does.
func parseAnyError(t testing.TB, m *wire.Message) *wire.Error {
	t.Helper()
	e := wire.ParseError(m, nil, nil)
	if m.Dialect.IsClassic() && e.Message == "[object Object]" {
		var form struct{ Name, Message string }
		if err := json.Unmarshal(m.Err, &form); err != nil {
			t.Fatal(err)
		}
		e.Name, e.Message = form.Name, form.Message
	}
	return e
}
