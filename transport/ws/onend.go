package ws

import (
	"context"
	"net/http"
	"sync"
)

// OnEnd has f called once when the connection that r opens has ended, after Options.OnClose. If r does not become a
// connection, f is called when r is refused. The function of HandlerFor can thus reserve something, such as a place in a
// limit, and be sure that f releases it:
//
//	if !limit.take(user) {
//		return nil, ws.Reject(http.StatusTooManyRequests, "You have too many connections.")
//	}
//	ws.OnEnd(r, func() { limit.give(user) })
//
// r is a request that HandlerFor or OnOpen got. Several functions are called in reverse order. f must not block. OnEnd
// calls f at once if the connection has ended. For any other request, such as one of package kkhttp, f is called when
// the context of r ends.
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

// ends are the functions to call at the end of a connection.
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

// add reports whether f will be called: false once run has begun.
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
