package bind

import (
	"errors"
	"reflect"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// API is what a peer can reach: the functions, constructors, properties and constants of one value. It never changes.
// The zero API has nothing in it.
type API struct {
	*tree
	selves []unsafe.Pointer // what its functions are: a func is the pointer to its closure, a method its receiver
	values []any            // its properties and constants
}

// tree is the compiled form of an API without the parts that belong to one value of its shape. All connections with an
// API of their own share it. It never changes once built.
type tree struct {
	types      *Types
	root       *node
	quoted     map[string]*node // by the text between the brackets of a path as JSON.stringify writes it
	dotted     map[string]*node // by the path with dots
	references bool             // a Ref stands in the type of a function or a property
	of         reflect.Type     // the struct or the interface that it was made from; nil for none
	refused    *wire.Error      // the answer to each request, if there is no root; nil for that of an empty API
	strict     bool             // see API.RequireMembers
}

// RequireMembers returns an API like a, for whose requests IsStrict asks superjson.Meter to require members.
func (a *API) RequireMembers() API {
	if a.tree == nil {
		return *a
	}
	strict := *a.tree // the API itself has no room for it
	strict.strict = true
	return API{tree: &strict, selves: a.selves, values: a.values}
}

// IsStrict reports whether RequireMembers has made the API.
func (a *API) IsStrict() bool { return a.tree != nil && a.strict }

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
	constant  bool             // get is that of a constant
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
	slot   int
	call   starter                    // slot is in API.selves; nil if cell is set
	cell   func(value any) Invocation // slot is in API.values
}

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
	key := t.shapeKeyOf(v)
	if api, ok := t.shapes.read(key, t, v); ok {
		return api, nil
	}
	b := &builder{tree: &tree{types: t, root: new(node), quoted: map[string]*node{}, dotted: map[string]*node{}}, Types: t}
	b.root.makeNamespace()
	b.of = t.declared(v)
	root := new(layout)
	b.fill(b.root, reflect.ValueOf(v), root)
	if len(b.errs) > 0 {
		return API{}, errors.Join(b.errs...)
	}
	s := &shape{tree: b.tree, layout: root, selves: b.selves, values: b.values}
	api, ok := s.read(t, v)
	if !ok {
		return API{}, errors.New("the value has changed while it was exposed")
	}
	t.shapes.add(key, s)
	return api, nil
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
	if op.call != nil {
		return op.call(a.selves[op.slot])
	}
	return op.cell(a.values[op.slot])
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
