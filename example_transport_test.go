package kkrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// port stands for whatever carries messages and delivers them by calling: a message broker, a MessagePort, a device.
type port struct {
	peer      *port
	onMessage func(text string)
	onClose   func()

	closing *sync.Once    // of both ends
	closed  chan struct{} // likewise
}

func ports() (a, b *port) {
	closing, closed := new(sync.Once), make(chan struct{})
	a, b = &port{closing: closing, closed: closed}, &port{closing: closing, closed: closed}
	a.peer, b.peer = b, a
	return a, b
}

func (p *port) post(text string) error {
	select {
	case <-p.closed:
		return errors.New("the port is closed")
	default:
		p.peer.onMessage(text)
		return nil
	}
}

func (p *port) close() {
	p.closing.Do(func() {
		close(p.closed)
		p.peer.onClose()
	})
}

// portTransport is a kkrpc.Transport over a port. Its Inbox is the reading half.
type portTransport struct {
	*kkrpc.Inbox
	port *port
}

func newPortTransport(p *port) *portTransport {
	t := &portTransport{kkrpc.NewInbox(0), p}
	p.onMessage = func(text string) {
		if err := t.Push([]byte(text)); err != nil { // without this message the others are worth nothing
			t.Inbox.Close(err)
			p.close()
		}
	}
	p.onClose = func() { t.Inbox.Close(nil) } // a clean end
	return t
}

func (t *portTransport) WriteFrames(msgs [][]byte) error {
	for _, m := range msgs {
		if err := t.port.post(string(m)); err != nil { // a copy: m is not ours to keep
			return err
		}
	}
	return nil
}

// Close drops code and reason: a port has no place for them.
func (t *portTransport) Close(int, string) error {
	t.Inbox.Close(io.ErrClosedPipe)
	t.port.close()
	return nil
}

// A transport of one's own, over something that delivers by calling. transporttest.Run is the test for it.
func ExampleTransport() {
	ctx := context.Background()
	a, b := ports()
	serving, calling := newPortTransport(a), newPortTransport(b) // both before the first message

	server, err := kkrpc.New(ctx, serving, &kkrpc.Options{Expose: kkrpc.Object{
		"greet": func(name string) string { return "Hello, " + name + "!" },
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := kkrpc.New(ctx, calling, &kkrpc.Options{Dialect: kkrpc.Compact}) // the side that speaks first
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fmt.Println(kkrpc.Call[string](ctx, client, "greet", "World"))
	// Output: Hello, World! <nil>
}
