package kkrpc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/bind"
)

// API is what a channel lets its peer reach: the registered functions, constructors, properties and constants, and
// nothing else. Expose compiles it once. It may serve any number of channels at a time.
type API struct {
	bound bind.API

	group atomic.Pointer[Group] // of the channels that expose it and have no other group; nil: there are none
}

func (a *API) ownGroup() *Group {
	if a.group.Load() == nil {
		a.group.CompareAndSwap(nil, new(Group))
	}
	return a.group.Load()
}

// Object is an API, or a namespace in one, by names as the peer will use them. A value may be
//   - a func, see [Expose];
//   - an Object, what [As] returns, or an *API: a namespace;
//   - a *Property, a ReadOnly or what [Constructor] returns;
//   - any other value that can be encoded: a read-only constant. It must not be changed afterwards.
type Object map[string]any

// Expose compiles api for any number of channels. All problems are reported at once. api is one of
//   - nil: nothing;
//   - an Object;
//   - the result of As: the methods of an interface, and no others;
//   - a struct or a pointer to one: the exported methods that its type declares itself, and some fields. Fields of type
//     Object, Property, *Property, ReadOnly and Class are exposed. A tag such as `kkrpc:"math"` exposes a struct, Object or
//     interface as a namespace, and other values as constants. `kkrpc:"-"` hides a field. No other field is ever exposed. A
//     method that is promoted from an embedded field is an error, since it is easily exposed by mistake;
//   - an *API, which is returned as it is.
//
// Go names become JavaScript's: Greet is greet, GetURL getURL, ID id, IDs ids, HTTPServer httpServer, OAuth oauth. Tags and
// the keys of an Object are taken as they are.
//
// A function may take a context.Context first. The context ends with the channel, and [FromContext] returns the
// channel. A function may return one value, and an error last. A parameter that is a func (or a *Callback) is a
// function of the peer. It may take a context first and returns nothing or an error. Arguments are decoded by the types
// of the parameters, and the function is not called unless all of them fit. A pointer, any, superjson.Value,
// json.RawMessage or variadic parameter may be left out by the peer. time.Duration is refused anywhere, since its unit
// is unclear.
//
// A result may be a stream: an iter.Seq[T], iter.Seq2[T, error] or <-chan T. A parameter may be an iter.Seq2[T, error],
// a stream of the peer that can be iterated over once. An io.Reader or io.ReadCloser as a result or a parameter is a stream
// of bytes. A function may have one parameter of type io.Writer, and then no result but an error: the peer gets what it
// writes. See the package comment. In other places of data a stream is refused.
func Expose(api any) (*API, error) {
	if a, ok := api.(*API); ok {
		if a != nil {
			return a, nil
		}
		api = nil
	}
	bound, err := types.Expose(api)
	if err != nil {
		return nil, fmt.Errorf("kkrpc: expose %T: %w", api, err)
	}
	return &API{bound: bound}, nil
}

// RequireMembers returns an API that is a and refuses what Options.RequireMembers refuses, whatever the options of a channel
// say. The function of ws.HandlerFor may return it for clients that are known to be new. In a namespace it is like a.
func (a *API) RequireMembers() *API {
	return &API{bound: a.bound.RequireMembers()}
}

// Refuse returns an API that answers each request with err, which crosses like the error of a function. It is for a client
// that cannot be served but shall read why: the function of ws.HandlerFor may return it. Refuse panics if err is nil.
func Refuse(err error) *API {
	if err == nil {
		panic("kkrpc: Refuse: the error is nil")
	}
	return &API{bound: bind.Refusing(toWire(err))}
}

// Type is the struct type or the interface that the API was made from. It is nil for an Object.
func (a *API) Type() reflect.Type { return a.bound.Declared() }

// Entry is one name of an API; see [API.Entries].
type Entry struct {
	Path []string
	Kind EntryKind
	// In are the parameters that the peer passes to a FunctionEntry or a ClassEntry, without the context and an io.Writer.
	// The last one of a variadic function is a slice.
	In       []reflect.Type
	Variadic bool
	// Type is that of the result, the property or the constant. It is iter.Seq2[[]byte, error] for a function with an
	// io.Writer, and nil for a function without a result, for the constant null and for a namespace.
	Type reflect.Type
	// Settable reports that the peer may write the property.
	Settable bool
}

// EntryKind says what a name of an API stands for.
type EntryKind uint8

