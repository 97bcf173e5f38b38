package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Ref is a remote reference: a handle to a function or an object that stays on its own side. [Proxy] makes one for a
// value of this side, to be sent. A *Ref may stand anywhere in the data: in arguments, results, structs, maps, slices,
// any, and the fields of an error. One that comes back to its owner is the owner's own *Ref again. A [RefTo] also says
// what it is a reference to.
//
// A *Ref of the peer is a [Caller]. Call, Get, Set and Remote reach the functions and properties of an object, and
// Apply calls a function. It can be used on the channel that it came over, until Release or the end of the channel. A
// *Ref that is garbage collected is released. All operations on a nil *Ref fail.
//
// The peer must be kkrpc 2.x with its channel of kkrpc/remote-refs, or Go; see Options.References.
type Ref struct {
	// Of this side.
	value    any
	compile  sync.Once
	api      *bind.API    // of an object
	function *bind.Method // of a function
	err      error        // why the peer cannot use it

	// Of the peer.
	ch       *Channel
	id       string
	kind     refKind
	released atomic.Bool
	mu       sync.Mutex
	callback *Callback // it as a callback, once that was asked for

	// A part of another reference, of either side.
	whole *Ref
	path  []string
}

type refKind string

const (
	refFunction refKind = "function"
	refObject   refKind = "object"
)

// Proxy returns v as a reference. v is a func, which may return a value, or anything that [Expose] accepts. The peer
// may use its functions and properties as if v were exposed. Two references to one func, map or pointer are one to the
// peer. If v cannot be exposed, sending the reference fails. Proxy of a *Ref is that *Ref.
//
// v is kept until the peer releases it or the channel closes; see Limits.References.
func Proxy(v any) *Ref {
	if r, ok := v.(interface{ self() *Ref }); ok && r.self() != nil {
		return r.self()
	}
	return &Ref{value: v}
}

// self is r, also of a RefTo.
func (r *Ref) self() *Ref { return r }

// RefTo is a [Ref] that says what it stands for: a function of the type T, or an object with the methods of T, an
// interface. It crosses as the *Ref in it does, and the methods of *Ref are its own. The command kkrpc gen ts
// writes T as its type, where a *Ref is unknown. [Expose] refuses any other T.
//
// [ProxyTo] makes one for a value of this side. A RefTo[T]{r} says it of a reference that the program has. Nothing checks
// what the peer sends a reference to: a call of a function that is not there fails.
//
// A RefTo is never null. Sending one without a *Ref fails, and so does a call with null in its place. A *RefTo may be null.
type RefTo[T any] struct{ *Ref }

// Value returns the value behind a reference of this side that came back from the peer. ok is false for a reference of the
// peer, and for one to a value that is no T.
func (r RefTo[T]) Value() (v T, ok bool) {
	v, ok = r.Ref.Value().(T)
	return v, ok
}

// refersTo implements bind.Values.RefersTo.
func (RefTo[T]) refersTo() reflect.Type { return reflect.TypeFor[T]() }

// Value returns the argument of [Proxy], for a reference of this side that came back from the peer; of what [As] returned,
// it is the implementation. It is nil for a reference of the peer, and for a part of an object.
func (r *Ref) Value() any {
	if r == nil {
		return nil
	}
	if _, impl, ok := types.Implementation(r.value); ok {
		return impl
	}
	return r.value
}

// Apply calls the peer's function that r stands for. Arguments and result are those of Channel.Call. If r is a function
// of this side that came back, Apply calls it directly. No interceptor sees the call. The error is the function's own,
// and its panics reach the caller.
func (r *Ref) Apply(ctx context.Context, result any, args ...any) error {
	return r.perform(ctx, outgoing{kind: wire.Call, args: args, result: result, action: "apply"})
}

// Release gives the reference back, so that the peer may forget the value. All references to that value end. Later
// operations on them fail with ErrReleased. It waits for the peer's answer; further calls do nothing.
func (r *Ref) Release(ctx context.Context) error {
	if r == nil {
		return fmt.Errorf("kkrpc: release reference: %w", errNil)
	}
	r = r.origin()
	if r.ch == nil {
		return errOwnRelease
	}
	if r.released.Swap(true) {
		return nil
	}
	r.ch.kinds().inside.forget(r.id, r)
	op := outgoing{kind: wire.Ref, on: r, action: "release"}
	err := r.ch.exchange(ctx, op)
	if err == nil {
		return nil
	}
	if _, unsent := errors.AsType[unsentError](err); unsent {
		r.tellReleased()
	}
	return op.failed(err)
}

