package interop_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestRoomWakes has a room with members leave memory between messages.
func TestRoomWakes(t *testing.T) {
	r := serveRooms(t)
	ada := r.join(t, "tea", "Ada")
	eve := r.join(t, "tea", "Eve")
	bob := r.join(t, "tea", "Bob")
	gone := r.join(t, "tea", "Gus")
	calls[any](t, gone.Channel, "leave")
	ada.hears(t, said{"Ada", "has joined"}, said{"Eve", "has joined"}, said{"Bob", "has joined"}, said{"Gus", "has joined"})
	eve.hears(t, said{"Eve", "has joined"}, said{"Bob", "has joined"}, said{"Gus", "has joined"})
	program := calls[int64](t, ada.Channel, "program")

	for range 2 { // what was repeated once is kept for another time
		r.evict(t, "tea")
		want(t, "reached", calls[int](t, eve.Channel, "say", "hello"), 3)
		ada.hears(t, said{"Eve", "hello"}) // and not that anybody has joined
		eve.hears(t, said{"Eve", "hello"})
		now := calls[int64](t, ada.Channel, "program")
		if now == program {
			t.Error("the program has not been started again")
		}
		program = now
		want(t, "repeated, in their order", calls[[]string](t, ada.Channel, "repeated"), []string{"Ada", "Eve", "Bob"})
	}
	want(t, "a variable of the Worker", calls[any](t, ada.Channel, "var", "user"), any(map[string]any{"name": "Ada"}))
	want(t, "a variable of the object", calls[any](t, ada.Channel, "var", "inside"), any(map[string]any{"set": "in the object"}))
	fails(t, ada.Channel, "Error", `wasm: variable "timer": it has no JSON: a function in "now"`, "var", "timer")
	want(t, "a parameter", calls[string](t, ada.Channel, "param"), "tea")
	fails(t, gone.Channel, "NotAMember", "join first", "say", "still here?")

	t.Run("a close wakes", func(t *testing.T) {
		r.evict(t, "tea")
		bob.Close()
		want(t, "reached", calls[int](t, ada.Channel, "say", "who is there?"), 2)
		want(t, "left", calls[[]string](t, ada.Channel, "left"), []string{"Bob"})
		ada.hears(t, said{"Ada", "who is there?"})
		eve.hears(t, said{"Ada", "who is there?"})
	})
	t.Run("a connection wakes", func(t *testing.T) {
		r.evict(t, "tea")
		kim := r.join(t, "tea", "Kim")
		want(t, "users", calls[[]string](t, kim.Channel, "users"), []string{"Ada", "Eve", "Kim"})
		ada.hears(t, said{"Kim", "has joined"})
		eve.hears(t, said{"Kim", "has joined"})
	})
	t.Run("an alarm wakes", func(t *testing.T) {
		calls[any](t, ada.Channel, "storage.put", "alarm", "fails at first")
		calls[any](t, ada.Channel, "storage.setAlarm", 1000)
		r.evict(t, "tea")
		ada.hears(t, said{"alarm", "fails at first"})
		eve.hears(t, said{"alarm", "fails at first"})
		if calls[int64](t, ada.Channel, "program") == program {
			t.Error("the program has not been started again")
		}
	})
	t.Run("one that cannot join again", func(t *testing.T) {
		banned := r.join(t, "tea", "banned")
		r.evict(t, "tea")
		want(t, "reached", calls[int](t, ada.Channel, "say", "and now?"), 2)
		<-banned.Done()
		if err := banned.Err(); !strings.Contains(err.Error(), "1012") || !strings.Contains(err.Error(), `RPCHibernatedError: "join" cannot be repeated`) {
			t.Errorf("it has ended with %v", err)
		}
		want(t, "what the console says", strings.Contains(r.out.String(), "banned by now"), true)
	})
}

// TestRepeatedCallAsks has the function of a repeated call call the peer, while another call of the peer waits.
func TestRepeatedCallAsks(t *testing.T) {
	r := serveRooms(t)
	for _, dialect := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic, kkrpc.ClassicSuperJSON} {
		t.Run(dialect.String(), func(t *testing.T) {
			room := dialect.String()
			asked := make(chan bool, 10)
			m := r.enter(t, room, "Ada", kkrpc.Options{Dialect: dialect, Expose: kkrpc.Object{"name": func() string { asked <- true; return "Ada" }}})
			calls[any](t, m.Channel, "introduce", func(message said) { m.heard <- message })
			r.evict(t, room)
			want(t, "reached", calls[int](t, m.Channel, "say", "hello"), 1)
			m.hears(t, said{"Ada", "has joined"}, said{"Ada", "hello"})
			want(t, "asked", len(asked), 2)
		})
	}
}

// jar is an object of the client.
type jar struct{}

func (jar) Say(text string) string { return "jar of " + text }

