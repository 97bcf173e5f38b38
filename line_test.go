package kkrpc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// closings tells what a channel closes its transport with.
type closings struct {
	kkrpc.Transport
	told chan string // has room for one
}

func (c *closings) Close(code int, reason string) error {
	select {
	case c.told <- fmt.Sprint(code, " ", reason):
	default:
	}
	return c.Transport.Close(code, reason)
}

// A line of a classic peer may come in pieces, but not for ever.
func TestIncompleteLine(t *testing.T) {
	const whole = `{"id":"1","method":"echo","args":["x"],"type":"request","version":"json"}` + "\n"
	const compact = `{"t":"q","id":"1","op":"call","p":["echo"],"a":["x"]}`
	large := strings.Replace(whole, "x", strings.Repeat("x", 200<<10), 1)
	type piece struct {
		after time.Duration
		text  string
	}
	const s = time.Second
	tests := []struct {
		name    string
		limits  kkrpc.Limits
		dialect kkrpc.Dialect
		pieces  []piece
		ends    time.Duration // after the start; 0: it lives
	}{
		{name: "whole", pieces: []piece{{0, whole}}},
		{name: "whole, with nothing behind it", pieces: []piece{{0, whole + " \n"}}},
		{name: "in time", pieces: []piece{{0, whole[:9]}, {29 * s, whole[9:]}}},
		{name: "never", pieces: []piece{{0, whole[:9]}}, ends: 30 * s},
		{name: "trickling", pieces: []piece{{0, whole[:9]}, {20 * s, whole[9:12]}}, ends: 30 * s},
		{name: "blank frames count for nothing", pieces: []piece{{0, whole[:9]}, {20 * s, " \n"}}, ends: 30 * s},
		{name: "behind a whole one", pieces: []piece{{0, whole}, {20 * s, whole + whole[:9]}}, ends: 50 * s},
		{name: "each line has its time", pieces: []piece{{0, whole[:9]}, {20 * s, whole[9:] + whole[:9]}, {20 * s, whole[9:]}}},
		{name: "the second of two", pieces: []piece{{0, whole[:9]}, {20 * s, whole[9:] + whole[:9]}}, ends: 50 * s},
		{name: "a long one in time", pieces: []piece{{0, large[:64<<10]}, {15 * s, large[64<<10 : 128<<10]}, {14 * s, large[128<<10:]}}},
		{name: "a long one", pieces: []piece{{0, large[:64<<10]}, {20 * s, large[64<<10 : 128<<10]}}, ends: 30 * s},
		{name: "own limit", limits: kkrpc.Limits{Line: s}, pieces: []piece{{0, whole[:9]}}, ends: s},
		{name: "as good as none", limits: kkrpc.Limits{Line: 1<<63 - 1}, pieces: []piece{{0, large[:128<<10]}, {time.Hour, large[128<<10:]}}},
		{name: "the dialect is known", dialect: kkrpc.Classic, pieces: []piece{{0, whole[:9]}}, ends: 30 * s},
		{name: "compact", pieces: []piece{{0, compact}, {time.Hour, whole[:9]}}},
		{name: "compact after half a line", pieces: []piece{{0, whole[:9]}, {10 * s, compact}}},
		{name: "nothing that begins a message", pieces: []piece{{0, "hello"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a, b := kkrpc.Pipe()
				seen := &closings{a, make(chan string, 1)}
				ch, err := kkrpc.New(t.Context(), seen, &kkrpc.Options{
					Expose: kkrpc.Object{"echo": func(s string) string { return s }}, Dialect: test.dialect, Limits: test.limits,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer ch.Close()
				go func() { // ends with the channel
					for {
						if _, _, err := b.ReadFrame(nil); err != nil {
							return
						}
					}
				}()
				start := time.Now()
				for _, p := range test.pieces {
					time.Sleep(p.after)
					write(t, b, p.text)
				}
				if test.ends == 0 {
					select {
					case <-ch.Done():
						t.Errorf("ended after %v: %v", time.Since(start), ch.Err())
					case <-time.After(24 * time.Hour):
					}
					return
				}
				<-ch.Done()
				if took := time.Since(start); took != test.ends {
					t.Errorf("ended after %v, want %v", took, test.ends)
				}
				if err := ch.Err(); !errors.Is(err, kkrpc.ErrLimit) || !errors.Is(err, kkrpc.ErrClosed) || !strings.Contains(err.Error(), "Limits.Line") {
					t.Errorf("closed with %v", err)
				}
				if told := <-seen.told; told != "1008 incomplete line" {
					t.Errorf("the peer is told %s", told)
				}
			})
		})
	}
}
