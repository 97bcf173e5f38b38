package main

import (
	"errors"
	"sync"

	"github.com/kkrpc-go/kkrpc"
)

// ends keeps how connections have ended, the first ones.
type ends struct {
	mu    sync.Mutex
	texts []string
}

func (e *ends) closed(err error) {
	text := err.Error()
	if errors.Is(err, kkrpc.ErrLimit) {
		text = "limit: " + text
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.texts) < 100 {
		e.texts = append(e.texts, text)
	}
}

// api has ends, which returns those since it was last called.
func (e *ends) api() kkrpc.Object {
	return kkrpc.Object{"ends": func() []string {
		e.mu.Lock()
		defer e.mu.Unlock()
		texts := e.texts
		e.texts = nil
		return texts
	}}
}
