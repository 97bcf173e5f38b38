//go:build !js

package ws

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

var idlePairs = []struct {
	name string
	pair func(testing.TB) (client, server net.Conn)
}{
	{"readiness of the socket", tcpPair},
	{"TLS, with an idle buffer", tlsPair},
}

func TestInterruptedConnectionGoesOn(t *testing.T) {
	for _, tt := range idlePairs {
		t.Run(tt.name, func(t *testing.T) {
			client, nc := tt.pair(t)
			c := newConn(nc, nil, config{})
			defer c.Close(1000, "")
			for i := range 3 {
				interrupted := make(chan bool)
				go func() { interrupted <- c.AwaitFrame() }()
				for c.reader.Load() != readerWaiting {
				}
				c.Interrupt()
				if !<-interrupted {
					t.Fatal("AwaitFrame says that there is something to read")
				}
				text := fmt.Sprintf("message %d", i)
				if _, err := client.Write(fromClient(1, true, text)); err != nil {
					t.Fatal(err)
				}
				if c.AwaitFrame() {
					t.Fatal("AwaitFrame was interrupted")
				}
				c.Interrupt() // nobody waits
				if msg, _, err := c.ReadFrame(nil); err != nil || string(msg) != text {
					t.Fatalf("ReadFrame: %q, %v, want %q", msg, err, text)
				}
			}
			client.Close()
			if c.AwaitFrame() {
				t.Error("AwaitFrame was interrupted")
			}
			if _, _, err := c.ReadFrame(nil); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("ReadFrame after the end: %v, want %v", err, io.ErrUnexpectedEOF)
			}
		})
	}
}

// Under the race detector it shows that nobody touches a buffer that the reader has given back, or still has.
func TestInterruptAndCloseWhileReading(t *testing.T) {
	for _, tt := range idlePairs {
		t.Run(tt.name, func(t *testing.T) {
			for round := range 20 {
				client, nc := tt.pair(t)
				c := newConn(nc, nil, config{})
				var others sync.WaitGroup
				stop := make(chan struct{})
				others.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
							c.Interrupt()
						}
					}
				})
				others.Go(func() {
					for i := range 200 {
						if _, err := client.Write(fromClient(1, true, fmt.Sprint(i))); err != nil {
							return // closed
						}
					}
				})
				closeAt, next := round*20, 0
				for {
					if next == closeAt {
						others.Go(func() { c.Close(1000, "") })
					}
					if c.AwaitFrame() {
						continue
					}
					msg, _, err := c.ReadFrame(nil)
					if err != nil {
						if !errors.Is(err, net.ErrClosed) {
							t.Errorf("ReadFrame: %v, want %v", err, net.ErrClosed)
						}
						break
					}
					if string(msg) != fmt.Sprint(next) {
						t.Fatalf("message %q, want %d", msg, next)
					}
					if next++; next == 200 {
						others.Go(func() { c.Close(1000, "") })
					}
				}
				close(stop)
				client.Close()
				others.Wait()
			}
		})
	}
}
