package kkrpc_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// frames makes the frames of a program, and sees what comes back.
type frames struct {
	program []byte
	dialect kkrpc.Dialect

	sent     map[string]int    // by id: requests
	texts    map[string]string // by id: the last request
	answered map[string]int    // likewise
	spoils   bool              // some frames are cut or changed: nobody knows which of them are requests
	requests int

	mu      sync.Mutex
	handles []string // ids that the channel has sent: of requests, callbacks, streams and references
	answers []string // ids of responses
}

// choose returns a number below n that the next byte of the program chooses.
func (f *frames) choose(n int) int {
	if len(f.program) == 0 {
		return 0
	}
	b := f.program[0]
	f.program = f.program[1:]
	return int(b) % n
}

func pick[T any](f *frames, list ...T) T { return list[f.choose(len(list))] }

func (f *frames) compact() bool {
	return f.dialect == kkrpc.Compact || f.dialect == kkrpc.CompactSuperJSON
}

func (f *frames) text(n int) string {
	n = min(n, len(f.program))
	b := f.program[:n]
	f.program = f.program[n:]
	return string(b)
}

// handle returns an id that the channel may know.
func (f *frames) handle() string {
	if f.choose(4) == 0 {
		return pick(f, "a0", "a1", "a2", "", "x")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.handles) == 0 {
		return "none"
	}
	return f.handles[len(f.handles)-1-f.choose(min(len(f.handles), 250))]
}

func (f *frames) value(depth int) string {
	if depth > 3 {
		return "1"
	}
	text := f.anyValue(depth)
	if len(text) > 5000 {
		return "2"
	}
	return text
}

func (f *frames) anyValue(depth int) string {
	switch f.choose(15) {
	case 0:
		return fmt.Sprint(f.choose(256))
	case 1:
		return pick(f, "null", "true", "false", `""`, "1e400", "-0", "0.1", "9007199254740993", "1E2")
	case 2:
		text, _ := json.Marshal(f.text(f.choose(40)))
		return string(text)
	case 3:
		return `[` + f.values(depth+1, f.choose(4)) + `]`
	case 4:
		return `{` + pick(f, `"x":`, `"name":`, `"inner":`, `"X":`, `"__proto__":`, `"a.b":`) + f.value(depth+1) + `}`
	case 5:
		return fmt.Sprintf(`{"x":%s,"x":%s,"Y":%s}`, f.value(depth+1), f.value(depth+1), f.value(depth+1))
	case 6:
		return fmt.Sprintf(`{"__kkrpc_next_arg__":"callback","id":"%s"}`, pick(f, "c1", "c2", f.handle()))
	case 7:
		return fmt.Sprintf(`{"__kkrpc_next_arg__":"value","v":%s}`, f.value(depth+1))
	case 8:
		return fmt.Sprintf(`{"__kkrpc_next_stream__":"async-iterable","id":"a%d"}`, f.choose(4))
	case 9:
		return fmt.Sprintf(`{"__kkrpc_ref__":true,"id":"%s","kind":"%s"}`, f.handle(), pick(f, "function", "object", "other"))
	case 10:
		return fmt.Sprintf(`{"__kkrpc_ref__":true,"id":"%s","kind":"object","p":["list",%s]}`, f.handle(), f.value(depth+1))
	case 11:
		return fmt.Sprintf(`"__callback__%s"`, pick(f, "c1", "c2", "c3"))
	case 12:
		n := 30 + f.choose(20)
		return strings.Repeat("[", n) + f.value(depth+1) + strings.Repeat("]", n)
	case 13:
		return "[" + strings.TrimSuffix(strings.Repeat(f.value(depth+1)+",", 1+f.choose(256)), ",") + "]"
	default:
		return pick(f, `{"type":"Uint8Array","data":[1,2]}`, `{"__stream":true}`, `{"$numberLong":1}`, `[[]]`)
	}
}

func (f *frames) values(depth, n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = f.value(depth)
	}
	return strings.Join(list, ",")
}

func (f *frames) id() string {
	f.requests++
	if f.choose(8) == 0 {
		return pick(f, "same", "", "é")
	}
	return fmt.Sprint("q", f.requests)
}

// request counts a request. Its answer is due if members are well formed.
func (f *frames) request(id, members string) string {
	text := fmt.Sprintf(`{"t":"q","id":%q,%s}`, id, members)
	if !f.compact() {
		text = fmt.Sprintf(`{"id":%q,%s,"version":"json"}`, id, members)
	}
	f.sent[id]++
	f.texts[id] = text
	return text
}

