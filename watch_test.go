package kkrpc

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// Behind a handler that takes long, others wait for two ticks.
func TestWatchdogPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		sleep := func() { time.Sleep(time.Second) }
		s, err := New(context.Background(), a, &Options{Expose: Object{
			"quick": func() {}, "slow": Object{"first": sleep, "second": sleep},
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c, err := New(context.Background(), b, &Options{Dialect: Compact})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		call := func(path string) {
			if err := c.Call(context.Background(), nil, path); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		for _, test := range []struct {
			behind string
			before time.Duration // of calls that are all quick
		}{
			{"slow.first", 0},
			{"slow.second", 100 * watchInterval},
		} {
			for start := time.Now(); time.Since(start) < test.before; time.Sleep(watchInterval / 3) {
				call("quick")
			}
			done := make(chan struct{})
			go func() {
				call(test.behind)
				close(done)
			}()
			synctest.Wait()
			start := time.Now()
			call("quick")
			if waited := time.Since(start); waited == 0 || waited > 2*watchInterval {
				t.Errorf("a call behind %s waited %v, want at most %v", test.behind, waited, 2*watchInterval)
			}
			<-done
		}
	})
}
