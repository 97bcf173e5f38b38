// Package bind compiles what a program exposes and accepts: Go types, functions and objects become what a peer can
// reach by name.
//
// Types.Expose makes an API of an object, a struct or an interface. API.Lookup finds the Method that a request asks for,
// with an Invocation: an empty cell that decodes the arguments, runs the function and encodes its result. The package
// works on texts alone. It starts no goroutine, knows no channel and locks nothing but its caches.
//
// # Kinds
//
// Package kkrpc defines the types of its users, such as Property and Ref. It hands them in once, as Kinds, with the
// means to read their values.
//
// # Errors
//
// A request that reaches nothing, and arguments that do not fit, give a *wire.Error in the words for the peer. An error
// of Kinds.Place or of a Peer passes through.
package bind

import (
	"context"
	"io"
	"iter"
	"reflect"
	"sync"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Kinds are the types of package kkrpc that have a meaning of their own.
type Kinds struct {
	Object    reflect.Type // names with their values
	Interface reflect.Type // an implementation, exposed by the methods of an interface
	API       reflect.Type // a struct, used by pointer
	Class     reflect.Type
	Property  reflect.Type // the interface that all properties implement
	Handle    reflect.Type // a pointer: the handle of a function of the peer, kkrpc.Callback
	Ref       reflect.Type // a pointer: a remote reference
	Shared    reflect.Type // a pointer: a value that is encoded once
	Values
}

// Values reads values of the types in Kinds.
type Values interface {
	// Members returns what an Object holds.
	Members(object any) map[string]any
	// Implementation returns the two halves of an Interface.
	Implementation(v any) (iface reflect.Type, impl any)
	// Compiled returns what a pointer to an API was compiled to; nil for a nil pointer.
	Compiled(api any) *API
	// Constructor returns the function of a Class.
	Constructor(class any) (fn any)

	// PropertyType returns the type of a property's value. The type of property alone decides.
	PropertyType(property any) (t reflect.Type, settable bool)
	// Load returns the value of a property.
	Load(ctx context.Context, property any) (any, error)
	// Store gives a settable property the value that pointer points to, or says why it refuses that value.
	Store(property, pointer any) error

	// Unshare returns the value in a Shared, and any other value as it is.
	Unshare(v any) any
	// Referent returns what ref, a Ref, stands for: the handle of a function of the peer, or a function of this side.
	// Both are nil if ref is no function.
	Referent(ref any) (peer Handle, own any)

	// RefersTo returns what a reference of type t says that it stands for: a function of that type, or what has the methods
	// of that interface. It is nil if t does not say.
	RefersTo(t reflect.Type) reflect.Type

	// Callback returns what makes functions of type t that call the function of the peer with a handle.
	Callback(t reflect.Type) func(Handle) any
	// Stream returns what makes values of type t, an iter.Seq2[T, error] or an io.Reader, of a stream of the peer.
	Stream(t reflect.Type) func(Source) any
	// Written returns the stream of what run writes: an iterator that calls run.
	Written(run func(io.Writer) error) iter.Seq2[[]byte, error]

	// Place returns err with where in front of it if err is one of package kkrpc, and nil otherwise.
	Place(where string, err error) error
}

// Handle is a function of the peer: a value of type Kinds.Handle.
type Handle any

// Source is a stream of the peer, which only Values.Stream looks into.
type Source any

// Types compiles functions and objects. It caches what it finds out about their types.
type Types struct {
	kinds     Kinds
	anyStream func(Source) any // makes iterators for parameters of type any

	plans     sync.Map // planKey → *plan or error
	callbacks sync.Map // reflect.Type → error or nil: may functions of the type be callbacks
	uses      sync.Map // reflect.Type → RefUse
	shapes    shapes
}

// New returns Types that know kinds.
func New(kinds Kinds) *Types {
	return &Types{kinds: kinds, anyStream: kinds.Stream(reflect.TypeFor[iter.Seq2[any, error]]())}
}

// Handle returns Kinds.Handle.
func (t *Types) Handle() reflect.Type { return t.kinds.Handle }

// Ref returns Kinds.Ref.
func (t *Types) Ref() reflect.Type { return t.kinds.Ref }

// Implementation returns the two halves of v if that is an Interface. ok is false for all other values.
func (t *Types) Implementation(v any) (iface reflect.Type, impl any, ok bool) {
	if reflect.TypeOf(v) != t.kinds.Interface {
		return nil, nil, false
	}
	iface, impl = t.kinds.Implementation(v)
	return iface, impl, true
}

var (
	anyType     = reflect.TypeFor[any]()
	valueType   = reflect.TypeFor[superjson.Value]()
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)