func (f *frames) call(name, args string) string {
	if f.compact() {
		return f.request(f.id(), fmt.Sprintf(`"op":"call","p":["%s"],"a":[%s]`, name, args))
	}
	return f.request(f.id(), fmt.Sprintf(`"method":"%s","args":[%s],"type":"request"`, name, args))
}

// fitting has arguments that a function takes: n is a number, v any value, c a callback, s a stream, r a reference of the
// peer, and p a point.
var fitting = map[string]string{
	"add": "nn", "any": "v", "value": "v", "all": "vvv", "point": "p", "fail": "v", "wait": "n", "callback": "c", "keep": "c", "notify": "v", "release": "",
	"ask": "v", "open": "n", "slow": "", "sum": "s", "echo": "s", "relay": "", "proxy": "", "object": "", "hold": "r", "drop": "",
}

func (f *frames) fit(kinds string) string {
	list := make([]string, len(kinds))
	for i, kind := range kinds {
		switch kind {
		case 'n':
			list[i] = fmt.Sprint(f.choose(256) * f.choose(256))
		case 'v':
			list[i] = f.value(0)
		case 'p':
			list[i] = fmt.Sprintf(`{"X":%d,"name":"n","inner":[{"Y":2}]}`, f.choose(256))
		case 'c':
			list[i] = fmt.Sprintf(`{"__kkrpc_next_arg__":"callback","id":"c%d"}`, f.choose(10))
			if !f.compact() {
				list[i] = fmt.Sprintf(`"__callback__c%d"`, f.choose(10))
			}
		case 's':
			list[i] = fmt.Sprintf(`{"__kkrpc_next_stream__":"async-iterable","id":"a%d"}`, f.choose(4))
		case 'r':
			list[i] = fmt.Sprintf(`{"__kkrpc_ref__":true,"id":"%s","kind":"object"}`, pick(f, "r1", "r2", "r3", f.handle()))
		}
	}
	return strings.Join(list, ",")
}

// next makes one frame, without the envelope of SuperJSON.
func (f *frames) next() string {
	switch f.choose(5) {
	case 0, 1:
		name := pick(f, slices.Sorted(maps.Keys(fitting))...)
		return f.call(name, f.fit(fitting[name]))
	case 2:
		name := pick(f, append(slices.Sorted(maps.Keys(fitting)), "settings", "settings.theme", "Point", "missing")...)
		return f.call(name, f.values(0, f.choose(4)))
	}
	if f.compact() {
		return f.nextCompact()
	}
	return f.nextClassic()
}

func (f *frames) nextCompact() string {
	switch f.choose(11) {
	case 0:
		return f.request(f.id(), fmt.Sprintf(`"op":"%s","p":["settings",%s]`, pick(f, "get", "set"), pick(f, `"theme"`, `"version"`, `"x"`)))
	case 1:
		return f.request(f.id(), fmt.Sprintf(`"op":"set","p":["settings","theme"],"v":%s`, f.value(0)))
	case 2:
		return f.request(f.id(), fmt.Sprintf(`"op":"new","p":["Point"],"a":[%s]`, f.values(0, f.choose(4))))
	case 3:
		path := pick(f, `"apply"`, `"get","n"`, `"set","n"`, `"call","f"`, `"release"`, `"release","1"`, `"other"`, `"get"`)
		return f.request(f.id(), fmt.Sprintf(`"op":"ref","p":["%s",%s],"a":[%s],"v":%s`, f.handle(), path, f.values(0, f.choose(3)), f.value(0)))
	case 4:
		return fmt.Sprintf(`{"t":"r","id":"%s","v":%s}`, f.handle(), f.value(0))
	case 5:
		return fmt.Sprintf(`{"t":"r","id":"%s","e":%s}`, f.handle(), f.value(0))
	case 6:
		return fmt.Sprintf(`{"t":"cb","id":"%s","a":[%s]}`, f.handle(), f.values(0, f.choose(3)))
	case 7:
		return fmt.Sprintf(`{"t":"cbr","ids":["%s","%s"]}`, f.handle(), f.handle())
	case 8:
		return fmt.Sprintf(`{"t":"sq","id":"x%d","sid":"%s","op":"%s","n":%d,"v":%s}`, f.choose(4), f.handle(), pick(f, "pull", "pull", "return", "throw"), f.choose(40), f.value(0))
	case 9:
		return fmt.Sprintf(`{"t":"sr","id":"x","sid":"a%d","d":%v,"%s":%s}`, f.choose(4), f.choose(4) == 0, pick(f, "v", "v", "e"), f.value(0))
	default:
		return fmt.Sprintf(`{"t":"qc","id":"q%d"}`, f.requests-f.choose(4))
	}
}

