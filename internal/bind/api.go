package bind

import (
	"errors"
	"reflect"
	"slices"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// API is what a peer can reach: the functions, constructors, properties and constants of one value. It never changes.
// The zero API has nothing in it.
type API struct {
	*tree
	slots []any // what the tree is applied to: receivers and properties
}

// tree is the compiled form of an API without the parts that belong to one value of its type. All connections with an
// API of their own share it. It never changes once built.
type tree struct {
	types      *Types
	root       *node
	quoted     map[string]*node // by the text between the brackets of a path as JSON.stringify writes it
	dotted     map[string]*node // by the path with dots
	references bool             // a Ref stands in the type of a function or a property
	of         reflect.Type     // the struct or the interface that it was made from; nil for none
	refused    *wire.Error      // the answer to each request, if there is no root; nil for that of an empty API
}

// Refusing is an API that answers each request with err.
func Refusing(err *wire.Error) API { return API{tree: &tree{refused: err}} }

// node is one name of an API. All operations that are nil are refused.
type node struct {
	path      []string
	goName    string // for messages about collisions
	call      *operation
	construct *operation
	get       *operation
	set       *operation
	all       *Method          // of a namespace: get of all its properties
	children  map[string]*node // nil for all but a namespace
	names     []string         // of the children in the order of registration
	isNull    bool             // a constant null
	value     reflect.Type     // of a property or a constant
}

func (n *node) makeNamespace() {
	n.children = map[string]*node{}
	n.all = &Method{Path: join(n.path), WantsContext: true, HasResult: true}
}

// operation is a method together with the slot of the API that it is applied to.
type operation struct {
	method *Method
	slot   int // noSlot: none
	start  func(slot any) Invocation
}

const noSlot = -1

// Expose compiles v, as kkrpc.Expose says. A pointer to an API is compiled already. The error joins all problems; each is
// one line.
func (t *Types) Expose(v any) (API, error) {
	if reflect.TypeOf(v) == reflect.PointerTo(t.kinds.API) {
		if compiled := t.kinds.Compiled(v); compiled != nil {
			return *compiled, nil
		}
		v = nil
	}
	if v == nil {
		return API{tree: &tree{types: t}}, nil
	}
	if shared, ok := t.shapes.Load(t.shapeOf(v)); ok {
		if slots, ok := shared.(*shape).collect(v); ok {
			return API{shared.(*shape).tree, slots}, nil
		}
	}
	b := &builder{tree: &tree{types: t, root: new(node), quoted: map[string]*node{}, dotted: map[string]*node{}}, Types: t}
	b.root.makeNamespace()
	b.of = t.declared(v)
	b.fill(b.root, reflect.ValueOf(v), source{})
	if len(b.errs) > 0 {
		return API{}, errors.Join(b.errs...)
	}
	if !b.dynamic {
		t.shapes.Store(t.shapeOf(v), &shape{b.tree, b.sources})
	}
	return API{b.tree, b.slots}, nil
}

// declared returns the struct type or the interface that v exposes, or nil.
func (t *Types) declared(v any) reflect.Type {
	if iface, _, ok := t.Implementation(v); ok {
		return iface
	}
	of := reflect.TypeOf(v)
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct {
		return nil
	}
	return of
}

// Declared returns the struct type or the interface that the API was made from, or nil.
func (a *API) Declared() reflect.Type {
	if a.tree == nil {
		return nil
	}
	return a.of
}

// IsEmpty reports whether nothing can be reached.
func (a *API) IsEmpty() bool { return a.tree == nil || a.root == nil }

// HasReferences reports whether a Ref stands in the type of a function or a property.
func (a *API) HasReferences() bool { return a.tree != nil && a.references }

func (a *API) begin(op *operation) Invocation {
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

type interfaceKey struct{ iface, impl reflect.Type }

func (t *Types) shapeOf(v any) any {
	if iface, impl, ok := t.Implementation(v); ok {
		return interfaceKey{iface, reflect.TypeOf(impl)}
	}
	return reflect.TypeOf(v)
}

// source leads from an API value to what goes into a slot: a chain of fields, through pointers.
type source struct{ fields []int }

func (s source) field(i int) source { return source{append(slices.Clip(s.fields), i)} }

// collect finds the slots of another value of the shape's type. ok is false if a pointer on the way is nil.
func (s *shape) collect(v any) (slots []any, ok bool) {
	if _, impl, ok := s.tree.types.Implementation(v); ok {
		v = impl
	}
	root, ok := pointerTo(reflect.ValueOf(v))
	if !ok {
		return nil, false
	}
	slots = make([]any, len(s.sources))
	for i, source := range s.sources {
		at := root
		for _, f := range source.fields {
			if at, ok = pointerTo(at.Elem().Field(f)); !ok {
				return nil, false
			}
		}
		slots[i] = at.Interface()
	}
	return slots, true
}

// pointerTo returns v if it is a pointer, and otherwise a pointer to v or to a copy of it. Methods can then be called in
// one way only. ok is false for nil.
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
