package kkrpc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// wirePeer is the other end of a channel, as a peer that is not of this module, or hostile, would be.
type wirePeer struct {
	t  *testing.T
	ch *kkrpc.Channel
	kkrpc.Transport
}

func newWirePeer(t *testing.T, opts kkrpc.Options) *wirePeer {
	t.Helper()
	a, b := kkrpc.Pipe()
	ch, err := kkrpc.New(t.Context(), a, &opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ch.Close() })
	return &wirePeer{t, ch, b}
}

func (p *wirePeer) send(format string, args ...any) {
	p.t.Helper()
	if err := p.WriteFrames([][]byte{fmt.Appendf(nil, format, args...)}); err != nil {
		p.t.Fatal(err)
	}
}

// wireAnswer is a response.
type wireAnswer struct {
	ID string `json:"id"`
	V  any    `json:"v"`
	E  struct {
		N string `json:"n"`
		M string `json:"m"`
	} `json:"e"`
}

func (a wireAnswer) String() string {
	if a.E.N != "" {
		return a.E.N + ": " + a.E.M
	}
	return fmt.Sprint(a.V)
}

func (p *wirePeer) receive() (a wireAnswer) {
	p.t.Helper()
	frame, _, err := p.ReadFrame(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(frame, &a); err != nil {
		p.t.Fatalf("%s: %v", frame, err)
	}
	return a
}

func (p *wirePeer) ask(format string, args ...any) wireAnswer {
	p.t.Helper()
	p.send(format, args...)
	return p.receive()
}

// open calls open, whose result is a reference.
func (p *wirePeer) open() (id string) {
	p.t.Helper()
	object, _ := p.ask(`{"t":"q","id":"o","op":"call","p":["open"],"a":[]}`).V.(map[string]any)
	id, _ = object["id"].(string)
	if id == "" {
		p.t.Fatalf("no reference in %v", object)
	}
	return id
}

func (p *wirePeer) ref(path ...string) wireAnswer {
	p.t.Helper()
	segments, _ := json.Marshal(path)
	return p.ask(`{"t":"q","id":"r","op":"ref","p":%s}`, segments)
}

func TestReleaseOfACollectedReferenceKeepsWhatWasSentAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		f := func() int { return 1 }
		p := newWirePeer(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() *kkrpc.Ref { return kkrpc.Proxy(f) }}})
		id := p.open()
		for range 2 {
			if again := p.open(); again != id {
				t.Fatalf("the function became %s, was %s", again, id)
			}
		}
		// The peer had got it twice when it was collected there; the third time was under way.
		for _, step := range []struct{ release, want string }{{"2", "1"}, {"1", "RPCRemoteReferenceReleasedError: RPC remote reference " + id + " has been released"}} {
			if a := p.ref(id, "release", step.release); a.String() != "true" {
				t.Errorf("release: %v", a)
			}
			if a := p.ref(id, "apply"); a.String() != step.want {
				t.Errorf("after the release: %v, want %s", a, step.want)
			}
		}
		id = p.open()
		p.open()
		p.ref(id, "release") // on purpose
		if a := p.ref(id, "apply"); a.E.N != "RPCRemoteReferenceReleasedError" {
			t.Errorf("after a release on purpose: %v", a)
		}
	})
}

func TestReleasedReferencesAreRemembered(t *testing.T) {
	needsMethods(t)
	bubble(t, func(t *testing.T) {
		p := newWirePeer(t, kkrpc.Options{Expose: kkrpc.Object{"open": func() *kkrpc.Ref { return kkrpc.Proxy(&counter{}) }}})
		var ids []string
		for range 1025 {
			id := p.open()
			p.ref(id, "release")
			ids = append(ids, id)
		}
		for _, test := range []struct {
			name, id, want string
		}{
			{"the oldest", ids[0], "RPCRemoteReferenceReleasedError: RPC remote reference " + ids[0] + " has been released"},
			{"the last", ids[1024], "RPCRemoteReferenceReleasedError: RPC remote reference " + ids[1024] + " has been released"},
			{"one to come", ids[0] + "999", "Error: Unknown remote reference " + ids[0] + "999"},
			{"no number", ids[0] + "x", "Error: Unknown remote reference " + ids[0] + "x"},
		} {
			if a := p.ref(test.id, "get"); a.String() != test.want {
				t.Errorf("%s: %v, want %s", test.name, a, test.want)
			}
		}
	})
}

