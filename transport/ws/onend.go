package ws

import (
	"context"
	"net/http"
	"sync"
)

// OnEnd has f called once when the connection that r opens has ended, after Options.OnClose. If r does not become a
// connection, f is called when it is refused. So the function of HandlerFor can take something, such as a place in a limit,
// and have it given back whatever happens:
//
//	if !limit.take(user) {
//		return nil, ws.Reject(http.StatusTooManyRequests, "You have too many connections.")
//	}
//	ws.OnEnd(r, func() { limit.give(user) })
//
// It is for requests that HandlerFor and OnOpen get. Several functions are called in reverse order. f must not block. It is
// called at once if the connection has ended. For any other request, such as one of package kkhttp, f is called when the
// context of r ends.
func OnEnd(r *http.Request, f func()) {
	e, ok := r.Context().Value(endsKey{}).(*ends)
	if !ok {
		context.AfterFunc(r.Context(), f)
		return
	}
	if !e.add(f) {
		f()
	}
}

type endsKey struct{}

// ends are the functions to be called at the end of a connection.
type ends struct {
	mu    sync.Mutex
	funcs []func()
	over  bool
}

// withEnds returns r with room for OnEnd.
func withEnds(r *http.Request) (*http.Request, *ends) {
	e := new(ends)
	return r.WithContext(context.WithValue(r.Context(), endsKey{}, e)), e
}

// add reports false if it is too late.
func (e *ends) add(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return false
	}
	e.funcs = append(e.funcs, f)
	return true
}

// run calls the functions, all of them even if one panics.
func (e *ends) run() {
	e.mu.Lock()
	funcs := e.funcs
	e.funcs, e.over = nil, true
	e.mu.Unlock()
	for _, f := range funcs {
		defer f()
	}
}
