package bind

import (
	"hash/maphash"
	"reflect"
	"slices"
	"sync"
	"unsafe"
)

// A server may make an API for each connection, of closures that know its user. All these values have one shape. The
// first one is compiled. The others are read by its layout: each costs a pointer for each function, and nothing else.

// shape is compiled once for all values that offer the same names, types and function code.
type shape struct {
	tree           *tree
	layout         *layout
	selves, values int // slots
}

// layout says how the slots of an API are read from a value, and what that value has to be.
type layout struct {
	form  form
	typ   reflect.Type // of the value; nil: the value is nil
	slot  int          // in API.selves; of a property or a constant in API.values
	parts []*layout    // of an Object its members, of a struct the fields, of a Class its function

	name        string       // of a member
	field       int          // of a field, its number
	code        uintptr      // of a function
	iface, impl reflect.Type // of an Interface
	tree        *tree        // of an API
	values      int          // of an API: its first slot in API.values
}

// form is how a value is read.
type form uint8

const (
	constantForm form = iota
	propertyForm
	functionForm
	classForm
	objectForm
	interfaceForm
	structForm
	apiForm
)

const noSlot = -1 // of a struct without methods

func (l *layout) add(part layout) *layout {
	l.parts = append(l.parts, &part)
	return &part
}

// read makes the API of v. ok is false if v has another shape.
func (s *shape) read(t *Types, v any) (_ API, ok bool) {
	api := API{tree: s.tree}
	if s.selves > 0 {
		api.selves = make([]unsafe.Pointer, s.selves)
	}
	if s.values > 0 {
		api.values = make([]any, s.values)
	}
	return api, s.layout.read(t, reflect.ValueOf(v), &api)
}

// read fills the slots of api that come from v. ok is false if v does not fit.
func (l *layout) read(t *Types, v reflect.Value, api *API) (ok bool) {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return l.typ == nil
	}
	if v.Type() != l.typ {
		return false
	}
	switch l.form {
	case constantForm:
		api.values[l.slot] = v.Interface()
	case propertyForm:
		api.values[l.slot], ok = propertyOf(v)
		return ok
	case functionForm:
		if v.Pointer() != l.code { // it is 0 for nil
			return false
		}
		storeFunc(&api.selves[l.slot], v)
	case classForm:
		return l.parts[0].read(t, reflect.ValueOf(t.kinds.Constructor(v.Interface())), api)
	case objectForm:
		return l.readMembers(t, t.kinds.Members(v.Interface()), api)
	case interfaceForm:
		iface, impl := t.kinds.Implementation(v.Interface())
		if iface != l.iface || reflect.TypeOf(impl) != l.impl {
			return false
		}
		p, ok := pointerTo(reflect.ValueOf(impl))
		if !ok {
			return false
		}
		api.selves[l.slot] = p.UnsafePointer()
	case structForm:
		return l.readFields(t, v, api)
	case apiForm:
		inner := t.kinds.Compiled(v.Interface())
		if inner == nil || inner.tree != l.tree {
			return false
		}
		copy(api.selves[l.slot:], inner.selves)
		copy(api.values[l.values:], inner.values)
	}
	return true
}

func (l *layout) readMembers(t *Types, members map[string]any, api *API) (ok bool) {
	if len(members) != len(l.parts) {
		return false
	}
	for _, part := range l.parts {
		member, ok := members[part.name]
		if !ok || !part.read(t, reflect.ValueOf(member), api) {
			return false
		}
	}
	return true
}

func (l *layout) readFields(t *Types, v reflect.Value, api *API) (ok bool) {
	p, ok := pointerTo(v)
	if !ok {
		return false
	}
	if l.slot != noSlot {
		api.selves[l.slot] = p.UnsafePointer()
	}
	for _, part := range l.parts {
		if !part.read(t, p.Elem().Field(part.field), api) {
			return false
		}
	}
	return true
}

// shapeKey is what is cheap to see of a shape.
type shapeKey struct {
	typ         reflect.Type
	iface, impl reflect.Type // of an Interface
	names       uint64       // of an Object: the sum of the hashes of its names
}

var nameSeed = maphash.MakeSeed()

func (t *Types) shapeKeyOf(v any) shapeKey {
	key := shapeKey{typ: reflect.TypeOf(v)}
	switch key.typ {
	case t.kinds.Object:
		for name := range t.kinds.Members(v) {
			key.names += maphash.String(nameSeed, name)
		}
	case t.kinds.Interface:
		iface, impl := t.kinds.Implementation(v)
		key.iface, key.impl = iface, reflect.TypeOf(impl)
	}
	return key
}

const (
	// maxShapeNames is how many names the known shapes have together. A name takes about 700 bytes. There would be
	// more where a program gives each connection names of its own.
	maxShapeNames = 8192
	// maxVariants is how many shapes with one key are known.
	maxVariants = 8
)

// shapes are those that were compiled, up to a number.
type shapes struct {
	mu    sync.RWMutex
	known map[shapeKey][]*shape // the slices never change
	names int                   // of all of them
}

// read makes the API of v if its shape is known.
func (all *shapes) read(key shapeKey, t *Types, v any) (_ API, ok bool) {
	all.mu.RLock()
	variants := all.known[key]
	all.mu.RUnlock()
	for _, s := range variants {
		if api, ok := s.read(t, v); ok {
			return api, true
		}
	}
	return API{}, false
}

// add makes s known. It forgets the oldest variant of its key, or all shapes, if there are too many.
func (all *shapes) add(key shapeKey, s *shape) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if s.size() > maxShapeNames {
		return
	}
	if all.known == nil || all.names+s.size() > maxShapeNames {
		all.known, all.names = map[shapeKey][]*shape{}, 0
	}
	variants := all.known[key]
	if len(variants) == maxVariants {
		all.names -= variants[0].size()
		variants = variants[1:]
	}
	all.known[key] = append(slices.Clip(variants), s)
	all.names += s.size()
}

// size is the number of names, with that of the whole.
func (s *shape) size() int { return len(s.tree.quoted) + 1 }
