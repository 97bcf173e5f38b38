package kkrpc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// referenceKind are the references that crossed a channel, in both directions. A reference stands inside of data, as an
// object with a mark. It implements superjson.ReferenceDecoder.
type referenceKind struct {
	ch   *Channel
	own  exports[*Ref]
	held imports[Ref]
}

func newReferences(ch *Channel, n *news) *referenceKind {
	return &referenceKind{
		ch:   ch,
		own:  exports[*Ref]{limit: ch.limits.References, prefix: newPrefix() + "-"}, // the ids of both sides must differ
		held: imports[Ref]{limit: ch.limits.References, news: n},
	}
}

// newPrefix has as many random bits as the UUIDs of the original. math/rand/v2 takes them from the generator of the
// runtime, which the system has seeded; crypto/rand would do the same and link much more.
func newPrefix() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

func (ch *Channel) refs() *referenceKind { return ch.kinds().list[refIndex].(*referenceKind) }

// receive answers a request that gives a reference back. It is never refused: it frees memory.
func (k *referenceKind) receive(m *wire.Message) (done bool) {
	if !k.ch.refsOn.Load() {
		return false
	}
	path, err := m.Path.Segments(nil)
	if err != nil || len(path) < 2 || path[0] == "" || path[1] != "release" {
		return false
	}
	times := 0
	if len(path) > 2 {
		times, _ = strconv.Atoi(path[2])
	}
	k.own.giveBack(path[0], max(times, 0))
	codec := *k.ch.codec.Load()
	b := outbox.NewBuffer()
	b.Bytes = codec.EndResult(append(codec.BeginResult(b.Bytes, m.ID), "true"...), nil)
	k.ch.out.Queue(b)
	return true
}

func (k *referenceKind) unreadable(*wire.Message, error) {}

// discard notes the references in t as collected, since nobody could release them.
func (k *referenceKind) discard(t text, seen bool) {
	if k.ch.refsOn.Load() && k.in(t.dialect, t.JSON) {
		var ignored any
		_ = superjson.DecodeReferences(superjson.ModeJSON, t.JSON, nil, &ignored, unreadRefs{k, seen})
	}
}

// tell names behind the action how often the reference had come, so that an owner in Go keeps one that it has just sent
// again. kkrpc passes over the number.
func (k *referenceKind) tell(all bool) (more bool) {
	codec := *k.ch.codec.Load()
	for id, times := range k.held.takeGone(all) {
		b := outbox.NewBuffer()
		b.Bytes = codec.AppendRef(b.Bytes, unawaited, []string{id, "release", strconv.Itoa(times)}, nil)
		k.ch.out.Add(b)
	}
	return k.held.more()
}

func (k *referenceKind) clear(error) {
	k.own.clear()
	k.held.clear()
}

// export returns the id of r, a reference of this side, which out carries from now on.
func (k *referenceKind) export(r *Ref, out *values) (id string, err error) {
	if err := r.prepare(); err != nil {
		return "", err
	}
	e, err := k.own.add(r.key(), r, false)
	switch {
	case err == errFull:
		return "", fmt.Errorf("%w: the peer holds %d references of this channel (Limits.References)", ErrLimit, k.own.limit)
	case err != nil:
		return "", err
	}
	out.carried = append(out.carried, e)
	k.ch.refsOn.Store(true)
	return e.id, nil
}

// ours returns the reference of this side with an id. The error is that of one which the peer has released. Both are nil
// for an id that is not of this side.
func (k *referenceKind) ours(id string) (*Ref, error) {
	e, issued := k.own.get(id)
	switch {
	case e != nil:
		return e.value, nil
	case issued:
		return nil, &Error{Name: releasedError, Message: releasedText(id)}
	}
	return nil, nil
}

func releasedText(id string) string { return "RPC remote reference " + id + " has been released" }

// accept returns the peer's reference with this id, the same one for as long as the program holds it.
func (k *referenceKind) accept(id string, kind refKind) (*Ref, error) {
	r, err := k.held.accept(id,
		func(r *Ref) bool { return r.kind == kind && !r.released.Load() },
		func() *Ref { return &Ref{ch: k.ch, id: id, kind: kind} })
	if err == errFull {
		err = &Error{Name: limitError, Message: fmt.Sprintf("this connection already holds %d references; release some", k.held.limit)}
	}
	return r, err
}

// Requests on references of this side: [id, action, ...path].

var errNoReferences = wire.Error{Name: "Error", Message: "Remote reference operations require kkrpc/remote-refs"}

// find implements finder.
func (k *referenceKind) find(m *wire.Message) (method *bind.Method, inv bind.Invocation, on *Ref, refused *wire.Error) {
	if !k.ch.refsOn.Load() {
		none := errNoReferences
		return nil, nil, nil, &none
	}
	path, err := m.Path.Segments(nil)
	if err != nil || len(path) == 0 || path[0] == "" {
		return nil, nil, nil, refError("Missing remote reference id")
	}
	id := path[0]
	on, err = k.ours(id)
	switch {
	case err != nil:
		return nil, nil, nil, k.ch.wireError(err)
	case on == nil:
		return nil, nil, nil, refError("Unknown remote reference %s", id)
	}
	action := ""
	if len(path) > 1 {
		action, path = path[1], path[2:]
	}
	method, inv, refused = on.lookup(id, action, path)
	return method, inv, on, refused
}

// lookup finds what an action on r, a reference of this side, asks for.
func (r *Ref) lookup(id, action string, path []string) (*bind.Method, bind.Invocation, *wire.Error) {
	var kind wire.Kind
	switch function := r.kind == refFunction; {
	case action == "apply" && function:
		return r.function, r.function.Begin(), nil
	case action == "apply":
		return nil, nil, refError("Remote reference %s is not a function", id)
	case function:
		return nil, nil, refError("Remote reference %s is not an object", id)
	case action == "get" && len(path) == 0:
		method, inv := bind.Get(r)
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
	return r.api.bound.LookupIn(kind, path)
}

func refError(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "Error", Message: fmt.Sprintf(format, args...)}
}
