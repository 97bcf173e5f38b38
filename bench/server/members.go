package main

import (
	"context"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// Message is what members get.
type Message struct {
	From   string `json:"from"`
	Number int    `json:"number"`
	Text   string `json:"text"`
}

// members are functions of clients, kept and called as docs/guide/callbacks.md has it.
type members struct {
	mu        sync.Mutex
	listeners map[*kkrpc.Channel]*kkrpc.Callback
}

func newMembers() *members { return &members{listeners: map[*kkrpc.Channel]*kkrpc.Callback{}} }

func (m *members) watch(ctx context.Context, listener func(message Message)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listeners[kkrpc.FromContext(ctx)] = kkrpc.CallbackOf(listener)
}

// tell sends n messages to all members and returns how many deliveries that are.
func (m *members) tell(n int, text string) (delivered int) {
	for i := range n {
		delivered += m.publish(Message{From: "Ada", Number: i, Text: text})
	}
	return delivered
}

// tellShared encodes each message once.
func (m *members) tellShared(n int, text string) (delivered int) {
	for i := range n {
		delivered += m.publish(kkrpc.Share(Message{From: "Ada", Number: i, Text: text}))
	}
	return delivered
}

func (m *members) publish(message any) (delivered int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for ch, listener := range m.listeners {
		if listener.Notify(message) != nil {
			delete(m.listeners, ch)
			continue
		}
		delivered++
	}
	return delivered
}
