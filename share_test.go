package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// counted counts how often it is encoded.
type counted struct{ times *atomic.Int32 }

func (c counted) MarshalJSON() ([]byte, error) {
	c.times.Add(1)
	return []byte(`{"from":"ann","text":"hello"}`), nil
}

// listener is a transport whose peer calls join with a callback, and keeps what is written after that.
type listener struct {
	join    string
	joined  bool
	done    chan struct{}
	mu      sync.Mutex
	discard bool
	got     []string
}

var joins = map[kkrpc.Dialect]string{
	kkrpc.Compact:          `{"t":"q","id":"j","op":"call","p":["join"],"a":[{"__kkrpc_next_arg__":"callback","id":"cb"}]}`,
	kkrpc.CompactSuperJSON: `{"json":{"t":"q","id":"j","op":"call","p":["join"],"a":[{"__kkrpc_next_arg__":"callback","id":"cb"}]}}`,
	kkrpc.Classic:          `{"id":"j","method":"join","args":["__callback__cb"],"type":"request","callbackIds":["cb"],"version":"json"}` + "\n",
	kkrpc.ClassicSuperJSON: `{"json":{"id":"j","method":"join","args":["__callback__cb"],"type":"request","callbackIds":["cb"],"transferSlots":null,"version":"superjson"},"meta":{"values":{"transferSlots":["undefined"]},"v":1}}` + "\n",
}

func (l *listener) ReadFrame(buf []byte) ([]byte, bool, error) {
	if !l.joined {
		l.joined = true
		return append(buf[:0], l.join...), false, nil
	}
	<-l.done
	return nil, false, io.EOF
}

func (l *listener) WriteFrames(msgs [][]byte) error {
	if l.discard {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range msgs {
		l.got = append(l.got, string(m))
	}
	return nil
}

func (l *listener) TryWriteFrames(msgs [][]byte) (bool, error) { return true, l.WriteFrames(msgs) }

func (l *listener) Close(int, string) error {
	close(l.done)
	return nil
}

// room has n members, of the dialects in turn.
func room(tb testing.TB, n int, discard bool, of ...kkrpc.Dialect) (members []*kkrpc.Callback, transports []*listener) {
	joined := make(chan *kkrpc.Callback)
	api, err := kkrpc.Expose(kkrpc.Object{"join": func(cb *kkrpc.Callback) { joined <- cb }})
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		l := &listener{join: joins[of[i%len(of)]], done: make(chan struct{}), discard: discard}
		ch, err := kkrpc.New(context.Background(), l, &kkrpc.Options{Expose: api})
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { ch.Close() })
		members, transports = append(members, <-joined), append(transports, l)
	}
	return members, transports
}

func TestSharedIsEncodedOnceForEachForm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var times atomic.Int32
		members, transports := room(t, 40, false, dialects...)
		news := kkrpc.Share(counted{&times})
		var sending sync.WaitGroup
		for _, m := range members {
			sending.Go(func() {
				for range 3 {
					if err := m.Call(news, 1); err != nil {
						t.Error(err)
					}
				}
			})
		}
		sending.Wait()
		synctest.Wait()                // what was posted while a member was still joining goes with the next flush
		if n := times.Load(); n != 3 { // JSON, SuperJSON and the tagged JSON of classic
			t.Errorf("encoded %d times", n)
		}
		want := map[kkrpc.Dialect]string{
			kkrpc.Compact:          `{"t":"cb","id":"cb","a":[{"__kkrpc_next_arg__":"value","v":{"from":"ann","text":"hello"}},{"__kkrpc_next_arg__":"value","v":1}]}`,
			kkrpc.CompactSuperJSON: `{"json":{"t":"cb","id":"cb","a":[{"__kkrpc_next_arg__":"value","v":{"from":"ann","text":"hello"}},{"__kkrpc_next_arg__":"value","v":1}]}}`,
			kkrpc.Classic:          `"args":[{"from":"ann","text":"hello"},1]`,
			kkrpc.ClassicSuperJSON: `"args":[{"from":"ann","text":"hello"},1]`,
		}
		for i, l := range transports {
			l.mu.Lock()
			received := 0
			for _, text := range l.got {
				if strings.Contains(text, want[dialects[i%4]]) {
					received++
				}
			}
			l.mu.Unlock()
			if received != 3 {
				t.Errorf("member %d, %v: %q", i, dialects[i%4], l.got)
			}
		}
	})
}

