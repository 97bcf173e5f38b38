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

// Ref is a remote reference: a function or an object that stays on its side while the other side holds a handle to it.
// [Proxy] makes one for a value of this side. The other side gets a *Ref, which may stand anywhere in what crosses: as
// an argument or a result, inside of structs, maps, slices and any, in the fields of an error. One that comes back to
// its owner is the owner's own *Ref again.
//
// A *Ref of the peer is a [Caller]: Call, Get, Set and Remote with it reach the object's functions and properties, and
// Apply calls a function. It is good for the channel that it came over, and for as long as that is open or Release is
// called; one that nobody holds is released when it is garbage collected.
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

// Proxy returns v as a reference: a func, which may return a value, or whatever [Expose] accepts, whose functions and
// properties the peer may then use exactly as if v were exposed. Two references to the same func, map or pointer are one to
// the peer. What cannot be exposed is an error when the reference is sent. Proxy of a *Ref is that *Ref.
//
// The peer may use v until it releases it or the channel closes, and so it is kept that long; see Limits.References.
func Proxy(v any) *Ref {
	if r, ok := v.(*Ref); ok && r != nil {
		return r
	}
	return &Ref{value: v}
}

// Value returns what [Proxy] was called with, for a reference of this side that came back from the peer; nil for one of the
// peer, and for a part of an object.
func (r *Ref) Value() any { return r.value }

// Apply calls the peer's function that r stands for, as Channel.Call does with one that has a path. A function of this side
// that came back is called too, directly: no interceptor sees it, an error is the one that it returns, and its panics are the
// caller's.
func (r *Ref) Apply(ctx context.Context, result any, args ...any) error {
	return r.perform(ctx, outgoing{kind: wire.Call, args: args, result: result, action: "apply"})
}

// Release gives the reference back: the peer may forget what it stands for. All references to the same value end with it;
// what is done with them later fails with ErrReleased. It waits for the peer's answer; further calls do nothing.
func (r *Ref) Release(ctx context.Context) error {
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
	case r.whole != nil:
		return false
	case r.ch == nil:
		return reflect.ValueOf(r.value).Kind() == reflect.Func
	}
	return r.kind == refFunction
}

// part is the reference to what is at path inside r.
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
			r.err = fmt.Errorf("kkrpc: expose %T: %w", r.value, err)
		} else if r.api = &api; api.IsEmpty() {
			r.err = errors.New("there is nothing in it")
		}
		if r.err != nil {
			r.err = fmt.Errorf("%T cannot be sent as a reference: %w", r.value, r.err)
		}
	})
	return r.err
}

// key is that of a value of this side. What has no identity is known by its *Ref.
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
	origin := r.origin()
	text := "reference of the peer"
	if origin.ch == nil {
		text = fmt.Sprintf("reference to %T", origin.value)
	}
	if len(r.path) > 0 {
		text += " at " + strings.Join(r.path, ".")
	}
	return text
}

// MarshalJSON fails: what a reference is called is known to a channel only, so that a type with marshaling methods of its
// own cannot have one inside.
func (r *Ref) MarshalJSON() ([]byte, error) {
	return nil, errors.New("kkrpc: a *Ref crosses a channel only, and not inside of a type that marshals itself")
}

// UnmarshalJSON fails, as MarshalJSON does.
func (r *Ref) UnmarshalJSON([]byte) error {
	return errors.New("kkrpc: a *Ref crosses a channel only, and not inside of a type that unmarshals itself")
}

// A function of this side that comes back as a reference can be called like one of the peer, as JavaScript code would do.
// Arguments and result are encoded and decoded, so that the function gets the types that it would get from there.

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

// convert stores in dst what v is to who gets it over a channel. Functions and streams are stored as they are.
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
	var meta *superjson.Meta
	if enc.HasMeta() {
		if meta, err = superjson.ParseMeta(enc.AppendMeta(nil)); err != nil {
			return err
		}
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
