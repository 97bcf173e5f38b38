package main

import (
	"context"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// room has what connections keep for the others to call.
type room struct {
	mu        sync.Mutex
	listeners map[*kkrpc.Channel]func(string)
}

func (r *room) api() kkrpc.Object {
	return kkrpc.Object{
		"listen": func(ctx context.Context, tell func(string)) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.listeners == nil {
				r.listeners = map[*kkrpc.Channel]func(string){}
			}
			r.listeners[kkrpc.FromContext(ctx)] = tell
		},
		// tellOthers calls what the other connections keep, and returns how many those are.
		"tellOthers": func(ctx context.Context, text string) (told int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			for ch, tell := range r.listeners {
				if ch != kkrpc.FromContext(ctx) {
					tell(text)
					told++
				}
			}
			return told
		},
		// askOthers calls notify of the other connections, and waits for what they answer.
		"askOthers": func(ctx context.Context, text string) (answers []string, err error) {
			r.mu.Lock()
			var others []*kkrpc.Channel
			for ch := range r.listeners {
				if ch != kkrpc.FromContext(ctx) {
					others = append(others, ch)
				}
			}
			r.mu.Unlock()
			for _, ch := range others {
				answer, err := kkrpc.Call[string](ctx, ch, "notify", text)
				if err != nil {
					return nil, err
				}
				answers = append(answers, answer)
			}
			return answers, nil
		},
	}
}

func (r *room) leave(ch *kkrpc.Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.listeners, ch)
}
