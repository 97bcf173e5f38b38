package kkrpc

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// refTag marks the object that stands for a reference.
const refTag = "__kkrpc_ref__"

// ReferenceType implements superjson.ReferenceEncoder.
func (o *values) ReferenceType() reflect.Type { return refType }

// AppendReference implements superjson.ReferenceEncoder.
func (o *values) AppendReference(dst []byte, v any) ([]byte, error) {
	r := v.(*Ref)
	origin := r.origin()
	id := origin.id
	switch {
	case o.classic:
		return dst, fmt.Errorf("a reference: %w", ErrUnsupported)
	case origin.ch == nil:
		var err error
		if id, err = o.ch.refs().export(origin, o); err != nil {
			return dst, err
		}
	case origin.ch != o.ch:
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

// decode is DecodeReference for a value that came earlier. kept are references of this side in it which may have been
// given back since.
func (k *referenceKind) decode(object map[string]any, typed bool, kept map[string]*Ref) (any, error) {
	if !typed && !k.ch.refsOn.Load() {
		return nil, nil
	}
	id, kind, path, ok := refParts(object)
	if !ok {
		return nil, nil
	}
	if len(id) > maxFunctionID {
		return nil, &Error{Name: limitError, Message: fmt.Sprintf("the id of a reference is longer than %d bytes", maxFunctionID)}
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
	if missing := own.api.bound.Has(path); missing != nil {
		return nil, fromWire(missing)
	}
	return own.part(path), nil
}

// refParts returns what object says if it stands for a reference.
func refParts(object map[string]any) (id string, kind refKind, path []string, ok bool) {
	id, hasID := object["id"].(string)
	text, hasKind := object["kind"].(string)
	path, hasPath := refPath(object)
	kind = refKind(text)
	return id, kind, path, object[refTag] == true && hasID && hasKind && hasPath && (kind == refFunction || kind == refObject)
}

// refPath returns the sub-path that object gives; false if there is something else in its place.
func refPath(object map[string]any) (path []string, ok bool) {
	p, has := object["p"]
	if !has || p == any(superjson.Undefined) {
		return nil, true
	}
	list, ok := p.([]any)
	for _, segment := range list {
		s, isString := segment.(string)
		if !isString {
			return nil, false
		}
		path = append(path, s)
	}
	return path, ok
}

// appendRefRequest writes a request on a reference of the peer.
func (ch *Channel) appendRefRequest(dst []byte, codec wire.Codec, out *values, name string, op *outgoing) ([]byte, error) {
	tail := &out.tail
	path, err := op.ref.request(op)
	if err != nil {
		return dst, err
	}
	switch {
	case op.kind == wire.Call:
		dst = codec.BeginCall(dst, wire.Ref, name, path)
		if dst, err = ch.appendBareArgs(dst, codec, out, op.args); err != nil {
			return dst, err
		}
		tail.Metadata, err = op.meta.encode(out) // behind the arguments, which may be written again
		return codec.EndCall(dst, wire.Ref, tail), err
	case op.kind == wire.Set && !isUndefined(op.args[0]):
		dst = codec.BeginRefSet(dst, name, path)
		if dst, _, err = out.AppendAny(dst, codec.SetPath(), op.args[0]); err != nil {
			return dst, err
		}
		tail.Metadata, err = op.meta.encode(out)
		return codec.EndSet(dst, path, tail), err
	default:
		if tail.Metadata, err = op.meta.encode(out); err != nil {
			return dst, err
		}
		return codec.AppendRef(dst, name, path, tail), nil
	}
}

// appendBareArgs is appendArgs for a request on a reference, whose arguments have no envelopes in the original. It reads
// them, though, so that what would be lost or taken for one gets one.
func (ch *Channel) appendBareArgs(dst []byte, codec wire.Codec, out *values, args []any) ([]byte, error) {
	start := len(dst)
	for _, arg := range args {
		if isUndefined(arg) || isCallback(arg) || bind.IsStream(arg) {
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

// watchApply returns a pending call for a function of the peer that is called one way, whose only purpose is to report an
// error; nil if there are too many already.
func (ch *Channel) watchApply() *pendingCall {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if ch.pending.watched >= maxWatched {
		return nil
	}
	p, err := ch.registerLocked(nil)
	if err != nil {
		return nil
	}
	ch.pending.watched++
	p.then = func(err error) {
		ch.unwatch(p)
		if err != nil && !errors.Is(err, ErrClosed) {
			ch.report(fmt.Errorf("kkrpc: callback: %w", err))
		}
	}
	return p
}

func (ch *Channel) unwatch(p *pendingCall) {
	ch.mu.Lock()
	ch.pending.watched--
	ch.pending.freeLocked(p)
	ch.mu.Unlock()
}

// maxWatched is how many one-way calls of the peer's functions are watched for errors at a time: a peer that does not answer
// must not make this side remember any number of them.
const maxWatched = 1024

// references is what finds the references in raw, a value in the dialect d; nil if there are none.
func (ch *Channel) references(d wire.Dialect, raw []byte) superjson.ReferenceDecoder {
	if d.IsClassic() || !bytes.Contains(raw, []byte(`"`+refTag+`"`)) {
		return nil
	}
	return ch.refs()
}

// in reports whether there may be references in raw.
func (k *referenceKind) in(d wire.Dialect, raw []byte) bool { return k.ch.references(d, raw) != nil }

// decodeData decodes a value of the peer, which may have references in it, as use says of the type.
func (ch *Channel) decodeData(d wire.Dialect, raw []byte, meta *superjson.Meta, v any, use bind.RefUse) error {
	return types.DecodeData(d, raw, meta, v, use, ch.references(d, raw))
}

// misplaced refuses references where none can stand, for this reason.
type misplaced string

func (misplaced) ReferenceType() reflect.Type { return refType }

func (why misplaced) AppendReference(dst []byte, _ any) ([]byte, error) {
	return dst, errors.New(string(why))
}

// A result, or an item of a stream, is decoded by the goroutine that waits for it, when messages behind it may have been
// dealt with. One of them may give back a reference of this side that is in it: a peer in Go has it collected as soon as
// it is sent.

// keptRefs decodes a value that came earlier, with the references of this side that were in it.
type keptRefs struct {
	*referenceKind
	own map[string]*Ref
}

func (k keptRefs) DecodeReference(object map[string]any, typed bool) (any, error) {
	return k.decode(object, typed, k.own)
}

// decodeKept is decodeData for a value that came earlier, with the references of this side that findRefs found in it.
func (ch *Channel) decodeKept(d wire.Dialect, raw []byte, meta *superjson.Meta, v any, use bind.RefUse, own map[string]*Ref) error {
	if own == nil {
		return ch.decodeData(d, raw, meta, v, use)
	}
	return superjson.DecodeReferences(d.Mode(), raw, meta, v, keptRefs{ch.refs(), own})
}

// findRefs looks for references of this side in a value that will be decoded later, when the peer may have given them back
// behind it. nil: there are none.
func (ch *Channel) findRefs(d wire.Dialect, raw []byte) map[string]*Ref {
	if ch.references(d, raw) == nil {
		return nil
	}
	f := refFinder{kind: ch.refs()}
	var ignored any
	_ = superjson.DecodeReferences(superjson.ModeJSON, raw, nil, &ignored, &f)
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

// readsRefs reports whether what is decoded into result, the pointer of a call, can have references in it.
func readsRefs(result any) bool {
	return result != nil && types.RefUseOf(reflect.TypeOf(result).Elem()) != bind.RefNever
}

// unreadRefs notes the references of the peer in a value that nobody reads.
type unreadRefs struct {
	kind *referenceKind
	seen bool
}

func (unreadRefs) ReferenceType() reflect.Type { return refType }

func (u unreadRefs) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _, _, ok := refParts(object)
	if !ok || len(id) > maxFunctionID {
		return nil, nil
	}
	if own, err := u.kind.ours(id); own == nil && err == nil {
		u.kind.held.unread(id, u.seen)
	}
	return nil, nil
}
