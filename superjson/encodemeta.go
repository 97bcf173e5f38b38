package superjson

import (
	"sort"
	"strings"
)

// HasMeta reports whether AppendMeta would write anything.
func (e *Encoder) HasMeta() bool { return len(e.notes) > 0 || len(e.kept) > 0 || e.hasShared() }

func (e *Encoder) hasShared() bool { return len(e.refs) > len(e.seen) }

// AppendMeta appends the meta object of the envelope, or nothing when nothing was recorded.
func (e *Encoder) AppendMeta(dst []byte) []byte {
	if !e.HasMeta() {
		return dst
	}
	dst = append(dst, '{')
	if len(e.notes) > 0 {
		dst = append(dst, `"values":`...)
		dst = e.appendValues(dst)
		dst = append(dst, ',')
	}
	dst = e.appendEqualities(dst)
	return append(dst, `"v":1}`...)
}

// Meta returns the metadata of what was written since Reset, with its Parts; nil when there is none. The error is that of ParseMeta.
func (e *Encoder) Meta() (m *Meta, err error) {
	if e.HasMeta() {
		if m, err = ParseMeta(e.AppendMeta(nil)); err != nil {
			return nil, err
		}
	}
	if len(e.parts) > 0 {
		m = m.WithParts(NewParts(e.partMark, e.parts))
	}
	return m, nil
}

// metaNode is a place in the annotation tree. Nodes are linked by index so that they can be reused.
type metaNode struct {
	key         span // the escaped segment that leads here
	note        int32
	first, last int32
	next        int32
}

const none = -1

func (e *Encoder) appendValues(dst []byte) []byte {
	if len(e.notes) == 1 && !e.notes[0].root {
		dst = append(dst, '{')
		dst = appendString(dst, string(e.text[e.notes[0].start:e.notes[0].end]))
		dst = append(dst, ':', '[')
		dst = appendType(dst, e.notes[0])
		return append(dst, ']', '}')
	}
	e.metaNodes = append(e.metaNodes[:0], metaNode{note: none, first: none, last: none, next: none})
	for i := range e.notes {
		e.insert(i)
	}
	if e.metaNodes[0].note != none {
		return e.appendTree(dst, 0)
	}
	return e.appendChildren(dst, 0)
}

// insert puts a note into the tree. Notes come in the order of the walk, so a place met before is the last child.
func (e *Encoder) insert(i int) {
	at := int32(0)
	for rest := e.notes[i].span; rest.start <= rest.end && !e.notes[i].root; {
		segment := rest
		segment.end = rest.start + int32(segmentEnd(e.text[rest.start:rest.end]))
		child := e.metaNodes[at].last
		if child == none || !e.sameText(e.metaNodes[child].key, segment) {
			child = e.addNode(at, segment)
		}
		at = child
		rest.start = segment.end + 1
	}
	e.metaNodes[at].note = int32(i)
}

func (e *Encoder) addNode(parent int32, key span) int32 {
	id := int32(len(e.metaNodes))
	e.metaNodes = append(e.metaNodes, metaNode{key: key, note: none, first: none, last: none, next: none})
	if p := &e.metaNodes[parent]; p.last == none {
		p.first, p.last = id, id
	} else {
		e.metaNodes[p.last].next = id
		p.last = id
	}
	return id
}

func (e *Encoder) sameText(a, b span) bool {
	return string(e.text[a.start:a.end]) == string(e.text[b.start:b.end])
}

// segmentEnd is the length of the first segment of an escaped path.
func segmentEnd(path []byte) int {
	for i := 0; i < len(path); i++ {
		switch path[i] {
		case '\\':
			i++
		case '.':
			return i
		}
	}
	return len(path)
}

// appendTree appends [type] or [type, {inner}].
func (e *Encoder) appendTree(dst []byte, n int32) []byte {
	dst = append(dst, '[')
	dst = appendType(dst, e.notes[e.metaNodes[n].note])
	if e.metaNodes[n].first != none {
		dst = append(dst, ',')
		dst = e.appendChildren(dst, n)
	}
	return append(dst, ']')
}

func appendType(dst []byte, n note) []byte {
	if n.arg == "" {
		return appendString(dst, n.typ)
	}
	dst = append(dst, '[')
	dst = append(appendString(dst, n.typ), ',')
	return append(appendString(dst, n.arg), ']')
}

