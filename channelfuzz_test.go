package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// FuzzChannel reads its input as a program of frames, which a peer sends to a channel that exposes one of everything.
// Whatever the peer sends, each request is answered once, and nothing is left when the channel has closed.
func FuzzChannel(f *testing.F) {
	for seed := range byte(40) {
		program := make([]byte, 6000)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(program)
		program[0] = seed
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) {
			runFrames(t, &frames{program: program, sent: map[string]int{}, texts: map[string]string{}, answered: map[string]int{}})
		})
	})
}

func runFrames(t *testing.T, f *frames) {
	f.dialect = dialects[f.choose(len(dialects))]
	f.spoils = f.choose(2) == 0
	var group kkrpc.Group
	api, alive := fuzzAPI()
	opts := kkrpc.Options{
		Group: &group, Expose: api, CallTimeout: 2 * time.Second, SlowConsumer: kkrpc.Drop,
		Limits: kkrpc.Limits{
			Running: 1 + f.choose(4), Open: 60, RequestQueue: 20_000, Frame: 1 << 20, Decoded: 100_000, Streams: 4, StreamIdle: time.Second,
			StreamBuffer: 3000, Callbacks: 8, References: 8, CallbackQueue: 3000, Backlog: 20_000, SendWait: time.Second, Depth: 40,
		},
		OnError: func(err error) {
			if strings.Contains(err.Error(), "panic") {
				t.Errorf("OnError: %v", err)
			}
		},
	}
	if f.choose(3) > 0 { // else the first message tells
		opts.Dialect = f.dialect
	}
	ch, peer := raw(t, opts)
	if opts.Dialect == 0 {
		write(t, peer, f.envelope(f.call("add", "1,2"))) // the channel knows the dialect before anything can be unreadable in it
		synctest.Wait()
	}
	go func() { // ends with the channel
		for {
			frame, _, err := peer.ReadFrame(nil)
			if err != nil {
				return
			}
			f.heard(t, frame)
		}
	}()
	for steps := 0; len(f.program) > 0 && steps < 400; steps++ {
		batch := make([][]byte, 1+f.choose(3))
		for i := range batch {
			batch[i] = []byte(f.envelope(f.next()))
		}
		if err := peer.WriteFrames(batch); err != nil {
			t.Fatalf("the channel has closed: %v, %v", err, ch.Err())
		}
		switch f.choose(6) {
		case 0:
			synctest.Wait()
		case 1:
			time.Sleep(time.Duration(f.choose(256)) * 5 * time.Millisecond)
		case 2:
			_ = kkrpc.Notify(ch, "told", 1)
		}
	}
	for i := range ch.Stats().Made + 4 { // handlers that wait for a stream end
		end := fmt.Sprintf(`{"t":"sr","id":"x","sid":"a%d","d":true}`, i)
		if !f.compact() {
			end = fmt.Sprintf(`{"id":"%d","method":"","args":{},"type":"stream-end"}`, i)
		}
		write(t, peer, f.line(f.wrap(end, "")))
	}
	time.Sleep(time.Minute) // every call of this side has got its answer or timed out
	synctest.Wait()
	f.check(t, ch)
	if err := ch.Err(); err != nil {
		t.Errorf("the channel has closed: %v", err)
	}
	if s := ch.Stats(); s.Running != 0 || s.Queued != 0 || s.Pending != 0 || s.BytesIn != 0 || s.BytesOut != 0 {
		t.Errorf("a minute later: %+v", s)
	}
	_ = ch.Close()
	synctest.Wait()
	if n := alive.Load(); n != 0 {
		t.Errorf("%d contexts outlive the channel", n)
	}
	if used := group.MemoryUsage().Used; used != 0 {
		t.Errorf("%d bytes count after the end", used)
	}
}

