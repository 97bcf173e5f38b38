package kkrpc

import (
	"fmt"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Requests on references of this side: [id, action, ...path].

var errNoReferences = wire.Error{Name: "Error", Message: "Remote reference operations require kkrpc/remote-refs"}

// lookup finds what m asks for, in the API or in a reference.
func (ch *Channel) lookup(m *wire.Message) (*bind.Method, bind.Invocation, *wire.Error) {
	if m.Kind != wire.Ref {
		return ch.api.bound.Lookup(m)
	}
	if !ch.refsOn.Load() {
		refused := errNoReferences
		return nil, nil, &refused
	}
	path, err := m.Path.Segments(nil)
	if err != nil || len(path) == 0 || path[0] == "" {
		return nil, nil, refError("Missing remote reference id")
	}
	own, err := ch.tables().refs.own(path[0])
	switch {
	case err != nil:
		return nil, nil, ch.wireError(err)
	case own == nil:
		return nil, nil, refError("Unknown remote reference %s", path[0])
	}
	action := ""
	if len(path) > 1 {
		action, path = path[1], path[2:]
	}
	ch.request.ref = own.ref
	return own.lookup(action, path)
}

func (e *localRef) lookup(action string, path []string) (*bind.Method, bind.Invocation, *wire.Error) {
	var kind wire.Kind
	switch function := e.ref.kind == refFunction; {
	case action == "apply" && function:
		return e.ref.function, e.ref.function.Begin(), nil
	case action == "apply":
		return nil, nil, refError("Remote reference %s is not a function", e.id)
	case function:
		return nil, nil, refError("Remote reference %s is not an object", e.id)
	case action == "get" && len(path) == 0:
		method, inv := bind.Get(e.ref)
		return method, inv, nil
	case action == "get":
		kind = wire.Get
	case action == "set":
		kind = wire.Set
	case action == "call":
		kind = wire.Call
	default:
		return nil, nil, refError("Unsupported remote reference operation %s", action)
	}
	return e.ref.api.bound.LookupIn(kind, path)
}

func refError(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "Error", Message: fmt.Sprintf(format, args...)}
}

// released answers a request that gives a reference back, and reports whether m is one. It is never refused: it
// frees memory.
func (ch *Channel) released(m *wire.Message) bool {
	if m.Kind != wire.Ref || !ch.refsOn.Load() {
		return false
	}
	path, err := m.Path.Segments(nil)
	if err != nil || len(path) < 2 || path[0] == "" || path[1] != "release" {
		return false
	}
	received := 0
	if len(path) > 2 {
		received, _ = strconv.Atoi(path[2])
	}
	ch.tables().refs.giveBack(path[0], max(received, 0))
	codec := *ch.codec.Load()
	b := outbox.NewBuffer()
	b.Bytes = codec.EndResult(append(codec.BeginResult(b.Bytes, m.ID), "true"...), nil)
	ch.out.Queue(b)
	return true
}
