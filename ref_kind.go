package kkrpc

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
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
// runtime, which the system has seeded. crypto/rand would do so too, and link much more.
func newPrefix() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// write: a reference stands inside of data.
func (k *referenceKind) write(_ *values, dst []byte, _ place, _ any) ([]byte, bool, error) {
	return dst, false, nil
}

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

func (k *referenceKind) unreadable(*wire.Message, error) (told bool) { return false }

// discard notes the references in t as collected, since nobody could release them.
func (k *referenceKind) discard(t text, seen bool) {
	if k.ch.refsOn.Load() && k.in(t.dialect, t.JSON) {
		var ignored any
		_ = superjson.DecodeMetered(superjson.ModeJSON, t.JSON, nil, &ignored, unreadRefs{k, seen}, k.ch.meter(t.JSON, nil))
	}
}

// tell writes behind the action how often the reference had come. So an owner in Go keeps a reference that it has just
// sent again. kkrpc ignores the number.
func (k *referenceKind) tell(all bool) (more bool) {
	codec := *k.ch.codec.Load()
	for id, times := range k.held.takeGone(all) {
		b := outbox.NewBuffer()
		b.Bytes = codec.AppendRef(b.Bytes, unawaited, []string{id, "release", strconv.Itoa(times)}, nil)
		k.ch.out.Add(b)
	}
	return k.held.more()
}

func (k *referenceKind) forget(id string, handle any) { k.held.forget(id, handle.(*Ref)) }

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
	case issued && k.ch.onHold.Load(): // a call that is about to run again may bring it back
		return nil, &Error{Name: "RPCHibernatedError", Message: fmt.Sprintf("the object wakes and has no remote reference %s yet; the request did not run", id)}
	case issued:
		return nil, &Error{Name: releasedError, Message: releasedText(id)}
	}
	return nil, nil
}

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

// find implements insider.
func (k *referenceKind) find(m *wire.Message) (method *bind.Method, inv bind.Invocation, on any, refused *wire.Error) {
	if !k.ch.refsOn.Load() {
		none := errNoReferences
		return nil, nil, nil, &none
	}
	path, err := m.Path.Segments(nil)
	if err != nil || len(path) == 0 || path[0] == "" {
		return nil, nil, nil, refError("Missing remote reference id")
	}
	id := path[0]
	r, err := k.ours(id)
	switch {
	case err != nil:
		return nil, nil, nil, toWire(err)
	case r == nil:
		return nil, nil, nil, refError("Unknown remote reference %s", id)
	}
	action := ""
	if len(path) > 1 {
		action, path = path[1], path[2:]
	}
	method, inv, refused = r.lookup(id, action, path)
	return method, inv, r, refused
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
	return r.api.LookupIn(kind, path)
}

func refError(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "Error", Message: fmt.Sprintf(format, args...)}
}

// append implements insider.
func (k *referenceKind) append(out *values, dst []byte, v any) ([]byte, error) {
	r := v.(*Ref)
	origin := r.origin()
	id := origin.id
	switch {
	case out.classic:
		return dst, fmt.Errorf("a reference: %w", ErrUnsupported)
	case origin.ch == nil:
		var err error
		if id, err = k.export(origin, out); err != nil {
			return dst, err
		}
	case origin.ch != k.ch:
		return dst, errors.New("a reference that came over another channel cannot be passed on; pass a func that calls it")
	case origin.released.Load():
		return dst, fmt.Errorf("a reference: %w", ErrReleased)
	}
	dst = append(dst, `{"`+refTag+`":true,"id":`...)
	dst = wire.AppendString(dst, id)
	dst = append(dst, `,"kind":"`...)
	dst = append(dst, origin.kind...) // which export has set, for one of this side
	dst = append(dst, '"')
	if len(r.path) > 0 {
		dst = wire.AppendStrings(append(dst, `,"p":`...), r.path)
	}
	return append(dst, '}'), nil
}

// ReferenceType implements superjson.ReferenceDecoder.
func (k *referenceKind) ReferenceType() reflect.Type { return refType }

// DecodeReference implements superjson.ReferenceDecoder.
func (k *referenceKind) DecodeReference(object map[string]any, typed bool) (any, error) {
	return k.decode(object, typed, nil)
}

// decode is DecodeReference for a value that came earlier. kept are its references of this side, which may have been
// given back since.
func (k *referenceKind) decode(object map[string]any, typed bool, kept map[string]*Ref) (any, error) {
	if !typed && !k.ch.refsOn.Load() {
		return nil, nil
	}
	id, kind, path, ok := refParts(object)
	if !ok {
		return nil, nil
	}
	if len(id) > maxHandleID {
		return nil, &Error{Name: limitError, Message: fmt.Sprintf("the id of a reference is longer than %d bytes", maxHandleID)}
	}
	k.ch.refsOn.Store(true)
	own := kept[id]
	if own == nil {
		var err error
		if own, err = k.ours(id); err != nil {
			return nil, err
		}
	}
	if own == nil {
		r, err := k.accept(id, kind)
		if err != nil {
			return nil, err
		}
		return r.part(path), nil
	}
	if own.kind == refFunction || len(path) == 0 {
		return own, nil
	}
	if missing := own.api.Has(path); missing != nil {
		return nil, fromWire(missing)
	}
	return own.part(path), nil
}

