package bind

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
	*Types
	selves, values int // slots so far
	errs           []error
}

func (b *builder) fail(path []string, format string, args ...any) {
	at := join(path)
	if at == "" {
		at = "the API"
	}
	b.errs = append(b.errs, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

// failType reports a problem of a type, which may have a place of its own.
func (b *builder) failType(path []string, err error) {
	b.errs = append(b.errs, fmt.Errorf("%s%w", join(path), err))
}

// selfSlot gives what l reads a slot in API.selves.
func (b *builder) selfSlot(l *layout) int {
	l.slot = b.selves
	b.selves++
	return l.slot
}

// valueSlot gives what l reads a slot in API.values.
func (b *builder) valueSlot(l *layout) int {
	l.slot = b.values
	b.values++
	return l.slot
}

// note remembers that values of type v are exposed.
func (b *builder) note(v reflect.Type) {
	b.references = b.references || b.RefUseOf(v) == RefSurely
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

// index enters n for the fast lookup under the texts that peers write for its path. The slow lookup serves texts that
// could stand for another path too, or that would be escaped.
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

// fill puts the names that v offers into the namespace n. l becomes the layout of v.
func (b *builder) fill(n *node, v reflect.Value, l *layout) {
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
	l.typ = v.Type()
	switch l.typ {
	case b.kinds.Object:
		b.object(n, b.kinds.Members(v.Interface()), l)
		return
	case b.kinds.Interface:
		b.interfaceMethods(n, v.Interface(), l)
		return
	case reflect.PointerTo(b.kinds.API):
		b.graft(n, b.kinds.Compiled(v.Interface()), l)
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
		b.structure(n, t, p, l)
	}
}

func (b *builder) object(n *node, members map[string]any, l *layout) {
	l.form = objectForm
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if child := b.add(n, name, "the key "+name); child != nil {
			b.member(child, reflect.ValueOf(members[name]), l.add(layout{name: name}))
		}
	}
}

// member gives n the meaning of v, a value of an Object or of a tagged field.
func (b *builder) member(n *node, v reflect.Value, l *layout) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		b.constant(n, nil, l)
		return
	}
	l.typ = v.Type()
	switch t := v.Type(); {
	case t == b.kinds.Object, t == b.kinds.Interface, t == reflect.PointerTo(b.kinds.API):
		n.makeNamespace()
		b.fill(n, v, l)
	case t.Implements(b.kinds.Property):
		b.property(n, v, l)
	case t == b.kinds.Class:
		b.class(n, reflect.ValueOf(b.kinds.Constructor(v.Interface())), l)
	case t.Kind() == reflect.Func && !IsStreamType(t):
		n.call = b.function(n, v, "", l)
	case looksLikeService(t):
		b.fail(n.path, "%s has methods; expose them with kkrpc.As, or return it as data from a kkrpc.ReadOnly", t)
	default:
		b.constant(n, v.Interface(), l)
	}
}

// function returns nil for a func that cannot be exposed. what is where the error is about a part of n.
func (b *builder) function(n *node, fn reflect.Value, what string, l *layout) *operation {
	plan, err := b.planOf(fn)
	if err != nil {
		b.fail(n.path, "%s%w", what, err)
		return nil
	}
	b.references = b.references || plan.references
	l.form, l.typ, l.code = functionForm, fn.Type(), fn.Pointer()
	path := join(n.path)
	return &operation{method: plan.method(path), slot: b.selfSlot(l), call: plan.start(path)}
}

// structure exposes the methods that a struct type declares itself, then its fields. p points to the struct.
func (b *builder) structure(n *node, t reflect.Type, p reflect.Value, l *layout) {
	l.form, l.slot = structForm, noSlot
	if b.declaredMethods(n, t, p, l); t.Kind() == reflect.Pointer {
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
		case tagged || b.kinds.exposedType(f.Type):
			name := tag
			if !tagged {
				name = ExportedName(f.Name)
			}
			if child := b.add(n, name, "field "+f.Name); child != nil {
				b.field(child, p.Elem().Field(i), l.add(layout{field: i}))
			}
		}
	}
	if len(n.names) == 0 && len(b.errs) == 0 {
		b.fail(n.path, "%s has nothing to expose: no exported method, no field of a kkrpc type, no field with a kkrpc tag", t)
	}
}

// exposedType reports whether a field of type t is exposed without a tag.
func (k *Kinds) exposedType(t reflect.Type) bool {
	return t == k.Object || t == k.Class || k.isProperty(t)
}

// isProperty reports whether a t or a *t is a property.
func (k *Kinds) isProperty(t reflect.Type) bool {
	return t.Implements(k.Property) || reflect.PointerTo(t).Implements(k.Property)
}

func (b *builder) field(n *node, v reflect.Value, l *layout) {
	t := v.Type()
	switch {
	case t.Implements(b.kinds.Property) && t.Kind() == reflect.Pointer, reflect.PointerTo(t).Implements(b.kinds.Property):
		b.property(n, v, l)
	case b.kinds.isNamespace(t):
		n.makeNamespace()
		b.fill(n, v, l)
	default:
		b.member(n, v, l)
	}
}

// isNamespace reports whether a tagged field of type t is a namespace of a static type.
func (k *Kinds) isNamespace(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t != k.Class && t != k.Interface && t != k.API && !hasOwnForm(t)
}

// graft makes a copy of a compiled API a namespace.
func (b *builder) graft(n *node, api *API, l *layout) {
	if api == nil || api.IsEmpty() {
		b.fail(n.path, "is an API with nothing in it")
		return
	}
	b.references = b.references || api.references
	l.form, l.tree, l.slot, l.values = apiForm, api.tree, b.selves, b.values
	b.selves += len(api.selves)
	b.values += len(api.values)
	b.graftChildren(n, api.root, l)
}

// graftChildren copies the children of from. Their slots begin where l says.
func (b *builder) graftChildren(to, from *node, l *layout) {
	moved := func(op *operation, path []string) *operation {
		if op == nil {
			return nil
		}
		m := &Method{Path: join(path), WantsContext: op.method.WantsContext, HasResult: op.method.HasResult, Keeps: op.method.Keeps, plan: op.method.plan}
		first := l.values
		if op.call != nil {
			first = l.slot
		}
		return &operation{method: m, slot: first + op.slot, call: op.call, cell: op.cell}
	}
	for _, name := range from.names {
		old := from.children[name]
		n := b.add(to, name, old.goName)
		if n == nil {
			continue
		}
		n.call, n.construct = moved(old.call, n.path), moved(old.construct, n.path)
		n.get, n.set, n.isNull, n.value = moved(old.get, n.path), moved(old.set, n.path), old.isNull, old.value
		n.constant = old.constant
		if old.children != nil {
			n.makeNamespace()
			b.graftChildren(n, old, l)
		}
	}
}
