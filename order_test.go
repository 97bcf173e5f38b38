package kkrpc_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// starts notes in which order handlers start. It has no lock, for which a handler might wait and be overtaken.
type starts struct {
	n     atomic.Int32
	order [1000]atomic.Int32
}

func (s *starts) note(i int) { s.order[s.n.Add(1)-1].Store(int32(i)) }

// all must not be called while handlers start.
func (s *starts) all() (order []int) {
	for i := range s.n.Load() {
		order = append(order, int(s.order[i].Load()))
	}
	return order
}

// latest returns how many places behind its own a handler started at most.
func (s *starts) latest() (places int) {
	for at, i := range s.all() {
		places = max(places, at-i)
	}
	return places
}

func stepRequest(i int) []byte {
	return fmt.Appendf(nil, `{"t":"q","id":"%d","op":"call","p":["step"],"a":[%d]}`, i, i)
}

// heldWriter is a transport whose first write of a response to hold does not return before go on is closed.
type heldWriter struct {
	requests chan []byte
	hold     string
	held     chan struct{} // closed when that write has begun
	goOn     chan struct{}
}

func (h *heldWriter) ReadFrame([]byte) ([]byte, bool, error) {
	request, ok := <-h.requests
	if !ok {
		return nil, false, io.EOF
	}
	return request, false, nil
}

func (h *heldWriter) TryWriteFrames(frames [][]byte) (bool, error) {
	for _, f := range frames {
		if h.hold != "" && strings.Contains(string(f), h.hold) {
			h.hold = ""
			close(h.held)
			<-h.goOn
		}
	}
	return true, nil
}

func (h *heldWriter) WriteFrames(frames [][]byte) error {
	_, err := h.TryWriteFrames(frames)
	return err
}

func (h *heldWriter) Close(int, string) error { return nil }

// Both places are taken and a request waits. One place becomes free, and the goroutine that takes the waiting request is
// held up before it can start it. Then the other place becomes free, and the leader reads a further request.
func TestRequestTakenFromTheQueueStartsBeforeALaterOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var started starts
		var release [4]chan struct{}
		for i := range release {
			release[i] = make(chan struct{})
		}
		h := &heldWriter{requests: make(chan []byte), hold: `"id":"0"`, held: make(chan struct{}), goOn: make(chan struct{})}
		ch, err := kkrpc.New(context.Background(), h, &kkrpc.Options{
			Expose: kkrpc.Object{"step": func(i int) { started.note(i); <-release[i] }},
			Limits: kkrpc.Limits{Running: 2},
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 { // 0 and 1 take the places, 2 is queued
			h.requests <- stepRequest(i)
			time.Sleep(5 * time.Millisecond)
		}
		close(release[0])
		<-h.held
		close(release[1])
		synctest.Wait()
		h.requests <- stepRequest(3)
		synctest.Wait()
		close(h.goOn)
		time.Sleep(5 * time.Millisecond)
		if got := started.all(); !slices.Equal(got, []int{0, 1, 2, 3}) {
			t.Errorf("handlers started in the order %v", got)
		}
		close(release[2])
		close(release[3])
		close(h.requests)
		<-ch.Done()
		synctest.Wait()
	})
}

// Handlers that return at once, that sleep, and that wait for the peer share few places, while the peer sends a further
// request for each answer.
func TestOrderOfStartsUnderSaturation(t *testing.T) {
	const rounds, requests, window = 20, 300, 100
	for _, running := range []int{1, 2, 4} {
		for round := range rounds {
			bubble(t, func(t *testing.T) {
				var started starts
				step := func(ctx context.Context, i int) error {
					started.note(i)
					switch (i*7 + round) % 5 {
					case 0, 1:
						time.Sleep(time.Duration(3+i%4) * time.Millisecond)
					case 2:
						return kkrpc.FromContext(ctx).Call(ctx, nil, "pause")
					}
					return nil
				}
				_, peer := raw(t, kkrpc.Options{Expose: kkrpc.Object{"step": step}, Limits: kkrpc.Limits{Running: running}})
				sent := 0
				for ; sent < window; sent++ {
					write(t, peer, string(stepRequest(sent)))
				}
				for answers := 0; answers < requests; {
					message := read(t, peer)
					if strings.Contains(message, `"t":"q"`) { // pause
						_, rest, _ := strings.Cut(message, `"id":"`)
						id, _, _ := strings.Cut(rest, `"`)
						write(t, peer, `{"t":"r","id":"`+id+`"}`)
						continue
					}
					if answers++; sent < requests {
						write(t, peer, string(stepRequest(sent)))
						sent++
					}
				}
				if late := started.latest(); late > 0 {
					t.Fatalf("%d places, round %d: a handler started %d places late", running, round, late)
				}
			})
		}
	}
}
