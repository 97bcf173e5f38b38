package superjson

import (
	"math/big"
	"net/url"
	"reflect"
	"unsafe"
)

// share makes the places of each group one object, as the metadata says. text is the length of the JSON.
//
// It refuses cycles: fmt, json.Marshal and most code that walks an any would never end. Sharing can also make a small
// text stand for a huge value, so share bounds what repeats beyond the text.
func share(root any, groups [][]path, text int64) (any, error) {
	for _, group := range groups {
		shared, ok := lookup(root, group[0])
		if _, immutable := shared.(*big.Int); !ok || immutable {
			continue // a function has a path and no JSON, and a bigint no identity
		}
		for _, at := range group[1:] {
			if len(at) == 0 {
				root = shared
			} else {
				replace(root, at, shared)
			}
		}
	}
	s := sizes{most: text + maxCopied, known: map[objectKey]size{}}
	_, err := s.of(root, 0)
	return root, err
}

// withoutCycles is what an any takes.
const withoutCycles = "a value without cycles (only a superjson.Value keeps them)"

// sizes measures a value that may have shared objects.
type sizes struct {
	most  int64
	known map[objectKey]size
}

// size is how much a value is when it is written without sharing: about the bytes of its JSON, at least.
type size struct {
	bytes  int64
	height int
	open   bool // it is being measured: meeting it now is a cycle
}

func (s *sizes) of(v any, depth int) (size, error) {
	var key objectKey
	switch v := v.(type) {
	case map[string]any:
		key = objectKey{ptr: reflect.ValueOf(v).UnsafePointer()}
	case []any:
		if len(v) == 0 {
			return size{bytes: 2}, nil
		}
		key = objectKey{ptr: unsafe.Pointer(&v[0]), len: len(v)}
	case *Map:
		key = objectKey{ptr: unsafe.Pointer(v)}
	case *Set:
		key = objectKey{ptr: unsafe.Pointer(v)}
	case *Error:
		key = objectKey{ptr: unsafe.Pointer(v)}
	default:
		return size{bytes: leafBytes(v)}, nil
	}
	known, met := s.known[key]
	switch {
	case known.open:
		return known, &TypeError{Expected: withoutCycles, Got: "a cycle"}
	case !met:
		s.known[key] = size{open: true}
		var err error
		if known, err = s.container(v, depth); err != nil {
			return known, err
		}
		s.known[key] = known
	}
	if depth+known.height > maxDepth {
		return known, &DataError{Reason: "nested deeper than 1000"}
	}
	return known, nil
}

// container measures what v holds.
func (s *sizes) container(v any, depth int) (size, error) {
	total := size{bytes: 1, height: 1}
	if depth >= maxDepth {
		return total, &DataError{Reason: "nested deeper than 1000"}
	}
	add := func(v any) error {
		inner, err := s.of(v, depth+1)
		total.bytes += 1 + inner.bytes
		total.height = max(total.height, 1+inner.height)
		if err == nil && total.bytes > s.most {
			err = &DataError{Reason: "shared objects repeat too much data"}
		}
		return err
	}
	var err error
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			total.bytes += int64(len(name)) + 3
			if err = add(inner); err != nil {
				return total, atKey(err, name)
			}
		}
	case []any:
		for i, inner := range v {
			if err = add(inner); err != nil {
				return total, atIndex(err, i)
			}
		}
	case *Set:
		for i, inner := range v.values {
			if err = add(inner); err != nil {
				return total, atIndex(err, i)
			}
		}
	case *Map:
		for i, e := range v.entries {
			if err = add(e.Key); err == nil {
				err = add(e.Value)
			}
			if err != nil {
				return total, atIndex(err, i)
			}
		}
	case *Error:
		total.bytes += int64(len(v.Name) + len(v.Message))
		if err = add(v.Cause); err != nil {
			return total, atKey(err, "cause")
		}
	}
	return total, nil
}

// leafBytes is about the size of a value that holds no others.
func leafBytes(v any) int64 {
	switch v := v.(type) {
	case string:
		return int64(len(v)) + 2
	case *url.URL:
		return int64(len(v.Host) + len(v.Path) + len(v.RawQuery) + len(v.Fragment) + len(v.Opaque))
	case *RegExp:
		return int64(len(v.Source))
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice {
		return 2 * int64(list.Len())
	}
	return 1
}

func lookup(v any, at path) (any, bool) {
	for len(at) > 0 {
		place, rest, ok := step(v, at)
		if !ok {
			return nil, false
		}
		v, at = place.get(), rest
	}
	return v, true
}

// replace does nothing if the place is not there.
func replace(v any, at path, with any) {
	for {
		place, rest, ok := step(v, at)
		if !ok {
			return
		}
		if len(rest) == 0 {
			place.set(with)
			return
		}
		v, at = place.get(), rest
	}
}

// place is somewhere in a container.
type place struct {
	container any
	key       string
	index     int
	isKey     bool // of a Map
}

// step goes from v one step along the path: two segments in a Map, one elsewhere.
func step(v any, at path) (place, path, bool) {
	key := at[0]
	p := place{container: v, key: key, index: int(arrayIndex(key))}
	rest := at[1:]
	ok := false
	switch v := v.(type) {
	case map[string]any:
		_, ok = v[key]
	case *Error:
		ok = key == "cause"
	case []any:
		ok = p.index >= 0 && p.index < len(v)
	case *Set:
		ok = p.index >= 0 && p.index < len(v.values)
	case *Map:
		if len(rest) > 0 && (rest[0] == "0" || rest[0] == "1") {
			ok = p.index >= 0 && p.index < len(v.entries)
			p.isKey = rest[0] == "0"
			rest = rest[1:]
		}
	}
	return p, rest, ok
}

func (p place) get() any {
	switch c := p.container.(type) {
	case map[string]any:
		return c[p.key]
	case *Error:
		return c.Cause
	case []any:
		return c[p.index]
	case *Set:
		return c.values[p.index]
	case *Map:
		if p.isKey {
			return c.entries[p.index].Key
		}
		return c.entries[p.index].Value
	}
	return nil
}

func (p place) set(v any) {
	switch c := p.container.(type) {
	case map[string]any:
		c[p.key] = v
	case *Error:
		c.Cause = v
	case []any:
		c[p.index] = v
	case *Set:
		c.values[p.index] = v
	case *Map:
		if p.isKey {
			c.entries[p.index].Key = v
		} else {
			c.entries[p.index].Value = v
		}
	}
}