// fuzzAPI is an API with one of everything, and the number of its contexts that have not ended.
func fuzzAPI() (kkrpc.Object, *atomic.Int64) {
	alive := new(atomic.Int64)
	count := func(ctx context.Context) {
		alive.Add(1)
		context.AfterFunc(ctx, func() { alive.Add(-1) })
	}
	var mu sync.Mutex
	var kept []*kkrpc.Callback
	var held []*kkrpc.Ref
	type point struct {
		X, Y  int
		Name  *string `json:"name"`
		Inner []point `json:"inner"`
	}
	return kkrpc.Object{
		"add":   func(a, b float64) float64 { return a + b },
		"any":   func(v any) any { return v },
		"value": func(v superjson.Value) superjson.Value { return v },
		"all":   func(v ...any) []any { return v },
		"point": func(ctx context.Context, p point) (point, error) { count(ctx); return p, nil },
		"fail": func(v any) error {
			return &kkrpc.Error{Name: "Failed", Message: "failed", Fields: map[string]any{"v": v}}
		},
		"wait": func(ctx context.Context, ms int) error {
			count(ctx)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(ms%3000) * time.Millisecond):
				return nil
			}
		},
		"callback": func(ctx context.Context, f func(any) error) error { count(ctx); return f("called") },
		"keep": func(c *kkrpc.Callback) {
			mu.Lock()
			defer mu.Unlock()
			kept = append(kept, c)
		},
		"notify": func(v any) (n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range kept {
				if c.Notify(v) == nil {
					n++
				}
			}
			return n
		},
		"release": func() (err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, c := range kept {
				err = errors.Join(err, kkrpc.Release(c))
			}
			kept = nil
			return err
		},
		"ask": func(ctx context.Context, v any) (any, error) {
			count(ctx)
			answer, err := kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "theirs", v)
			if items, ok := answer.(iter.Seq2[any, error]); ok { // else it stays until the garbage collector comes to it
				for _, err := range items {
					return nil, err
				}
			}
			return answer, err
		},
		"open": func(ctx context.Context, n int) iter.Seq[int] { count(ctx); return upTo(n % 100) },
		"slow": func(ctx context.Context) iter.Seq2[int, error] {
			count(ctx)
			return func(yield func(int, error) bool) {
				for i := range 10 {
					select {
					case <-ctx.Done():
						return
					case <-time.After(100 * time.Millisecond):
					}
					if !yield(i, nil) {
						return
					}
				}
			}
		},
		"sum": func(ctx context.Context, in iter.Seq2[any, error]) (n int) {
			count(ctx)
			for _, err := range in {
				if n++; err != nil || n > 20 {
					break
				}
			}
			return n
		},
		"echo": func(ctx context.Context, in iter.Seq2[any, error]) iter.Seq2[any, error] { count(ctx); return in },
		"relay": func(ctx context.Context) iter.Seq2[any, error] {
			count(ctx)
			return kkrpc.Stream[any](ctx, kkrpc.FromContext(ctx), "theirs")
		},
		"proxy": func() *kkrpc.Ref { return kkrpc.Proxy(func(a, b int) int { return a * b }) },
		"object": func() map[string]any {
			return map[string]any{"list": []any{kkrpc.Proxy(kkrpc.Object{"n": kkrpc.NewProperty(1), "f": func(v any) any { return v }})}}
		},
		"hold": func(ctx context.Context, r *kkrpc.Ref) (any, error) {
			count(ctx)
			mu.Lock()
			held = append(held, r)
			mu.Unlock()
			return kkrpc.Get[superjson.Value](ctx, r, "x")
		},
		"drop": func() (err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range held {
				err = errors.Join(err, kkrpc.Release(r))
			}
			held = nil
			return err
		},
		"settings": kkrpc.Object{"theme": kkrpc.NewProperty("light"), "version": "1.0"},
		"Point":    kkrpc.Constructor(func(x, y int) point { return point{X: x, Y: y} }),
	}, alive
}

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

// check compares the requests with their answers.
func (f *frames) check(t *testing.T, ch *kkrpc.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.answers {
		f.answered[id]++
	}
	if f.spoils {
		return
	}
	for id, n := range f.sent {
		if f.answered[id] != n {
			t.Errorf("%d requests with the id %q, %d answers: %s", n, id, f.answered[id], f.texts[id])
		}
	}
}
