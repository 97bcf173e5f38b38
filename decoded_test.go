package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// tinyList is JSON that takes some twenty times its length when it is decoded into an any.
func tinyList(n int) superjson.Value {
	return superjson.Value{JSON: []byte("[" + strings.Repeat("{},", n-1) + "{}]")}
}

// A message whose values take much more memory than its text is refused, wherever the values stand.
func TestDecodedLimit(t *testing.T) {
	const limit = 1 << 20
	large, small := tinyList(60_000), tinyList(1000)
	for _, d := range dialects {
		t.Run(d.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				limits := kkrpc.Limits{Decoded: limit}
				s, c := pair(t, kkrpc.Options{Limits: limits, Expose: kkrpc.Object{
					"any":     func(v any) int { return len(v.([]any)) },
					"structs": func(v []struct{ A, B, C, D *int }) int { return len(v) },
					"rest":    func(v ...[]any) int { return len(v[0]) },
					"value":   kkrpc.NewProperty[any](nil),
				}}, kkrpc.Options{Dialect: d, Limits: limits, Expose: kkrpc.Object{
					"list": func(n int) superjson.Value { return tinyList(n) },
					"items": func(n int) iter.Seq[superjson.Value] {
						return func(yield func(superjson.Value) bool) { yield(tinyList(n)) }
					},
				}})
				for _, name := range []string{"any", "structs", "rest"} {
					if n, err := kkrpc.Call[int](t.Context(), c, name, small); n != 1000 || err != nil {
						t.Errorf("%s, small: %d, %v", name, n, err)
					}
					if _, err := kkrpc.Call[int](t.Context(), c, name, large); !named(err, "RPCLimitError") || !strings.Contains(err.Error(), "too much memory") {
						t.Errorf("%s, large: %v", name, err)
					}
				}
				if err := kkrpc.Set(t.Context(), c, "value", large); !named(err, "RPCLimitError") {
					t.Errorf("set: %v", err)
				}
				if _, err := kkrpc.Call[any](t.Context(), s, "list", 60_000); !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "Limits.Decoded") {
					t.Errorf("result: %v", err)
				}
				if v, err := kkrpc.Call[[]any](t.Context(), s, "list", 1000); len(v) != 1000 || err != nil {
					t.Errorf("small result: %v", err)
				}
				var failed error
				for _, err := range kkrpc.Stream[any](t.Context(), s, "items", 60_000) {
					failed = err
				}
				if !errors.Is(failed, kkrpc.ErrLimit) {
					t.Errorf("item: %v", failed)
				}
			})
		})
	}
}

// Callbacks are one-way, so that their owner is told.
func TestDecodedLimitOfCallbacks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		reported := make(chan error, 1)
		_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"back": func(f func(superjson.Value)) { f(tinyList(60_000)) }}},
			kkrpc.Options{Limits: kkrpc.Limits{Decoded: 1 << 20}, OnError: func(err error) { reported <- err }})
		if _, err := kkrpc.Call[any](t.Context(), c, "back", func(any) { t.Error("it runs") }); err != nil {
			t.Fatal(err)
		}
		if err := <-reported; !strings.Contains(err.Error(), "too much memory") {
			t.Errorf("reported: %v", err)
		}
	})
}

// Requests that wait or run count with what their arguments take, for Limits.RequestQueue and for the budget.
func TestDecodedRequestsCount(t *testing.T) {
	var v any
	var meter superjson.Meter // it tells what a value takes on this system: with 32 bits, less
	if err := superjson.DecodeMetered(superjson.ModeSuperJSON, tinyList(10_000).JSON, nil, &v, nil, &meter); err != nil {
		t.Fatal(err)
	}
	if meter.Spent < 300_000 {
		t.Fatalf("a value takes %d bytes, hardly more than its text of 30 KB", meter.Spent)
	}
	queue := 15 * meter.Spent / 2
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		group := &kkrpc.Group{}
		_, c := pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"wait": func(any) { <-release }},
			Limits: kkrpc.Limits{Running: 1, RequestQueue: queue}}, kkrpc.Options{})
		answers := make(chan error, 10)
		for range 10 { // more than the queue takes
			go func() {
				_, err := kkrpc.Call[any](t.Context(), c, "wait", tinyList(10_000))
				answers <- err
			}()
			time.Sleep(10 * time.Millisecond) // the first is handed over
		}
		if used := group.MemoryUsage().Used; used < int64(queue) || used > int64(queue)*8/5 {
			t.Errorf("%d bytes are counted", used)
		}
		refused := 0
		for len(answers) > 0 {
			if err := <-answers; !named(err, "RPCOverloadedError") {
				t.Errorf("%v", err)
			}
			refused++
		}
		if refused < 1 || refused > 3 {
			t.Errorf("%d are refused", refused)
		}
		close(release)
		for range 10 - refused {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if used := group.MemoryUsage().Used; used != 0 {
			t.Errorf("%d bytes are still counted", used)
		}
	})
}

