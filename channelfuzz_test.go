package kkrpc_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// FuzzChannel reads its input as a program of frames, which a peer sends to a channel that exposes one of everything.
// Whatever the peer sends, each request is answered once, and nothing is left when the channel has closed.
func FuzzChannel(f *testing.F) {
	for seed := range byte(40) {
		program := make([]byte, 6000)
		_, _ = rand.NewChaCha8([32]byte{seed}).Read(program)
		program[0] = seed
		f.Add(program)
	}
	f.Fuzz(func(t *testing.T, program []byte) {
		synctest.Test(t, func(t *testing.T) {
			runFrames(t, &frames{program: program, sent: map[string]int{}, texts: map[string]string{}, answered: map[string]int{}})
		})
	})
}

func runFrames(t *testing.T, f *frames) {
	f.dialect = dialects[f.choose(len(dialects))]
	f.spoils = f.choose(2) == 0
	var group kkrpc.Group
	api, alive := fuzzAPI()
	opts := kkrpc.Options{
		Group: &group, Expose: api, CallTimeout: 2 * time.Second, SlowConsumer: kkrpc.Drop,
		Limits: kkrpc.Limits{
			Running: 1 + f.choose(4), Open: 60, RequestQueue: 20_000, Frame: 1 << 20, Decoded: 100_000, Streams: 4, StreamIdle: time.Second,
			StreamBuffer: 3000, Callbacks: 8, References: 8, CallbackQueue: 3000, Backlog: 20_000, SendWait: time.Second, Depth: 40,
		},
		OnError: func(err error) {
			if strings.Contains(err.Error(), "panic") {
				t.Errorf("OnError: %v", err)
			}
		},
	}
	if f.choose(3) > 0 { // else the first message tells
		opts.Dialect = f.dialect
	}
	ch, peer := raw(t, opts)
	if opts.Dialect == 0 {
		write(t, peer, f.envelope(f.call("add", "1,2"))) // the channel knows the dialect before anything can be unreadable in it
		synctest.Wait()
	}
	go func() { // ends with the channel
		for {
			frame, _, err := peer.ReadFrame(nil)
			if err != nil {
				return
			}
			f.heard(t, frame)
		}
	}()
	for steps := 0; len(f.program) > 0 && steps < 400; steps++ {
		batch := make([][]byte, 1+f.choose(3))
		for i := range batch {
			batch[i] = []byte(f.envelope(f.next()))
		}
		if err := peer.WriteFrames(batch); err != nil {
			t.Fatalf("the channel has closed: %v, %v", err, ch.Err())
		}
		switch f.choose(6) {
		case 0:
			synctest.Wait()
		case 1:
			time.Sleep(time.Duration(f.choose(256)) * 5 * time.Millisecond)
		case 2:
			_ = kkrpc.Notify(ch, "told", 1)
		}
	}
	for i := range ch.Stats().Made + 4 { // handlers that wait for a stream end
		end := fmt.Sprintf(`{"t":"sr","id":"x","sid":"a%d","d":true}`, i)
		if !f.compact() {
			end = fmt.Sprintf(`{"id":"%d","method":"","args":{},"type":"stream-end"}`, i)
		}
		write(t, peer, f.line(f.wrap(end, "")))
	}
	time.Sleep(time.Minute) // every call of this side has got its answer or timed out
	synctest.Wait()
	f.check(t, ch)
	if err := ch.Err(); err != nil {
		t.Errorf("the channel has closed: %v", err)
	}
	if s := ch.Stats(); s.Running != 0 || s.Queued != 0 || s.Pending != 0 || s.BytesIn != 0 || s.BytesOut != 0 {
		t.Errorf("a minute later: %+v", s)
	}
	_ = ch.Close()
	synctest.Wait()
	if n := alive.Load(); n != 0 {
		t.Errorf("%d contexts outlive the channel", n)
	}
	if used := group.MemoryUsage().Used; used != 0 {
		t.Errorf("%d bytes count after the end", used)
	}
}

// check compares the requests with their answers.
func (f *frames) check(t *testing.T, ch *kkrpc.Channel) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, id := range f.answers {
		f.answered[id]++
	}
	if f.spoils {
		return
	}
	for id, n := range f.sent {
		if f.answered[id] != n {
			t.Errorf("%d requests with the id %q, %d answers: %s", n, id, f.answered[id], f.texts[id])
		}
	}
}