// appendRequest implements subject for a reference of the peer.
func (r *Ref) appendRequest(dst []byte, codec wire.Codec, out *values, name string, op *outgoing) ([]byte, error) {
	tail := &out.tail
	path, err := r.request(op)
	if err != nil {
		return dst, err
	}
	switch {
	case op.kind == wire.Call:
		dst = codec.BeginCall(dst, wire.Ref, name, path)
		if dst, err = out.ch.appendBareArgs(dst, codec, out, op.args); err != nil {
			return dst, err
		}
		tail.Metadata, err = out.metadata(&op.meta) // behind the arguments, which may be written again
		return codec.EndCall(dst, wire.Ref, tail), err
	case op.kind == wire.Set && !isUndefined(op.args[0]):
		dst = codec.BeginRefSet(dst, name, path)
		if dst, _, err = out.AppendAny(dst, codec.SetPath(), op.args[0]); err != nil {
			return dst, err
		}
		tail.Metadata, err = out.metadata(&op.meta)
		return codec.EndSet(dst, path, tail), err
	default:
		if tail.Metadata, err = out.metadata(&op.meta); err != nil {
			return dst, err
		}
		return codec.AppendRef(dst, name, path, tail), nil
	}
}

// appendInvocation implements target.
func (r *Ref) appendInvocation(dst []byte, codec wire.Codec, out *values, name string, args []any) ([]byte, error) {
	dst = codec.BeginCall(dst, wire.Ref, name, []string{r.id, "apply"})
	dst, err := out.ch.appendBareArgs(dst, codec, out, args)
	return codec.EndCall(dst, wire.Ref, &out.tail), err
}

// isReleased implements target.
func (r *Ref) isReleased() bool { return r.released.Load() }

// appendBareArgs is appendArgs for a request on a reference, whose arguments have no envelopes in the original. It reads
// them, though, so that what would be lost or taken for one gets one.
func (ch *Channel) appendBareArgs(dst []byte, codec wire.Codec, out *values, args []any) ([]byte, error) {
	start := len(dst)
	for _, arg := range args {
		if isUndefined(arg) || isCallback(arg) || bind.IsStream(arg) || bind.CheckWriter(arg) != nil {
			return ch.appendArgs(dst, codec, out, args)
		}
	}
	for i, arg := range args {
		var err error
		dst = codec.BeginBareArg(dst, i)
		if dst, err = out.Append(dst, codec.BareArgPath(i), arg); err != nil {
			return dst, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	// Raw JSON of the program's may spell the mark of an envelope with escapes.
	if text := dst[start:]; bytes.Contains(text, []byte("__kkrpc_next_arg__")) || bytes.Contains(text, []byte(`\u`)) {
		out.takeBack()
		out.enc.Reset(out.enc.Mode())
		return ch.appendArgs(dst[:start], codec, out, args)
	}
	return dst, nil
}

// in reports whether there may be references in raw.
func (k *referenceKind) in(d wire.Dialect, raw []byte) bool {
	return !d.IsClassic() && bytes.Contains(raw, []byte(`"`+refTag+`"`))
}

// decoder implements insider.
func (k *referenceKind) decoder(d wire.Dialect, raw []byte, pins any) superjson.ReferenceDecoder {
	switch own, _ := pins.(map[string]*Ref); {
	case !k.in(d, raw):
		return nil
	case own != nil:
		return keptRefs{k, own}
	}
	return k
}

// A result, or an item of a stream, is decoded by the goroutine that waits for it. The leader may have handled later
// messages by then. One of them may give back a reference of this side that is in the result. A peer in Go may collect
// a reference as soon as it is sent.

// keptRefs decodes a value that came earlier, with the references of this side that were in it.
type keptRefs struct {
	*referenceKind
	own map[string]*Ref
}

func (k keptRefs) DecodeReference(object map[string]any, typed bool) (any, error) {
	return k.decode(object, typed, k.own)
}

// pin implements insider. It looks for references of this side.
func (k *referenceKind) pin(t text) any {
	if !k.in(t.dialect, t.JSON) {
		return nil
	}
	f := refFinder{kind: k}
	var ignored any
	_ = superjson.DecodeMetered(superjson.ModeJSON, t.JSON, nil, &ignored, &f, k.ch.meter(t.JSON, nil))
	if f.found == nil {
		return nil
	}
	return f.found
}

type refFinder struct {
	kind  *referenceKind
	found map[string]*Ref
}

func (f *refFinder) ReferenceType() reflect.Type { return refType }

func (f *refFinder) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _ := object["id"].(string)
	if own, _ := f.kind.ours(id); own != nil && object[refTag] == true {
		if f.found == nil {
			f.found = map[string]*Ref{}
		}
		f.found[id] = own
	}
	return nil, nil
}

// unreadRefs notes the references of the peer in a value that nobody reads.
type unreadRefs struct {
	kind *referenceKind
	seen bool
}

func (unreadRefs) ReferenceType() reflect.Type { return refType }

func (u unreadRefs) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _, _, ok := refParts(object)
	if !ok || len(id) > maxHandleID {
		return nil, nil
	}
	if own, err := u.kind.ours(id); own == nil && err == nil {
		u.kind.held.unread(id, u.seen)
	}
	return nil, nil
}
