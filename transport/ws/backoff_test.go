//go:build !js

package ws_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	gobwas "github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// waitsOf returns how long a Persistent waits before each of n attempts after the first. outcome is that of each attempt: for
// a connection how long it lasts, negative for none.
func waitsOf(t *testing.T, b ws.Backoff, n int, outcome func(attempt int) time.Duration) (waits []time.Duration) {
	var ended, next time.Time
	attempts, enough := 0, make(chan struct{})
	p, err := ws.DialPersistent(t.Context(), "ws://host.example", &ws.PersistentOptions{
		Backoff:    b,
		Background: true,
		Dial: ws.DialOptions{Ping: -1, RPC: kkrpc.Options{Dialect: kkrpc.Compact}, NetDial: func(context.Context, string, string) (net.Conn, error) {
			if len(waits) == n {
				return nil, errors.New("enough")
			}
			if attempts > 0 {
				waits = append(waits, time.Since(ended))
				if !time.Now().Equal(next) {
					t.Errorf("attempt %d at %v, announced for %v", attempts, time.Now(), next)
				}
			}
			if len(waits) == n {
				close(enough)
				return nil, errors.New("enough")
			}
			attempts++
			lasts := outcome(attempts - 1)
			if lasts < 0 {
				return nil, errors.New("no")
			}
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				if _, err := gobwas.Upgrade(server); err != nil {
					t.Error(err)
				}
				go io.Copy(io.Discard, server)
				time.Sleep(lasts)
			}()
			return client, nil
		}},
		OnState: func(s ws.State) {
			if s.Phase == ws.Waiting {
				ended, next = time.Now(), s.Next
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-enough
	_ = p.Close()
	<-p.Done()
	time.Sleep(time.Minute) // closing handshakes
	return waits
}

func TestBackoff(t *testing.T) {
	never := func(int) time.Duration { return -1 }
	seconds := func(bounds ...float64) (d []time.Duration) {
		for _, b := range bounds {
			d = append(d, time.Duration(b*float64(time.Second)))
		}
		return d
	}
	tests := []struct {
		name    string
		backoff ws.Backoff
		outcome func(int) time.Duration
		bounds  []time.Duration
	}{
		{name: "defaults", outcome: never, bounds: seconds(1, 2, 4, 8, 16, 30, 30, 30)},
		{name: "all given", backoff: ws.Backoff{Min: 100 * time.Millisecond, Max: time.Second, Factor: 3}, outcome: never, bounds: seconds(.1, .3, .9, 1, 1)},
		{name: "does not grow", backoff: ws.Backoff{Min: 2 * time.Second, Max: time.Second, Factor: .5}, outcome: never, bounds: seconds(2, 2, 2)},
		{name: "a connection that lasts starts anew", outcome: func(n int) time.Duration {
			if n == 3 {
				return 10 * time.Second
			}
			return -1
		}, bounds: seconds(1, 2, 4, 1, 2, 4)},
		{name: "a short connection does not", outcome: func(n int) time.Duration {
			if n == 3 {
				return 9 * time.Second
			}
			return -1
		}, bounds: seconds(1, 2, 4, 8, 16, 30)},
		{name: "what lasts is an option", backoff: ws.Backoff{Steady: time.Second}, outcome: func(n int) time.Duration { return time.Second }, bounds: seconds(1, 1, 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const rounds = 40
				sum := make([]time.Duration, len(test.bounds))
				for range rounds {
					for i, wait := range waitsOf(t, test.backoff, len(test.bounds), test.outcome) {
						if wait <= 0 || wait > test.bounds[i] {
							t.Errorf("wait %d: %v, want at most %v", i, wait, test.bounds[i])
						}
						sum[i] += wait
					}
				}
				for i, bound := range test.bounds { // jitter over the whole range: the mean is in its middle
					if mean := sum[i] / rounds; mean < bound/4 || mean > bound*3/4 {
						t.Errorf("wait %d: mean %v of waits up to %v", i, mean, bound)
					}
				}
			})
		})
	}
}

// What a server asks for with Retry-After is waited too, up to Backoff.Max.
func TestRetryAfter(t *testing.T) {
	tests := []struct {
		value string
		want  time.Duration
		max   time.Duration // Backoff.Max; 0: the default
	}{
		{"5", 5 * time.Second, 0},
		{" 7 ", 7 * time.Second, 0},
		{"100000000", 30 * time.Second, 0},
		{"-5", 0, 0},
		{"soon", 0, 0},
		{"99999999999999999999", 0, 0},
		{time.Date(2000, 1, 1, 0, 0, 20, 0, time.UTC).Format(http.TimeFormat), 20 * time.Second, 0},
		{time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), 0, 0},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).Format(http.TimeFormat), math.MaxInt64, math.MaxInt64},
	}
	for _, test := range tests {
		t.Run(test.value, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				waiting := make(chan time.Duration, 1)
				p, err := ws.DialPersistent(t.Context(), "ws://host.example", &ws.PersistentOptions{
					Background: true,
					Backoff:    ws.Backoff{Min: time.Nanosecond, Max: test.max},
					Dial: ws.DialOptions{NetDial: func(context.Context, string, string) (net.Conn, error) {
						client, server := net.Pipe()
						go func() {
							defer server.Close()
							_, _ = http.ReadRequest(bufio.NewReader(server))
							fmt.Fprintf(server, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", test.value)
						}()
						return client, nil
					}},
					OnState: func(s ws.State) {
						if s.Phase == ws.Waiting {
							select {
							case waiting <- time.Until(s.Next):
							default:
							}
						}
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				if got := (<-waiting).Truncate(time.Millisecond); got != test.want.Truncate(time.Millisecond) {
					t.Errorf("waits %v, want %v", got, test.want)
				}
				_ = p.Close()
				<-p.Done()
			})
		})
	}
}
