package durable

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// TestElsewhere is what the functions do where there is no Durable Object.
func TestElsewhere(t *testing.T) {
	ctx := owner.With(t.Context(), 1)
	if err := Keep(ctx, "join"); err != nil {
		t.Error(err)
	}
	Drop(ctx, "join")
	if Waking(ctx) {
		t.Error("it is waking")
	}
	if _, err := Get[int](ctx, "a"); err == nil || !strings.Contains(err.Error(), `durable: get "a": this program is in no Durable Object`) {
		t.Error(err)
	}
}

// TestAsk is how operations reach the host, and what ends them.
func TestAsk(t *testing.T) {
	before := here
	defer func() { here = before }()
	h := &fakeHost{}
	here = newObject(h)
	var asked []string
	answer := ""
	h.asks = func(token int32, operation, blob string, most int) {
		asked = append(asked, fmt.Sprint(operation, " ", blob, " ", most))
		if answer != "" {
			here.answered(token, []byte(answer))
		}
	}
	answer = "\x00"
	if err := Put(t.Context(), "a", map[string]int{"x": 1}); err != nil {
		t.Error(err)
	}
	if _, err := Get[int](t.Context(), "a"); !errors.Is(err, wasm.ErrNotSet) {
		t.Error(err)
	}
	if existed, err := Delete(t.Context(), "a"); err != nil || existed {
		t.Error(existed, err)
	}
	if at, err := Alarm(t.Context()); err != nil || !at.IsZero() {
		t.Error(at, err)
	}
	answer = "\x01disk on fire"
	if err := Put(t.Context(), "a", []byte("ab")); err == nil || err.Error() != `durable: put "a": disk on fire` {
		t.Error(err)
	}
	answer = "" // it never comes
	ctx, cancel := context.WithCancelCause(t.Context())
	h.asks = func(int32, string, string, int) { cancel(errors.New("no time")) }
	if err := DeleteAll(ctx); err == nil || err.Error() != "durable: delete all keys: no time" {
		t.Error(err)
	}
	here.answered(7, nil) // for nobody
	want := []string{
		`[0,"put","a",false] {"x":1} 1048576`, `[0,"get","a"]  1048576`, `[0,"delete","a"]  1048576`, `[0,"getAlarm"]  1048576`,
		`[0,"put","a",true] ab 1048576`,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	if len(here.asked) > 0 {
		t.Errorf("%d questions are left", len(here.asked))
	}
}

// TestTransactionThatBeginsLate is rolled back: the object would be locked.
func TestTransactionThatBeginsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := here
		defer func() { here = before }()
		h := &fakeHost{}
		here = newObject(h)
		var asked []string
		var first int32
		ctx, cancel := context.WithCancelCause(t.Context())
		h.asks = func(token int32, operation, _ string, _ int) {
			asked = append(asked, operation)
			if len(asked) > 1 {
				here.answered(token, []byte{0})
				return
			}
			first = token
			cancel(errors.New("no time"))
		}
		err := Transaction(ctx, func(context.Context) error { t.Error("it runs"); return nil })
		if err == nil || err.Error() != "durable: transaction: no time" {
			t.Error(err)
		}
		here.answered(first, []byte{0})
		synctest.Wait()
		if want := []string{`[1,"begin"]`, `[1,"rollback"]`}; !slices.Equal(asked, want) {
			t.Errorf("%q, want %q", asked, want)
		}
	})
}

func TestConfigureTwice(t *testing.T) {
	before := here
	defer func() {
		here = before
		if recover() == nil {
			t.Error("the second Configure does not panic")
		}
	}()
	here = newObject(nil)
	Configure(&Options{MaxValue: 1})
	Configure(nil)
}

func TestReadAnswer(t *testing.T) {
	entries, err := readAnswer([]byte("\x00\x01\x00\x00\x00\x02\x00\x00\x00\x01kab\x00\x00\x00\x00\x01\x00\x00\x00\x007"))
	if diff := cmp.Diff([]entry{{"k", true, []byte("ab")}, {"", false, []byte("7")}}, entries, cmp.AllowUnexported(entry{})); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := readAnswer([]byte("\x01too bad")); err == nil || err.Error() != "too bad" {
		t.Error(err)
	}
	var bytes []byte
	if err := entries[0].decode(&bytes); err != nil || string(bytes) != "ab" {
		t.Errorf("%q, %v", bytes, err)
	}
	var n int
	if err := entries[0].decode(&n); err == nil || err.Error() != "it is 2 bytes: want a []byte, not a *int" {
		t.Error(err)
	}
	if err := entries[1].decode(&n); err != nil || n != 7 {
		t.Error(n, err)
	}
}
