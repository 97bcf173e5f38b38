package bind

import (
	"context"
	"fmt"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Lookup finds what m asks for, and an empty cell to run it in. Only what was registered can be reached, by its exact
// path. An error is in the words of the original of m's generation.
func (a *API) Lookup(m *wire.Message) (*Method, Invocation, *wire.Error) {
	r := refusal{kind: m.Kind, classic: m.Dialect.IsClassic()}
	if a.IsEmpty() {
		if a.tree != nil && a.refused != nil {
			return nil, nil, a.refused
		}
		return nil, nil, r.noAPI()
	}
	var n *node
	if m.Path.Dotted {
		n = a.dotted[string(m.Path.Raw)]
	} else if m.Path.Raw != nil {
		n = a.quoted[string(m.Path.Raw)]
	}
	if n == nil {
		var err *wire.Error
		if n, err = a.walk(m, &r); err != nil {
			return nil, nil, err
		}
	}
	return a.operation(n, &r)
}

// LookupIn is Lookup for an operation on a reference to what a was compiled from.
func (a *API) LookupIn(kind wire.Kind, path []string) (*Method, Invocation, *wire.Error) {
	r := refusal{kind: kind, path: path, ref: true}
	n, refused := a.find(path, &r)
	if refused != nil {
		return nil, nil, refused
	}
	return a.operation(n, &r)
}

// Has reports why nothing is at path in a reference to what a was compiled from; nil: something is.
func (a *API) Has(path []string) *wire.Error {
	r := refusal{kind: wire.Get, path: path}
	n, refused := a.find(path, &r)
	switch {
	case refused != nil:
		return &wire.Error{Name: refused.Name, Message: refused.Message}
	case n.call == nil && n.construct == nil && n.get == nil && n.children == nil:
		return typeErrorf("the reference has no %s", join(path))
	}
	return nil
}

// operation is what r.kind means on n.
func (a *API) operation(n *node, r *refusal) (*Method, Invocation, *wire.Error) {
	var op *operation
	switch r.kind {
	case wire.Call:
		op = n.call
	case wire.New:
		op = n.construct
	case wire.Set:
		op = n.set
	case wire.Get:
		if op = n.get; op == nil {
			return n.snapshot(), &snapshot{api: a, node: n}, nil
		}
	}
	if op == nil {
		r.path = n.path
		return nil, nil, r.leaf(n)
	}
	return op.method, a.begin(op), nil
}

// walk is the slow way. It knows every way to write a path, and why a path leads nowhere.
func (a *API) walk(m *wire.Message, r *refusal) (*node, *wire.Error) {
	path, err := m.Path.Segments(nil)
	if err != nil {
		return nil, r.noPath()
	}
	r.path = path
	return a.find(path, r)
}

// find follows path, the path of r.
func (a *API) find(path []string, r *refusal) (*node, *wire.Error) {
	n := a.root
	for i, segment := range path {
		child := n.children[segment]
		if child == nil {
			if i == len(path)-1 {
				return absent(r)
			}
			return nil, r.missing(i, "undefined")
		}
		if child.isNull && i < len(path)-1 {
			return nil, r.missing(i, "null")
		}
		n = child
	}
	return n, nil
}

// absent is for a name that a parent does not have.
func absent(r *refusal) (*node, *wire.Error) {
	if r.kind == wire.Get && !r.classic {
		return &node{path: r.path}, nil
	}
	return nil, r.leaf(nil)
}

// refusal words the answer to a request that reaches nothing. Classic peers get a failure before the function was found
// as a plain string, like that of the original.
type refusal struct {
	kind    wire.Kind
	classic bool
	ref     bool // on a reference
	path    []string
}

func (r *refusal) text(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "Error", Message: fmt.Sprintf(format, args...), Text: r.classic}
}

func (r *refusal) noAPI() *wire.Error {
	if r.classic {
		return r.text("No API implementation available")
	}
	return r.text("No API exposed")
}

