package bind

import (
	"iter"
	"reflect"
)

// Entry is one name of an API, for programs that describe APIs.
type Entry struct {
	Path     []string // not to be changed
	Kind     EntryKind
	In       []reflect.Type // of Function and Class: what the peer passes; the last of a variadic one is a slice
	Variadic bool
	Type     reflect.Type // the result, the property or the constant; nil for none, and for null
	Settable bool         // of Property: the peer may write it
}

// EntryKind says what a name stands for.
type EntryKind uint8

// The kinds of entries.
const (
	Function EntryKind = iota
	Class
	Property
	Constant
	Namespace
)

// Entries lists the names in the order of registration, namespaces before what is in them.
func (a *API) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		if !a.IsEmpty() {
			a.root.entries(yield)
		}
	}
}

func (n *node) entries(yield func(Entry) bool) (more bool) {
	for _, name := range n.names {
		child := n.children[name]
		if !yield(child.entry()) || !child.entries(yield) {
			return false
		}
	}
	return true
}

func (n *node) entry() Entry {
	e := Entry{Path: n.path, Type: n.value}
	switch {
	case n.children != nil:
		e.Kind = Namespace
	case n.call != nil:
		e.function(n.call.method.plan)
	case n.construct != nil:
		e.function(n.construct.method.plan)
		e.Kind = Class
	case n.constant:
		e.Kind = Constant
	default:
		e.Kind, e.Settable = Property, n.set != nil
	}
	return e
}

func (e *Entry) function(p *plan) {
	first := 0
	if p.receiver {
		first++
	}
	if p.context {
		first++
	}
	for i := first; i < p.typ.NumIn(); i++ {
		if i != p.writer {
			e.In = append(e.In, p.typ.In(i))
		}
	}
	e.Variadic = p.variadic
	e.Type = p.resultType()
}
