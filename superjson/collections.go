package superjson

import (
	"math"
	"math/big"
	"reflect"
	"slices"
	"time"
	"unsafe"
)

// Entry is one pair of a Map.
type Entry struct{ Key, Value any }

// Map is a JavaScript Map: pairs in the order of their insertion, with keys of any type. Keys are equal as in
// JavaScript. Numbers of any Go type and *big.Int are equal by value; maps, slices and pointers by identity. A time.Time
// is equal by value, but Dates that came from JavaScript remain as many as they were; Get finds the first of equal ones.
// The zero Map is empty and ready. Concurrent reads are safe, writes are not.
type Map struct {
	entries []Entry
	index   map[any]int
}

// NewMap returns a Map of the entries. Of equal keys the last value stays.
func NewMap(entries ...Entry) *Map {
	m := &Map{}
	for _, e := range entries {
		m.Set(e.Key, e.Value)
	}
	return m
}

// Len is the number of pairs.
func (m *Map) Len() int { return len(m.entries) }

// Entries returns a copy of the pairs in order.
func (m *Map) Entries() []Entry { return slices.Clone(m.entries) }

// Get returns the value of key and whether there is one.
func (m *Map) Get(key any) (any, bool) {
	i, ok := m.index[identity(key)]
	if !ok {
		return nil, false
	}
	return m.entries[i].Value, true
}

// Set stores value under key. An existing key keeps its place.
func (m *Map) Set(key, value any) {
	id := identity(key)
	if i, ok := m.index[id]; ok {
		m.entries[i].Value = value
		return
	}
	if m.index == nil {
		m.index = make(map[any]int)
	}
	m.index[id] = len(m.entries)
	m.entries = append(m.entries, Entry{key, value})
}

// settle removes equal keys, as Set would, and indexes the others. A decoded Map has neither before. Two Dates at one
// time are two keys in JavaScript.
func (m *Map) settle() {
	if len(m.entries) == 0 {
		return
	}
	m.index = make(map[any]int, len(m.entries))
	kept := m.entries[:0]
	for _, e := range m.entries {
		id := identity(e.Key)
		i, equal := m.index[id]
		if equal && !isTime(e.Key) {
			kept[i].Value = e.Value
			continue
		}
		if !equal {
			m.index[id] = len(kept)
		}
		kept = append(kept, e)
	}
	clear(m.entries[len(kept):])
	m.entries = kept
}

// Set is a JavaScript Set: distinct values in the order of their insertion. Values are equal like the keys of a Map.
// The zero Set is empty and ready. Concurrent reads are safe, writes are not.
type Set struct {
	values []any
	index  map[any]int
}

// NewSet returns a Set of the values.
func NewSet(values ...any) *Set {
	s := &Set{}
	for _, v := range values {
		s.Add(v)
	}
	return s
}

// Len is the number of values.
func (s *Set) Len() int { return len(s.values) }

// Values returns a copy of the values in order.
func (s *Set) Values() []any { return slices.Clone(s.values) }

// Has reports whether value is in the set.
func (s *Set) Has(value any) bool {
	_, ok := s.index[identity(value)]
	return ok
}

// Add appends value unless the set has it.
func (s *Set) Add(value any) {
	id := identity(value)
	if _, ok := s.index[id]; ok {
		return
	}
	if s.index == nil {
		s.index = make(map[any]int)
	}
	s.index[id] = len(s.values)
	s.values = append(s.values, value)
}

// settle is that of Map.
func (s *Set) settle() {
	if len(s.values) == 0 {
		return
	}
	s.index = make(map[any]int, len(s.values))
	kept := s.values[:0]
	for _, v := range s.values {
		id := identity(v)
		_, equal := s.index[id]
		if equal && !isTime(v) {
			continue
		}
		if !equal {
			s.index[id] = len(kept)
		}
		kept = append(kept, v)
	}
	clear(s.values[len(kept):])
	s.values = kept
}

func isTime(v any) bool {
	_, is := v.(time.Time)
	return is
}

type (
	bigIdentity struct{ decimal string }
	nanIdentity struct{}
	refIdentity struct {
		typ reflect.Type
		ptr unsafe.Pointer
		len int
	}
)

// identity maps a value to what JavaScript's SameValueZero compares.
func identity(v any) any {
	switch v := v.(type) {
	case nil, string, bool:
		return v
	case float64:
		return floatIdentity(v)
	case *big.Int:
		if v != nil {
			return bigIdentity{v.String()}
		}
		return nil
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return floatIdentity(float64(rv.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return floatIdentity(float64(rv.Uint()))
	case reflect.Float32, reflect.Float64:
		return floatIdentity(rv.Float())
	case reflect.String:
		return rv.String()
	case reflect.Bool:
		return rv.Bool()
	case reflect.Map, reflect.Func, reflect.Chan:
		return refIdentity{rv.Type(), rv.UnsafePointer(), 0}
	case reflect.Slice:
		if rv.Len() > 0 {
			return refIdentity{rv.Type(), rv.UnsafePointer(), rv.Len()}
		}
	default:
		if rv.Comparable() {
			return v
		}
	}
	// No two empty slices and no two structs with incomparable fields are the same.
	return new(byte)
}

func floatIdentity(f float64) any {
	if math.IsNaN(f) {
		return nanIdentity{}
	}
	if f == 0 {
		return float64(0) // -0 is the same key
	}
	return f
}
