package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Messages whose annotations this version does not know: every new version of superjson, and every class that a peer
// registers, looks like this.

// told collects what Options.OnError is told.
type told struct {
	mu  sync.Mutex
	all []string
}

func (o *told) add(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, err.Error())
}

func (o *told) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.all, "\n")
}

// annotated are annotations that superjson 2.2.7 writes, with the texts that name them.
var annotated = []struct{ annotation, name string }{
	{`["custom","Decimal"]`, `unknown annotation "custom" "Decimal"`},
	{`["class","Money"]`, `unknown annotation "class" "Money"`},
	{`["symbol","kind"]`, `unknown annotation "symbol" "kind"`},
	{`["typed-array","Float16Array"]`, `unknown annotation "typed-array" "Float16Array"`},
	{`"Temporal"`, `unknown annotation "Temporal"`},
}

func TestRequestsWithUnknownAnnotationsAreAnswered(t *testing.T) {
	ran := false
	api := kkrpc.Object{
		"total": func(v any) { ran = true },
		"keep":  func(v superjson.Value) { ran = true },
		"named": kkrpc.NewProperty(""),
	}
	for _, row := range annotated {
		for _, request := range []struct{ text, want string }{
			{`{"json":{"t":"q","id":"7","op":"call","p":["total"],"a":[1,{"__kkrpc_next_arg__":"value","v":{"price":[1]}}]},"meta":{"values":{"a.1.v.price":[%s]},"v":1}}`, "total: argument 2.price: "},
			{`{"json":{"t":"q","id":"7","op":"call","p":["keep"],"a":[[1]]},"meta":{"values":{"a.0":[%s]},"v":1}}`, "keep: argument 1: "},
			{`{"json":{"t":"q","id":"7","op":"set","p":["named"],"v":[1]},"meta":{"values":{"v":[%s]},"v":1}}`, "named: value: "},
			{`{"json":{"t":"q","id":"7","op":"call","p":["total"],"a":[],"meta":{"x":[1]}},"meta":{"values":{"meta.x":[%s]},"v":1}}`, "total: metadata.x: "},
			{`{"json":{"id":"7","method":"total","args":[{"price":[1]}],"type":"request"},"meta":{"values":{"args.0.price":[%s]},"v":1}}` + "\n", "total: argument 1.price: "},
			{`{"json":{"id":"7","path":["named"],"value":[1],"type":"set"},"meta":{"values":{"value":[%s]},"v":1}}` + "\n", "named: value: "},
		} {
			bubble(t, func(t *testing.T) {
				_, peer := raw(t, kkrpc.Options{Expose: api})
				write(t, peer, fmt.Sprintf(request.text, row.annotation))
				answer := strings.ReplaceAll(read(t, peer), `\"`, `"`)
				if !strings.Contains(answer, `"id":"7"`) || !strings.Contains(answer, "TypeError") && !strings.Contains(answer, `"error":"`) || !strings.Contains(answer, request.want+"metadata: "+row.name) {
					t.Errorf("%s of %s\n answered %s", row.annotation, request.text, answer)
				}
			})
			text := []byte(fmt.Sprintf(request.text, row.annotation))
			exposed, err := kkrpc.Expose(api)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := exposed.Answer(t.Context(), text, nil)
			if err != nil || !strings.Contains(strings.ReplaceAll(string(answer), `\"`, `"`), request.want+"metadata: "+row.name) {
				t.Errorf("without a channel: %s, %v", answer, err)
			}
		}
	}
	if ran {
		t.Error("the function ran")
	}
}

