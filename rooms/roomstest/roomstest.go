// Package roomstest has the tests that each rooms.Backplane must pass.
package roomstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/rooms"
)

// Patience is how long the tests wait for what must happen.
const Patience = 30 * time.Second

// Nodes returns n backplanes that are connected, each for one node, all with the same logs, tables and topics. At least
// history messages of a log are kept, and fewer than ten times as many. The tests that are passed t close them.
type Nodes func(t *testing.T, n, history int) []rooms.Backplane

// Backplane tests a Backplane.
func Backplane(t *testing.T, open Nodes) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Nodes)
	}{
		{"AllNodesFollowOneOrder", testOrder},
		{"FollowBeginsAfterANumber", testFollowAfter},
		{"FollowEndsWithStop", testFollowStop},
		{"AMessageThatFollowPassedCanBeRead", testReadFollowed},
		{"BeforeReadsBackwards", testBefore},
		{"AnIDIsStoredOnce", testIDs},
		{"BoundsTellWhatIsGone", testBounds},
		{"NamesAreAnyText", testNames},
		{"LargeMessages", testLarge},
		{"ATableIsASnapshotAndItsChanges", testTable},
		{"AllNodesWatchOneOrder", testTableOrder},
		{"PublishReachesAllSubscribers", testPublish},
		{"RequestReachesOneResponder", testRequest},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open) })
	}
}

// inbox gathers what a function of a Follow, Watch or Subscribe gets.
type inbox[T any] struct {
	mu    sync.Mutex
	got   []T
	added chan struct{} // has one after something was added
}

func newInbox[T any]() *inbox[T] { return &inbox[T]{added: make(chan struct{}, 1)} }

func (in *inbox[T]) add(v T) {
	in.mu.Lock()
	in.got = append(in.got, v)
	in.mu.Unlock()
	select {
	case in.added <- struct{}{}:
	default:
	}
}

func (in *inbox[T]) all() []T {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.got)
}

// until returns what was got once done holds for it.
func (in *inbox[T]) until(t *testing.T, what string, done func([]T) bool) []T {
	t.Helper()
	late := time.After(Patience)
	for {
		if got := in.all(); done(got) {
			return got
		}
		select {
		case <-in.added:
		case <-late:
			t.Fatalf("waited %v for %s, and got %d: %v", Patience, what, len(in.all()), in.all())
		}
	}
}

func (in *inbox[T]) wait(t *testing.T, n int) []T {
	t.Helper()
	return in.until(t, fmt.Sprint(n), func(got []T) bool { return len(got) >= n })
}

