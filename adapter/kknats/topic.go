package kknats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/kkrpc-go/kkrpc/rooms"
)

func (b *backplane) topic(name string) string   { return b.opts.Prefix + ".topics." + encode(name) }
func (b *backplane) request(name string) string { return b.opts.Prefix + ".requests." + encode(name) }

// responders is the queue group of those who respond, of which NATS chooses one.
const responders = "kkrpc"

// tooLarge is a header of an answer that is too large for the servers.
const tooLarge = "Kkrpc-Too-Large"

func (b *backplane) Publish(topic string, data []byte) error {
	if err := rooms.CheckName(topic); err != nil {
		return err
	}
	return failed("publish", b.nc.Publish(b.topic(topic), data))
}

// failed returns the error for one of NATS.
func failed(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrMaxPayload):
		return fmt.Errorf("%w: kknats: %s: %v", rooms.ErrTooLarge, what, err)
	}
	return fmt.Errorf("%w: kknats: %s: %v", rooms.ErrUnavailable, what, err)
}

func (b *backplane) Subscribe(topic string, receive func(data []byte)) (stop func(), err error) {
	if err := rooms.CheckName(topic); err != nil {
		return nil, err
	}
	return b.listen("subscribe", b.topic(topic), "", func(m *nats.Msg) { receive(m.Data) })
}

func (b *backplane) Respond(topic string, answer func(data []byte) []byte) (stop func(), err error) {
	if err := rooms.CheckName(topic); err != nil {
		return nil, err
	}
	return b.listen("respond", b.request(topic), responders, func(m *nats.Msg) {
		if err := m.Respond(answer(m.Data)); errors.Is(err, nats.ErrMaxPayload) {
			m.RespondMsg(&nats.Msg{Header: nats.Header{tooLarge: {err.Error()}}})
		}
	})
}

// listen calls get with each message until stop is called. It returns once the server that this node is connected to knows,
// which passes it on to the other servers.
func (b *backplane) listen(what, subject, queue string, get func(*nats.Msg)) (stop func(), err error) {
	var mu sync.Mutex // taken when get is called
	stopped := false
	sub, err := b.nc.QueueSubscribe(subject, queue, func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			get(m)
		}
	})
	if err != nil {
		return nil, failed(what, err)
	}
	if b.nc.IsConnected() { // otherwise the server gets to know with the next connection
		b.nc.FlushTimeout(time.Second)
	}
	return func() {
		sub.Unsubscribe()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
	}, nil
}

func (b *backplane) Request(ctx context.Context, topic string, data []byte) ([]byte, error) {
	if err := rooms.CheckName(topic); err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, b.opts.Timeout)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	m, err := b.nc.RequestWithContext(ctx, b.request(topic), data)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, rooms.ErrNoResponder
	case err != nil:
		return nil, failed("request", err)
	case m.Header.Get(tooLarge) != "":
		return nil, fmt.Errorf("%w: kknats: the answer: %s", rooms.ErrTooLarge, m.Header.Get(tooLarge))
	}
	return m.Data, nil
}