func TestAnswersWithUnknownAnnotationsEndTheirCalls(t *testing.T) {
	for _, row := range annotated {
		for _, test := range []struct {
			dialect            kkrpc.Dialect
			answer, item, want string
		}{
			{kkrpc.CompactSuperJSON, `{"json":{"t":"r","id":"1","v":{"price":[1]}},"meta":{"values":{"v.price":[%s]},"v":1}}`, "", "result.price: "},
			{kkrpc.CompactSuperJSON, `{"json":{"t":"r","id":"1","e":{"n":"E","m":"x","d":[1]}},"meta":{"values":{"e.d":[%s]},"v":1}}`, "", "error.d: "},
			{kkrpc.ClassicSuperJSON, `{"json":{"id":"1","args":{"result":[1]},"type":"response"},"meta":{"values":{"args.result":[%s]},"v":1}}` + "\n", "", "result: "},
			{kkrpc.CompactSuperJSON, `{"json":{"t":"r","id":"1","v":{"__kkrpc_next_stream__":"async-iterable","id":"s"}}}`,
				`{"json":{"t":"sr","id":"2","sid":"s","v":[1]},"meta":{"values":{"v":[%s]},"v":1}}`, "item: "},
		} {
			bubble(t, func(t *testing.T) {
				var errs told
				ch, peer := raw(t, kkrpc.Options{Dialect: test.dialect, OnError: errs.add})
				ended := make(chan error, 1)
				go func() {
					if test.item == "" {
						ended <- ch.Call(context.Background(), nil, "total")
						return
					}
					items, err := kkrpc.Call[iter.Seq2[any, error]](context.Background(), ch, "total")
					if err != nil {
						ended <- err
						return
					}
					for _, err := range items {
						ended <- err
						return
					}
				}()
				began := time.Now()
				read(t, peer)
				if test.item == "" {
					write(t, peer, fmt.Sprintf(test.answer, row.annotation))
				} else {
					write(t, peer, test.answer)
					read(t, peer) // the demand
					write(t, peer, fmt.Sprintf(test.item, row.annotation))
				}
				err := <-ended
				if err == nil || !strings.Contains(err.Error(), test.want+"metadata: "+row.name) || errors.Is(err, kkrpc.ErrLimit) || time.Since(began) != 0 {
					t.Errorf("after %v: %v, want %q", time.Since(began), err, test.want+row.name)
				}
				if errs.String() != "" {
					t.Errorf("OnError was told what the caller knows: %s", errs.String())
				}
			})
		}
	}
}

// What is dropped, because nobody can be told of it, is told to OnError.
func TestDroppedMessagesAreReported(t *testing.T) {
	deep := strings.Repeat("[", 70) + strings.Repeat("]", 70)
	for _, row := range []struct {
		name    string
		dialect kkrpc.Dialect
		text    string
		want    string
	}{
		{"no JSON", kkrpc.Compact, `{"t":`, "message dropped: invalid JSON at byte 5"},
		{"no message", kkrpc.Compact, `{"a":1}`, "message dropped: not a kkrpc message"},
		{"a message without an id", kkrpc.Compact, `{"t":"q","op":"call","p":["x"],"a":[]}`, "message dropped: not a kkrpc message"},
		{"no message yet", 0, `{"a":1}`, "message dropped: not a kkrpc message"},
		{"a line", kkrpc.Classic, "{\"a\":1}\n", "message dropped: not a kkrpc message"},
		{"a callback, annotated", kkrpc.CompactSuperJSON, `{"json":{"t":"cb","id":"f1","a":[1]},"meta":{"values":{"a.0":["Nope"]},"v":1}}`, `message dropped: argument 1: metadata: unknown annotation "Nope"`},
		{"a callback, too deep", kkrpc.Compact, `{"t":"cb","id":"f1","a":[` + deep + `]}`, "message dropped: message nests too deep"},
		{"a callback that is not there", kkrpc.Compact, `{"t":"cb","id":"f9","a":[1]}`, `message dropped: it calls function "f9"`},
		{"an answer to nothing", kkrpc.Compact, `{"t":"r","id":"99","v":1}`, `message dropped: it answers request "99"`},
		{"an answer to nothing, annotated", kkrpc.CompactSuperJSON, `{"json":{"t":"r","id":"99","v":1},"meta":{"values":{"v":["Nope"]},"v":1}}`, `message dropped: result: metadata: unknown annotation "Nope"`},
		{"a classic request without an id", kkrpc.ClassicSuperJSON, `{"json":{"method":"x","args":[1],"type":"request"},"meta":{"values":{"args.0":["Nope"]},"v":1}}` + "\n", `message dropped: argument 1: metadata: unknown annotation "Nope"`},
		{"an item of no stream", kkrpc.CompactSuperJSON, `{"json":{"t":"sr","id":"2","sid":"s","v":[1]},"meta":{"values":{"v":["Nope"]},"v":1}}`, `message dropped: item: metadata: unknown annotation "Nope"`},
		{"released ids, annotated", kkrpc.CompactSuperJSON, `{"json":{"t":"cbr","ids":["f1"]},"meta":{"values":{"ids.0":["Nope"]},"v":1}}`, `message dropped: ids.0: metadata: unknown annotation "Nope"`},
		{"a message, annotated", kkrpc.CompactSuperJSON, `{"json":{"t":"cb","id":"f1","a":[1]},"meta":{"values":["map"],"v":1}}`, "message dropped: the message itself is annotated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var errs told
				ch, peer := raw(t, kkrpc.Options{Dialect: row.dialect, OnError: errs.add})
				write(t, peer, row.text)
				synctest.Wait()
				if got := errs.String(); !strings.HasPrefix(got, "kkrpc: "+row.want) || strings.Contains(got, "\n") || ch.Dropped() != 1 {
					t.Errorf("OnError was told %q, %d dropped", got, ch.Dropped())
				}
			})
		})
	}
}

