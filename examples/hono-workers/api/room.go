package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

type member struct {
	name      string
	onMessage *kkrpc.Callback
}

// maxPlanned is how many messages may wait for their time.
const maxPlanned = 100

type room struct {
	mu      sync.Mutex
	members map[*kkrpc.Channel]member
	planned int // messages that wait
}

func (r *room) join(ch *kkrpc.Channel, m member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[ch] = m
}

func (r *room) leave(ch *kkrpc.Channel, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.members, ch)
}

// sender is the name of whoever calls.
func (r *room) sender(ctx context.Context) (name string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.members[kkrpc.FromContext(ctx)]
	if !ok {
		return "", &kkrpc.Error{Name: "NotAMember", Message: "join first"}
	}
	return m.name, nil
}

func (r *room) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, m := range r.members {
		names = append(names, m.name)
	}
	slices.Sort(names)
	return names
}

// later broadcasts msg when d has passed.
func (r *room) later(d time.Duration, msg Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.planned == maxPlanned {
		return &kkrpc.Error{Name: "TooMany", Message: "too many reminders are waiting"}
	}
	r.planned++
	time.AfterFunc(d, func() {
		r.mu.Lock()
		r.planned--
		r.mu.Unlock()
		r.broadcast(msg)
	})
	return nil
}

func (r *room) broadcast(msg Message) (reached int) {
	r.mu.Lock() // so that all members get all messages in one order; Notify never waits
	defer r.mu.Unlock()
	shared := kkrpc.Share(msg) // encoded once, however many there are
	for _, m := range r.members {
		if m.onMessage.Notify(shared) == nil {
			reached++
		}
	}
	return reached
}
