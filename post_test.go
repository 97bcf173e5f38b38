package kkrpc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// member is a listener that keeps apart what was written at once.
type member struct {
	listener
	call   *kkrpc.Callback
	writes [][]string
	writer func() (done bool) // is asked before each TryWriteFrames
	full   chan struct{}      // WriteFrames waits for it to be closed
}

func (m *member) TryWriteFrames(msgs [][]byte) (bool, error) {
	done := m.writer()
	m.record(msgs)
	return done, nil
}

func (m *member) WriteFrames(msgs [][]byte) error {
	<-m.full
	m.record(msgs)
	return nil
}

func (m *member) record(msgs [][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var texts []string
	for _, msg := range msgs {
		if strings.Contains(string(msg), `"t":"cb"`) {
			_, rest, _ := strings.Cut(string(msg), `"v":`)
			texts = append(texts, strings.TrimSuffix(rest, `}]}`))
		}
	}
	if len(texts) > 0 {
		m.writes = append(m.writes, texts)
	}
}

func (m *member) written() [][]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.writes)
}

// club has n members of one API, with nothing under way.
func club(t *testing.T, n int) []*member {
	joined := make(chan *kkrpc.Callback)
	api, err := kkrpc.Expose(kkrpc.Object{"join": func(cb *kkrpc.Callback) { joined <- cb }})
	if err != nil {
		t.Fatal(err)
	}
	return clubOf(t, n, joined, func() kkrpc.Options { return kkrpc.Options{Expose: api} })
}

// groupedClub is a club whose members have an API each and one group, as those of a server with HandlerFor.
func groupedClub(t *testing.T, n int) []*member {
	joined, group := make(chan *kkrpc.Callback), new(kkrpc.Group)
	return clubOf(t, n, joined, func() kkrpc.Options {
		return kkrpc.Options{Expose: kkrpc.Object{"join": func(cb *kkrpc.Callback) { joined <- cb }}, Group: group}
	})
}

func clubOf(t *testing.T, n int, joined <-chan *kkrpc.Callback, options func() kkrpc.Options) []*member {
	members := make([]*member, n)
	for i := range members {
		m := &member{listener: listener{join: joins[kkrpc.Compact], done: make(chan struct{})}, writer: func() bool { return true }, full: make(chan struct{})}
		opts := options()
		ch, err := kkrpc.New(context.Background(), m, &opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ch.Close() })
		m.call, members[i] = <-joined, m
	}
	synctest.Wait()
	time.Sleep(time.Second) // the watchdog loses interest
	return members
}

// texts are different in length, so that some share a buffer and others have one for themselves.
func texts(n int) (all, quoted []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i, " ", strings.Repeat("x", i*i*97%9001)))
		quoted = append(quoted, `"`+all[i]+`"`)
	}
	return all, quoted
}

func TestLoneOneWayMessageIsWrittenByItsSender(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := club(t, 1)[0]
		for i := range 3 {
			if err := m.call.Call(i); err != nil {
				t.Fatal(err)
			}
			if n := len(m.written()); n != i+1 {
				t.Fatalf("%d writes when the call of message %d has returned", n, i+1)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func TestBurstToARoomIsOneWriteForEachMember(t *testing.T) {
	t.Run("one API", func(t *testing.T) { burstToARoom(t, club) })
	t.Run("an API for each member", func(t *testing.T) { burstToARoom(t, groupedClub) })
}

func burstToARoom(t *testing.T, room func(t *testing.T, n int) []*member) {
	bubble(t, func(t *testing.T) {
		members := room(t, 40)
		begun, goOn := make(chan struct{}), make(chan struct{})
		members[1].writer = func() bool { // the second message of a burst is the first that its sender does not write
			begun <- struct{}{}
			<-goOn
			return true
		}
		all, want := texts(12)
		for i, text := range all {
			shared := kkrpc.Share(text)
			for j, m := range members {
				if err := m.call.Call(shared); err != nil {
					t.Fatal(err)
				}
				if i == 0 && j == 1 {
					<-begun
				}
			}
		}
		go func() {
			for range begun {
			}
		}()
		close(goOn)
		synctest.Wait()
		close(begun)
		for i, m := range members {
			writes := m.written()
			if got := slices.Concat(writes...); !slices.Equal(got, want) {
				t.Errorf("member %d: got %.300q", i, got)
			}
			if most := 1 + max(0, 2-i); len(writes) > most {
				t.Errorf("member %d: %d writes, want %d", i, len(writes), most)
			}
		}
	})
}

func TestMemberThatDoesNotReadDelaysNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		members := club(t, 3)
		members[1].writer = func() bool { return false }
		all, want := texts(12)
		for _, text := range all {
			for _, m := range members {
				if err := m.call.Call(text); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		for _, i := range []int{0, 2} {
			if got := slices.Concat(members[i].written()...); !slices.Equal(got, want) {
				t.Errorf("member %d: got %.300q", i, got)
			}
		}
		close(members[1].full)
		synctest.Wait()
		if got := slices.Concat(members[1].written()...); !slices.Equal(got, want) {
			t.Errorf("the slow member: got %.300q", got)
		}
	})
}

// What is written without an encoder must be what the encoder writes, in every dialect.
func TestPlainArgumentsOfCallbacks(t *testing.T) {
	for _, d := range dialects {
		for name, args := range map[string][]any{
			"none": {}, "scalars": {1, "a\u2028\"b", true, 1.5}, "shared": {kkrpc.Share(point{1, 2}), 7},
			"undefined": {kkrpc.Share(superjson.Undefined), 1}, "nil": {nil, (*kkrpc.Shared)(nil)},
		} {
			t.Run(fmt.Sprint(d, "/", name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					send := func(args ...any) string {
						members, transports := room(t, 1, false, d)
						if err := members[0].Call(args...); err != nil {
							t.Fatal(err)
						}
						synctest.Wait()
						got := transports[0].got // and the answer to join
						return got[slices.IndexFunc(got, func(msg string) bool { return strings.Contains(msg, `"id":"cb"`) })]
					}
					// Any value that is not plain has all of them encoded. Its text is cut away.
					const mark = "the-end"
					whole := send(append(slices.Clone(args), struct{ S string }{mark})...)
					at := strings.Index(whole, `{"S"`)
					if plain := send(args...); !strings.HasPrefix(plain, strings.TrimSuffix(strings.TrimSuffix(whole[:at], `{"__kkrpc_next_arg__":"value","v":`), ",")) {
						t.Errorf("got  %s\nwant the beginning of %s", plain, whole)
					}
				})
			})
		}
	}
}

// A member whose messages come as fast as they are written does not keep the batcher.
func TestMemberThatAlwaysGetsMoreDelaysNoOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		members := club(t, 3)
		busy, left := members[1], 1000
		close(busy.full)
		busy.writer = func() bool {
			if left--; left > 0 {
				if err := busy.call.Call("more"); err != nil {
					t.Error(err)
				}
			}
			return true
		}
		members[2].writer = func() bool {
			if left <= 0 {
				t.Error("written to when there was nothing more for another member")
			}
			return true
		}
		for _, m := range members {
			if err := m.call.Call("first"); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if left == 1000 || len(members[2].written()) != 1 {
			t.Errorf("the batcher wrote %d times to one member, and %d times to the other", 1000-left, len(members[2].written()))
		}
	})
}
