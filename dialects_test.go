package kkrpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
)

// Requests for f in each dialect.
var requestsIn = map[kkrpc.Dialect]string{
	kkrpc.Compact:          `{"t":"q","id":"1","op":"call","p":["f"],"a":[]}`,
	kkrpc.CompactSuperJSON: `{"json":{"t":"q","id":"1","op":"call","p":["f"],"a":[]}}`,
	kkrpc.Classic:          `{"id":"1","method":"f","args":[],"type":"request"}` + "\n",
	kkrpc.ClassicSuperJSON: `{"json":{"id":"1","method":"f","args":[],"type":"request"}}` + "\n",
}

func TestOnlyTheGivenDialectsAreAccepted(t *testing.T) {
	api := kkrpc.Object{"f": func() string { return "served" }}
	exposed, err := kkrpc.Expose(api)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]kkrpc.Dialect{nil, {}, {kkrpc.Compact}, {kkrpc.Classic}, {kkrpc.ClassicSuperJSON, kkrpc.CompactSuperJSON}} {
		for spoken, text := range requestsIn {
			want := len(list) == 0
			for _, d := range list {
				want = want || d == spoken
			}
			refusal := "the dialect " + spoken.String() + " is not accepted here"
			bubble(t, func(t *testing.T) {
				ch, peer := raw(t, kkrpc.Options{Expose: api, Dialects: list})
				write(t, peer, text)
				if want {
					if answer := read(t, peer); !strings.Contains(answer, "served") {
						t.Errorf("%v in %v: answered %s", spoken, list, answer)
					}
					return
				}
				<-ch.Done()
				if err := ch.Err(); !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), refusal) {
					t.Errorf("%v in %v: closed with %v", spoken, list, err)
				}
			})
			answer, err := exposed.Answer(context.Background(), []byte(text), &kkrpc.Options{Dialects: list})
			if want && (err != nil || !strings.Contains(string(answer), "served")) || !want && (err == nil || err.Error() != refusal) {
				t.Errorf("%v in %v, without a channel: %s, %v", spoken, list, answer, err)
			}
		}
	}
}

// A classic peer may write each line in its own codec.
func TestLinesInAnotherCodecAreNotAccepted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ran := 0
		ch, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"f": func() { ran++ }}, Dialects: []kkrpc.Dialect{kkrpc.Classic}})
		other := requestsIn[kkrpc.ClassicSuperJSON]
		write(t, peer, requestsIn[kkrpc.Classic]+other+other+requestsIn[kkrpc.Classic])
		<-ch.Done()
		if err := ch.Err(); !strings.Contains(err.Error(), "the dialect classic-superjson is not accepted here") || ran != 1 || ch.Dropped() != 0 {
			t.Errorf("%v, %d calls, %d dropped", err, ran, ch.Dropped())
		}
	})
}

// A text that is no message has no dialect. It is dropped, in whatever form it begins.
func TestTextThatIsNoMessageHasNoDialect(t *testing.T) {
	for spoken, text := range requestsIn {
		for _, other := range []string{`{"type":"zz"}`, `{}`, `{x}`, `{"json":{}}`, `{"t":"zz"}`, `{"json":{"t":"zz"}}`, `{"id":"1","method":5,"type":"request"}`} {
			bubble(t, func(t *testing.T) {
				ran := 0
				ch, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"f": func() { ran++ }}, Dialects: []kkrpc.Dialect{spoken}})
				write(t, peer, text)
				read(t, peer)
				write(t, peer, other+"\n")
				write(t, peer, text)
				if answer := read(t, peer); ran != 2 || ch.Dropped() != 1 || ch.Err() != nil {
					t.Errorf("%v, %s: %d calls, %d dropped, %v, answered %s", spoken, other, ran, ch.Dropped(), ch.Err(), answer)
				}
			})
		}
	}
}

func TestDialectsThatCannotBe(t *testing.T) {
	for _, test := range []struct {
		opts kkrpc.Options
		want string
	}{
		{kkrpc.Options{Dialects: []kkrpc.Dialect{0}}, "kkrpc: Options.Dialects: auto is no dialect"},
		{kkrpc.Options{Dialects: []kkrpc.Dialect{9}}, "kkrpc: Options.Dialects: Dialect(9) is no dialect"},
		{kkrpc.Options{Dialect: kkrpc.Classic, Dialects: []kkrpc.Dialect{kkrpc.Compact}}, "kkrpc: Options.Dialect: classic-json is not in Options.Dialects"},
	} {
		a, _ := kkrpc.Pipe()
		if _, err := kkrpc.New(t.Context(), a, &test.opts); err == nil || err.Error() != test.want {
			t.Errorf("%v, want %s", err, test.want)
		}
		if _, err := new(kkrpc.API).Answer(t.Context(), []byte("{}"), &test.opts); err == nil || err.Error() != test.want {
			t.Errorf("Answer: %v, want %s", err, test.want)
		}
	}
}
