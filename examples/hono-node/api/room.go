package main

import (
	"maps"
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
	members  map[*kkrpc.Channel]Listener
	messages []Message
}

func newRoom(name string) *room { return &room{name: name, members: map[*kkrpc.Channel]Listener{}} }

func (r *room) join(ch *kkrpc.Channel, onMessage Listener) {
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
	r.mu.Lock()
	if len(r.messages) == keep {
		r.messages = slices.Delete(r.messages, 0, 1)
	}
	r.messages = append(r.messages, msg)
	members := maps.Clone(r.members)
	r.mu.Unlock() // a member that reads slowly must not hold up who joins

	shared := kkrpc.Share(msg) // encoded once, however many there are
	for _, onMessage := range members {
		if onMessage(shared) == nil {
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