func (r *refusal) noPath() *wire.Error {
	if r.kind == wire.Set {
		return r.text("Invalid set request: missing path")
	}
	return r.text("Invalid get request: missing path")
}

// missing is for a path that goes on behind segment i, which is undefined or null.
func (r *refusal) missing(i int, value string) *wire.Error {
	next := r.path[i+1]
	last := i+1 == len(r.path)-1
	switch {
	case r.classic && value == "null" && r.kind == wire.Get:
		return typeErrorf("Cannot read properties of null (reading '%s')", next)
	case r.classic && value == "null" && r.kind == wire.Set && last:
		return typeErrorf("Cannot set properties of null (setting '%s')", next)
	case r.classic:
		return r.text("%s path %s not found at %s", r.noun(), join(r.path), r.path[i])
	case r.kind == wire.Set && last:
		return r.text("Cannot set %s on %s", join(r.path), value)
	default:
		return r.text("Cannot access %s on %s", next, value)
	}
}

func (r *refusal) noun() string {
	switch r.kind {
	case wire.Call:
		return "Method"
	case wire.New:
		return "Constructor"
	default:
		return "Property"
	}
}

// leaf is for an n that does not offer the operation. n is nil if the path leads to nothing.
func (r *refusal) leaf(n *node) *wire.Error {
	path := join(r.path)
	switch r.kind {
	case wire.Call:
		switch {
		case n != nil && n.construct != nil:
			return typeErrorf("Class constructor %s cannot be invoked without 'new'", path)
		case len(r.path) == 0 && !r.ref:
			return r.text("The API itself is not a function")
		case r.classic:
			return r.text("Method %s is not a function", path)
		default:
			return r.text("%s is not a function", path)
		}
	case wire.New:
		if r.classic {
			return r.text("%s is not a constructor function", path)
		}
		return typeErrorf("%s is not a constructor", path)
	case wire.Set:
		switch {
		case len(r.path) == 0:
			return r.text("Cannot set empty path")
		case n != nil:
			return typeErrorf("Cannot assign to read only property %s", path)
		default:
			return typeErrorf("Cannot add property %s", path)
		}
	default: // a classic get
		return r.text("Property path %s not found at %s", path, r.path[len(r.path)-1])
	}
}

// snapshot is the method for a get of a node that is no property.
func (n *node) snapshot() *Method {
	if n.all != nil {
		return n.all
	}
	return &get
}

// snapshot answers the properties and constants of a namespace as an object, and undefined for a function.
type snapshot struct {
	api    *API
	node   *node
	result any
}

func (*snapshot) Decode(*Request) error { return nil }

func (s *snapshot) Run(ctx context.Context) (err error) {
	s.result, err = s.api.read(ctx, s.node)
	return err
}

func (*snapshot) Arguments() []any { return nil }

func (s *snapshot) Outcome() any { return s.result }

func (*snapshot) AppendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (s *snapshot) AppendResult(dst []byte, out Writer, path string) ([]byte, bool, error) {
	return out.AppendAny(dst, path, s.result)
}

// read returns the value of n: that of a property, an object of them for a namespace, and undefined for the rest.
func (a *API) read(ctx context.Context, n *node) (any, error) {
	switch {
	case n.get != nil:
		cell := a.begin(n.get)
		if err := cell.Run(ctx); err != nil {
			return nil, err
		}
		return cell.Outcome(), nil
	case n.children != nil:
		object := make(map[string]any, len(n.names))
		for _, name := range n.names {
			v, err := a.read(ctx, n.children[name])
			if err != nil {
				return nil, err
			}
			if IsStream(v) {
				continue // like functions: only data is part of an object
			}
			if v = a.types.kinds.Unshare(v); v != any(superjson.Undefined) {
				object[name] = v
			}
		}
		return object, nil
	default:
		return superjson.Undefined, nil
	}
}
