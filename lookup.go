package kkrpc

import (
	"context"
	"fmt"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// lookup finds what m asks for and an empty cell to run it in, or says why there is none in the words of the original
// of m's generation. Only what was registered can be reached, by its exact path.
func (a *API) lookup(m *wire.Message) (*method, invocation, *wire.Error) {
	r := refusal{kind: m.Kind, classic: m.Dialect.IsClassic()}
	if a.root == nil {
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

// operation is what r.kind means on n.
func (a *API) operation(n *node, r *refusal) (*method, invocation, *wire.Error) {
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

// walk is the slow way, which knows every way to write a path and why it leads nowhere.
func (a *API) walk(m *wire.Message, r *refusal) (*node, *wire.Error) {
	path, err := m.Path.Segments(nil)
	if err != nil {
		return nil, r.noPath()
	}
	r.path = path
	return a.find(path, r)
}

// find follows path, which is that of r.
func (a *API) find(path []string, r *refusal) (*node, *wire.Error) {
	n := a.root
	for i, segment := range path {
		child := n.children[segment]
		if child == nil {
			if i == len(path)-1 {
				return a.absent(n, r)
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

// absent is for the name of nothing in a parent that exists.
func (a *API) absent(parent *node, r *refusal) (*node, *wire.Error) {
	if r.kind == wire.Get && !r.classic {
		return &node{path: r.path}, nil
	}
	return nil, r.leaf(nil)
}

// refusal words the answer to a request that reaches nothing. Classic peers get what failed before the function was
// found as a plain string, as the original does it.
type refusal struct {
	kind    wire.Kind
	classic bool
	ref     bool // on a reference
	path    []string
}

func (r *refusal) text(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "Error", Message: fmt.Sprintf(format, args...), Text: r.classic}
}

func (r *refusal) typeError(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "TypeError", Message: fmt.Sprintf(format, args...)}
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

// missing: path goes on behind segment i, which is undefined or null.
func (r *refusal) missing(i int, value string) *wire.Error {
	next := r.path[i+1]
	last := i+1 == len(r.path)-1
	switch {
	case r.classic && value == "null" && r.kind == wire.Get:
		return r.typeError("Cannot read properties of null (reading '%s')", next)
	case r.classic && value == "null" && r.kind == wire.Set && last:
		return r.typeError("Cannot set properties of null (setting '%s')", next)
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

// leaf: what the path leads to does not offer the operation; n is nil if there is nothing at all.
func (r *refusal) leaf(n *node) *wire.Error {
	path := join(r.path)
	switch r.kind {
	case wire.Call:
		switch {
		case n != nil && n.construct != nil:
			return r.typeError("Class constructor %s cannot be invoked without 'new'", path)
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
		return r.typeError("%s is not a constructor", path)
	case wire.Set:
		switch {
		case len(r.path) == 0:
			return r.text("Cannot set empty path")
		case n != nil:
			return r.typeError("Cannot assign to read only property %s", path)
		default:
			return r.typeError("Cannot add property %s", path)
		}
	default: // a classic get
		return r.text("Property path %s not found at %s", path, r.path[len(r.path)-1])
	}
}

// nothing is the get of a function, or of nothing, which runs no code of the user.
var nothing = method{path: "get", hasResult: true}

// snapshot is the get of what is no property.
func (n *node) snapshot() *method {
	if n.all != nil {
		return n.all
	}
	return &nothing
}

// snapshot answers the properties and constants of a namespace as an object, and undefined for a function.
type snapshot struct {
	api    *API
	node   *node
	result any
}

func (s *snapshot) decode(*request) error { return nil }

func (s *snapshot) run(ctx context.Context) (err error) {
	s.result, err = s.api.read(ctx, s.node)
	return err
}

func (s *snapshot) arguments() []any { return nil }
func (s *snapshot) outcome() any     { return s.result }

func (*snapshot) appendPlain(dst []byte) ([]byte, bool) { return dst, false }

func (s *snapshot) appendResult(dst []byte, out *values, path string) ([]byte, bool, error) {
	return out.appendAny(dst, path, s.result)
}

// read returns the value of n: that of a property, an object of them for a namespace, and undefined for the rest.
func (a *API) read(ctx context.Context, n *node) (any, error) {
	switch {
	case n.get != nil:
		cell := a.begin(n.get).(*getCell)
		if err := cell.run(ctx); err != nil {
			return nil, err
		}
		return cell.value, nil
	case n.children != nil:
		object := make(map[string]any, len(n.names))
		for _, name := range n.names {
			v, err := a.read(ctx, n.children[name])
			if err != nil {
				return nil, err
			}
			if stream, err := producerOf(v); stream != nil || err != nil {
				continue // as functions: only data is part of an object
			}
			if s, ok := v.(*Shared); ok && s != nil {
				v = s.value // it is a part here
			}
			if v != any(superjson.Undefined) {
				object[name] = v
			}
		}
		return object, nil
	default:
		return superjson.Undefined, nil
	}
}