func (f *frames) nextClassic() string {
	switch f.choose(7) {
	case 0:
		return f.request(f.id(), fmt.Sprintf(`"method":"","args":{},"type":"%s","path":["settings","theme"],"value":%s`, pick(f, "get", "set"), f.value(0)))
	case 1:
		return f.request(f.id(), fmt.Sprintf(`"method":"Point","args":[%s],"type":"construct"`, f.values(0, f.choose(4))))
	case 2:
		return fmt.Sprintf(`{"id":"%s","method":"","args":{"%s":%s},"type":"response"}`, f.handle(), pick(f, "result", "error"), f.value(0))
	case 3:
		return fmt.Sprintf(`{"id":"x","method":"%s","args":[%s],"type":"callback"}`, f.handle(), f.values(0, f.choose(3)))
	case 4:
		return fmt.Sprintf(`{"id":"%s","method":"","args":{"value":%s},"type":"stream-chunk"}`, f.handle(), f.value(0))
	case 5:
		return fmt.Sprintf(`{"id":"%s","method":"","args":{"error":%s},"type":"%s"}`, f.handle(), f.value(0), pick(f, "stream-end", "stream-error"))
	default:
		return fmt.Sprintf(`{"id":"q%d","method":"","args":{},"type":"stream-cancel"}`, f.requests-f.choose(4))
	}
}

// envelope makes a frame of the dialect, and sometimes spoils it.
func (f *frames) envelope(m string) string {
	if f.dialect == kkrpc.CompactSuperJSON || f.dialect == kkrpc.ClassicSuperJSON {
		at := pick(f, "a.0", "a.0.v", "a.1", "v", "e.cause", "args.0", "args.result", "a", "a.0.x.y")
		meta := pick(f, "", "", "",
			`,"meta":{"values":{"`+at+`":["`+pick(f, "undefined", "Date", "map", "set", "bigint", "number", "regexp", "URL", "Error", "other")+`"]},"v":1}`,
			`,"meta":{"values":{"`+at+`":[["typed-array","`+pick(f, "Uint8Array", "Float64Array", "Buffer")+`"]]}}`,
			`,"meta":{"referentialEqualities":{"`+at+`":["`+pick(f, "a.1", "a.0.x", "a.0")+`"]},"v":1}`,
			`,"meta":`+f.value(0))
		m = f.wrap(m, meta)
	}
	if !f.spoils {
		return f.line(m)
	}
	switch f.choose(20) {
	case 0:
		m = m[:f.choose(256)*len(m)/256]
	case 1:
		b := []byte(m)
		b[f.choose(256)*len(b)/256] = byte(f.choose(128))
		m = string(b)
	}
	if strings.TrimSpace(m) == "__DESTROY__" {
		m = "{}"
	}
	return f.line(m)
}

func (f *frames) wrap(m, meta string) string {
	if f.dialect == kkrpc.Compact || f.dialect == kkrpc.Classic {
		return m
	}
	return `{"json":` + m + meta + `}`
}

func (f *frames) line(m string) string {
	if f.compact() {
		return m
	}
	return strings.ReplaceAll(m, "\n", " ") + "\n"
}

// heard keeps the ids of what the channel sends.
func (f *frames) heard(t *testing.T, frame []byte) {
	var m struct {
		JSON json.RawMessage
		T    string `json:"t"`
		ID   any    `json:"id"`
		Type string `json:"type"`
	}
	text := frame
	if f.dialect == kkrpc.CompactSuperJSON || f.dialect == kkrpc.ClassicSuperJSON {
		if err := json.Unmarshal(frame, &m); err != nil {
			t.Errorf("%s: %v", frame, err)
		}
		text = m.JSON
	}
	if err := json.Unmarshal(text, &m); err != nil {
		t.Errorf("%s: %v", frame, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.T == "r" || m.Type == "response" {
		f.answers = append(f.answers, fmt.Sprint(m.ID))
	}
	for rest := string(text); ; {
		_, after, found := strings.Cut(rest, `id":"`)
		if !found {
			break
		}
		id, tail, _ := strings.Cut(after, `"`)
		if rest = tail; !slices.Contains(f.handles, id) && len(id) < 60 {
			f.handles = append(f.handles, id)
		}
	}
}