// The kinds of entries.
const (
	FunctionEntry  = EntryKind(bind.Function)
	ClassEntry     = EntryKind(bind.Class)
	PropertyEntry  = EntryKind(bind.Property)
	ConstantEntry  = EntryKind(bind.Constant)
	NamespaceEntry = EntryKind(bind.Namespace)
)

// Entries lists all names that a peer can reach: those of an Object in alphabetical order, methods and fields in the
// order of package reflect. A namespace comes before what is in it. Package schema makes a description of them.
func (a *API) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range a.bound.Entries() {
			if !yield(Entry{slices.Clone(e.Path), EntryKind(e.Kind), e.In, e.Variadic, e.Type, e.Settable}) {
				return
			}
		}
	}
}

// As exposes exactly the methods of the interface I. Further methods of impl stay out of reach. Methods that impl gets
// from embedded fields are welcome. The result is for Expose and Options.Expose, and for namespaces in an Object or a
// tagged field.
func As[I any](impl I) any { return methodsOf{iface: reflect.TypeFor[I](), impl: impl} }

// ProxyTo is [Proxy] for a v that is a func, or whose methods in the interface T the peer may call and no others; see [As].
func ProxyTo[T any](v T) RefTo[T] {
	if reflect.TypeFor[T]().Kind() == reflect.Interface {
		return RefTo[T]{Proxy(As(v))}
	}
	return RefTo[T]{Proxy(v)}
}

type methodsOf struct {
	iface reflect.Type
	impl  any
}

func init() {
	types = bind.New(bind.Kinds{
		Object:    reflect.TypeFor[Object](),
		Interface: reflect.TypeFor[methodsOf](),
		API:       reflect.TypeFor[API](),
		Class:     reflect.TypeFor[Class](),
		Property:  reflect.TypeFor[property](),
		Handle:    reflect.TypeFor[*Callback](),
		Ref:       refType,
		Shared:    reflect.TypeFor[*Shared](),
		Values:    boundValues{},
	})
}

// boundValues implements bind.Values.
type boundValues struct{}

func (boundValues) Members(object any) map[string]any { return object.(Object) }

func (boundValues) Implementation(v any) (iface reflect.Type, impl any) {
	m := v.(methodsOf)
	return m.iface, m.impl
}

func (boundValues) Compiled(api any) *bind.API {
	if a := api.(*API); a != nil {
		return &a.bound
	}
	return nil
}

func (boundValues) Constructor(class any) any { return class.(Class).fn }

func (boundValues) PropertyType(v any) (t reflect.Type, isSettable bool) {
	_, isSettable = v.(settable)
	return v.(property).valueType(), isSettable
}

func (boundValues) Load(ctx context.Context, v any) (any, error) { return v.(property).load(ctx) }

func (boundValues) Store(v, pointer any) error { return v.(settable).store(pointer) }

func (boundValues) Unshare(v any) any {
	if s, ok := v.(*Shared); ok && s != nil {
		return s.value
	}
	return v
}

func (boundValues) Referent(ref any) (peer bind.Handle, own any) {
	switch r := ref.(*Ref); {
	case r == nil || !r.isFunction():
		return nil, nil
	case r.ch != nil:
		return r.asCallback(), nil
	default:
		return nil, r.value
	}
}

func (boundValues) RefersTo(t reflect.Type) reflect.Type {
	if r, ok := reflect.Zero(t).Interface().(interface{ refersTo() reflect.Type }); ok {
		return r.refersTo()
	}
	return nil
}

func (boundValues) Callback(t reflect.Type) func(bind.Handle) any {
	p := newCallbackParam(t)
	return func(h bind.Handle) any {
		cb := h.(*Callback)
		return cb.funcOf(t, func() any { return p.make(cb) })
	}
}

func (boundValues) Stream(t reflect.Type) func(bind.Source) any {
	p := newStreamParam(t)
	return func(s bind.Source) any { return p.of(s.(*inStream)).Interface() }
}

func (boundValues) Written(run func(io.Writer) error) iter.Seq2[[]byte, error] { return written(run) }

func (boundValues) Place(where string, err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		if e.Name == releasedError {
			return err // in the very words of the original
		}
		return &Error{Name: e.Name, Message: where + ": " + e.Message}
	}
	if errors.Is(err, ErrLimit) || errors.Is(err, ErrClosed) {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}