// TestReferencesAcrossSleep uses references of both sides after the other program has ended.
func TestReferencesAcrossSleep(t *testing.T) {
	r := serveRooms(t)
	ch := r.enter(t, "refs", "Ada", kkrpc.Options{References: true}).Channel
	kept := calls[[]*kkrpc.Ref](t, ch, "count", true)
	lost := calls[[]*kkrpc.Ref](t, ch, "count", false)
	calls[any](t, ch, "hold", kkrpc.Proxy(jar{}))
	add := func(ref *kkrpc.Ref, n int) (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		return kkrpc.Call[int](ctx, ref, "add", n)
	}
	for _, ref := range append(slices.Clone(kept), lost...) {
		if _, err := add(ref, 1); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		r.evict(t, "refs")
		for i, sum := range []int{7, 14, 1007} { // two are of one counter, and all begin anew
			if got, err := add(kept[i], 7); err != nil || got != sum {
				t.Errorf("counter %d: %d, %v, want %d", i, got, err, sum)
			}
		}
		want(t, "the client's object", calls[string](t, ch, "useHeld", "honey"), "jar of honey")
		fresh := calls[[]*kkrpc.Ref](t, ch, "count", false)
		if got, err := add(fresh[0], 1); err != nil || got != 1 {
			t.Errorf("a new counter: %d, %v", got, err)
		}
	}
	if _, err := add(lost[0], 1); !errors.Is(err, kkrpc.ErrReleased) {
		t.Errorf("a reference that was not kept: %v, want %v", err, kkrpc.ErrReleased)
	}
}

// TestSleepEndsWork lets workerd take objects out of memory by itself. Quiet rooms sleep, and so do those with work that
// cannot be kept, after Options.Awake. The work ends with an error that says so.
func TestSleepEndsWork(t *testing.T) {
	t.Parallel()
	r := serveRooms(t)
	quiet := r.join(t, "quiet", "Ada")
	calls[any](t, quiet.Channel, "storage.put", "a", 1)
	fails(t, quiet.Channel, "Error", "No API exposed", "ask", "name") // its timeout is not waited for
	quiet.hears(t, said{"Ada", "has joined"})

	type busyRoom struct {
		*roomMember
		hung, streamed, drained chan error
		stopped                 chan bool
		asked, cancelled        chan bool
		answer                  chan string
	}
	var busy []*busyRoom
	woken := make(chan struct{})
	for _, dialect := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.Classic} {
		b := &busyRoom{hung: make(chan error, 1), streamed: make(chan error, 1), drained: make(chan error, 1), stopped: make(chan bool, 1), asked: make(chan bool, 1), cancelled: make(chan bool, 1), answer: make(chan string)}
		b.roomMember = r.enter(t, "busy-"+dialect.String(), "Eve", kkrpc.Options{Dialect: dialect, CallTimeout: -1, Expose: kkrpc.Object{
			"slow": func(ctx context.Context) string {
				b.asked <- true
				if dialect == kkrpc.Compact { // classic has no cancellation
					<-ctx.Done()
					b.cancelled <- true
				}
				return <-b.answer
			},
			"quick": func(ctx context.Context) (string, error) {
				b.answer <- "too late"
				_, err := kkrpc.Call[int64](ctx, b.Channel, "program") // behind that answer
				return "quick", err
			},
		}})
		calls[any](t, b.Channel, "storage.put", "a", 1)
		calls[any](t, b.Channel, "askLater", "slow")
		go func() { _, err := kkrpc.Call[any](t.Context(), b.Channel, "hang"); b.hung <- err }()
		streaming := make(chan int, 1)
		go func() {
			for n, err := range kkrpc.Stream[int](t.Context(), b.Channel, "ticks") {
				if err != nil {
					b.streamed <- err
					return
				}
				streaming <- n
			}
		}()
		await(t, "an item", streaming)
		await(t, "a call of the program", b.asked)
		if dialect == kkrpc.Compact { // classic has no streams as arguments
			items := func(yield func(int, error) bool) {
				for wanted := yield(1, nil); wanted; wanted = yield(1, nil) {
					<-woken
				}
				b.stopped <- true
			}
			go func() { _, err := kkrpc.Call[any](t.Context(), b.Channel, "drain", items); b.drained <- err }()
		}
		busy = append(busy, b)
	}
	r.awaitSleep(t, 3)

	want(t, "reached in the quiet room", calls[int](t, quiet.Channel, "say", "hello"), 1)
	quiet.hears(t, said{"Ada", "hello"})
	want(t, "repeated", calls[[]string](t, quiet.Channel, "repeated"), []string{"Ada"})
	const name, text = "RPCHibernatedError", "the object has slept before the end of this; it may have been done"
	close(woken)
	for _, b := range busy {
		dialect := b.Dialect()
		calls[int64](t, b.Channel, "program") // wakes it
		wantError(t, "a call in "+dialect.String(), await(t, "the end of a call", b.hung), name, text)
		streamed := await(t, "the end of a stream", b.streamed)
		if dialect == kkrpc.Compact {
			wantError(t, "a stream", streamed, "Error", name+": "+text) // as all errors of streams
			wantError(t, "a call with a stream", await(t, "its end", b.drained), name, text)
			await(t, "the end of the stream", b.stopped)
		} else {
			wantError(t, "a stream in classic", streamed, name, text)
		}
		if dialect == kkrpc.Compact {
			await(t, "the cancellation of a call of the program", b.cancelled)
		}
		// The late answer to a call of the program before meets no call of this program.
		want(t, "the answer to another call", calls[string](t, b.Channel, "ask", "quick"), "quick")
	}
}