// A stream of this side ends as its consumer asks, whatever the value that the consumer sends with it.
func TestControlsWithUnknownAnnotationsAreHeeded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ended := false
		api := kkrpc.Object{"count": func() iter.Seq[int] {
			return func(yield func(int) bool) {
				defer func() { ended = true }()
				for i := 0; yield(i); i++ {
				}
			}
		}}
		_, peer := raw(t, kkrpc.Options{Expose: api})
		write(t, peer, `{"json":{"t":"q","id":"1","op":"call","p":["count"],"a":[]}}`)
		answer := read(t, peer)
		_, rest, _ := strings.Cut(answer, `"id":"1","v":{"__kkrpc_next_stream__":"async-iterable","id":"`)
		id, _, _ := strings.Cut(rest, `"`)
		write(t, peer, `{"json":{"t":"sq","id":"2","op":"pull","sid":"`+id+`","n":1}}`)
		read(t, peer)
		write(t, peer, `{"json":{"t":"sq","id":"3","op":"return","sid":"`+id+`","v":[1]},"meta":{"values":{"v":["Nope"]},"v":1}}`)
		if answer := read(t, peer); !strings.Contains(answer, `"id":"3"`) {
			t.Errorf("answered %s", answer)
		}
		synctest.Wait()
		if !ended {
			t.Error("the stream goes on")
		}
	})
}

// The hint at another dialect is for a peer that has said nothing at all.
func TestTimeoutAfterUnreadableMessages(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, CallTimeout: time.Second})
		ended := make(chan error, 1)
		go func() { ended <- ch.Call(context.Background(), nil, "f") }()
		read(t, peer)
		write(t, peer, `{"json":{"t":"r","id":"1","v":1}}`)
		err := <-ended
		if err == nil || strings.Contains(err.Error(), "Dialect") || strings.Contains(err.Error(), "nothing was ever received") ||
			!strings.Contains(err.Error(), "could not read what it has received (messages: 1, see Options.OnError)") {
			t.Error(err)
		}
	})
}