// A shared value must be on the wire what it is without Share, wherever it stands.
func TestSharedIsWhatItStandsFor(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 34, 56, 789e6, time.UTC)
	same := map[string]any{"at": at}
	values := map[string]any{
		"nothing":        nil,
		"undefined":      superjson.Undefined,
		"text":           "a\u2028b",
		"struct":         point{1, 2},
		"bytes":          []byte{1, 2, 255},
		"a Date":         at,
		"nested":         map[string]any{"a.b": []any{at, superjson.Undefined, 5}, `c\d`: []byte{7}},
		"the same twice": map[string]any{"x": same, "y": []any{same}},
	}
	only := map[string]any{
		"a bigint": big.NewInt(5),
		"a Map":    superjson.NewMap(superjson.Entry{Key: "k", Value: superjson.NewSet(at)}),
	}
	uses := map[string]func(ch *kkrpc.Channel, v any) error{
		"argument": func(ch *kkrpc.Channel, v any) error { return ch.Call(context.Background(), nil, "f", 1, v, "end") },
		"new": func(ch *kkrpc.Channel, v any) error {
			_, err := kkrpc.Construct[any](context.Background(), ch, "C", v)
			return err
		},
		"set": func(ch *kkrpc.Channel, v any) error { return kkrpc.Set(context.Background(), ch, "p", v) },
	}
	for _, d := range dialects {
		for name, v := range values {
			compareShared(t, d, name, v, uses)
		}
		if d == kkrpc.CompactSuperJSON || d == kkrpc.ClassicSuperJSON {
			for name, v := range only {
				compareShared(t, d, name, v, uses)
			}
		}
	}
}

func compareShared(t *testing.T, d kkrpc.Dialect, name string, v any, uses map[string]func(*kkrpc.Channel, any) error) {
	for use, send := range uses {
		t.Run(fmt.Sprint(d, "/", name, "/", use), func(t *testing.T) {
			frame := func(v any) string {
				ch, peer := raw(t, kkrpc.Options{Dialect: d})
				go send(ch, v) // ends with the channel
				defer ch.Close()
				return read(t, peer)
			}
			plain, shared := frame(v), frame(kkrpc.Share(v))
			if plain != shared {
				t.Errorf("got  %s\nwant %s", shared, plain)
			}
		})
	}
	t.Run(fmt.Sprint(d, "/", name, "/result"), func(t *testing.T) {
		answer := func(v any) string {
			l := &listener{join: strings.NewReplacer("join", "f", `"__callback__cb"`, `"x"`).Replace(joins[d]), done: make(chan struct{})}
			written := make(chan struct{})
			ch, err := kkrpc.New(t.Context(), &notify{listener: l, written: written}, &kkrpc.Options{Expose: kkrpc.Object{"f": func(any) any { return v }}})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			<-written
			return l.got[0]
		}
		if plain, shared := answer(v), answer(kkrpc.Share(v)); plain != shared {
			t.Errorf("got  %s\nwant %s", shared, plain)
		}
	})
}

// notify tells when something has been written.
type notify struct {
	*listener
	written chan struct{}
	once    sync.Once
}

func (n *notify) WriteFrames(msgs [][]byte) error {
	err := n.listener.WriteFrames(msgs)
	if len(msgs) > 0 {
		n.once.Do(func() { close(n.written) })
	}
	return err
}

func (n *notify) TryWriteFrames(msgs [][]byte) (bool, error) { return true, n.WriteFrames(msgs) }

