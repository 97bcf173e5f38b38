package kkrpc

import (
	"context"
	"io"
	"strings"
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
