package superjson

import (
	"slices"
	"strconv"
)

// Meta is the parsed metadata of a value. It lists the places whose types JSON lacks, and the places that are the same
// object. It is immutable and safe for concurrent use. A nil Meta is empty.
type Meta struct {
	root *node // nil: no annotations
	// equal lists groups of paths to one object. The first of a group is where the object is written in full.
	equal [][]path
}

type path []string

// node is a place in the annotated value.
type node struct {
	typ      string // "" when only something below is annotated
	arg      string // the constructor of a typed-array
	key      string // the segment that leads here from the parent
	children []*node
	index    map[string]*node // of children, when they are many
}

const indexFrom = 8

func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	if n.index != nil {
		return n.index[key]
	}
	for _, c := range n.children {
		if c.key == key {
			return c
		}
	}
	return nil
}

func (n *node) item(i int) *node {
	if n == nil {
		return nil
	}
	if len(n.children) == 0 {
		if holdsBigInts(n.arg) {
			return bigIntItem
		}
		return nil
	}
	var buf [20]byte
	key := strconv.AppendInt(buf[:0], int64(i), 10)
	if n.index != nil {
		return n.index[string(key)]
	}
	for _, c := range n.children {
		if c.key == string(key) {
			return c
		}
	}
	return nil
}

func (n *node) kind() string {
	if n == nil {
		return ""
	}
	return n.typ
}

func (n *node) add(key string) *node {
	c := &node{key: key}
	n.children = append(n.children, c)
	if n.index != nil {
		n.index[key] = c
	} else if len(n.children) > indexFrom {
		n.index = make(map[string]*node, 2*len(n.children))
		for _, c := range n.children {
			n.index[c.key] = c
		}
	}
	return c
}

// Sub returns the metadata of the value at path, or nil. It leaves out equal places outside the value. If the value is
// a second copy of an object, Sub returns the metadata of the first copy.
//
// For package kkrpc: one message holds several values.
func (m *Meta) Sub(at ...string) *Meta {
	if m == nil || len(at) == 0 {
		return m
	}
	n := m.root
	for _, key := range at {
		n = n.child(key)
	}
	return newMeta(n, m.equalUnder(at))
}

func newMeta(n *node, equal [][]path) *Meta {
	if n == nil && equal == nil {
		return nil
	}
	return &Meta{root: n, equal: equal}
}

func (m *Meta) equalUnder(at path) [][]path {
	if len(m.equal) == 0 {
		return nil
	}
	if found := m.groupsUnder(at); found != nil {
		return found
	}
	// The library describes the inside of a repeated object only where it met it first.
	tries := 0
	for _, group := range m.equal {
		for _, member := range group {
			if len(member) > len(at) || !slices.Equal(member, at[:len(member)]) {
				continue
			}
			for _, other := range group {
				if slices.Equal(other, member) {
					continue
				}
				// The work of hostile metadata stays linear.
				if tries++; tries > 8 {
					return nil
				}
				if found := m.groupsUnder(slices.Concat(other, at[len(member):])); found != nil {
					return found
				}
			}
			break
		}
	}
	return nil
}

func (m *Meta) groupsUnder(at path) [][]path {
	var groups [][]path
	for _, group := range m.equal {
		var inside []path
		for _, p := range group {
			if len(p) >= len(at) && slices.Equal(p[:len(at)], at) {
				inside = append(inside, p[len(at):])
			}
		}
		if len(inside) > 1 {
			groups = append(groups, inside)
		}
	}
	return groups
}
