package durable

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// TestCallsRunAgainInOrder is that calls run again in their order over all connections, before requests and without answers.
func TestCallsRunAgainInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		a, b, c := w.open(1), w.open(2), w.open(3)
		b.says(call("1", "join", `"Bob"`))
		a.says(call("1", "join", `"Ada"`))
		c.says(call("1", "join", `"Cid"`), call("2", "leave", ""))
		b.says(call("2", "join", `"Bea"`)) // in place of Bob
		a.says(call("2", "join", `"fails"`))
		made.take()

		w.sleeps(3)
		a, b = w.open(1), w.open(2)
		w.open(4) // a new one
		for id, want := range map[int32]bool{1: true, 4: false} {
			if got := Waking(owner.With(t.Context(), id)); got != want {
				t.Errorf("connection %d is waking: %t, want %t", id, got, want)
			}
		}
		c = w.open(3)
		c.says(call("3", "log", `"a request of now"`))
		if Waking(owner.With(t.Context(), 1)) {
			t.Error("it is still waking")
		}
		want := []string{"Ada true", "Bea true", "a request of now"}
		if diff := cmp.Diff(want, made.take()); diff != "" {
			t.Error(diff)
		}
		for name, l := range map[string]*link{"a": a, "b": b} {
			if sent, closed := l.got(); len(sent) > 0 || closed != "" {
				t.Errorf("%s got %q %s", name, sent, closed)
			}
		}
	})
}

// TestCallThatHangsWhenItRunsAgain costs its own connection, after ten seconds.
func TestCallThatHangsWhenItRunsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		a, b := w.open(1), w.open(2)
		a.says(call("1", "join", `"hangs"`))
		b.says(call("1", "join", `"Bob"`))
		made.take()
		w.sleeps(2)
		a, b = w.open(1), w.open(2)
		b.says(call("2", "log", `"a request of now"`))
		if got := made.take(); !slices.Equal(got, []string{"hangs true"}) {
			t.Errorf("before the patience ends: %q", got)
		}
		time.Sleep(patience)
		if _, closed := a.got(); closed != `1012 RPCHibernatedError: "join" cannot be repeated` {
			t.Errorf("closed with %q", closed)
		}
		if got, want := made.take(), []string{"Bob true", "a request of now"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// TestConnectionThatComesLate is closed: others could not wait for its calls any more.
func TestConnectionThatComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.open(1).says(call("1", "join", `"Ada"`))
		w.open(2).says(call("1", "join", `"Bob"`))
		made.take()
		w.sleeps(2)
		a := w.open(1)
		time.Sleep(patience)
		a.says(call("2", "log", `"a request of now"`))
		if got, want := made.take(), []string{"Ada true", "a request of now"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		if _, closed := w.open(2).got(); !strings.HasPrefix(closed, "1012 RPCHibernatedError: it took too long") {
			t.Errorf("closed with %q", closed)
		}
	})
}

// TestMoreWorkThanFits closes the connection, so that no call of the peer waits for ever.
func TestMoreWorkThanFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		l := w.open(1)
		for i := range 100 {
			l.says(call(fmt.Sprint("a rather long id ", i), "hang", ""))
		}
		time.Sleep(time.Second) // until other goroutines read
		w.host.limit = 1000
		w.sleeps(1)
		if _, closed := w.open(1).got(); closed != "1012 RPCHibernatedError: too much was open to be kept" {
			t.Errorf("closed with %q", closed)
		}
	})
}

// TestWorkKeepsAwake is for how long the host is told to keep the object awake.
func TestWorkKeepsAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		l := w.open(1)
		l.says(call("1", "hang", ""))
		for _, row := range []struct{ option, want time.Duration }{{0, 30 * time.Second}, {time.Second, time.Second}, {-1, time.Millisecond}} {
			w.here.opts.Awake = row.option
			w.here.rest()
			if w.host.awake != row.want {
				t.Errorf("Awake %v: %v, want %v", row.option, w.host.awake, row.want)
			}
		}
		time.Sleep(time.Second) // until another goroutine reads
		l.says(`{"t":"qc","id":"1"}`)
		w.here.rest()
		if sent, _ := l.got(); w.host.awake != 0 {
			t.Errorf("%v without work; the peer has got %q", w.host.awake, sent)
		}
	})
}