func TestSharedAsProperty(t *testing.T) {
	api := kkrpc.Object{"ns": kkrpc.Object{
		"constant": kkrpc.Share(point{1, 2}),
		"computed": kkrpc.ReadOnly[*kkrpc.Shared](func(context.Context) (*kkrpc.Shared, error) { return kkrpc.Share(point{3, 4}), nil }),
	}}
	_, c := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
	for path, want := range map[string]point{"ns.constant": {1, 2}, "ns.computed": {3, 4}} {
		if got, err := kkrpc.Get[point](t.Context(), c, path); got != want || err != nil {
			t.Errorf("%s: %v, %v", path, got, err)
		}
	}
	all, err := kkrpc.Get[map[string]point](t.Context(), c, "ns")
	if err != nil || all["constant"] != (point{1, 2}) || all["computed"] != (point{3, 4}) {
		t.Errorf("the namespace: %v, %v", all, err)
	}
}

func TestWhatCannotBeShared(t *testing.T) {
	type list struct{ Items []any }
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func(any) {}}}, kkrpc.Options{})
	for _, test := range []struct {
		name string
		arg  any
		want string
	}{
		{"a function", kkrpc.Share(func() {}), "func() cannot be shared: functions and streams belong to one channel"},
		{"a callback", kkrpc.Share(kkrpc.NewCallback(func() {})), "a function can only be an argument itself"},
		{"a callback inside", kkrpc.Share(map[string]any{"cb": kkrpc.NewCallback(func() {})}), "a function can only be an argument itself"},
		{"a function inside", kkrpc.Share(list{[]any{func() {}}}), "Items[0]"},
		{"a stream", kkrpc.Share(iter.Seq2[int, error](func(func(int, error) bool) {})), "cannot be shared"},
		{"a channel", kkrpc.Share(make(<-chan int)), "cannot be shared"},
		{"what cannot be encoded", kkrpc.Share(int64(1 << 60)), "argument 1: "},
		{"a part of something", map[string]any{"news": kkrpc.Share(1)}, "can only stand by itself"},
		{"a marshaler that panics", kkrpc.Share(panicking{}), "its marshaling panicked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.name == "a marshaler that panics" {
				func() {
					defer func() { recover() }()
					c.Call(t.Context(), nil, "f", test.arg)
				}()
			}
			for range 2 { // the error is not lost after the first use
				if err := c.Call(t.Context(), nil, "f", test.arg); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
	for name, f := range map[string]any{
		"a parameter":      func(*kkrpc.Shared) {},
		"inside a result":  func() struct{ S *kkrpc.Shared } { panic("not called") },
		"settable":         kkrpc.NewProperty(kkrpc.Share(1)),
		"inside a pointer": func() []*kkrpc.Shared { return nil },
	} {
		if _, err := kkrpc.Expose(kkrpc.Object{"x": f}); err == nil || !strings.Contains(err.Error(), "*kkrpc.Shared") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("of a marshaler") }

func TestErrorOfASharedResultGoesToThePeer(t *testing.T) {
	failing := kkrpc.Share(int64(1 << 60))
	reported := make(chan error, 2)
	_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"f": func() *kkrpc.Shared { return failing }}, OnError: func(err error) { reported <- err }}, kkrpc.Options{})
	for range 2 {
		_, err := kkrpc.Call[any](t.Context(), c, "f")
		if e, ok := errors.AsType[*kkrpc.Error](err); !ok || e.Name != "TypeError" {
			t.Errorf("got %v", err)
		}
		<-reported
	}
}

// BenchmarkShareFanout sends one message to 1,000 members, whose connections drop it.
func BenchmarkShareFanout(b *testing.B) {
	type message struct {
		Room, From, Text string
		At               time.Time
		Tags             []string
		Attachments      map[string]any
	}
	value := message{"lobby", "ann", strings.Repeat("hello to all of you, ", 10), time.Now().UTC().Truncate(time.Millisecond),
		[]string{"news", "greeting"}, map[string]any{"image.png": map[string]any{"width": 640, "height": 480}}}
	for _, d := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON} {
		for _, test := range []struct {
			name string
			make func() any
		}{
			{"shared", func() any { return kkrpc.Share(value) }},
			{"plain", func() any { return value }},
		} {
			b.Run(fmt.Sprint(test.name, "/", d), func(b *testing.B) {
				members, _ := room(b, 1000, true, d)
				b.ReportAllocs()
				for b.Loop() {
					args := []any{test.make()}
					for _, m := range members {
						if err := m.Call(args...); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/member")
			})
		}
	}
}
