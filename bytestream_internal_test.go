package kkrpc

import (
	"context"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

type closeCounter struct {
	io.Reader
	closes int
}

func (c *closeCounter) Close() error { c.closes++; return nil }

// A stream can end before this side notes that its request was sent. Its reader then is no longer the caller's.
func TestReaderOfARequestThatIsBeingSent(t *testing.T) {
	for _, sent := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			a, b := Pipe()
			defer b.Close(1000, "")
			ch, err := New(context.Background(), a, &Options{Dialect: Compact})
			if err != nil {
				t.Fatal(err)
			}
			defer ch.Close()
			r := &closeCounter{Reader: strings.NewReader("a")}
			streams := ch.kinds().list[streamIndex].(*streamKind)
			s, err := streams.out.produce(*ch.codec.Load(), &readerProducer{reader: r}, nil)
			if err != nil {
				t.Fatal(err)
			}
			streams.out.stop(s)
			if sent {
				s.sent()
			}
			synctest.Wait()
			if want := map[bool]int{false: 0, true: 1}[sent]; r.closes != want {
				t.Errorf("sent %v: closed %d times", sent, r.closes)
			}
		})
	}
}

// The last chunk that a reader has taken does not count once nobody can read it.
func TestMemoryOfReadersThatAreLeft(t *testing.T) {
	for name, leave := range map[string]func(r io.ReadCloser){
		"returned":  func(io.ReadCloser) {},
		"closed":    func(r io.ReadCloser) { r.Close() },
		"collected": nil,
		"read":      func(r io.ReadCloser) { _, _ = io.Copy(io.Discard, r) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var counted atomic.Int64
				var stream *inStream
				var kept io.Reader
				look := func(r io.Reader) {
					stream = r.(*byteReader).handle.stream
					stream.mu.Lock()
					defer stream.mu.Unlock()
					counted.Store(int64(stream.counted))
				}
				chunk := make([]byte, 1)
				server := Object{
					"take": func(r io.ReadCloser) error {
						kept = r
						_, err := r.Read(chunk)
						look(r)
						leave(r)
						return err
					},
					"open": func() io.Reader { return strings.NewReader(strings.Repeat("a", chunkSize)) },
				}
				a, b := Pipe()
				s, err := New(context.Background(), a, &Options{Expose: server})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				c, err := New(context.Background(), b, &Options{Dialect: Compact})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if leave != nil {
					if err := c.Call(t.Context(), nil, "take", strings.NewReader(strings.Repeat("a", 100_000))); err != nil {
						t.Fatal(err)
					}
				} else {
					func() {
						r, err := Call[io.Reader](t.Context(), c, "open")
						if err != nil {
							t.Fatal(err)
						}
						synctest.Wait() // the end has come with the last item
						if _, err := r.Read(chunk); err != nil {
							t.Fatal(err)
						}
						synctest.Wait()
						look(r)
					}()
				}
				if counted.Load() < chunkSize {
					t.Errorf("%d bytes counted while a chunk was read", counted.Load())
				}
				left := func() int {
					stream.mu.Lock()
					defer stream.mu.Unlock()
					return stream.counted
				}
				for tries := 0; left() != 0; tries++ {
					if tries == 100 {
						t.Fatalf("%d bytes are counted in the end", left())
					}
					runtime.GC()
					synctest.Wait()
				}
				runtime.KeepAlive(kept)
			})
		})
	}
}