var errOwnRelease = errors.New("kkrpc: release reference: it is of this side")

var _ Caller = (*Ref)(nil)

// do implements Caller with operations on the object.
func (r *Ref) do(ctx context.Context, op outgoing) error {
	switch op.kind {
	case wire.Call:
		op.action = "call"
		if op.path == "" && r.isFunction() {
			op.action = "apply"
		}
	case wire.Get:
		op.action = "get"
	case wire.Set:
		op.action = "set"
	}
	return r.perform(ctx, op)
}

// perform does op, which has an action, and waits for the answer.
func (r *Ref) perform(ctx context.Context, op outgoing) error {
	op.on = r
	if err := r.exchange(ctx, op); err != nil {
		return op.failed(err)
	}
	return nil
}

func (r *Ref) exchange(ctx context.Context, op outgoing) error {
	if r == nil {
		return errNil
	}
	origin := r.origin()
	switch {
	case origin.ch == nil && r.isFunction() && op.action == "apply":
		if err := op.checkResult(); err != nil {
			return err
		}
		return r.applyOwn(ctx, &op)
	case origin.ch == nil:
		return errors.New("it is an object of this side, only the peer uses it; see Ref.Value")
	case op.action == "":
		return fmt.Errorf("a reference has no such operation: %w", ErrUnsupported)
	case origin.released.Load():
		return ErrReleased
	}
	err := origin.ch.perform(ctx, op)
	runtime.KeepAlive(origin)
	if refused, ok := errors.AsType[*Error](err); ok && refused.Name == releasedError && refused.Message == releasedText(origin.id) {
		origin.end()
		return fmt.Errorf("%w: %w", ErrReleased, err)
	}
	return err
}

func releasedText(id string) string { return "RPC remote reference " + id + " has been released" }

// request is the path of the request for op.
func (r *Ref) request(op *outgoing) ([]string, error) {
	path := []string{r.origin().id, op.action}
	switch op.action {
	case "apply", "release":
		return path, nil
	}
	segments, err := bind.SplitPath(nil, op.path)
	return append(append(path, r.path...), segments...), err
}

// end makes all that is done with the reference fail from now on.
func (r *Ref) end() {
	if !r.released.Swap(true) {
		r.ch.kinds().inside.forget(r.id, r)
	}
}

// letGo is Release without waiting.
func (r *Ref) letGo() error {
	r = r.origin()
	switch {
	case r.ch == nil:
		return errOwnRelease
	case r.released.Load():
		return nil
	}
	r.end()
	r.tellReleased()
	return nil
}

func (r *Ref) tellReleased() {
	codec := *r.ch.codec.Load()
	b := outbox.NewBuffer()
	b.Bytes = codec.AppendRef(b.Bytes, unawaited, []string{r.id, "release"}, nil)
	r.ch.out.Send(b)
}

// origin is the whole that r is a part of, or r.
func (r *Ref) origin() *Ref {
	if r.whole != nil {
		return r.whole
	}
	return r
}

// isFunction reports whether r is a function, and no part of an object.
func (r *Ref) isFunction() bool {
	switch {
	case r == nil, r.whole != nil:
		return false
	case r.ch == nil:
		return reflect.ValueOf(r.value).Kind() == reflect.Func
	}
	return r.kind == refFunction
}

// part returns the reference to the value at path inside r.
func (r *Ref) part(path []string) *Ref {
	if len(path) == 0 {
		return r
	}
	return &Ref{whole: r, path: slices.Clone(path)}
}

// asCallback returns the function that r stands for as a callback, always the same one.
func (r *Ref) asCallback() *Callback {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.callback == nil {
		r.callback = &Callback{ch: r.ch, through: r}
	}
	return r.callback
}

// prepare compiles a value of this side. The error says why it cannot be one.
func (r *Ref) prepare() error {
	r.compile.Do(func() {
		v := reflect.ValueOf(r.value)
		if v.Kind() == reflect.Func {
			r.kind = refFunction
			r.function, r.err = types.Function(r.value, "reference")
		} else if r.kind = refObject; r.value == nil {
			r.err = errors.New("nil")
		} else if api, err := types.Expose(r.value); err != nil {
			r.err = fmt.Errorf("kkrpc: expose %T: %w", r.Value(), err)
		} else if r.api = &api; api.IsEmpty() {
			r.err = errors.New("there is nothing in it")
		}
		if r.err != nil {
			r.err = fmt.Errorf("%T cannot be sent as a reference: %w", r.Value(), r.err)
		}
	})
	return r.err
}