func TestHostileReferences(t *testing.T) {
	bubble(t, func(t *testing.T) {
		kind := func(v any) string { return fmt.Sprintf("%T", v) }
		p := newWirePeer(t, kkrpc.Options{
			Expose: kkrpc.Object{
				"kind": kind,
				"use":  func(*kkrpc.Ref) {},
				"call": func(func()) {},
				"open": func() *kkrpc.Ref { return kkrpc.Proxy(kkrpc.Object{"a": 1, "o": kkrpc.Object{"f": func() {}}}) },
			},
			Limits: kkrpc.Limits{References: 10, Depth: 20},
		})
		own := p.open()
		envelope := func(id, more string) string {
			return fmt.Sprintf(`{"__kkrpc_ref__":true,"id":%q,"kind":"object"%s}`, id, more)
		}
		many := make([]string, 11)
		for i := range many {
			many[i] = envelope(fmt.Sprint("m", i), "")
		}
		for _, test := range []struct {
			name, path, arg, want string
		}{
			{"a number for an id", "kind", `{"__kkrpc_ref__":true,"id":1,"kind":"object"}`, "map[string]interface {}"},
			{"an unknown kind", "kind", `{"__kkrpc_ref__":true,"id":"x","kind":"class"}`, "map[string]interface {}"},
			{"a mark that is not true", "kind", `{"__kkrpc_ref__":1,"id":"x","kind":"object"}`, "map[string]interface {}"},
			{"a path that is none", "kind", envelope("x", `,"p":[1]`), "map[string]interface {}"},
			{"a path that is an object", "kind", envelope("x", `,"p":{}`), "map[string]interface {}"},
			{"what looks like one, where one is expected", "use", `{"__kkrpc_ref__":true,"id":1,"kind":"object"}`, "TypeError: use: argument 1: expected reference, got object"},
			{"a long id", "kind", envelope(strings.Repeat("x", 257), ""), "RPCLimitError: kind: argument 1: the id of a reference is longer than 256 bytes"},
			{"too many", "kind", "[" + strings.Join(many, ",") + "]", "RPCLimitError: kind: argument 1: this connection already holds 10 references; release some"},
			{"too deep", "kind", strings.Repeat("[", 30) + envelope("deep", "") + strings.Repeat("]", 30), "RPCLimitError"},
			{"an object as a function", "call", envelope(own, ""), "TypeError: call: argument 1: expected function, got object"},
			{"a part", "kind", envelope(own, `,"p":["o"]`), "*kkrpc.Ref"},
			{"a part that is not there", "kind", envelope(own, `,"p":["o","x"]`), "TypeError: kind: argument 1: the reference has no o.x"},
			{"a part of nothing", "kind", envelope(own, `,"p":["x","constructor"]`), "Error: kind: argument 1: Cannot access constructor on undefined"},
		} {
			a := p.ask(`{"t":"q","id":"1","op":"call","p":[%q],"a":[{"__kkrpc_next_arg__":"value","v":%s}]}`, test.path, test.arg)
			if got := a.String(); got != test.want && (!strings.HasSuffix(test.want, "LimitError") || a.E.N != test.want) {
				t.Errorf("%s: %s, want %s", test.name, got, test.want)
			}
		}
		if a := p.ask(`{"t":"q","id":"1","op":"call","p":["kind"],"a":[1]}`); a.String() != "float64" {
			t.Errorf("afterwards: %v", a)
		}
	})
}

func TestReleaseIsAnsweredWhateverElseWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stop := make(chan struct{})
		p := newWirePeer(t, kkrpc.Options{
			Expose: kkrpc.Object{"wait": func() { <-stop }, "open": func() *kkrpc.Ref { return kkrpc.Proxy(func() {}) }},
			Limits: kkrpc.Limits{Running: 1, Open: 2},
		})
		id := p.open()
		for range 3 {
			p.send(`{"t":"q","id":"w","op":"call","p":["wait"],"a":[]}`)
		}
		if a := p.receive(); a.E.N != "RPCOverloadedError" {
			t.Fatalf("the third: %v", a)
		}
		if a := p.ref(id, "release"); a.String() != "true" {
			t.Errorf("release: %v", a)
		}
		close(stop)
		synctest.Wait()
	})
}

func TestAPeerThatAnswersNothingMakesNothingGrow(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const calls = 5000
		p := newWirePeer(t, kkrpc.Options{
			Expose: kkrpc.Object{"work": func(progress func(int) error) error {
				for i := range calls {
					if err := progress(i); err != nil {
						return err
					}
				}
				return nil
			}},
			CallTimeout: -1,
			References:  true,
		})
		p.send(`{"t":"q","id":"1","op":"call","p":["work"],"a":[{"__kkrpc_ref__":true,"id":"x","kind":"function"}]}`)
		ids := map[string]int{}
		for range calls {
			ids[p.receive().ID]++
		}
		if a := p.receive(); a.String() != "<nil>" {
			t.Errorf("answered %v", a)
		}
		if len(ids) != 1025 {
			t.Errorf("%d calls are watched, want 1024 and an id for the rest", len(ids))
		}
	})
}

