package kkrpc

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"
)

// bad cannot be sent: its marshaling fails, or panics.
type bad struct{ panics bool }

func (b bad) MarshalJSON() ([]byte, error) {
	if b.panics {
		panic("in marshaling")
	}
	return nil, errors.New("in marshaling")
}

// held is how much of this side ch holds for its peer.
func held(ch *Channel) (n int) {
	streams := &ch.streams().out
	streams.mu.Lock()
	defer streams.mu.Unlock()
	ch.mu.Lock()
	defer ch.mu.Unlock()
	return ch.refs().own.size() + ch.callbacks().own.size() + streams.producing + ch.pending.table.n + ch.pending.watched
}

func TestWhatIsNotSentIsTakenBack(t *testing.T) {
	ref := func() *Ref { return Proxy(func() {}) }
	numbers := func(yield func(int) bool) {}
	for _, how := range []struct {
		name string
		bad  bad
	}{{"an error", bad{}}, {"a panic", bad{panics: true}}} {
		values := func() []any { return []any{ref(), func() {}, iter.Seq[int](numbers), []any{ref(), how.bad}} }
		data := func() any { return []any{ref(), how.bad} }
		api := Object{
			"nothing": func(...any) {},
			"result":  data,
			"failure": func() error { return &Error{Message: "m", Fields: map[string]any{"data": data()}} },
			"items":   func() iter.Seq[any] { return func(yield func(any) bool) { _ = yield(ref()) && yield(data()) } },
			"invoke":  func(cb *Callback) { recovering(func() { _ = cb.Call(values()...) }) },
			"apply":   func(cb *Callback) { recovering(func() { _ = cb.Call(ref(), data()) }) },
		}
		for _, test := range []struct {
			name           string
			client, server int // what they hold in the end, since it was sent
			do             func(ctx context.Context, ch *Channel)
		}{
			{"arguments", 0, 0, func(ctx context.Context, ch *Channel) { _ = ch.Call(ctx, nil, "nothing", values()...) }},
			{"arguments on a reference", 0, 0, func(ctx context.Context, ch *Channel) {
				r, _ := ch.refs().accept("theirs", refFunction)
				_ = r.Apply(ctx, nil, ref(), data())
			}},
			{"metadata", 0, 0, func(ctx context.Context, ch *Channel) {
				_ = ch.Call(WithMetadata(ctx, map[string]any{"bad": how.bad}), nil, "nothing", ref(), func() {}, iter.Seq[int](numbers))
			}},
			{"the value of a property", 0, 0, func(ctx context.Context, ch *Channel) { _ = Set(ctx, ch, "p", data()) }},
			{"a result", 0, 0, func(ctx context.Context, ch *Channel) { _ = ch.Call(ctx, nil, "result") }},
			{"fields of an error", 0, 0, func(ctx context.Context, ch *Channel) { _ = ch.Call(ctx, nil, "failure") }},
			{"an item of a stream", 0, 1, func(ctx context.Context, ch *Channel) {
				for range Stream[any](ctx, ch, "items") {
				}
			}},
			{"arguments of a callback", 1, 0, func(ctx context.Context, ch *Channel) { _ = ch.Call(ctx, nil, "invoke", NewCallback(func(...any) {})) }},
			{"arguments of a function by reference", 1, 0, func(ctx context.Context, ch *Channel) {
				_ = ch.Call(ctx, nil, "apply", Proxy(func(...any) {}))
			}},
		} {
			t.Run(test.name+", "+how.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, c := connected(t, Options{Expose: api, References: true}, Options{References: true})
					recovering(func() { test.do(t.Context(), c) })
					synctest.Wait()
					if client, server := held(c), held(s); client != test.client || server != test.server {
						t.Errorf("the client holds %d, the server %d, want %d and %d", client, server, test.client, test.server)
					}
					s.Close()
					c.Close()
					time.Sleep(time.Minute)
				})
			})
		}
	}
}

func recovering(f func()) {
	defer func() { _ = recover() }()
	f()
}

// An argument closes the channel while it is encoded, so that the operation cannot have been sent.
func TestViaKnowsThatWhatCannotBeEncodedWasNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		var current *Channel
		via := Via(func(context.Context) (*Channel, error) {
			opened++
			_, current = connected(t, Options{Expose: Object{"f": func(any, *Ref) int { return opened }}}, Options{})
			return current, nil
		})
		closing := marshalFunc{func() {
			if opened == 1 {
				current.Close()
			}
		}}
		if n, err := Call[int](t.Context(), via, "f", closing, Proxy(func() {})); n != 2 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	})
}

// marshalFunc is called when it is encoded.
type marshalFunc struct{ f func() }

func (m marshalFunc) MarshalJSON() ([]byte, error) {
	m.f()
	return json.Marshal("x")
}

func TestReleaseWhoseMetadataCannotBeEncoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := connected(t, Options{Expose: Object{"f": func() *Ref { return Proxy(func() {}) }}}, Options{})
		ref, err := Call[*Ref](t.Context(), c, "f")
		if err != nil {
			t.Fatal(err)
		}
		if err := ref.Release(WithMetadata(t.Context(), map[string]any{"bad": bad{}})); err == nil {
			t.Error("no error")
		}
		synctest.Wait()
		if n := held(s); n != 0 {
			t.Errorf("the owner still holds %d", n)
		}
	})
}