// key returns the identity of a value of this side. A value without one has that of its *Ref.
func (r *Ref) key() identity {
	v := reflect.ValueOf(r.value)
	typ := v.Type()
	if iface, impl, ok := types.Implementation(r.value); ok {
		v, typ = reflect.ValueOf(impl), iface
	}
	switch {
	case v.Kind() == reflect.Func:
		return funcIdentity(r.value)
	case v.Kind() == reflect.Map, v.Kind() == reflect.Pointer:
		return identity{typ, v.Pointer()}
	}
	return identity{refType, uintptr(unsafe.Pointer(r))}
}

var refType = reflect.TypeFor[*Ref]()

// String says what kind of reference it is and whose, for logs. It shows nothing of the value.
func (r *Ref) String() string {
	if r == nil {
		return "no reference"
	}
	origin := r.origin()
	text := "reference of the peer"
	if origin.ch == nil {
		text = fmt.Sprintf("reference to %T", origin.Value())
	}
	if len(r.path) > 0 {
		text += " at " + strings.Join(r.path, ".")
	}
	return text
}

// MarshalJSON fails. Only a channel knows the id of a reference. A type with marshaling methods of its own cannot have
// one inside.
func (r *Ref) MarshalJSON() ([]byte, error) {
	return nil, errors.New("kkrpc: a *Ref crosses a channel only, and not inside of a type that marshals itself")
}

// UnmarshalJSON fails, as MarshalJSON does.
func (r *Ref) UnmarshalJSON([]byte) error {
	return errors.New("kkrpc: a *Ref crosses a channel only, and not inside of a type that unmarshals itself")
}

// A function of this side that comes back as a reference can be called like a function of the peer. Arguments and
// result are encoded and decoded, so that the types are those of a call by the peer.

// applyOwn does op, an apply, on a function of this side.
func (r *Ref) applyOwn(ctx context.Context, op *outgoing) error {
	if err := r.prepare(); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	result, ok, err := types.Apply(ctx, r.value, op.args, convert)
	if refused, is := err.(*wire.Error); is {
		return fromWire(refused)
	}
	switch {
	case err != nil, op.result == nil:
		return err
	case !ok:
		return decodeUndefined(op.result)
	}
	return resultError(convert(result, reflect.ValueOf(op.result).Elem()))
}

// convert stores v in dst as if v had crossed a channel. Functions and streams are stored as they are.
func convert(v any, dst reflect.Value) error {
	if s, ok := v.(*Shared); ok && s != nil {
		v = s.value
	}
	if isUndefined(v) {
		return decodeUndefined(dst.Addr().Interface())
	}
	if isCallback(v) || bind.IsStream(v) {
		if given := reflect.ValueOf(v); given.Type().AssignableTo(dst.Type()) {
			dst.Set(given)
			return nil
		}
		return &superjson.TypeError{Expected: dst.Type().String(), Got: fmt.Sprintf("%T", v)}
	}
	var refs passedRefs
	enc := superjson.NewEncoder(superjson.ModeSuperJSON)
	enc.SetReferences(&refs)
	raw, err := enc.Append(nil, "", v)
	if err != nil {
		return err
	}
	meta, err := enc.Meta()
	if err != nil {
		return err
	}
	return superjson.DecodeReferences(superjson.ModeSuperJSON, raw, meta, dst.Addr().Interface(), &refs)
}

// passedRefs are the references in a value that stays on this side. Their ids are indexes.
type passedRefs []*Ref

func (p *passedRefs) ReferenceType() reflect.Type { return refType }

func (p *passedRefs) AppendReference(dst []byte, v any) ([]byte, error) {
	*p = append(*p, v.(*Ref))
	return fmt.Appendf(dst, `{"%s":true,"id":"%d","kind":"object"}`, refTag, len(*p)-1), nil
}

func (p *passedRefs) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _, _, ok := refParts(object)
	i, err := strconv.Atoi(id)
	if !ok || err != nil || i < 0 || i >= len(*p) {
		return nil, nil
	}
	return (*p)[i], nil
}

// refTag marks the object that stands for a reference.
const refTag = "__kkrpc_ref__"

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
