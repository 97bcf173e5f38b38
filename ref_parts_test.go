package kkrpc_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// request is one of the channel's, as the peer sees it.
type request struct {
	ID string            `json:"id"`
	Op string            `json:"op"`
	P  []string          `json:"p"`
	A  []json.RawMessage `json:"a"`
}

func (p *wirePeer) request() (r request) {
	p.t.Helper()
	frame, _, err := p.ReadFrame(nil)
	if err == nil {
		err = json.Unmarshal(frame, &r)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

func TestPartOfAReferenceOfThePeer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newWirePeer(t, kkrpc.Options{Dialect: kkrpc.Compact})
		const envelope = `{"__kkrpc_ref__":true,"id":"x","kind":"object","p":["a","b.c"]}`
		parts, errs := make(chan *kkrpc.Ref, 1), make(chan error, 1)
		go func() {
			part, err := kkrpc.Call[*kkrpc.Ref](t.Context(), p.ch, "open")
			if err != nil {
				t.Error(err)
			}
			parts <- part
		}()
		p.send(`{"t":"r","id":%q,"v":%s}`, p.request().ID, envelope)
		part := <-parts
		for _, test := range []struct {
			name string
			do   func() error
			want string
		}{
			{"get", func() error { _, err := kkrpc.Get[any](t.Context(), part, "k"); return err }, "ref [x get a b.c k] []"},
			{"get of itself", func() error { _, err := kkrpc.Get[any](t.Context(), part, ""); return err }, "ref [x get a b.c] []"},
			{"set", func() error { return kkrpc.Set(t.Context(), part, `k\.l`, 1) }, "ref [x set a b.c k.l] []"},
			{"call", func() error { _, err := kkrpc.Call[any](t.Context(), part, "f", 1, "s"); return err }, `ref [x call a b.c f] [1 "s"]`},
			{"back to its owner", func() error { return p.ch.Call(t.Context(), nil, "f", part) },
				`call [f] [{"__kkrpc_next_arg__":"value","v":` + envelope + `}]`},
			{"release", func() error { return part.Release(t.Context()) }, "ref [x release] []"},
		} {
			go func() { errs <- test.do() }()
			r := p.request()
			p.send(`{"t":"r","id":%q,"v":true}`, r.ID)
			if err := <-errs; err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if got := fmt.Sprintf("%s %v %s", r.Op, r.P, r.A); got != test.want {
				t.Errorf("%s: sent %s, want %s", test.name, got, test.want)
			}
		}
		if _, err := kkrpc.Get[any](t.Context(), part, "k"); !errors.Is(err, kkrpc.ErrReleased) {
			t.Errorf("after the release: %v", err)
		}
	})
}

type adder interface{ Add(a, b int) int }

type arithmetic struct{ bias int }

func (c arithmetic) Add(a, b int) int      { return a + b + c.bias }
func (c arithmetic) Subtract(a, b int) int { return a - b }

func TestWhatIsOneReference(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		c := &arithmetic{}
		handle := kkrpc.Proxy(arithmetic{bias: 1})
		api := kkrpc.Object{
			"as":     func() *kkrpc.Ref { return kkrpc.Proxy(kkrpc.As[adder](c)) },
			"all":    func() *kkrpc.Ref { return kkrpc.Proxy(c) },
			"handle": func() *kkrpc.Ref { return kkrpc.Proxy(handle) },
			"value":  func() *kkrpc.Ref { return kkrpc.Proxy(arithmetic{bias: 2}) },
		}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{})
		for _, test := range []struct {
			name, path string
			one        bool
			subtract   bool
		}{
			{"an interface of one value", "as", true, false},
			{"the value itself", "all", true, true},
			{"one *Ref to a value without identity", "handle", true, true},
			{"a value without identity", "value", false, true},
		} {
			a, err1 := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, test.path)
			b, err2 := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, test.path)
			if err1 != nil || err2 != nil || (a == b) != test.one {
				t.Errorf("%s: one reference: %v, want %v (%v, %v)", test.name, a == b, test.one, err1, err2)
				continue
			}
			if n, err := kkrpc.Call[int](t.Context(), a, "add", 2, 3); err != nil || n < 5 {
				t.Errorf("%s: %d, %v", test.name, n, err)
			}
			if _, err := kkrpc.Call[int](t.Context(), a, "subtract", 2, 3); (err == nil) != test.subtract {
				t.Errorf("%s: subtract: %v", test.name, err)
			}
			if itself, err := kkrpc.Get[*kkrpc.Ref](t.Context(), a, ""); err != nil || itself != a {
				t.Errorf("%s: the whole is %v, %v", test.name, itself, err)
			}
		}
	})
}

func TestAQuietChannelTellsWhatWasCollected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newWirePeer(t, kkrpc.Options{Dialect: kkrpc.Compact})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := kkrpc.Call[[]*kkrpc.Ref](t.Context(), p.ch, "open"); err != nil {
				t.Error(err)
			}
		}()
		const envelope = `{"__kkrpc_ref__":true,"id":"x","kind":"object"}`
		p.send(`{"t":"r","id":%q,"v":[%s,%s]}`, p.request().ID, envelope, envelope)
		<-done
		told := make(chan request)
		go func() { told <- p.request() }()
		for range 1000 {
			select {
			case r := <-told:
				if got := fmt.Sprint(r); got != "{- ref [x release 2] []}" {
					t.Errorf("told %s", got)
				}
				return
			case <-time.After(time.Second): // of the test's clock
				runtime.GC()
			}
		}
		t.Fatal("the peer was not told")
	})
}
