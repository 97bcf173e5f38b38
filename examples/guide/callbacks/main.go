package main

import (
	"context"
	"fmt"
	"log"
	"maps"
	"net/http"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// prices keeps functions of clients, for as long as they can be called.
type prices struct {
	mu        sync.Mutex
	next      int
	listeners map[int]func(price float64) error
}

func (p *prices) subscribe(listener func(price float64) error) (id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.listeners[p.next] = listener
	return p.next
}

func (p *prices) unsubscribe(id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if listener, ok := p.listeners[id]; ok {
		delete(p.listeners, id)
		_ = kkrpc.Release(listener) // the client may forget it now; kkrpc 0.x has no such message
	}
}

func (p *prices) publish(price float64) {
	p.mu.Lock()
	listeners := maps.Clone(p.listeners)
	p.mu.Unlock() // a client that reads slowly must not hold up others
	for id, listener := range listeners {
		if listener(price) != nil { // the connection is closed
			p.unsubscribe(id)
		}
	}
}

func main() {
	p := &prices{listeners: map[int]func(float64) error{}}
	http.Handle("/ws", ws.Handler(kkrpc.Object{
		"copy": func(files []string, progress func(done, total int)) string {
			for i := range files {
				progress(i+1, len(files))
			}
			return "copied"
		},
		"subscribe":   p.subscribe,
		"unsubscribe": p.unsubscribe,
		"publish":     p.publish,
		"remind": func(ctx context.Context, what string) error {
			reminder := kkrpc.NewCallback(func(at string) { fmt.Println(what, "at", at) })
			return kkrpc.FromContext(ctx).Call(ctx, nil, "onAlarm", reminder) // a function of Go, called by TypeScript
		},
	}, nil))
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