// TestNpmClientAcrossSleep has kkrpc 0.2.2 of npm be a member of a room that sleeps.
func TestNpmClientAcrossSleep(t *testing.T) {
	t.Parallel()
	r := serveRooms(t)
	have(t, js.Node)
	cmd := js.Node.Command(t, filepath.Join(js.Dir(t), "durable-client.mjs"), r.url+"/npm?user=Nell")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = r.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stdin.Close()
		_ = cmd.Wait()
	}()
	lines := make(chan string, 100)
	go func() { // ends with the process
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
	}()
	does := func(line string, answers ...string) {
		t.Helper()
		if _, err := fmt.Fprintln(stdin, line); err != nil {
			t.Fatal(err)
		}
		var got []string
		for range answers {
			got = append(got, await(t, line, lines))
		}
		slices.Sort(got) // an answer may come before a callback
		want(t, line, got, answers)
	}
	does(`["introduce", "$hear"]`, `["heard","Nell","has joined"]`, `["result",null]`)
	does(`["hang"]`)
	ada := r.join(t, "npm", "Ada")
	want(t, "another joins", await(t, "a message", lines), `["heard","Ada","has joined"]`)
	calls[any](t, ada.Channel, "storage.put", "a", 1)
	r.awaitSleep(t, 1)

	want(t, "reached", calls[int](t, ada.Channel, "say", "hello"), 2)
	does(`["users"]`, `["error","RPCHibernatedError: the object has slept before the end of this; it may have been done"]`,
		`["heard","Ada","hello"]`, `["result",["Ada","Nell"]]`)
	r.evict(t, "npm")
	does(`["say", "good night"]`, `["heard","Nell","good night"]`, `["result",2]`)
}

// TestKeptBytes keeps a call whose bytes came beside the text, in a binary frame.
func TestKeptBytes(t *testing.T) {
	r := serveRooms(t)
	for _, dialect := range []kkrpc.Dialect{kkrpc.Compact, kkrpc.CompactSuperJSON, kkrpc.Classic} {
		t.Run(dialect.String(), func(t *testing.T) {
			picture := []byte("\x00\n{\"\xff\xb1 picture")
			ch := dial(t, r.url+"/bytes?kkrpc="+dialect.String()+",bytes.1", kkrpc.Options{Dialect: dialect})
			calls[any](t, ch, "keepPicture", picture)
			for range 2 {
				r.evict(t, "bytes")
				want(t, "the picture", calls[[]byte](t, ch, "picture"), picture)
			}
			fails(t, ch, "Error", `durable: keep "picture": the call has `, "keepPicture", make([]byte, 13_000))
			want(t, "the picture", len(calls[[]byte](t, ch, "picture")), 13_000)
			r.evict(t, "bytes")
			want(t, "the picture", calls[[]byte](t, ch, "picture"), picture)
		})
	}
}

// TestKeepHasLimits is that a connection keeps what fits, and says what does not.
func TestKeepHasLimits(t *testing.T) {
	r := serveRooms(t)
	ada := r.join(t, "limits", "Ada")
	ada.hears(t, said{"Ada", "has joined"})
	calls[any](t, ada.Channel, "keepLarge", "large", strings.Repeat("x", 8000))
	fails(t, ada.Channel, "Error", `durable: keep "larger": the call has `, "keepLarge", "larger", strings.Repeat("x", 9000))
	calls[any](t, ada.Channel, "keepLarge", "large", strings.Repeat("y", 9000)) // in place of the other
	r.evict(t, "limits")
	want(t, "reached", calls[int](t, ada.Channel, "say", "hello"), 1)
	ada.hears(t, said{"Ada", "hello"})

	_, err := ws.Dial(t.Context(), r.url+"/limits?user=Eve&huge=16000", nil)
	if err == nil || !strings.Contains(err.Error(), "431") {
		t.Errorf("a request that is too large: %v, want status 431", err)
	}
}

// TestSpoiledAttachment closes a connection of which nobody knows any more what it was.
func TestSpoiledAttachment(t *testing.T) {
	r := serveRooms(t)
	ada := r.join(t, "spoiled", "Ada")
	r.tell(t, "/spoil/spoiled")
	r.evict(t, "spoiled")
	eve := r.join(t, "spoiled", "Eve")
	await(t, "the end of the connection", ada.Done())
	if err := ada.Err(); !strings.Contains(fmt.Sprint(err), "1012") || !strings.Contains(fmt.Sprint(err), "RPCHibernatedError: what was kept of the connection cannot be read") {
		t.Errorf("it has ended with %v", err)
	}
	want(t, "users", calls[[]string](t, eve.Channel, "users"), []string{"Eve"})
}
