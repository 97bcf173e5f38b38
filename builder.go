package kkrpc

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// maxNamespaces bounds how deep namespaces nest: an Object may contain itself.
const maxNamespaces = 16

// builder compiles one API. It goes on after an error, so that all are reported.
type builder struct {
	*tree
	slots   []any
	sources []source // of the slots
	dynamic bool     // the tree holds more than the type says
	errs    []error
}

func (b *builder) fail(path []string, format string, args ...any) {
	at := join(path)
	if at == "" {
		at = "the API"
	}
	b.errs = append(b.errs, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

// failType reports what checkValue found.
func (b *builder) failType(path []string, err error) {
	b.errs = append(b.errs, fmt.Errorf("%s%w", join(path), err))
}

// slot makes v a slot and returns its number.
func (b *builder) slot(v any, from source) int {
	b.slots = append(b.slots, v)
	b.sources = append(b.sources, from)
	return len(b.slots) - 1
}

// add puts a new name under parent. It returns nil if the name is taken.
func (b *builder) add(parent *node, name, goName string) *node {
	path := append(slices.Clip(parent.path), name)
	if !utf8.ValidString(name) {
		b.fail(path, "the name is not valid UTF-8")
		return nil
	}
	if other, taken := parent.children[name]; taken {
		b.fail(path, "both %s and %s have this name; rename one, a field by its tag", other.goName, goName)
		return nil
	}
	n := &node{path: path, goName: goName}
	parent.children[name] = n
	parent.names = append(parent.names, name)
	b.index(n)
	return n
}

// index enters n for the fast lookup under the texts that peers write for its path. A text that could stand for
// another path too, or that would be escaped, is left to the slow one.
func (b *builder) index(n *node) {
	b.quoted[string(quotedPath(n.path))] = n
	for _, segment := range n.path {
		if strings.ContainsAny(segment, ".\\\"") {
			return
		}
	}
	b.dotted[join(n.path)] = n
}

func quotedPath(path []string) []byte {
	var text []byte
	for i, segment := range path {
		if i > 0 {
			text = append(text, ',')
		}
		text = wire.AppendString(text, segment)
	}
	return text
}

// fill puts what v offers into the namespace n. from leads to v, if the way is the same for all values of the type.
func (b *builder) fill(n *node, v reflect.Value, from source) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if len(n.path) > maxNamespaces {
		b.fail(n.path, "namespaces nest too deeply")
		return
	}
	if !v.IsValid() {
		b.fail(n.path, "is nil")
		return
	}
	switch x := v.Interface().(type) {
	case Object:
		b.object(n, x)
		return
	case methodsOf:
		b.interfaceMethods(n, x, from)
		return
	case *API:
		b.graft(n, x)
		return
	}
	p, ok := pointerTo(v)
	switch {
	case !ok:
		b.fail(n.path, "%s is nil", v.Type())
	case p.Elem().Kind() != reflect.Struct:
		b.fail(n.path, "%s cannot be exposed; want a kkrpc.Object, what kkrpc.As returns, or a struct", v.Type())
	default:
		t := v.Type()
		if v.CanAddr() {
			t = p.Type()
		}
		b.structure(n, t, p, from)
	}
}

func (b *builder) object(n *node, o Object) {
	b.dynamic = true
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if child := b.add(n, name, "the key "+name); child != nil {
			b.member(child, reflect.ValueOf(o[name]))
		}
	}
}

// member makes n what the value v of an Object, or of a tagged field, stands for.
func (b *builder) member(n *node, v reflect.Value) {
	b.dynamic = true
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		b.constant(n, nil)
		return
	}
	switch x := v.Interface().(type) {
	case Object, methodsOf, *API:
		n.makeNamespace()
		b.fill(n, v, source{})
	case property:
		b.property(n, v, source{})
	case Class:
		b.class(n, x)
	default:
		switch {
		case v.Kind() == reflect.Func && !isStreamType(v.Type()):
			b.function(n, v)
		case looksLikeService(v.Type()):
			b.fail(n.path, "%s has methods; expose them with kkrpc.As, or return it as data from a kkrpc.ReadOnly", v.Type())
		default:
			b.constant(n, x)
		}
	}
}

