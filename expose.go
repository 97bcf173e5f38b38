package kkrpc

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
)

// API is what a channel lets its peer reach: exactly the functions, constructors, properties and constants that were
// registered, compiled once by Expose. It may serve any number of channels at a time.
type API struct {
	*tree
	slots []any // what the tree is applied to: receivers, properties

	watch   watchdog       // looks after the channels that expose it
	batcher outbox.Batcher // writes the bursts of one-way messages to them
}

// Object is an API, or a namespace in one, by names as the peer will use them. A value may be
//   - a func, see [Expose];
//   - an Object, what [As] returns, or an *API: a namespace;
//   - a *Property, a ReadOnly or what [Constructor] returns;
//   - any other value that can be encoded: a read-only constant. It must not be changed afterwards.
type Object map[string]any

// Expose compiles api into what a channel can offer. All problems are reported at once. api is one of
//   - nil: nothing;
//   - an Object;
//   - what As returns: the methods of an interface, which is the way to be sure what is exposed;
//   - a struct or a pointer to one: the exported methods that its type declares itself, and of its fields those of type
//     Object, Property, *Property, ReadOnly and Class, and those with a tag such as `kkrpc:"math"`, which names a
//     namespace (a struct, Object, interface) or a constant. `kkrpc:"-"` hides a field. No other field is ever exposed. A
//     method that is promoted from an embedded field is an error, since it is easily exposed by mistake;
//   - an *API, which is returned as it is.
//
// Go names become JavaScript's: Greet is greet, GetURL getURL, ID id, IDs ids, HTTPServer httpServer, OAuth oauth. Tags and
// the keys of an Object are taken as they are.
//
// A function may take a context.Context first, which ends with the channel and leads to it by [FromContext], and may
// return an error last; besides it returns at most one value. A parameter that is a func (or a *Callback) is a function of
// the peer: it may take a context first and returns nothing or an error. Arguments are decoded by the types of the
// parameters, and the function is not called unless all of them fit. A pointer, any, superjson.Value, json.RawMessage or
// variadic parameter may be left out by the peer. time.Duration is refused anywhere, as nobody agrees on its unit.
//
// A result may be a stream: an iter.Seq[T], iter.Seq2[T, error] or <-chan T, and a parameter may be an iter.Seq2[T, error], a stream of
// the peer that can be iterated over once; see the package comment. In other places of data a stream is refused.
func Expose(api any) (*API, error) {
	switch v := api.(type) {
	case nil:
		return &API{tree: &tree{}}, nil
	case *API:
		if v == nil {
			return &API{tree: &tree{}}, nil
		}
		return v, nil
	}
	if shared, ok := shapes.Load(shapeOf(api)); ok {
		if slots, ok := shared.(*shape).collect(api); ok {
			return &API{tree: shared.(*shape).tree, slots: slots}, nil
		}
	}
	b := &builder{tree: newTree()}
	b.root = new(node)
	b.root.makeNamespace()
	b.fill(b.root, reflect.ValueOf(api), source{})
	if len(b.errs) > 0 {
		return nil, fmt.Errorf("kkrpc: expose %T: %w", api, errors.Join(b.errs...))
	}
	if !b.dynamic {
		shapes.Store(shapeOf(api), &shape{tree: b.tree, sources: b.sources})
	}
	return &API{tree: b.tree, slots: b.slots}, nil
}

// As exposes exactly the methods of the interface I, which impl provides: what the implementation has beyond them stays
// out of reach, and methods that it gets from embedded fields are welcome. The result is for Expose, for everything
// that takes what Expose takes, and for a namespace in an Object or a tagged field.
func As[I any](impl I) any { return methodsOf{iface: reflect.TypeFor[I](), impl: impl} }

type methodsOf struct {
	iface reflect.Type
	impl  any
}

// tree is the compiled form of an API without what is particular to one value of its type, so that all connections
// with an API of their own share one. It never changes once built.
type tree struct {
	root   *node            // nil: no API
	quoted map[string]*node // by the text between the brackets of a path as JSON.stringify writes it
	dotted map[string]*node // by the path with dots
	refs   bool             // a *Ref stands in the type of a function or a property
}

func newTree() *tree {
	return &tree{quoted: map[string]*node{}, dotted: map[string]*node{}}
}

// node is one name of an API. All operations that are nil are refused.
type node struct {
	path      []string
	goName    string // for messages about collisions
	call      *operation
	construct *operation
	get       *operation
	set       *operation
	all       *method          // of a namespace: get of all its properties
	children  map[string]*node // nil for all but a namespace
	names     []string         // of the children in the order of registration
	isNull    bool             // a constant null
}

func (n *node) makeNamespace() {
	n.children = map[string]*node{}
	n.all = &method{path: join(n.path), wantsContext: true, hasResult: true}
}

// operation is a method together with the slot of the API that it is applied to.
type operation struct {
	method *method
	slot   int // noSlot: none
	start  func(slot any) invocation
}

const noSlot = -1

func (a *API) begin(op *operation) invocation {
	if op.slot == noSlot {
		return op.start(nil)
	}
	return op.start(a.slots[op.slot])
}

// shape is the tree for all values of a type that has nothing but methods, properties and nested structs.
type shape struct {
	tree    *tree
	sources []source
}

// shapes caches: reflect.Type or methodsKey → *shape.
var shapes sync.Map

type methodsKey struct{ iface, impl reflect.Type }

func shapeOf(api any) any {
	if m, ok := api.(methodsOf); ok {
		return methodsKey{m.iface, reflect.TypeOf(m.impl)}
	}
	return reflect.TypeOf(api)
}

// source leads from an API value to what goes into a slot: a chain of fields, through pointers.
type source struct{ fields []int }

func (s source) field(i int) source { return source{append(slices.Clip(s.fields), i)} }

// collect finds the slots of another value of the shape's type; ok is false if a pointer on the way is nil.
func (s *shape) collect(api any) (slots []any, ok bool) {
	if m, isAs := api.(methodsOf); isAs {
		api = m.impl
	}
	root, ok := pointerTo(reflect.ValueOf(api))
	if !ok {
		return nil, false
	}
	slots = make([]any, len(s.sources))
	for i, source := range s.sources {
		v := root
		for _, f := range source.fields {
			if v, ok = pointerTo(v.Elem().Field(f)); !ok {
				return nil, false
			}
		}
		slots[i] = v.Interface()
	}
	return slots, true
}

// pointerTo returns v if it is a pointer, and a pointer to v, or to a copy of it, otherwise. Methods can then be called
// in one way only. ok is false for nil.
func pointerTo(v reflect.Value) (_ reflect.Value, ok bool) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch {
	case !v.IsValid():
		return v, false
	case v.Kind() == reflect.Pointer && v.Type().Elem().Kind() != reflect.Pointer:
		return v, !v.IsNil()
	case v.CanAddr():
		return v.Addr(), true
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p, true
}

// join is how a path is written for people.
func join(path []string) string { return strings.Join(path, ".") }
