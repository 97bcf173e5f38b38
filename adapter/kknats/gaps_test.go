package kknats_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kkrpc-go/kkrpc/adapter/kknats"
	"github.com/kkrpc-go/kkrpc/adapter/kknats/embedded"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// byURL starts a server and returns a function that connects to it, through a proxy if there is one.
func byURL(t *testing.T, opts kknats.Options) (addr string, connect func(addr string) rooms.Backplane) {
	t.Helper()
	addr = freeAddrs(t, 1)[0]
	start(t, &embedded.Options{Store: t.TempDir(), Clients: addr})
	return addr, func(addr string) rooms.Backplane {
		t.Helper()
		with := opts
		with.URL = "nats://" + addr
		b, err := kknats.Connect(within(t), &with)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		return b
	}
}

// record is what a Follow or Watch has passed.
type record struct {
	mu      sync.Mutex
	got     []string
	err     error
	changed chan struct{}
}

func newRecord() *record { return &record{changed: make(chan struct{}, 1)} }

func (r *record) note(change func()) {
	r.mu.Lock()
	change()
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

func (r *record) lost(err error) { r.note(func() { r.err = err }) }

func (r *record) until(t *testing.T, what string, holds func(got []string, lost error) bool) {
	t.Helper()
	late := time.After(patience)
	for {
		r.mu.Lock()
		got, err := r.got, r.err
		r.mu.Unlock()
		if holds(got, err) {
			return
		}
		select {
		case <-r.changed:
		case <-late:
			t.Fatalf("waited %v for %s; lost: %v, %d passed: %.200q", patience, what, err, len(got), got)
		}
	}
}

func followed(t *testing.T, b rooms.Backplane, name string, after uint64) *record {
	t.Helper()
	r := newRecord()
	stop, err := b.Follow(within(t), name, after, rooms.Follower{
		Entry: func(e rooms.Entry) { r.note(func() { r.got = append(r.got, string(e.Data)) }) },
		Lost:  r.lost,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return r
}

func add(t *testing.T, b rooms.Backplane, log, text string) uint64 {
	t.Helper()
	seq, err := b.Append(within(t), log, "", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// TestDiscardedUnseen has a node cut off while one log gets more messages than are kept, and another does not.
func TestDiscardedUnseen(t *testing.T) {
	const history = 20
	addr, connect := byURL(t, kknats.Options{History: history, Heartbeat: 500 * time.Millisecond, Ping: 200 * time.Millisecond})
	p := newProxy(t, addr)
	far, near := connect(p.addr), connect(addr)
	add(t, near, "quiet", "0")
	for range history + 5 { // it has lost some, but none that were not followed
		add(t, near, "full", "x")
	}
	hot, quiet, full := followed(t, far, "hot", 0), followed(t, far, "quiet", 0), followed(t, far, "full", 0)
	add(t, near, "hot", "0")
	hot.until(t, "the first message", func(got []string, _ error) bool { return len(got) == 1 })
	p.cut()
	for i := range 3 * history {
		add(t, near, "hot", fmt.Sprint(i))
		if i%10 == 0 {
			add(t, near, "quiet", fmt.Sprint(1+i/10))
		}
	}
	p.drop() // with what is on its way
	p.heal()
	hot.until(t, "the loss", func(_ []string, lost error) bool { return lost != nil })
	quiet.until(t, "all of the quiet log", func(got []string, lost error) bool { return len(got) == 7 || lost != nil })
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "4", "5", "6"}, quiet.got); diff != "" || quiet.err != nil {
		t.Errorf("the quiet log has %v, lost %v", quiet.got, quiet.err)
	}
	add(t, near, "full", "y")
	full.until(t, "all of the full log", func(got []string, lost error) bool { return len(got) == history+1 || lost != nil })
	if full.err != nil {
		t.Errorf("the full log is lost: %v", full.err)
	}
	if len(hot.got) != 1 {
		t.Errorf("before it was lost, the hot log passed %q, behind a gap", hot.got)
	}
	// From where messages are missing, nobody can follow. From the beginning, all that is kept is passed.
	again := followed(t, far, "hot", 2)
	again.until(t, "the loss", func(_ []string, lost error) bool { return lost != nil })
	all := followed(t, far, "hot", 0)
	all.until(t, "what is kept", func(got []string, lost error) bool { return len(got) == history && lost == nil })
}

// TestStreamMadeAnew deletes the streams under the nodes.
func TestStreamMadeAnew(t *testing.T) {
	addr, connect := byURL(t, kknats.Options{})
	b := connect(addr)
	ctx := within(t)
	nc, err := nats.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	before, err := b.Bounds(ctx, "room")
	if err != nil {
		t.Fatal(err)
	}
	r := followed(t, b, "room", 0)
	for i := range 10 {
		add(t, b, "room", fmt.Sprint(i))
	}
	r.until(t, "messages", func(got []string, _ error) bool { return len(got) == 10 })
	if err := js.DeleteStream(ctx, "kkrpc_logs"); err != nil {
		t.Fatal(err)
	}
	r.until(t, "the loss", func(_ []string, lost error) bool { return lost != nil })
	if seq := add(t, b, "room", "new"); seq != 1 {
		t.Errorf("the first message of the new stream has the number %d", seq)
	}
	after, err := b.Bounds(ctx, "room")
	if err != nil || after.Epoch == before.Epoch || after.Last != 1 {
		t.Errorf("the bounds were %+v and are %+v, %v", before, after, err)
	}
	next := followed(t, b, "room", 0)
	next.until(t, "the new message", func(got []string, lost error) bool { return len(got) == 1 && lost == nil })
	// A number of the former stream is none of this one.
	old := followed(t, b, "room", 10)
	old.until(t, "the loss", func(_ []string, lost error) bool { return lost != nil })
}

// TestPurge has somebody delete all messages, but not the stream.
func TestPurge(t *testing.T) {
	addr, connect := byURL(t, kknats.Options{})
	b := connect(addr)
	ctx := within(t)
	nc, err := nats.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	r := followed(t, b, "room", 0)
	last := add(t, b, "room", "old")
	r.until(t, "the message", func(got []string, _ error) bool { return len(got) == 1 })
	s, err := js.Stream(ctx, "kkrpc_logs")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	bounds, err := b.Bounds(ctx, "room")
	if err != nil || bounds.Gone != last || bounds.Last != last {
		t.Errorf("the bounds are %+v, %v", bounds, err)
	}
	for _, read := range []func(context.Context, string, uint64, int) ([]rooms.Entry, error){b.After, b.Before} {
		if got, err := read(ctx, "room", 0, 10); err != nil || len(got) != 0 {
			t.Errorf("the log has %v, %v", got, err)
		}
	}
	add(t, b, "room", "new")
	r.until(t, "the new message", func(got []string, lost error) bool { return len(got) == 2 && lost == nil })
}

// TestDeletionsAreForgotten shows that deleted keys take no room forever, and that a node which may have missed one is told.
func TestDeletionsAreForgotten(t *testing.T) {
	addr, connect := byURL(t, kknats.Options{Deleted: time.Second, Heartbeat: 500 * time.Millisecond, Ping: 200 * time.Millisecond})
	p := newProxy(t, addr)
	far, near := connect(p.addr), connect(addr)
	ctx := within(t)
	if err := near.Put(ctx, "table", "key", []byte("value")); err != nil {
		t.Fatal(err)
	}
	watch := func() *record {
		r := newRecord()
		stop, err := far.Watch(ctx, "table", rooms.Watcher{
			Change: func(c rooms.Change) { r.note(func() { r.got = append(r.got, c.Key+"="+string(c.Value)) }) },
			Ready:  func() { r.note(func() { r.got = append(r.got, "ready") }) },
			Lost:   r.lost,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		return r
	}
	r := watch()
	r.until(t, "the value", func(got []string, _ error) bool { return len(got) == 2 })
	p.cut()
	if err := near.Put(ctx, "table", "key", nil); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect("nats://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for msgs := uint64(1); msgs > 0; {
		s, err := js.Stream(ctx, "kkrpc_tables")
		if err != nil {
			t.Fatal(err)
		}
		msgs = s.CachedInfo().State.Msgs
	}
	p.drop() // with what is on its way
	p.heal()
	r.until(t, "the loss", func(got []string, lost error) bool { return lost != nil })
	r = watch()
	r.until(t, "the empty table", func(got []string, lost error) bool { return len(got) > 0 })
	if diff := cmp.Diff([]string{"ready"}, r.got); diff != "" {
		t.Errorf("the table has %v", r.got)
	}
}

// TestFullTables fills the tables to the brim. A key can be deleted nevertheless, which makes room.
func TestFullTables(t *testing.T) {
	for _, servers := range []int{1, 3} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			b := nodes(t, cluster(t, servers), 1, kknats.Options{TableBytes: 64 << 10})[0]
			put := func(key string, value []byte) error { return b.Put(within(t), "table", key, value) }
			for _, size := range []int{1000, 100, 1} {
				n, err := 0, error(nil)
				for ; err == nil && n < 100; n++ {
					err = put(fmt.Sprint(size, n), make([]byte, size))
				}
				if err == nil || errors.Is(err, rooms.ErrUnavailable) || !strings.Contains(err.Error(), "Options.TableBytes") {
					t.Fatalf("%d values of %d bytes: %v", n, size, err)
				}
			}
			for n := range 5 {
				if err := put(fmt.Sprint(1000, n), nil); err != nil {
					t.Errorf("a value is deleted: %v", err)
				}
			}
			if err := put("new", make([]byte, 1000)); err != nil {
				t.Errorf("there is room: %v", err)
			}
		})
	}
}

// TestBeforeFindsItsPlace compares Before with After, for a log of which the stream has few messages here and many there.
func TestBeforeFindsItsPlace(t *testing.T) {
	b := nodes(t, cluster(t, 1), 1, kknats.Options{History: 300})[0]
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 1200 {
		log := "another"
		if i/200%2 == 0 && random.IntN(3) == 0 || random.IntN(40) == 0 {
			log = "room"
		}
		add(t, b, log, fmt.Sprint(i))
	}
	ctx := within(t)
	all, err := b.After(ctx, "room", 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		at, limit := random.IntN(len(all)+1), 1+random.IntN(80)
		seq := uint64(0)
		if at < len(all) {
			seq = all[at].Seq + uint64(random.IntN(2))
			if seq > all[at].Seq {
				at++
			}
		}
		got, err := b.Before(ctx, "room", seq, limit)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[max(0, at-limit):at], got, cmp.Transformer("nil", func(e []rooms.Entry) []rooms.Entry { return append([]rooms.Entry{}, e...) })); diff != "" {
			t.Fatalf("%d before %d (-want +got):\n%s", limit, seq, diff)
		}
	}
}

// TestLargestMessage sends the largest message that is not refused, with the longest name.
func TestLargestMessage(t *testing.T) {
	servers := cluster(t, 1)
	b := nodes(t, servers, 1, kknats.Options{})[0]
	ctx := within(t)
	name := strings.Repeat("€", rooms.MaxName/3)
	largest := 0
	_, err := b.Append(ctx, name, "", make([]byte, 1<<20))
	if !errors.Is(err, rooms.ErrTooLarge) {
		t.Fatalf("1 MiB: %v", err)
	}
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "at most"):], "at most %d", &largest); err != nil {
		t.Fatal(err)
	}
	r := followed(t, b, name, 0)
	if _, err := b.Append(ctx, name, "", make([]byte, largest)); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Append(ctx, name, "", make([]byte, largest+1)); !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("one byte more than the largest message: %v", err)
	}
	r.until(t, "the message", func(got []string, _ error) bool { return len(got) == 1 && len(got[0]) == largest })
	read, err := b.After(ctx, name, 0, 10)
	if err != nil || len(read) != 1 || len(read[0].Data) != largest {
		t.Errorf("%d messages are read, %v", len(read), err)
	}
	if err := b.Put(ctx, name, name, make([]byte, 1<<20)); !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("Put of 1 MiB: %v", err)
	}
	if err := b.Publish(name, make([]byte, 2<<20)); !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("Publish of 2 MiB: %v", err)
	}
	if _, err := b.Request(ctx, name, make([]byte, 2<<20)); !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("Request of 2 MiB: %v", err)
	}
	stop, err := b.Respond(name, func([]byte) []byte { return make([]byte, 2<<20) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if _, err := b.Request(ctx, name, nil); !errors.Is(err, rooms.ErrTooLarge) {
		t.Errorf("an answer of 2 MiB: %v", err)
	}
}

// TestSentAgain loses the answers to a message, so that it is sent again and again.
func TestSentAgain(t *testing.T) {
	addr, connect := byURL(t, kknats.Options{})
	p := newProxy(t, addr)
	far, near := connect(p.addr), connect(addr)
	r := followed(t, near, "room", 0)
	p.silence()
	appended := make(chan error, 1)
	var seq uint64
	ctx := within(t)
	go func() { // ends with ctx at the latest
		var err error
		seq, err = far.Append(ctx, "room", "", []byte("once"))
		appended <- err
	}()
	r.until(t, "the message", func(got []string, _ error) bool { return len(got) > 0 })
	select {
	case err := <-appended:
		t.Fatalf("it was acknowledged by %v", err)
	case <-time.After(1500 * time.Millisecond): // the first try takes 1 s
	}
	p.heal()
	if err := <-appended; err != nil || seq != 1 {
		t.Errorf("it is acknowledged as %d, %v", seq, err)
	}
	if next := add(t, near, "room", "next"); next != 2 {
		t.Errorf("the next message is number %d", next)
	}
	r.until(t, "both", func(got []string, _ error) bool { return len(got) >= 2 })
	if diff := cmp.Diff([]string{"once", "next"}, r.got); diff != "" {
		t.Error(diff)
	}
}

// TestUnavailable shows what methods say while the servers are gone, and that all is well when they are back.
func TestUnavailable(t *testing.T) {
	addr, connect := byURL(t, kknats.Options{Timeout: 300 * time.Millisecond, Ping: 100 * time.Millisecond})
	p := newProxy(t, addr)
	b := connect(p.addr)
	r := followed(t, b, "room", 0)
	p.cut()
	ctx := context.Background()
	_, err := b.Append(ctx, "room", "id", []byte("once"))
	_, err2 := b.After(ctx, "room", 0, 1)
	_, err3 := b.Before(ctx, "room", 0, 1)
	_, err4 := b.Bounds(ctx, "room")
	_, err5 := b.Request(ctx, "room", nil)
	for i, err := range []error{err, err2, err3, err4, err5, b.Put(ctx, "table", "key", nil)} {
		if !errors.Is(err, rooms.ErrUnavailable) {
			t.Errorf("%d: %v", i, err)
		}
	}
	p.heal()
	if _, err := b.Append(within(t), "room", "id", []byte("once")); err != nil {
		t.Fatal(err)
	}
	add(t, b, "room", "next")
	r.until(t, "both messages", func(got []string, lost error) bool { return len(got) >= 2 || lost != nil })
	if diff := cmp.Diff([]string{"once", "next"}, r.got); diff != "" || r.err != nil {
		t.Errorf("followed %q, lost %v", r.got, r.err)
	}
	b.Close()
	if _, err := b.Append(ctx, "room", "", nil); !errors.Is(err, rooms.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}