func (b *builder) function(n *node, fn reflect.Value) {
	m, err := planOf(fn, join(n.path))
	if err != nil {
		b.fail(n.path, "%w", err)
		return
	}
	n.call = fixed(m)
	b.refs = b.refs || m.refs
}

// fixed is the operation of a method that needs no slot.
func fixed(m *method) *operation {
	return &operation{method: m, slot: noSlot, start: func(any) invocation { return m.begin() }}
}

// structure exposes what a struct type declares: its own methods, then its fields. p points to the struct.
func (b *builder) structure(n *node, t reflect.Type, p reflect.Value, from source) {
	if b.declaredMethods(n, t, p, from); t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("kkrpc")
		switch {
		case tag == "-":
		case !f.IsExported():
			if tagged {
				b.fail(n.path, "field %s.%s is tagged but not exported", t, f.Name)
			}
		case tagged || exposedType(f.Type):
			name := tag
			if !tagged {
				name = exportedName(f.Name)
			}
			if child := b.add(n, name, "field "+f.Name); child != nil {
				b.field(child, p.Elem().Field(i), from.field(i))
			}
		}
	}
	if len(n.names) == 0 && len(b.errs) == 0 {
		b.fail(n.path, "%s has nothing to expose: no exported method, no field of a kkrpc type, no field with a kkrpc tag", t)
	}
}

// exposedType reports whether a field of type t is exposed without a tag.
func exposedType(t reflect.Type) bool {
	return t == reflect.TypeFor[Object]() || t == reflect.TypeFor[Class]() ||
		t.Implements(reflect.TypeFor[property]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[property]())
}

func (b *builder) field(n *node, v reflect.Value, from source) {
	t := v.Type()
	switch {
	case t.Implements(reflect.TypeFor[property]()) && t.Kind() == reflect.Pointer, reflect.PointerTo(t).Implements(reflect.TypeFor[property]()):
		b.property(n, v, from)
	case isNamespaceType(t):
		n.makeNamespace()
		b.fill(n, v, from)
	default:
		b.member(n, v)
	}
}

// isNamespaceType reports whether a tagged field of type t is a namespace of a static type.
func isNamespaceType(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[Class]() && t != reflect.TypeFor[methodsOf]() &&
		t != reflect.TypeFor[API]() && !hasOwnForm(t)
}

// graft makes a copy of a compiled API a namespace.
func (b *builder) graft(n *node, api *API) {
	b.dynamic = true
	if api == nil || api.tree.root == nil {
		b.fail(n.path, "is an API with nothing in it")
		return
	}
	b.refs = b.refs || api.tree.refs
	offset := len(b.slots)
	for _, s := range api.slots {
		b.slot(s, source{})
	}
	b.graftChildren(n, api.tree.root, offset)
}

func (b *builder) graftChildren(to, from *node, offset int) {
	moved := func(op *operation, path []string) *operation {
		if op == nil {
			return nil
		}
		m := &method{path: join(path), wantsContext: op.method.wantsContext, hasResult: op.method.hasResult, begin: op.method.begin}
		c := &operation{method: m, slot: op.slot, start: op.start}
		if c.slot != noSlot {
			c.slot += offset
		}
		return c
	}
	for _, name := range from.names {
		old := from.children[name]
		n := b.add(to, name, old.goName)
		if n == nil {
			continue
		}
		n.call, n.construct = moved(old.call, n.path), moved(old.construct, n.path)
		n.get, n.set, n.isNull = moved(old.get, n.path), moved(old.set, n.path), old.isNull
		if old.children != nil {
			n.makeNamespace()
			b.graftChildren(n, old, offset)
		}
	}
}