// TestLostHandlesAreGivenBack is that the peer may forget functions and references that no kept call brings back.
func TestLostHandlesAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var held []any
		w.api = kkrpc.Object{
			"keep": func(ctx context.Context, f func(), r *kkrpc.Ref) error {
				held = append(held, f, r)
				return Keep(ctx, "keep")
			},
			"hold": func(f func(), r *kkrpc.Ref) { held = append(held, f, r) },
		}
		handles := func(name string) string {
			return fmt.Sprintf(`{"__kkrpc_next_arg__":"callback","id":"f-%s"},{"__kkrpc_ref__":true,"id":"r-%[1]s","kind":"object"}`, name)
		}
		w.open(1).says(call("1", "keep", handles("kept")), call("2", "hold", handles("lost")))
		w.sleeps(1)
		held = nil
		sent, _ := w.open(1).got()
		want := []string{`{"t":"cbr","ids":["f-lost"]}`, `{"t":"q","id":"-","op":"ref","p":["r-lost","release"]}`}
		if diff := cmp.Diff(want, sent); diff != "" {
			t.Error(diff)
		}
		runtime.KeepAlive(held)
	})
}

// TestKeepTooLarge leaves what was kept.
func TestKeepTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.host.limit = 1500
		l := w.open(1)
		l.says(call("1", "join", `"Ada"`))
		l.got()
		l.says(call("2", "join", `"`+strings.Repeat("x", 500)+`"`))
		if sent, _ := l.got(); len(sent) != 1 || !strings.Contains(sent[0], `durable: keep \"join\": the call has 552 bytes, which are `) {
			t.Errorf("the answer is %q", sent)
		}
		made.take()
		w.sleeps(1)
		w.open(1).got()
		if got := made.take(); !slices.Equal(got, []string{"Ada true"}) {
			t.Errorf("%q", got)
		}
	})
}

// TestStateThatCannotBeRead is that of a connection that is closed. The last one is of a program that ended before it has saved any.
func TestStateThatCannotBeRead(t *testing.T) {
	for _, state := range []string{"{", ""} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.end()
			w.host.states[1] = state
			w.wake = 1
			w.api = kkrpc.Object{"f": func() {}}
			w.here.begin(1)
			go w.here.wake()
			w.open(1).got()
			if !slices.Equal(w.host.broke, []int32{1}) {
				t.Errorf("state %q: the host was told of %v", state, w.host.broke)
			}
			if !isClosed(w.here.awake) {
				t.Errorf("state %q: others wait for it", state)
			}
		})
	}
}

// TestAlarmWaits for the connections from before.
func TestAlarmWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &fakeHost{}
		o := newObject(h)
		o.alarm(1, 0) // without OnAlarm
		o.opts.OnAlarm = func(_ context.Context, retries int) error {
			switch retries {
			case 0:
				return errors.New("not yet")
			case 1:
				panic("oh")
			}
			return nil
		}
		o.begin(1)
		go func() {
			for retries := range 3 {
				o.alarm(int32(retries)+2, retries)
			}
		}()
		synctest.Wait()
		if want := []string{"1 "}; !slices.Equal(h.alarms, want) {
			t.Errorf("while it wakes: %q", h.alarms)
		}
		go o.wake()
		time.Sleep(patience)
		synctest.Wait()
		if want := []string{"1 ", "2 not yet", "3 panic: oh", "4 "}; !slices.Equal(h.alarms, want) {
			t.Errorf("%q, want %q", h.alarms, want)
		}
	})
}

// TestKeepTogether has two calls that fit alone, and not together. The second one fails.
func TestKeepTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.host.limit = 2000
		release := make(chan struct{})
		var again []string
		w.api = kkrpc.Object{"keep": func(ctx context.Context, name, _ string) error {
			if Waking(ctx) {
				again = append(again, name)
			}
			err := Keep(ctx, name)
			<-release
			return err
		}}
		l := w.open(1)
		for _, name := range []string{"one", "two"} {
			l.says(call(name, "keep", fmt.Sprintf("%q,%q", name, strings.Repeat("x", 500))))
			time.Sleep(time.Second) // until another goroutine reads
		}
		close(release)
		sent, _ := l.got()
		slices.Sort(sent) // the error is behind
		if len(sent) != 2 || strings.Contains(sent[0], "durable:") || !strings.Contains(sent[1], `durable: keep \"two\": the call has `) {
			t.Errorf("the answers are %q", sent)
		}
		w.sleeps(1)
		if _, closed := w.open(1).got(); closed != "" || !slices.Equal(again, []string{"one"}) {
			t.Errorf("repeated %q, closed with %q", again, closed)
		}
	})
}

