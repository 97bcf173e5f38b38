package superjson

import "strconv"

// Meta is the parsed metadata of a value. It lists the places whose types JSON lacks, and the places that are the same
// object. It is immutable and safe for concurrent use. A nil Meta is empty.
type Meta struct {
	root  *node       // nil: no annotations
	equal *equalities // nil: none inside the value
	in    region      // of the value in equal
	parts *Parts      // beside the text; nil: none
	cost  int         // of the whole, in bytes; only that of ParseMeta and WithParts has it
}

// Cost is about how many bytes of memory the metadata takes that ParseMeta returned. A short text can take much: each place
// on the path of an annotation takes 48 bytes, and its name may have one letter.
//
// For package kkrpc: a channel bounds what its peer makes it keep.
func (m *Meta) Cost() int {
	if m == nil {
		return 0
	}
	return m.cost
}

type path []string

// node is a place in the annotated value. A peer can have many made by a short text, so a node is small.
type node struct {
	*annotation
	key         string // the segment that leads here from the parent
	first, next *node  // the first child, and the next one of the same parent
	more        *siblings
}

// siblings index the children of a node, when they are many.
type siblings struct {
	byKey map[string]*node
	last  *node
}

// annotation is one that is known. They are shared by all nodes.
type annotation struct {
	typ string // "" when only something below is annotated
	arg string // the constructor of a typed-array
}

var unannotated = &annotation{}

// annotations has the simple types, and the typed arrays by their names.
var annotations = func() map[string]*annotation {
	all := map[string]*annotation{}
	for _, typ := range []string{"undefined", "bigint", "Date", "Error", "regexp", "set", "map", "number", "URL"} {
		all[typ] = &annotation{typ: typ}
	}
	for name := range typedArrayTypes {
		all[name] = &annotation{typ: "typed-array", arg: name}
	}
	return all
}()

// newNode returns a node that is annotated with a simple type.
func newNode(typ string) *node { return &node{annotation: annotations[typ]} }

const indexFrom = 8

func (n *node) child(key string) *node {
	if n == nil {
		return nil
	}
	if n.more != nil {
		return n.more.byKey[key]
	}
	for c := n.first; c != nil; c = c.next {
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
	if n.first == nil {
		if holdsBigInts(n.arg) {
			return bigIntItem
		}
		return nil
	}
	var buf [20]byte
	key := strconv.AppendInt(buf[:0], int64(i), 10)
	if n.more != nil {
		return n.more.byKey[string(key)]
	}
	for c := n.first; c != nil; c = c.next {
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
	c := &node{annotation: unannotated, key: key}
	if n.more != nil {
		n.more.byKey[key] = c
		n.more.last.next = c
		n.more.last = c
		return c
	}
	end, count := &n.first, 0
	for ; *end != nil; end = &(*end).next {
		count++
	}
	if *end = c; count == indexFrom {
		n.more = &siblings{byKey: make(map[string]*node, 2*indexFrom), last: c}
		for c := n.first; c != nil; c = c.next {
			n.more.byKey[c.key] = c
		}
	}
	return c
}

// clone returns a tree like n, without annotations if n is nil.
func (n *node) clone() *node {
	if n == nil {
		return &node{annotation: unannotated}
	}
	c := &node{annotation: n.annotation, key: n.key}
	for child := n.first; child != nil; child = child.next {
		own := child.clone()
		*c.add(child.key) = *own
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
	n, in := m.root, m.in
	for _, key := range at {
		n = n.child(key)
		if m.equal != nil {
			in = m.equal.step(in, key)
		}
	}
	return newMeta(n, m.equal, in, m.parts)
}

func newMeta(n *node, equal *equalities, in region, parts *Parts) *Meta {
	if in.empty() {
		equal = nil
	}
	if n == nil && equal == nil && parts == nil {
		return nil
	}
	return &Meta{root: n, equal: equal, in: in, parts: parts}
}

// Unshared returns the metadata without its equal places, so that each of them is decoded as the JSON has it.
//
// For package kkrpc: the text of an error must arrive, even if a field is in a cycle.
func (m *Meta) Unshared() *Meta {
	if m == nil {
		return nil
	}
	return newMeta(m.root, nil, region{}, m.parts)
}

// own returns the metadata of a value that is kept, without that of the message around it.
func (m *Meta) own(i *imports) (*Meta, error) {
	if m == nil || m.equal == nil {
		return m, nil
	}
	groups, err := m.equal.inside(m.in, i)
	if err != nil {
		return nil, err
	}
	equal := newEqualities(groups)
	return newMeta(m.root, equal, equal.whole(), m.parts), nil
}