// An any that contains itself would end the process of whoever prints it. Nothing that a peer sends becomes one.
func TestCyclesInMessages(t *testing.T) {
	ran := ""
	api := kkrpc.Object{
		"any":   func(v any) { ran += fmt.Sprint(v) },
		"field": func(v struct{ In any }) { ran += fmt.Sprint(v) },
		"many":  func(v ...any) { ran += fmt.Sprint(v...) },
		"map":   func(v map[string]any) { ran += fmt.Sprint(v) },
		"set":   func(v *superjson.Set) { ran += fmt.Sprint(v.Values()) },
		"kept":  func(v superjson.Value) string { return string(v.JSON) },
		"meta":  func(ctx context.Context) string { return fmt.Sprint(kkrpc.MetadataFrom(ctx)) },
		"prop":  kkrpc.NewProperty[any](nil),
	}
	const call = `{"json":{"t":"q","id":"7","op":"call","p":["%s"],"a":[%s]},"meta":{%s,"v":1}}`
	for _, row := range []struct{ text, want string }{
		{fmt.Sprintf(call, "any", `{"a":null}`, `"referentialEqualities":{"a.0":["a.0.a"]}`), "any: argument 1.a: expected a value without cycles (only a superjson.Value keeps them), got a cycle"},
		{fmt.Sprintf(call, "any", `{"__kkrpc_next_arg__":"value","v":{"a":null}}`, `"referentialEqualities":{"a.0.v":["a.0.v.a"]}`), "any: argument 1.a: expected a value without cycles"},
		{fmt.Sprintf(call, "field", `{"In":[0]}`, `"referentialEqualities":{"a.0.In":["a.0.In.0"]}`), "field: argument 1.In[0]: expected a value without cycles"},
		{fmt.Sprintf(call, "many", `1,[0]`, `"referentialEqualities":{"a.1":["a.1.0"]}`), "many: argument 2[0]: expected a value without cycles"},
		{fmt.Sprintf(call, "map", `{"k":[0]}`, `"referentialEqualities":{"a.0":["a.0.k.0"]}`), "cycle through another value"},
		{fmt.Sprintf(call, "map", `{"k":[0]}`, `"referentialEqualities":{"a.0.k":["a.0.k.0"]}`), "map: argument 1.k[0]: expected a value without cycles"},
		{fmt.Sprintf(call, "set", `[0]`, `"values":{"a.0":["set"]},"referentialEqualities":{"a.0":["a.0.0"]}`), "set: argument 1[0]: expected a value without cycles"},
		{fmt.Sprintf(call, "kept", `{"a":null}`, `"referentialEqualities":{"a.0":["a.0.a"]}`), `"v":"{\"a\":null}"`},
		{`{"json":{"t":"q","id":"7","op":"call","p":["meta"],"a":[],"meta":{"k":{"me":null}}},"meta":{"referentialEqualities":{"meta.k":["meta.k.me"]},"v":1}}`, "map[k:map[me:<nil>]]"},
		{`{"json":{"t":"q","id":"7","op":"set","p":["prop"],"v":[0]},"meta":{"referentialEqualities":{"v":["v.0"]},"v":1}}`, "prop[0]: expected a value without cycles"},
	} {
		bubble(t, func(t *testing.T) {
			_, peer := raw(t, kkrpc.Options{Expose: api})
			write(t, peer, row.text)
			if answer := read(t, peer); !strings.Contains(answer, row.want) {
				t.Errorf("%s\n answered %s", row.text, answer)
			}
		})
	}
	if ran != "" {
		t.Errorf("a function got %s", ran)
	}
}

// A field in a cycle does not hide the error that it is a field of.
func TestErrorsWithCyclesKeepTheirTexts(t *testing.T) {
	for d, answer := range map[kkrpc.Dialect]string{
		kkrpc.CompactSuperJSON: `{"json":{"t":"r","id":"1","e":{"n":"RangeError","m":"too far","d":{"me":null}}},"meta":{"referentialEqualities":{"e.d":["e.d.me"]},"v":1}}`,
		kkrpc.ClassicSuperJSON: `{"json":{"id":"1","args":{"error":{"name":"RangeError","message":"too far","d":{"me":null}}},"type":"response"},"meta":{"referentialEqualities":{"args.error":["args.error.d.me"]},"v":1}}` + "\n",
	} {
		bubble(t, func(t *testing.T) {
			ch, peer := raw(t, kkrpc.Options{Dialect: d})
			ended := make(chan error, 1)
			go func() { ended <- ch.Call(context.Background(), nil, "f") }()
			read(t, peer)
			write(t, peer, answer)
			e, ok := errors.AsType[*kkrpc.Error](<-ended)
			if !ok || e.Name != "RangeError" || e.Message != "too far" || fmt.Sprint(e.Fields["d"]) != "map[me:<nil>]" {
				t.Errorf("%v: %v %+v", d, ok, e)
			}
		})
	}
}