// The places on the path of an annotation take more than its text, also where nobody reads them.
func TestAnnotationsCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		group := &kkrpc.Group{}
		ch, peer := raw(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"wait": func(ctx context.Context) { <-ctx.Done() }}})
		path := "meta" + strings.Repeat(".a", 500_000)
		message := `{"json":{"t":"q","id":"1","op":"call","p":["wait"],"a":[],"meta":{}},"meta":{"values":{"` + path + `":["Date"]},"v":1}}`
		if err := peer.WriteFrames([][]byte{[]byte(message)}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond) // the request is handed over
		if used := group.MemoryUsage().Used; used < 24_000_000 {
			t.Errorf("%d bytes are counted for %d", used, len(message))
		}
		ch.Close()
	})
}

// The budget of a group is over all of its channels, and whatever they hold.
func TestGroupMemory(t *testing.T) {
	for name, hold := range map[string]func(t *testing.T, c *kkrpc.Channel){
		"requests that run": func(t *testing.T, c *kkrpc.Channel) {
			go kkrpc.Call[any](t.Context(), c, "wait", tinyList(20_000))
		},
		"items that nobody takes": func(t *testing.T, c *kkrpc.Channel) {
			go kkrpc.Call[any](t.Context(), c, "slow", iter.Seq[string](func(yield func(string) bool) {
				for yield(strings.Repeat("x", 100<<10)) {
				}
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				group := &kkrpc.Group{Memory: 10 << 20}
				closed := make(chan error, 20)
				for range 20 {
					_, c := pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{
						"wait": func(ctx context.Context, _ any) { <-ctx.Done() },
						"slow": func(ctx context.Context, items iter.Seq2[string, error]) {
							for range items {
								<-ctx.Done()
							}
						},
					}, OnClose: func(_ *kkrpc.Channel, err error) { closed <- err }}, kkrpc.Options{})
					hold(t, c)
					time.Sleep(10 * time.Millisecond)
				}
				if u := group.MemoryUsage(); u.Used > u.Limit || u.Evicted == 0 || u.Evicted > 18 || int(u.Evicted) != len(closed) {
					t.Errorf("%+v, %d closed", u, len(closed))
				}
				if err := <-closed; !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(fmt.Sprint(err), "Group.Memory") {
					t.Errorf("closed with %v", err)
				}
			})
		})
	}
}

// What the loop has of a stream counts until it asks for the next item. Texts count as long as there is room for them.
func TestItemsInTheLoopCount(t *testing.T) {
	type countedItems func(yield func(any, error) bool) // its items are decoded by reflection
	for name, test := range map[string]struct {
		item  any
		items int
		taken int
		least int64
	}{
		"a large decoded item": {tinyList(20_000), 1, 1, 1 << 20},
		"a small decoded item": {tinyList(2000), 1, 1, 100_000},
		"texts of items taken": {strings.Repeat("x", 50<<10), 30, 14, 30 * 50 << 10},
	} {
		for form, loop := range map[string]func(each func()) any{
			"plain": func(each func()) any {
				return func(items iter.Seq2[any, error]) {
					for range items {
						each()
					}
				}
			},
			"named": func(each func()) any {
				return func(items countedItems) {
					for range items {
						each()
					}
				}
			},
		} {
			t.Run(name+" "+form, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					taken, begin, release := 0, make(chan struct{}), make(chan struct{})
					group := &kkrpc.Group{}
					_, c := pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"take": loop(func() {
						<-begin
						if taken++; taken == test.taken {
							<-release
						}
					})}}, kkrpc.Options{})
					go kkrpc.Call[any](t.Context(), c, "take", iter.Seq[any](func(yield func(any) bool) {
						for range test.items {
							if !yield(test.item) {
								return
							}
						}
					}))
					time.Sleep(10 * time.Millisecond) // all items have come
					close(begin)
					synctest.Wait()
					if used := group.MemoryUsage().Used; used < test.least {
						t.Errorf("%d bytes are counted, want %d", used, test.least)
					}
					close(release)
					synctest.Wait()
					if used := group.MemoryUsage().Used; used != 0 {
						t.Errorf("%d bytes are still counted", used)
					}
				})
			})
		}
	}
}