func (e *Encoder) appendChildren(dst []byte, n int32) []byte {
	dst = append(dst, '{')
	dst = e.appendBelow(dst, n, nil)
	dst[len(dst)-1] = '}' // in place of the last comma
	return dst
}

// appendBelow appends the annotations below n under flat paths. Keys that look like array indexes come first, as in the
// object in which the original collects them.
func (e *Encoder) appendBelow(dst []byte, n int32, prefix []byte) []byte {
	var first []int32
	for c := e.metaNodes[n].first; c != none; c = e.metaNodes[c].next {
		if e.metaNodes[c].note != none && e.index(c) >= 0 {
			first = append(first, c)
		}
	}
	sort.SliceStable(first, func(i, j int) bool { return e.index(first[i]) < e.index(first[j]) })
	for _, c := range first {
		dst = e.appendEntry(dst, c, prefix)
	}
	for c := e.metaNodes[n].first; c != none; c = e.metaNodes[c].next {
		node := e.metaNodes[c]
		switch {
		case node.note == none:
			below := append(prefix[:len(prefix):len(prefix)], e.text[node.key.start:node.key.end]...)
			dst = e.appendBelow(dst, c, append(below, '.'))
		case e.index(c) < 0:
			dst = e.appendEntry(dst, c, prefix)
		}
	}
	return dst
}

func (e *Encoder) index(n int32) int64 {
	key := e.metaNodes[n].key
	return arrayIndex(string(e.text[key.start:key.end]))
}

func (e *Encoder) appendEntry(dst []byte, n int32, prefix []byte) []byte {
	key := e.metaNodes[n].key
	dst = appendString(dst, string(prefix)+string(e.text[key.start:key.end]))
	dst = append(dst, ':')
	return append(e.appendTree(dst, n), ',')
}

// equalPaths is one entry of referentialEqualities.
type equalPaths struct {
	root  bool
	paths []string // escaped; the first is where the object is written, "" with root
}

// appendEqualities appends the member referentialEqualities and a comma, or nothing.
func (e *Encoder) appendEqualities(dst []byte) []byte {
	groups := e.sharedPaths()
	for _, group := range e.kept {
		g := equalPaths{root: len(group[0]) == 0}
		for _, p := range group {
			g.paths = append(g.paths, joinEscaped(p))
		}
		groups = append(groups, g)
	}
	if len(groups) == 0 {
		return dst
	}
	var root *equalPaths
	var others []equalPaths
	for i, g := range groups {
		if g.root {
			root = &groups[i]
		} else {
			others = append(others, g)
		}
	}
	sort.SliceStable(others, func(i, j int) bool {
		a, b := arrayIndex(others[i].paths[0]), arrayIndex(others[j].paths[0])
		return a >= 0 && (b < 0 || a < b)
	})
	dst = append(dst, `"referentialEqualities":`...)
	if root != nil {
		dst = append(dst, '[')
		dst = appendPaths(dst, root.paths[1:])
		if len(others) > 0 {
			dst = append(dst, ',')
			dst = appendGroups(dst, others)
		}
		return append(dst, ']', ',')
	}
	return append(appendGroups(dst, others), ',')
}

func appendGroups(dst []byte, groups []equalPaths) []byte {
	dst = append(dst, '{')
	for i, g := range groups {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, g.paths[0]), ':')
		dst = appendPaths(dst, g.paths[1:])
	}
	return append(dst, '}')
}

func appendPaths(dst []byte, paths []string) []byte {
	dst = append(dst, '[')
	for i, p := range paths {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, p)
	}
	return append(dst, ']')
}

// sharedPaths lists the objects met more than once. The first path of each is the only place where all of it is written: a
// copy has null where the object that it stands in comes again. The library puts the shortest path first, and loses these.
func (e *Encoder) sharedPaths() []equalPaths {
	if !e.hasShared() {
		return nil
	}
	met := make([][]ref, len(e.seen))
	for _, r := range e.refs {
		met[r.object] = append(met[r.object], r)
	}
	var groups []equalPaths
	for _, refs := range met {
		if len(refs) < 2 {
			continue
		}
		g := equalPaths{root: refs[0].root}
		for _, r := range refs {
			g.paths = append(g.paths, string(e.text[r.start:r.end]))
		}
		groups = append(groups, g)
	}
	return groups
}

func joinEscaped(p path) string {
	var b strings.Builder
	for i, key := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.Write(appendEscaped(nil, key))
	}
	return b.String()
}
