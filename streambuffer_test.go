package kkrpc_test

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func TestPeerTooFarAhead(t *testing.T) {
	for _, test := range []struct {
		dialect           kkrpc.Dialect
		open, item, leave string
	}{
		{kkrpc.Compact, opened, item(`"` + strings.Repeat("x", 1000) + `"`), returned},
		{kkrpc.Classic, `{"id":"1","method":"","args":{"result":{"__stream":true}},"type":"response","version":"json"}` + "\n",
			`{"id":"1","method":"","args":{"value":"` + strings.Repeat("x", 1000) + `"},"type":"stream-chunk","version":"json"}` + "\n",
			`{"id":"1","method":"","args":{},"type":"stream-cancel","version":"json"}` + "\n"},
	} {
		t.Run(test.dialect.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := consume(t, kkrpc.Options{Dialect: test.dialect, Limits: kkrpc.Limits{StreamBuffer: 100_000}}, t.Context())
				write(t, c.peer, test.open)
				if test.dialect == kkrpc.Compact {
					wantControl(t, c.peer, pulled32)
				}
				write(t, c.peer, test.item)
				<-c.got // the loop is in its body
				for range 90 {
					write(t, c.peer, test.item)
				}
				left := reading(c.peer)
				synctest.Wait()
				if len(left) > 0 {
					t.Fatalf("90 KB are too much for 100 KB: %s", <-left)
				}
				for range 20 {
					write(t, c.peer, test.item)
				}
				if got := withoutControlID(<-left); got != test.leave {
					t.Fatal(got)
				}
				for range 10_000 { // under way
					write(t, c.peer, test.item)
				}
				c.next <- true
				if err, _ := (<-c.got).(error); !errors.Is(err, kkrpc.ErrLimit) || !strings.Contains(err.Error(), "Limits.StreamBuffer") {
					t.Errorf("%v", err)
				}
				if c.ch.Err() != nil {
					t.Error(c.ch.Err())
				}
			})
		})
	}
}

func TestNothingIsPulledBehindTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := consume(t, kkrpc.Options{}, t.Context())
		write(t, c.peer, opened)
		wantControl(t, c.peer, pulled32)
		for i := range 32 {
			write(t, c.peer, item(i))
		}
		write(t, c.peer, `{"t":"sr","id":"x","sid":"theirs","d":true}`)
		synctest.Wait()
		for range 32 {
			<-c.got
			c.next <- true
		}
		<-c.got
		next := reading(c.peer)
		synctest.Wait()
		if len(next) > 0 {
			t.Error(<-next)
		}
		c.ch.Close()
	})
}

// Items that have not been taken when the loop is left do not count any longer.
func TestItemsThatAreLeftBehindDoNotCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{StreamBuffer: 5_000}})
		for i := range 100 {
			took, leave := make(chan error), make(chan bool)
			go func() {
				for _, err := range kkrpc.Stream[int](t.Context(), ch, "open") {
					took <- err
					<-leave
					break
				}
			}()
			read(t, peer)
			write(t, peer, fmt.Sprintf(`{"t":"r","id":"%d","v":{"__kkrpc_next_stream__":"async-iterable","id":"theirs"}}`, i+1))
			wantControl(t, peer, pulled32)
			write(t, peer, item(0))
			if err := <-took; err != nil {
				t.Fatalf("stream %d: %v", i, err)
			}
			for range 31 {
				write(t, peer, item(1))
			}
			synctest.Wait()
			close(leave)
			wantControl(t, peer, returned)
		}
	})
}

// What is counted as waiting has to be given back, however the items leave.
func TestItemsThatWereTakenDoNotCount(t *testing.T) {
	for _, d := range dialects {
		bubble(t, func(t *testing.T) {
			_, c := pair(t, kkrpc.Options{Expose: kkrpc.Object{"open": func(n int) iter.Seq[int] { return upTo(n) }}},
				kkrpc.Options{Dialect: d, Limits: kkrpc.Limits{StreamBuffer: 5_000}})
			for range 200 {
				for _, err := range kkrpc.Stream[int](t.Context(), c, "open", 40) {
					if err != nil {
						t.Fatalf("%v: %v", d, err)
					}
					synctest.Wait() // all that is under way waits in the stream
					break
				}
			}
			for range 50 {
				if items, err := collect(kkrpc.Stream[int](t.Context(), c, "open", 40)); len(items) != 40 || err != nil {
					t.Fatalf("%v: %d items, %v", d, len(items), err)
				}
			}
		})
	}
}