// A channel that closes lets go of all that it holds, so that others may hold as much as before.
func TestClosedChannelsLetGo(t *testing.T) {
	const limit = 10 << 20
	text := strings.Repeat("x", 100<<10)
	for name, hold := range map[string]func(t *testing.T, c *kkrpc.Channel){
		"requests that run": func(t *testing.T, c *kkrpc.Channel) {
			for range 40 {
				go kkrpc.Call[any](t.Context(), c, "wait", text)
			}
		},
		"requests that wait": func(t *testing.T, c *kkrpc.Channel) {
			for range 300 {
				go kkrpc.Call[any](t.Context(), c, "wait", text[:16<<10])
			}
		},
		"items that nobody takes": func(t *testing.T, c *kkrpc.Channel) {
			go kkrpc.Call[any](t.Context(), c, "slow", iter.Seq[string](func(yield func(string) bool) {
				for yield(text) {
				}
			}))
		},
		"an item in the loop": func(t *testing.T, c *kkrpc.Channel) {
			go kkrpc.Call[any](t.Context(), c, "slow", iter.Seq[any](func(yield func(any) bool) { yield(tinyList(60_000)) }))
		},
		"callbacks that wait": func(t *testing.T, c *kkrpc.Channel) {
			go kkrpc.Call[any](t.Context(), c, "lend")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				group := &kkrpc.Group{Memory: limit}
				connect := func() (s, c *kkrpc.Channel) {
					return pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{
						"wait": func(ctx context.Context, _ any) { <-ctx.Done() },
						"slow": func(ctx context.Context, items iter.Seq2[any, error]) {
							for range items {
								<-ctx.Done()
							}
						},
						"lend": func(ctx context.Context) error {
							_, err := kkrpc.Call[any](ctx, kkrpc.FromContext(ctx), "flood", func(ctx context.Context, _ string) { <-ctx.Done() })
							return err
						},
					}}, kkrpc.Options{Expose: kkrpc.Object{"flood": func(f func(string)) {
						for range 40 {
							f(text)
						}
					}}})
				}
				s, c := connect()
				hold(t, c)
				time.Sleep(100 * time.Millisecond)
				if used := group.MemoryUsage().Used; used < limit/4 {
					t.Fatalf("only %d bytes are held", used)
				}
				s.Close()
				c.Close()
				synctest.Wait()
				hasAllRoom(t, group)
			})
		})
	}
}

// A line that is not complete is no reason to hold memory after the end either, whichever side ends.
func TestClosedChannelLetsGoOfItsLine(t *testing.T) {
	for name, end := range map[string]func(ch *kkrpc.Channel, peer kkrpc.Transport){
		"this side":      func(ch *kkrpc.Channel, _ kkrpc.Transport) { ch.Close() },
		"the peer":       func(_ *kkrpc.Channel, peer kkrpc.Transport) { peer.Close(1000, "") },
		"the peer's way": func(_ *kkrpc.Channel, peer kkrpc.Transport) { write(t, peer, "__DESTROY__") },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				group := &kkrpc.Group{Memory: 10 << 20}
				for range 2 {
					ch, peer := raw(t, kkrpc.Options{Group: group})
					before := group.MemoryUsage().Used
					write(t, peer, `{"id":"1","method":"`+strings.Repeat("x", 3<<20))
					synctest.Wait()
					if used := group.MemoryUsage().Used - before; used < 3<<20 {
						t.Fatalf("only %d bytes are held", used)
					}
					end(ch, peer)
					synctest.Wait()
				}
				if used := group.MemoryUsage().Used; used != 0 {
					t.Errorf("%d bytes are held at the end", used)
				}
				hasAllRoom(t, group)
			})
		})
	}
}

// hasAllRoom tests that a connection of group may hold as much as group.
func hasAllRoom(t *testing.T, group *kkrpc.Group) {
	t.Helper()
	_, c := pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"wait": func(ctx context.Context, _ any) { <-ctx.Done() }}}, kkrpc.Options{})
	most := int64(0)
	for group.MemoryUsage().Evicted == 0 {
		most = max(most, group.MemoryUsage().Used)
		go kkrpc.Call[any](t.Context(), c, "wait", strings.Repeat("x", 100<<10))
		time.Sleep(10 * time.Millisecond)
	}
	if limit := group.Memory; most < limit-limit/16 {
		t.Errorf("a connection is evicted when it holds %d bytes of %d", most, limit)
	}
}

