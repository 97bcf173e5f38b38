package main

import (
	"slices"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

const (
	keep    = 100     // messages that a room remembers
	maxText = 4 << 10 // bytes of one
)

type room struct {
	name string

	mu       sync.Mutex
	members  map[*kkrpc.Channel]*kkrpc.Callback
	messages []Message
}

func newRoom(name string) *room {
	return &room{name: name, members: map[*kkrpc.Channel]*kkrpc.Callback{}}
}

func (r *room) join(ch *kkrpc.Channel, onMessage *kkrpc.Callback) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[ch] = onMessage
}

func (r *room) leave(ch *kkrpc.Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, ch)
}

func (r *room) send(msg Message) (reached int) {
	r.mu.Lock() // so that all members get all messages in one order; Notify never waits
	defer r.mu.Unlock()
	if len(r.messages) == keep {
		r.messages = slices.Delete(r.messages, 0, 1)
	}
	r.messages = append(r.messages, msg)
	shared := kkrpc.Share(msg) // encoded once, however many there are
	for _, onMessage := range r.members {
		if onMessage.Notify(shared) == nil {
			reached++
		}
	}
	return reached
}

func (r *room) history() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}
