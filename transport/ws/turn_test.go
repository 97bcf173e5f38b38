//go:build unix

package ws

import (
	"bytes"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// On one processor, a connection has many requests ready, each of which takes a while. Another one gets a request
// meanwhile. Only the kernel knows of it, and the scheduler would ask the kernel after 10 ms, or when nothing is left to do.
func TestABusyConnectionLetsOthersBeRead(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const frames, size, work = 80, 3 << 10, 30 * time.Microsecond // a buffer holds 5 of them
	connect := func() (client, server *conn) {
		a, b := tcpPair(t)
		_ = a.(*net.TCPConn).SetWriteBuffer(1 << 20)
		_ = b.(*net.TCPConn).SetReadBuffer(1 << 20)
		client, server = newConn(a, nil, config{client: true}), newConn(b, nil, config{})
		t.Cleanup(func() { client.Close(1000, ""); server.Close(1000, "") })
		return client, server
	}
	busyClient, busy := connect()
	otherClient, other := connect()
	var served atomic.Int32
	at := make(chan int32, 1)
	go func() {
		if _, _, err := other.LendFrame(); err != nil {
			t.Error(err)
		}
		at <- served.Load()
	}()
	var batch [][]byte
	for range frames {
		batch = append(batch, bytes.Repeat([]byte("x"), size))
	}
	if err := busyClient.WriteFrames(batch); err != nil {
		t.Fatal(err)
	}
	for other.reader.Load() != readerBusy {
		runtime.Gosched() // on the only processor, until the other goroutine waits in the kernel
	}
	for range frames {
		if _, _, err := busy.LendFrame(); err != nil {
			t.Fatal(err)
		}
		if served.Load() == 0 {
			if err := otherClient.WriteFrames([][]byte{[]byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		for end := time.Now().Add(work); time.Now().Before(end); {
		}
		served.Add(1)
	}
	if n := <-at; n > 40 {
		t.Errorf("the other connection was read after %d requests of %d", n, frames)
	}
}

// On one processor, more goroutines yield than there are processors, so that one of them is always ready. A socket with data
// is read within a few of their turns all the same.
func TestManyWhoYieldLetSocketsBeRead(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const busy, work = 20, 20 * time.Microsecond
	a, b := tcpPair(t)
	var turns atomic.Int32
	var stop atomic.Bool
	at := make(chan int32, 1)
	go func() {
		if _, err := b.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		at <- turns.Load()
		stop.Store(true)
	}()
	var ended sync.WaitGroup
	for range busy {
		ended.Go(func() {
			for !stop.Load() {
				for end := time.Now().Add(work); time.Now().Before(end); {
				}
				if turns.Add(1) == 10*busy {
					if _, err := a.Write([]byte("x")); err != nil {
						t.Error(err)
					}
				}
				yield()
			}
		})
	}
	ended.Wait()
	if n := <-at - 10*busy; n > 5*busy {
		t.Errorf("it was read after %d turns of %d goroutines", n, busy)
	}
}

// Goroutines of two bubbles, and one of none, yield at a time.
func TestYieldInBubbles(t *testing.T) {
	var stop atomic.Bool
	var outside sync.WaitGroup
	for range 4 {
		outside.Go(func() {
			for !stop.Load() {
				yield()
			}
		})
	}
	var bubbles sync.WaitGroup
	for range 2 {
		bubbles.Go(func() {
			synctest.Test(t, func(*testing.T) {
				var all sync.WaitGroup
				for range 4 {
					all.Go(func() {
						for range 50 {
							yield()
						}
					})
				}
				all.Wait()
			})
		})
	}
	bubbles.Wait()
	stop.Store(true)
	outside.Wait()
}

// A pipe that has broken is replaced.
func TestTurnstileReplacesItsPipe(t *testing.T) {
	var own turnstile
	own.pass()
	broken := own.pipe
	if broken == nil {
		t.Skip("no descriptors left")
	}
	_ = broken.w.Close()
	own.pass()
	own.pass()
	if own.pipe == nil || own.pipe == broken {
		t.Errorf("the pipe is %p, the broken one %p", own.pipe, broken)
	}
}
