//go:build !js

package ws

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A peer that takes some bytes now and then keeps every single write alive. It has to read faster than SendTime says.
func TestSendTime(t *testing.T) {
	const minute = time.Minute
	tests := []struct {
		name string
		rate int           // bytes per second that the peer reads
		size int           // of the message
		dies time.Duration // after the write has begun, at most; 0: it lives
		time time.Duration // 0 means a minute
	}{
		{name: "a large message at 3.6 KB/s", rate: 3600, size: 8 << 20, dies: 76 * time.Second},
		{name: "a large message at 13.6 KB/s", rate: 13_600, size: 8 << 20, dies: 270 * time.Second},
		{name: "a large message at 20 KB/s", rate: 20_000, size: 8 << 20},
		{name: "a small message at 3.6 KB/s", rate: 3600, size: 128 << 10},
		{name: "twice the time", rate: 13_600, size: 8 << 20, time: 2 * minute},
		{name: "any time", rate: 3600, size: 2 << 20, time: -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, nc := net.Pipe()
				option := test.time
				c := newConn(nc, nil, config{sendTime: sendTime(option)})
				go func() { // ends with the connection
					for {
						if _, err := io.CopyN(io.Discard, client, int64(test.rate/10)); err != nil {
							return
						}
						time.Sleep(time.Second / 10)
					}
				}()
				began := time.Now()
				err := c.WriteFrames([][]byte{make([]byte, test.size)})
				took := time.Since(began)
				var v *CloseError
				switch {
				case test.dies == 0 && err != nil:
					t.Errorf("after %v: %v", took, err)
				case test.dies == 0:
				case !errors.As(err, &v) || v.Code != 1008 || !strings.Contains(v.Reason, "SendTime"):
					t.Errorf("after %v: %v", took, err)
				case took > test.dies || took < minute:
					t.Errorf("it dies after %v, want %v at most", took, test.dies)
				}
				_ = c.Close(1000, "")
				client.Close()
				time.Sleep(minute) // closing handshake
			})
		})
	}
}

// What the peer takes at once buys it no time.
func TestSendTimeHasNoCredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, nc := net.Pipe()
		c := newConn(nc, nil, config{sendTime: time.Minute, timeout: time.Hour})
		go io.CopyN(io.Discard, client, 6<<20)
		began := time.Now()
		err := c.WriteFrames([][]byte{make([]byte, 8<<20)})
		if took := time.Since(began); took != time.Minute || !strings.Contains(err.Error(), "SendTime") {
			t.Errorf("after %v: %v", took, err)
		}
		client.Close()
		_ = c.Close(1000, "")
		time.Sleep(time.Minute)
	})
}

// On every kind of connection a slow reader is noticed, and a quick one is left alone.
func TestSendTimeNetworks(t *testing.T) {
	random := make([]byte, 1<<20) // hardly compresses
	for i := range random {
		random[i] = byte('a' + rand.IntN(26))
	}
	msgs := [][]byte{random, random, random, random, random, random, random, random, random, random, random, random, random, random, random, random}
	for _, network := range networks {
		for _, deflate := range []bool{false, true} {
			for _, try := range []bool{false, true} {
				name := network.name
				if deflate {
					name += ", compressed"
				}
				if try {
					name += ", tried first"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel() // they mostly wait for the slow reader
					client, nc := network.pair(t)
					c := newConn(nc, nil, config{sendTime: 300 * time.Millisecond, deflate: deflate})
					stop := make(chan struct{})
					defer close(stop)
					go func() { // a quarter of a MiB each second
						p := make([]byte, 1<<14)
						for {
							select {
							case <-stop:
								return
							case <-time.After(time.Second / 16):
							}
							if _, err := client.Read(p); err != nil {
								return
							}
						}
					}()
					var err error
					if done := false; try {
						if done, err = c.TryWriteFrames(msgs); done {
							t.Fatal("the system has room for everything")
						}
						if err == nil {
							err = c.WriteFrames(nil)
						}
					} else {
						err = c.WriteFrames(msgs)
					}
					var v *CloseError
					if !errors.As(err, &v) || v.Code != 1008 {
						t.Errorf("a slow reader: %v", err)
					}

					quick, nc := network.pair(t)
					c = newConn(nc, nil, config{sendTime: 20 * time.Second, deflate: deflate})
					go io.Copy(io.Discard, quick)
					if err := c.WriteFrames(msgs); err != nil {
						t.Errorf("a quick reader: %v", err)
					}
				})
			}
		}
	}
}