// The annotations of an item take memory too, also where they are larger than the item.
func TestAnnotationsOfItemsCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.CompactSuperJSON, Limits: kkrpc.Limits{StreamBuffer: 100_000}})
		go func() {
			for range kkrpc.Stream[any](t.Context(), ch, "open") {
				<-t.Context().Done()
			}
		}()
		read(t, peer)
		write(t, peer, `{"json":`+opened+`}`)
		read(t, peer)
		var notes []string
		for i := range 100 {
			notes = append(notes, fmt.Sprintf(`"a%d":["Date"]`, i))
		}
		items := 0
		annotated := `{"json":` + item(`{}`) + `,"meta":{"values":{"v":["map",{` + strings.Join(notes, ",") + `}]},"v":1}}`
		for left := reading(peer); ; items++ {
			write(t, peer, annotated)
			synctest.Wait()
			select {
			case m := <-left:
				if !strings.Contains(m, `"op":"return"`) || items > 20 {
					t.Errorf("after %d items: %s", items, m)
				}
				ch.Close()
				return
			default:
			}
			if items == 100 {
				t.Fatal("100 items of 1.6 KB, with annotations, fit into 100 KB")
			}
		}
	})
}

func TestStreamsTogetherTooFarAhead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{StreamBuffer: 10_000}})
		failed := make(chan error, 20)
		for i := range 20 {
			go func() {
				for _, err := range kkrpc.Stream[string](t.Context(), ch, "open") {
					if err != nil {
						failed <- err
						return
					}
					<-t.Context().Done()
				}
			}()
			read(t, peer)
			write(t, peer, fmt.Sprintf(`{"t":"r","id":"%d","v":{"__kkrpc_next_stream__":"async-iterable","id":"s%d"}}`, i+1, i))
			read(t, peer)
		}
		for i := range 20 {
			for range 9 {
				write(t, peer, fmt.Sprintf(`{"t":"sr","id":"x","sid":"s%d","v":"%s"}`, i, strings.Repeat("x", 1000)))
			}
			synctest.Wait()
		}
		left := 0
		for done := false; !done; {
			synctest.Wait()
			select {
			case m := <-reading(peer):
				if strings.Contains(m, `"op":"return"`) {
					left++
				}
			case <-time.After(time.Second):
				done = true
			}
		}
		// Nine items of about 1 KB in each stream, and room for 40 KB.
		if left < 14 || left > 18 {
			t.Errorf("%d of 20 streams were ended", left)
		}
		ch.Close()
	})
}

// What a loop has not come to counts for its stream and goes with it: others are not cut to make room for it.
func TestLargestStreamIsCutThoughItsLoopIsBusy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ch, peer := raw(t, kkrpc.Options{Dialect: kkrpc.Compact, Limits: kkrpc.Limits{StreamBuffer: 10_000}})
		goOn, ended := make(chan bool), make(chan error, 4)
		for i := range 5 {
			opened := make(chan iter.Seq2[string, error])
			go func() {
				items, _ := kkrpc.Call[iter.Seq2[string, error]](t.Context(), ch, "open")
				opened <- items
			}()
			read(t, peer)
			write(t, peer, fmt.Sprintf(`{"t":"r","id":"%d","v":{"__kkrpc_next_stream__":"async-iterable","id":"s%d"}}`, i+1, i))
			items := <-opened
			for range 9 - 4*(i/4) { // 38 KB in four streams, of 40 KB, then the fifth
				write(t, peer, fmt.Sprintf(`{"t":"sr","id":"x","sid":"s%d","v":"%s"}`, i, strings.Repeat("x", 1000)))
			}
			if i == 4 {
				break
			}
			synctest.Wait()
			go func() {
				for _, err := range items {
					<-goOn
					if err != nil {
						ended <- err
					}
				}
			}()
			read(t, peer) // the loop is in its body
		}
		// The first item of each is in the body of its loop; of the fifth, five wait, and two more are too much.
		for range 2 {
			write(t, peer, `{"t":"sr","id":"x","sid":"s4","v":"`+strings.Repeat("x", 1000)+`"}`)
		}
		left := reading(peer)
		synctest.Wait()
		if len(left) == 0 {
			t.Fatal("41 KB are too much for 40 KB")
		}
		if got := <-left; !strings.Contains(got, `"op":"return"`) || strings.Contains(got, `"sid":"s4"`) {
			t.Fatalf("what was cut: %s", got)
		}
		close(goOn)
		if err := <-ended; !errors.Is(err, kkrpc.ErrLimit) {
			t.Error(err)
		}
		ch.Close()
	})
}

// reading is the next message, for a select.
func reading(from kkrpc.Transport) <-chan string {
	c := make(chan string, 1)
	go func() {
		if m, _, err := from.ReadFrame(nil); err == nil {
			c <- string(m)
		}
	}()
	return c
}