// TestKeepAgainBesideWork has a call that just fits, and open work when the program falls asleep. The work is lost, and the call
// runs again.
func TestKeepAgainBesideWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.host.limit = 1800
		l := w.open(1)
		l.says(call("1", "join", `"`+strings.Repeat("x", 500)+`"`), call(strings.Repeat("long", 100), "hang", ""))
		time.Sleep(time.Second) // until another goroutine reads
		if sent, _ := l.got(); len(sent) != 1 || strings.Contains(sent[0], "durable:") {
			t.Fatalf("the answers are %q", sent)
		}
		made.take()
		w.sleeps(1)
		sent, closed := w.open(1).got()
		if len(made.take()) != 1 || len(sent) != 1 || !strings.Contains(sent[0], hibernatedError) || closed != "" {
			t.Errorf("it was closed with %q; the peer has got %q", closed, sent)
		}
	})
}

// TestManyRequestsWhileItWakes are more than may be unfinished. Kept calls run again all the same.
func TestManyRequestsWhileItWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.open(1).says(call("1", "join", `"Ada"`))
		w.open(2).says(call("1", "join", `"Bob"`))
		made.take()
		w.sleeps(2)
		a := w.open(1)
		for range 5000 {
			a.says(call("2", "log", `"a request of now"`))
		}
		w.open(2)
		if got := made.take(); len(got) != 2+4096 || got[0] != "Ada true" || got[1] != "Bob true" {
			t.Errorf("%d calls, of which the first are %q", len(got), got[:min(3, len(got))])
		}
		if sent, closed := a.got(); len(sent) != 5000 || closed != "" {
			t.Errorf("it has got %d answers, and was closed with %q", len(sent), closed)
		}
	})
}

// TestHalfALineWhileItWakes is no reason for the others to wait: the connection that has sent it cannot be restored.
func TestHalfALineWhileItWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		const join = `{"id":"1","method":"join","args":[%q],"type":"request","callbackIds":[],"version":"json"}` + "\n"
		w.open(1).says(fmt.Sprintf(join, "Ada"))
		w.open(2).says(fmt.Sprintf(join, "Bob"))
		made.take()
		w.sleeps(2)
		a := w.open(1)
		a.says(`{"id":"2","method":"log",`)
		w.open(2)
		if got := made.take(); !slices.Equal(got, []string{"Bob true"}) {
			t.Errorf("at once: %q", got)
		}
		if _, closed := a.got(); closed != `1012 RPCHibernatedError: "join" cannot be repeated` {
			t.Errorf("closed with %q", closed)
		}
	})
}

// TestManyCallsThatHang have the others wait for ten seconds twice, and 10 ms for each.
func TestManyCallsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		const many = 100
		for id := range int32(many) {
			w.open(id + 1).says(call("1", "join", `"hangs"`))
		}
		w.open(many + 1).says(call("1", "join", `"Ada"`))
		w.open(many + 2).says(call("1", "join", `"Bob"`))
		made.take()
		w.sleeps(many + 2)
		var links []*link
		for id := range int32(many + 2) {
			links = append(links, w.open(id+1))
		}
		ada := links[many]
		ada.says(call("2", "log", `"a request of now"`))
		time.Sleep(2*patience + many*10*time.Millisecond)
		got := slices.DeleteFunc(made.take(), func(s string) bool { return s == "hangs true" })
		if want := []string{"Ada true", "Bob true", "a request of now"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		for i, l := range links {
			if _, closed := l.got(); (closed != "") != (i < many) {
				t.Errorf("connection %d was closed with %q", i, closed)
			}
		}
	})
}