func follow(t *testing.T, b rooms.Backplane, log string, after uint64) (in *inbox[rooms.Entry], stop func()) {
	t.Helper()
	in = newInbox[rooms.Entry]()
	stop, err := b.Follow(t.Context(), log, after, rooms.Follower{
		Entry: in.add,
		Lost:  func(err error) { t.Errorf("Follow of %q lost: %v", log, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return in, stop
}

func appendTo(t *testing.T, b rooms.Backplane, log, id, text string) uint64 {
	t.Helper()
	seq, err := b.Append(t.Context(), log, id, []byte(text))
	if err != nil {
		t.Fatalf("Append to %q: %v", log, err)
	}
	return seq
}

func texts(entries []rooms.Entry) []string {
	var texts []string
	for _, e := range entries {
		texts = append(texts, string(e.Data))
	}
	return texts
}

func numbers(entries []rooms.Entry) []uint64 {
	var numbers []uint64
	for _, e := range entries {
		numbers = append(numbers, e.Seq)
	}
	return numbers
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

func testOrder(t *testing.T, open Nodes) {
	const each = 100
	nodes := open(t, 3, 3*each)
	var followers []*inbox[rooms.Entry]
	for _, b := range nodes {
		in, _ := follow(t, b, "room", 0)
		followers = append(followers, in)
	}
	acknowledged := make([][]uint64, len(nodes))
	var senders sync.WaitGroup
	for i, b := range nodes {
		senders.Go(func() {
			for n := range each {
				seq, err := b.Append(t.Context(), "room", "", fmt.Appendf(nil, "%d of node %d", n, i))
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged[i] = append(acknowledged[i], seq)
			}
		})
	}
	senders.Wait()
	stored, err := nodes[0].After(t.Context(), "room", 0, 10*each)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "numbers of the log, and those that were acknowledged", numbers(stored), slices.Sorted(slices.Values(slices.Concat(acknowledged...))))
	for i, in := range followers {
		equal(t, fmt.Sprintf("what node %d followed", i), in.wait(t, 3*each), stored)
	}
	for i, own := range acknowledged {
		if !slices.IsSorted(own) {
			t.Errorf("the messages of node %d were stored in another order than it sent them: %v", i, own)
		}
	}
}

func testFollowAfter(t *testing.T, open Nodes) {
	b := open(t, 1, 100)[0]
	appendTo(t, b, "room", "", "one")
	second := appendTo(t, b, "room", "", "two")
	appendTo(t, b, "another", "", "elsewhere")
	appendTo(t, b, "room", "", "three")
	in, _ := follow(t, b, "room", second)
	in.wait(t, 1)
	appendTo(t, b, "room", "", "four")
	equal(t, "followed", texts(in.wait(t, 2)), []string{"three", "four"})
}

func testFollowStop(t *testing.T, open Nodes) {
	b := open(t, 1, 100)[0]
	stopped, stop := follow(t, b, "room", 0)
	in, _ := follow(t, b, "room", 0)
	appendTo(t, b, "room", "", "one")
	stopped.wait(t, 1)
	stop()
	appendTo(t, b, "room", "", "two")
	in.wait(t, 2)
	equal(t, "followed before the end", texts(stopped.all()), []string{"one"})
}

func testReadFollowed(t *testing.T, open Nodes) {
	nodes := open(t, 3, 200)
	reader := nodes[len(nodes)-1]
	in, _ := follow(t, reader, "room", 0)
	for i := range 50 {
		seq := appendTo(t, nodes[i%len(nodes)], "room", "", fmt.Sprint(i))
		in.wait(t, i+1)
		got, err := reader.After(t.Context(), "room", seq-1, 1)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "read after it was followed", texts(got), []string{fmt.Sprint(i)})
	}
}

func testBefore(t *testing.T, open Nodes) {
	b := open(t, 1, 100)[0]
	var seqs []uint64
	for i := range 5 {
		seqs = append(seqs, appendTo(t, b, "room", "", fmt.Sprint(i)))
		appendTo(t, b, "another", "", "elsewhere")
	}
	for _, c := range []struct {
		before uint64
		limit  int
		want   []string
	}{
		{0, 2, []string{"3", "4"}},
		{0, 100, []string{"0", "1", "2", "3", "4"}},
		{seqs[3], 2, []string{"1", "2"}},
		{seqs[0], 2, nil},
	} {
		got, err := b.Before(t.Context(), "room", c.before, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("before %d, at most %d", c.before, c.limit), texts(got), c.want)
	}
	got, err := b.After(t.Context(), "room", seqs[1], 2)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "after the second, at most two", texts(got), []string{"2", "3"})
	if got, err := b.Before(t.Context(), "empty", 0, 10); err != nil || len(got) != 0 {
		t.Errorf("an empty log has %v, %v", got, err)
	}
}

func testIDs(t *testing.T, open Nodes) {
	nodes := open(t, 2, 100)
	a, b := nodes[0], nodes[len(nodes)-1]
	in, _ := follow(t, a, "room", 0)
	first := appendTo(t, a, "room", "id", "one")
	if again := appendTo(t, b, "room", "id", "one"); again != first {
		t.Errorf("the message was stored as %d and again as %d", first, again)
	}
	appendTo(t, b, "another", "id", "elsewhere") // an id names a message of one log
	elsewhere, err := b.After(t.Context(), "another", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the other log", texts(elsewhere), []string{"elsewhere"})
	appendTo(t, a, "room", "", "two")
	equal(t, "followed", texts(in.wait(t, 2)), []string{"one", "two"})
}

func testBounds(t *testing.T, open Nodes) {
	const history = 10
	nodes := open(t, 2, history)
	a, b := nodes[0], nodes[len(nodes)-1]
	bounds := func(b rooms.Backplane) rooms.Bounds {
		t.Helper()
		got, err := b.Bounds(t.Context(), "room")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	empty := bounds(a)
	if empty.Epoch == "" || empty.Epoch != bounds(b).Epoch {
		t.Errorf("the epochs are %q and %q", empty.Epoch, bounds(b).Epoch)
	}
	first := appendTo(t, a, "room", "", "first")
	if got := bounds(b); got.Gone >= first || got.Last != first || got.Epoch != empty.Epoch {
		t.Errorf("after the first message, %d, the bounds are %+v", first, got)
	}
	var last uint64
	for i := range 10 * history {
		last = appendTo(t, a, "room", "", fmt.Sprint(i))
	}
	got := bounds(b)
	if got.Gone < first || got.Last != last || got.Epoch != empty.Epoch {
		t.Errorf("the log has lost its first message, %d, and ends with %d: %+v", first, last, got)
	}
	kept, err := b.After(t.Context(), "room", got.Gone, 100*history)
	if err != nil {
		t.Fatal(err)
	}
	all, err := b.After(t.Context(), "room", 0, 100*history)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "messages after Gone", texts(kept), texts(all))
	if len(kept) < history || kept[len(kept)-1].Seq != last {
		t.Errorf("%d messages are kept up to %d, not %d up to %d", len(kept), kept[len(kept)-1].Seq, history, last)
	}
}

// odd are names that a backplane has to encode.
var odd = []string{"*", ">", "a.b", "a.*", ".", " ", "a b", "$JS", "_INBOX.x", "ä€", "\x00", "%", "%2A", "A", "a", "/", "\\", "..", strings.Repeat("€", rooms.MaxName/3)}

func testNames(t *testing.T, open Nodes) {
	nodes := open(t, 2, 100)
	a, b := nodes[0], nodes[len(nodes)-1]
	heard := newInbox[string]()
	for _, name := range odd {
		stop, err := b.Subscribe(name, func(data []byte) {
			if string(data) != name {
				t.Errorf("who subscribed to %q heard %q", name, data)
			}
			heard.add(name)
		})
		if err != nil {
			t.Fatalf("Subscribe %q: %v", name, err)
		}
		t.Cleanup(stop)
		appendTo(t, a, name, "id", name)
		if err := a.Put(t.Context(), name, name, []byte(name)); err != nil {
			t.Fatalf("Put %q: %v", name, err)
		}
	}
	for _, name := range odd {
		got, err := b.After(t.Context(), name, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("log %q", name), texts(got), []string{name})
		_, changes := watch(t, b, name)
		equal(t, fmt.Sprintf("table %q", name), changes.wait(t, 1)[0], rooms.Change{Key: name, Value: []byte(name)})
		publishUntil(t, a, name, name, func() bool { return slices.Contains(heard.all(), name) })
	}
	for _, name := range []string{"", strings.Repeat("x", rooms.MaxName+1), "\xff"} {
		_, err := a.Append(t.Context(), name, "", nil)
		_, err2 := a.Follow(t.Context(), name, 0, rooms.Follower{})
		_, err3 := a.Watch(t.Context(), name, rooms.Watcher{})
		_, err4 := a.Subscribe(name, nil)
		_, err5 := a.Request(t.Context(), name, nil)
		_, err6 := a.Respond(name, nil)
		for i, err := range []error{err, err2, err3, err4, err5, err6, a.Put(t.Context(), name, "key", nil), a.Put(t.Context(), "table", name, nil), a.Publish(name, nil)} {
			if !errors.Is(err, rooms.ErrName) {
				t.Errorf("%d: the name %q is refused with %v", i, name, err)
			}
		}
	}
}

func testLarge(t *testing.T, open Nodes) {
	nodes := open(t, 2, 20)
	a, b := nodes[0], nodes[len(nodes)-1]
	large := strings.Repeat("x", 256<<10)
	in, _ := follow(t, b, "room", 0)
	for range 3 {
		appendTo(t, a, "room", "", large)
	}
	_, err := a.Append(t.Context(), "room", "", make([]byte, 64<<20))
	if !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("64 MiB are refused with %v", err)
	}
	appendTo(t, a, "room", "", "small")
	equal(t, "followed", texts(in.wait(t, 4)), []string{large, large, large, "small"})
}

// watch returns what has changed, Ready as a change with the key "ready" apart.
func watch(t *testing.T, b rooms.Backplane, table string) (ready <-chan struct{}, in *inbox[rooms.Change]) {
	t.Helper()
	is := make(chan struct{})
	in = newInbox[rooms.Change]()
	stop, err := b.Watch(t.Context(), table, rooms.Watcher{
		Change: in.add,
		Ready:  sync.OnceFunc(func() { close(is) }),
		Lost:   func(err error) { t.Errorf("Watch of %q lost: %v", table, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return is, in
}

// after is a table after changes.
func after(changes []rooms.Change) map[string]string {
	table := map[string]string{}
	for _, c := range changes {
		if c.Value == nil {
			delete(table, c.Key)
		} else {
			table[c.Key] = string(c.Value)
		}
	}
	return table
}

func testTable(t *testing.T, open Nodes) {
	nodes := open(t, 2, 100)
	a, b := nodes[0], nodes[len(nodes)-1]
	put := func(b rooms.Backplane, key string, value []byte) {
		t.Helper()
		if err := b.Put(t.Context(), "table", key, value); err != nil {
			t.Fatal(err)
		}
	}
	ready, none := watch(t, b, "table")
	wait(t, "the empty table", ready)
	put(a, "one", []byte("1"))
	put(a, "two", []byte("2"))
	put(b, "one", []byte("uno"))
	put(b, "three", []byte{})
	put(a, "two", nil)
	put(a, "never", nil)
	put(a, "end", []byte("x"))
	want := map[string]string{"one": "uno", "three": "", "end": "x"}
	ended := func(changes []rooms.Change) bool { return after(changes)["end"] == "x" }
	equal(t, "watched from the beginning", after(none.until(t, "the end", ended)), want)
	ready, late := watch(t, a, "table")
	wait(t, "the table", ready)
	equal(t, "the snapshot", after(late.all()), want)
	put(b, "one", nil)
	put(b, "end", []byte("y"))
	delete(want, "one")
	want["end"] = "y"
	again := func(changes []rooms.Change) bool { return after(changes)["end"] == "y" }
	equal(t, "watched from the middle", after(late.until(t, "the end", again)), want)
	equal(t, "watched from the beginning", after(none.until(t, "the end", again)), want)
}

func testTableOrder(t *testing.T, open Nodes) {
	const each = 50
	nodes := open(t, 3, 100)
	var watchers []*inbox[rooms.Change]
	for _, b := range nodes {
		_, in := watch(t, b, "table")
		watchers = append(watchers, in)
	}
	var writers sync.WaitGroup
	for i, b := range nodes {
		writers.Go(func() {
			for n := range each {
				if err := b.Put(t.Context(), "table", fmt.Sprint(n%5), fmt.Appendf(nil, "%d of %d", n, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if err := nodes[0].Put(t.Context(), "table", "end", []byte("x")); err != nil {
		t.Fatal(err)
	}
	ended := func(changes []rooms.Change) bool { return after(changes)["end"] == "x" }
	first := after(watchers[0].until(t, "the end", ended))
	for i, in := range watchers[1:] {
		equal(t, fmt.Sprintf("the table of node %d, beside that of node 0", i+1), after(in.until(t, "the end", ended)), first)
	}
}

// again calls try until it returns true. Nodes of a network hear of a new subscriber or responder a little later.
func again(t *testing.T, what string, try func() bool) {
	t.Helper()
	late := time.After(Patience)
	for !try() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatalf("waited %v for %s", Patience, what)
		}
	}
}

func publishUntil(t *testing.T, b rooms.Backplane, topic, text string, heard func() bool) {
	t.Helper()
	again(t, fmt.Sprintf("somebody to hear what is published to %q", topic), func() bool {
		if err := b.Publish(topic, []byte(text)); err != nil {
			t.Fatal(err)
		}
		return heard()
	})
}

func testPublish(t *testing.T, open Nodes) {
	const each = 100
	nodes := open(t, 3, 100)
	var subscribers []*inbox[string]
	for i, b := range nodes {
		in := newInbox[string]()
		stop, err := b.Subscribe("topic", func(data []byte) { in.add(string(data)) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		subscribers = append(subscribers, in)
		if i == 0 {
			stop() // others get what it does not
		}
	}
	const early = "early"
	for _, in := range subscribers[1:] {
		publishUntil(t, nodes[0], "topic", early, func() bool { return len(in.all()) > 0 })
	}
	var want []string
	for n := range each {
		want = append(want, fmt.Sprint(n))
		if err := nodes[0].Publish("topic", []byte(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range subscribers[1:] {
		got := in.until(t, "the last", func(got []string) bool { return slices.Contains(got, want[each-1]) })
		equal(t, "heard", slices.DeleteFunc(got, func(text string) bool { return text == early }), want)
	}
	equal(t, "heard after the end", subscribers[0].all(), nil)
}

func testRequest(t *testing.T, open Nodes) {
	nodes := open(t, 3, 100)
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	began := time.Now()
	if _, err := nodes[0].Request(ctx, "topic", nil); !errors.Is(err, rooms.ErrNoResponder) {
		t.Errorf("nobody responds: %v", err)
	}
	if took := time.Since(began); took > Patience/10 {
		t.Errorf("this took %v", took)
	}
	var stops []func()
	for i, b := range nodes[1:] {
		stop, err := b.Respond("topic", func(data []byte) []byte { return fmt.Appendf(nil, "%s of node %d", data, i+1) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		stops = append(stops, stop)
	}
	again(t, "an answer", func() bool {
		_, err := nodes[0].Request(ctx, "topic", []byte("answer"))
		if err != nil && !errors.Is(err, rooms.ErrNoResponder) {
			t.Fatal(err)
		}
		return err == nil
	})
	for range 20 {
		answer, err := nodes[0].Request(ctx, "topic", []byte("answer"))
		if got := string(answer); err != nil || got != "answer of node 1" && got != "answer of node 2" {
			t.Fatalf("the answer is %q, %v", got, err)
		}
	}
	stops[0]()
	inARow := 0
	again(t, "answers of node 2 alone", func() bool {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		// A request on its way to node 1 gets no answer.
		if answer, err := nodes[0].Request(short, "topic", []byte("answer")); err == nil && string(answer) == "answer of node 2" {
			inARow++
		} else {
			inARow = 0
		}
		return inARow == 20
	})
}

func wait(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(Patience):
		t.Fatalf("waited %v for %s", Patience, what)
	}
}