// A function that goes on after its connection has closed counts until it returns.
func TestFunctionsThatOutliveTheirConnectionCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		release := make(chan struct{})
		group := &kkrpc.Group{}
		s, c := pair(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"wait": func(any) { <-release }},
			Limits: kkrpc.Limits{Running: 1}}, kkrpc.Options{})
		for range 3 { // one runs and two wait
			go kkrpc.Call[any](t.Context(), c, "wait", tinyList(10_000))
			time.Sleep(10 * time.Millisecond)
		}
		all := group.MemoryUsage().Used
		s.Close()
		synctest.Wait()
		if used := group.MemoryUsage().Used; used < all/4 || used > all/2 {
			t.Errorf("%d bytes are counted after the close, %d before", used, all)
		}
		close(release)
		synctest.Wait()
		if used := group.MemoryUsage().Used; used != 0 {
			t.Errorf("%d bytes are still counted", used)
		}
	})
}

// An error counts like every other value of a message, with all attempts to decode it, wherever it stands.
func TestDecodedLimitOfErrors(t *testing.T) {
	fields := func(n int) string { return strings.Repeat(`{},`, n-1) + `{}` }
	// references that this side has not, and a cycle: it is decoded three times
	again := `"r":{"__kkrpc_ref__":true,"id":"unknown","kind":"object"},"c":{"a":{}}`
	for name, row := range map[string]struct {
		fields, meta string
		fits         bool
	}{
		"small":                  {fields: fields(1000), fits: true},
		"large":                  {fields: fields(60_000)},
		"fits once, not thrice":  {fields: fields(10_000) + `],` + again + `,"x":[`, meta: `,"meta":{"referentialEqualities":{"e.c":["e.c.a"]},"v":1}`},
		"small, decoded thrice":  {fields: fields(1000) + `],` + again + `,"x":[`, meta: `,"meta":{"referentialEqualities":{"e.c":["e.c.a"]},"v":1}`, fits: true},
		"large because of paths": {fields: `1`, meta: `,"meta":{"values":{"e.` + strings.Repeat("a.", 30_000) + `a":["Date"]},"v":1}`},
	} {
		check := func(where string, err error) {
			t.Helper()
			peer, ok := errors.AsType[*kkrpc.Error](err)
			if !ok || row.fits != (peer.Name == "Boom") || !row.fits && !strings.HasPrefix(peer.Message, "undecodable error: ") {
				t.Errorf("%s, %s: got %.200v", name, where, err)
			}
		}
		text := func(head string) string {
			return `{"json":{` + head + `,"e":{"n":"Boom","m":"x","list":[` + row.fields + `]}}` + row.meta + `}`
		}
		bubble(t, func(t *testing.T) {
			ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.CompactSuperJSON, Limits: kkrpc.Limits{Decoded: 1 << 20}})
			answer := make(chan error, 1)
			go func() {
				_, err := kkrpc.Call[any](t.Context(), ch, "f")
				answer <- err
			}()
			write(t, peer, text(`"t":"r","id":`+messageID(read(t, peer))))
			check("call", <-answer)
			go func() {
				for _, err := range kkrpc.Stream[any](t.Context(), ch, "f") {
					answer <- err
				}
			}()
			write(t, peer, `{"json":{"t":"r","id":`+messageID(read(t, peer))+`,"v":{"__kkrpc_next_stream__":"async-iterable","id":"s1"}}}`)
			read(t, peer) // the pull
			write(t, peer, text(`"t":"sr","id":"p1","sid":"s1"`))
			check("stream", <-answer)
		})
	}
}

// messageID returns the raw id of a message.
func messageID(text string) string {
	_, rest, _ := strings.Cut(text, `"id":`)
	id, _, _ := strings.Cut(rest, ",")
	return id
}

// What waits in a stream for its loop counts for the budget, its error too.
func TestErrorsOfStreamsCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		group := &kkrpc.Group{}
		begin, failed := make(chan struct{}), make(chan error, 1)
		_, peer := raw(t, kkrpc.Options{Group: group, Expose: kkrpc.Object{"take": func(items iter.Seq2[any, error]) {
			<-begin
			for _, err := range items {
				failed <- err
			}
		}}})
		write(t, peer, `{"t":"q","id":"1","op":"call","p":["take"],"a":[{"__kkrpc_next_stream__":"async-iterable","id":"s1"}]}`)
		time.Sleep(10 * time.Millisecond) // the request is handed over
		write(t, peer, `{"t":"sr","id":"p1","sid":"s1","e":{"n":"Boom","m":"x","list":[`+strings.Repeat(`{},`, 60_000)+`{}]}}`)
		synctest.Wait()
		if used := group.MemoryUsage().Used; used < 2<<20 {
			t.Errorf("%d bytes are counted", used)
		}
		close(begin)
		if err := <-failed; !named(err, "Boom") {
			t.Error(err)
		}
		synctest.Wait()
		if used := group.MemoryUsage().Used; used != 0 {
			t.Errorf("%d bytes are still counted", used)
		}
	})
}
