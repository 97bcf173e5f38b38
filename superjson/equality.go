package superjson

import "strconv"

// applyEqualities makes the places of each group one object, as the metadata says.
func applyEqualities(root any, groups [][]path) (any, error) {
	for _, group := range groups {
		shared, err := lookup(root, group[0])
		if err != nil {
			return nil, err
		}
		for _, at := range group[1:] {
			if len(at) == 0 {
				root = shared
				continue
			}
			if err := replace(root, at, shared); err != nil {
				return nil, err
			}
		}
	}
	return root, nil
}

func lookup(v any, at path) (any, error) {
	for len(at) > 0 {
		place, rest, ok := step(v, at)
		if !ok {
			return nil, missing(at[0])
		}
		v, at = place.get(), rest
	}
	return v, nil
}

func replace(v any, at path, with any) error {
	for {
		place, rest, ok := step(v, at)
		if !ok {
			return missing(at[0])
		}
		if len(rest) == 0 {
			place.set(with)
			return nil
		}
		v, at = place.get(), rest
	}
}

func missing(key string) error {
	return metaError("an equality points to " + strconv.Quote(key) + ", which is not there")
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
		c.replace(p.index, v)
	case *Map:
		if p.isKey {
			c.replaceKey(p.index, v)
		} else {
			c.entries[p.index].Value = v
		}
	}
}