func TestAnErrorKeepsItsFieldsWithoutReferences(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newWirePeer(t, kkrpc.Options{Dialect: kkrpc.Compact, References: true, Limits: kkrpc.Limits{References: 1}})
		errs := make(chan error, 1)
		go func() { errs <- p.ch.Call(t.Context(), nil, "f") }()
		p.send(`{"t":"r","id":%q,"e":{"n":"Error","m":"m","a":{"__kkrpc_ref__":true,"id":"1","kind":"object"},"b":{"__kkrpc_ref__":true,"id":"2","kind":"object"}}}`, p.receive().ID)
		if err := <-errs; err == nil || err.Error() != "kkrpc: call f: m" {
			t.Errorf("got %v", err)
		}
	})
}

func TestThePeerSaysThatAReferenceIsReleased(t *testing.T) {
	for _, test := range []struct {
		name, id string
		released bool
	}{
		{"this one", "x", true},
		{"another one, inside of the function", "y", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newWirePeer(t, kkrpc.Options{Dialect: kkrpc.Compact})
				refs, errs := make(chan *kkrpc.Ref, 1), make(chan error, 2)
				go func() {
					ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), p.ch, "open")
					if err != nil {
						t.Error(err)
					}
					refs <- ref
				}()
				p.send(`{"t":"r","id":%q,"v":{"__kkrpc_ref__":true,"id":"x","kind":"function"}}`, p.receive().ID)
				ref := <-refs
				apply := func() { errs <- ref.Apply(t.Context(), nil) }
				go apply()
				p.send(`{"t":"r","id":%q,"e":{"n":"RPCRemoteReferenceReleasedError","m":"RPC remote reference %s has been released"}}`, p.receive().ID, test.id)
				if err := <-errs; errors.Is(err, kkrpc.ErrReleased) != test.released {
					t.Errorf("got %v", err)
				}
				go apply()
				if test.released {
					if err := <-errs; !errors.Is(err, kkrpc.ErrReleased) {
						t.Errorf("again: %v", err)
					}
					return
				}
				p.send(`{"t":"r","id":%q}`, p.receive().ID)
				if err := <-errs; err != nil {
					t.Errorf("again: %v", err)
				}
			})
		})
	}
}

func TestAReferenceThatIsGivenBackBehindTheResultItIsIn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newWirePeer(t, kkrpc.Options{Dialect: kkrpc.Compact})
		own := kkrpc.Proxy(kkrpc.Object{"a": 1})
		goOn := make(chan struct{})
		results := make(chan any, 1)
		go func() {
			back, err := kkrpc.Call[any](t.Context(), p.ch, "f", own, func() { <-goOn })
			if err != nil {
				t.Error(err)
			}
			results <- back
		}()
		frame, _, err := p.ReadFrame(nil)
		if err != nil {
			t.Fatal(err)
		}
		var request struct {
			ID string `json:"id"`
			A  []struct {
				ID string          `json:"id"`
				V  json.RawMessage `json:"v"`
			} `json:"a"`
		}
		var envelope struct{ ID string }
		if err := errors.Join(json.Unmarshal(frame, &request), json.Unmarshal(request.A[0].V, &envelope)); err != nil {
			t.Fatal(err)
		}
		p.send(`{"t":"cb","id":%q,"a":[]}`, request.A[1].ID) // the result waits for it
		p.send(`{"t":"r","id":%q,"v":[%s]}`, request.ID, request.A[0].V)
		if a := p.ref(envelope.ID, "release", "1"); a.String() != "true" {
			t.Errorf("release: %v", a)
		}
		close(goOn)
		if back, _ := (<-results).([]any); len(back) != 1 || back[0] != any(own) {
			t.Errorf("came back as %v", back)
		}
		if a := p.ref(envelope.ID, "get", "a"); a.E.N != "RPCRemoteReferenceReleasedError" {
			t.Errorf("afterwards: %v", a)
		}
	})
}

// The arguments of this call are written twice: raw JSON could spell the mark of an envelope with escapes.
func TestMetadataOfARequestOnAReference(t *testing.T) {
	bubble(t, func(t *testing.T) {
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		api := kkrpc.Object{"f": func() *kkrpc.Ref {
			return kkrpc.Proxy(func(ctx context.Context, arg string) string {
				return fmt.Sprintf("%s %v", arg, kkrpc.MetadataFrom(ctx)["at"])
			})
		}}
		_, ch := pair(t, kkrpc.Options{Expose: api}, kkrpc.Options{Dialect: kkrpc.CompactSuperJSON})
		ref, err := kkrpc.Call[*kkrpc.Ref](t.Context(), ch, "f")
		if err != nil {
			t.Fatal(err)
		}
		var got string
		ctx := kkrpc.WithMetadata(t.Context(), map[string]any{"at": at})
		if err := ref.Apply(ctx, &got, json.RawMessage(`"\u0061"`)); err != nil || got != "a "+at.String() {
			t.Errorf("got %q, %v, want %q", got, err, "a "+at.String())
		}
	})
}
