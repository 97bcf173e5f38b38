package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// prices keeps functions of clients, for as long as they can be called.
type prices struct {
	mu        sync.Mutex
	next      int
	listeners map[int]*kkrpc.Callback
}

func (p *prices) subscribe(listener func(price float64)) (id int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.listeners[p.next] = kkrpc.CallbackOf(listener)
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
	p.mu.Lock() // so that all clients get all prices in one order; Notify never waits
	defer p.mu.Unlock()
	news := kkrpc.Share(price) // encoded once for all
	for id, listener := range p.listeners {
		if listener.Notify(news) != nil { // the connection is closed
			delete(p.listeners, id)
		}
	}
}

func main() {
	p := &prices{listeners: map[int]*kkrpc.Callback{}}
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
	log.Print("serving ws://localhost:3000/ws")
	log.Fatal(http.ListenAndServe("localhost:3000", nil))
}