// TestManyCallsInAFrame holds no copy of the frame for each. Nor does it hold one that is too large to be kept.
func TestManyCallsInAFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		var frame strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&frame, `{"id":"%d","method":"hang","args":[],"type":"request","callbackIds":[],"version":"json"}`+"\n", i)
		}
		l := w.open(1)
		large := fmt.Sprintf(`{"id":"large","method":"hang","args":[%q],"type":"request","callbackIds":[],"version":"json"}`+"\n", strings.Repeat("x", 20_000))
		l.says(frame.String(), large)
		time.Sleep(time.Second) // until other goroutines read
		synctest.Wait()
		w.here.mu.Lock()
		defer w.here.mu.Unlock()
		held := 0
		for _, r := range w.here.conns[1].calls {
			held += len(r.message)
		}
		if calls := len(w.here.conns[1].calls); calls < 100 || held > 0 {
			t.Errorf("%d bytes are held for %d calls", held, calls)
		}
	})
}

func TestKeepOfALargeCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.host.limit = 16_000
		l := w.open(1)
		l.says(call("1", "join", fmt.Sprintf("%q", strings.Repeat("x", 20_000))))
		if sent, _ := l.got(); len(sent) != 1 || !strings.Contains(sent[0], `durable: keep \"join\": the call has 20052 bytes, and a connection keeps 16384`) {
			t.Errorf("the answer is %q", sent)
		}
	})
}

// TestManySlowCallsOfOneConnection have ten seconds together.
func TestManySlowCallsOfOneConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		var made calls
		w.api = made.api()
		w.api["slow"] = func(ctx context.Context, name string) error {
			if Waking(ctx) {
				select {
				case <-time.After(patience * 9 / 10):
				case <-ctx.Done():
				}
			}
			return Keep(ctx, name)
		}
		l := w.open(1)
		for _, name := range []string{"a", "b", "c", "d"} {
			l.says(call(name, "slow", fmt.Sprintf("%q", name)))
		}
		w.open(2)
		w.sleeps(2)
		l = w.open(1)
		w.open(2).says(call("2", "log", `"a request of now"`))
		time.Sleep(patience)
		if got := made.take(); !slices.Equal(got, []string{"a request of now"}) {
			t.Errorf("after ten seconds: %q", got)
		}
		if _, closed := l.got(); closed != `1012 RPCHibernatedError: "b" cannot be repeated` {
			t.Errorf("closed with %q", closed)
		}
	})
}

// TestReferenceWhileItWakes is called before the kept call has run again that brings it back. The error does not say that it is
// released, so that the peer keeps it.
func TestReferenceWhileItWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end()
		w.api = kkrpc.Object{
			"slow": func(ctx context.Context) error {
				if Waking(ctx) {
					time.Sleep(time.Second / 2)
				}
				return Keep(ctx, "slow")
			},
			"make": func(ctx context.Context) (*kkrpc.Ref, error) {
				return kkrpc.Proxy(func(n int) int { return 2 * n }), Keep(ctx, "make")
			},
			"take": func(*kkrpc.Ref) {},
		}
		w.open(1).says(call("1", "slow", ""))
		l := w.open(2)
		l.says(call("1", "make", ""))
		sent, _ := l.got()
		if len(sent) != 1 {
			t.Fatalf("the answers are %q", sent)
		}
		_, id, _ := strings.Cut(sent[0], `"id":"1","v":{"__kkrpc_ref__":true,"id":"`)
		id, _, _ = strings.Cut(id, `"`)
		w.sleeps(2)
		w.open(1)
		l = w.open(2)
		apply := fmt.Sprintf(`{"t":"q","id":"2","op":"ref","p":[%q,"apply"],"a":[21]}`, id)
		l.says(apply)
		if sent, _ := l.got(); len(sent) != 1 || !strings.Contains(sent[0], `"n":"RPCHibernatedError"`) || !strings.Contains(sent[0], "the request did not run") {
			t.Errorf("while it wakes: %q", sent)
		}
		l.says(call("3", "take", fmt.Sprintf(`{"__kkrpc_ref__":true,"id":%q,"kind":"function"}`, id)))
		if sent, _ := l.got(); len(sent) != 1 || !strings.Contains(sent[0], `"n":"RPCHibernatedError"`) {
			t.Errorf("as an argument: %q", sent)
		}
		time.Sleep(time.Second)
		l.says(apply)
		if sent, _ := l.got(); len(sent) != 1 || sent[0] != `{"t":"r","id":"2","v":42}` {
			t.Errorf("the answers are %q", sent)
		}
	})
}
