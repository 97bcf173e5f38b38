package superjson

import (
	"errors"
	"reflect"
)

func structDecoder(t reflect.Type) decodeFunc {
	plan := fieldsOf(t)
	if plan.problem != "" {
		return func(*decoder, reflect.Value, *node) error { return &DataError{Reason: plan.problem} }
	}
	inner := make([]decodeFunc, len(plan.list))
	for i, f := range plan.list {
		if inner[i] = decoderOf(f.typ); f.quote {
			inner[i] = decodeQuoted
		}
	}
	return func(d *decoder, v reflect.Value, n *node) error {
		var exact fieldSet
		var folded foldedMembers
		err := d.members(n, func(name string, item *node) error {
			f := plan.find(name)
			// What JSON.stringify would have left out leaves the field as it is.
			if f == nil || item.kind() == "undefined" && !keepsUndefined(f.typ) || f.name != name && exact.has(f.order) {
				_, err := d.read()
				return err
			}
			at, err := settableField(v, f.index, d.meter)
			if err != nil {
				return err
			}
			if f.name != name {
				return folded.read(d, f, name, at, inner[f.order], item)
			}
			if err = inner[f.order](d, at, item); err == nil {
				exact.add(f.order)
			}
			return err
		})
		if bad := folded.keep(&exact); err == nil {
			err = bad
		}
		if err == nil && d.meter.requires() {
			for _, m := range folded {
				exact.add(m.order)
			}
			err = plan.missing(&exact)
		}
		return err
	}
}

// missing is the error for the first required field that is not among those that came.
func (f *fields) missing(came *fieldSet) error {
	if f.require.first&^came.first == 0 && len(f.list) <= 64 {
		return nil
	}
	for i := range f.list {
		if f.require.has(i) && !came.has(i) {
			return &TypeError{Path: f.list[i].name, Expected: expected(f.list[i].typ), Got: "undefined"}
		}
	}
	return nil
}

// expected names what a place of type t takes.
func expected(t reflect.Type) string {
	place := reflect.New(t).Elem()
	if e, ok := errors.AsType[*TypeError](decodeSlow(ModeSuperJSON, nil, nil, place, nil, nil)); ok && e.Path == "" {
		return e.Expected
	}
	switch t.Kind() { // lists and maps take undefined for none
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return uint8Array
		}
		return "array"
	case reflect.Map:
		return "object"
	}
	return "a value"
}

func keepsUndefined(t reflect.Type) bool {
	return t.Kind() == reflect.Interface && t.NumMethod() == 0 || t == reflect.TypeFor[Value]()
}

// settableField makes the embedded pointers on the way. It fails like encoding/json where reflection cannot make one.
func settableField(v reflect.Value, index []int, m *Meter) (reflect.Value, error) {
	for i, n := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !v.CanSet() {
					return v, &DataError{Reason: sealed(v.Type().Elem())}
				}
				if err := m.Spend(pointerCost + int(v.Type().Elem().Size())); err != nil {
					return v, err
				}
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(n)
	}
	return v, nil
}

// sealed is why no member can be read into an embedded pointer to t.
func sealed(t reflect.Type) string {
	return "cannot set the embedded pointer to the unexported struct " + t.Name() + "; export it or embed the struct itself"
}

// fieldSet is a set of fields by their order.
type fieldSet struct {
	first uint64
	more  map[int]bool
}

func (s *fieldSet) add(i int) {
	if i < 64 {
		s.first |= 1 << i
		return
	}
	if s.more == nil {
		s.more = map[int]bool{}
	}
	s.more[i] = true
}

func (s *fieldSet) has(i int) bool { return i < 64 && s.first>>i&1 == 1 || s.more[i] }

// foldedMembers are members whose names are those of fields but for the case. They count unless a member with the exact
// name follows, and so do their errors.
type foldedMembers []foldedMember

type foldedMember struct {
	name      string
	order     int
	at, value reflect.Value
	err       error
}

// read reads a member for the field at.
func (all *foldedMembers) read(d *decoder, f *field, name string, at reflect.Value, inner decodeFunc, item *node) error {
	m, err := all.of(d, f, at)
	if err != nil {
		return err
	}
	depth, open, start, here, outer := d.depth, d.dec.StackDepth(), d.dec.InputOffset(), d.here, len(d.outer)
	failed := inner(d, m.value, item)
	if m.err == nil { // the first error counts
		m.name, m.err = name, failed
	}
	if failed == nil {
		return nil
	}
	d.depth, d.here, d.outer = depth, here, d.outer[:outer]
	for d.dec.StackDepth() > open {
		if _, err := d.token(); err != nil {
			return err
		}
	}
	if d.dec.InputOffset() == start { // the value has not been begun
		_, err := d.read()
		return err
	}
	return nil
}

// of returns the member for the field at, of several the same one.
func (all *foldedMembers) of(d *decoder, f *field, at reflect.Value) (*foldedMember, error) {
	for i := range *all {
		if m := &(*all)[i]; m.order == f.order {
			return m, nil
		}
	}
	if err := d.spend(foldedCost + int(f.typ.Size())); err != nil {
		return nil, err
	}
	m := foldedMember{order: f.order, at: at, value: reflect.New(f.typ).Elem()}
	m.value.Set(at)
	*all = append(*all, m)
	return &(*all)[len(*all)-1], nil
}

// foldedCost is what a foldedMember takes beside its value, in bytes.
const foldedCost = 96

// keep stores what no exact name has replaced, and returns the first error there.
func (all foldedMembers) keep(exact *fieldSet) (err error) {
	for _, m := range all {
		switch {
		case exact.has(m.order):
		case m.err == nil:
			m.at.Set(m.value)
		case err == nil:
			err = atKey(m.err, m.name)
		}
	}
	return err
}
