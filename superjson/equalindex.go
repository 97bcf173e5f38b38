package superjson

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
)

// equalities are the places of one message that are the same object, as the metadata lists them. They are immutable.
//
// The library describes the inside of an object only at the place where it met the object first. Every other place has
// a copy in the JSON, or null inside of the object itself. No path leads into these copies. So the described place of
// a group is the one into which others lead. It has to stand for the object: the copies lack what is null in them.
type equalities struct {
	groups [][]path     // of at least two paths each
	order  []occurrence // all of their paths, sorted, so that those below a place stand together
	met    []region     // by group: the described place; none if no path leads into any of its places
	size   int          // segments of all paths, and one more for each path
}

// occurrence is the path groups[group][index].
type occurrence struct{ group, index int32 }

// region is a place in the message: order[from:to] are the occurrences at it and below it.
type region struct {
	from, to int32
	depth    int32 // segments of its path
	open     bool  // an object around the place stands at it: it is null in the JSON
}

func (r region) empty() bool { return r.from >= r.to }

// sortByPath sorts order. It sorts pointers: code that does so is the same for all types, and so it is in programs anyway.
func (q *equalities) sortByPath() {
	sorted := make([]*occurrence, len(q.order))
	for i := range q.order {
		sorted[i] = &q.order[i]
	}
	slices.SortFunc(sorted, func(a, b *occurrence) int {
		return cmp.Or(slices.Compare(q.path(*a), q.path(*b)), cmp.Compare(a.group, b.group))
	})
	order := make([]occurrence, len(sorted))
	for i, o := range sorted {
		order[i] = *o
	}
	q.order = order
}

// newEqualities returns nil if there are none.
func newEqualities(groups [][]path) *equalities {
	groups = slices.DeleteFunc(groups, func(g []path) bool { return len(g) < 2 })
	if len(groups) == 0 {
		return nil
	}
	q := &equalities{groups: groups, met: make([]region, len(groups))}
	for g, paths := range groups {
		for i := range paths {
			q.order = append(q.order, occurrence{int32(g), int32(i)})
			q.size += 1 + len(paths[i])
		}
	}
	q.sortByPath()
	for from := 0; from < len(q.order); {
		at := q.path(q.order[from])
		below := from + 1
		for below < len(q.order) && slices.Equal(q.path(q.order[below]), at) {
			below++
		}
		if below < len(q.order) && startsWith(q.path(q.order[below]), at) {
			r := q.whole()
			for _, key := range at {
				r = q.below(r, key)
			}
			for _, m := range q.order[from:below] {
				if q.met[m.group].empty() {
					q.met[m.group] = r
				}
			}
		}
		from = below
	}
	return q
}

func startsWith(p, head path) bool { return len(p) >= len(head) && slices.Equal(p[:len(head)], head) }

func (q *equalities) path(m occurrence) path { return q.groups[m.group][m.index] }

// whole is the place of the whole message.
func (q *equalities) whole() region {
	if q == nil {
		return region{}
	}
	return region{to: int32(len(q.order))}
}

// below returns the place of the member key of the object, array, Map or Set at r.
func (q *equalities) below(r region, key string) region {
	if r.empty() {
		return r
	}
	depth := int(r.depth)
	list := q.order[r.from:r.to]
	from := sort.Search(len(list), func(i int) bool {
		p := q.path(list[i])
		return len(p) > depth && p[depth] >= key
	})
	size := sort.Search(len(list)-from, func(i int) bool { return q.path(list[from+i])[depth] > key })
	return region{from: r.from + int32(from), to: r.from + int32(from+size), depth: r.depth + 1}
}

// step is below for a reader of the values. It never goes into a copy: instead of a copy it returns the described place.
func (q *equalities) step(r region, key string) region {
	r = q.below(r, key)
	if r.empty() {
		return r
	}
	first := q.order[r.from]
	met, at := q.met[first.group], q.path(first)
	if len(at) == int(r.depth) && !met.empty() {
		met.open = met.depth < r.depth && met.from <= r.from && r.from < met.to
		return met
	}
	return r
}

// maxImported bounds the segments of paths that places of one value can have in common.
const maxImported = 1 << 20

// segmentCost is what a segment of a path takes in bytes.
const segmentCost = 16

// imports counts what is gathered for the places of one value, which a short text can have import the same again and again.
type imports struct {
	segments int
	meter    *Meter // nil: nothing is counted
}

func (i *imports) add(q *equalities, segments int) error {
	if i.segments += segments; i.segments > maxImported+q.size {
		return metaError("too many equalities")
	}
	if !i.meter.spend(segmentCost * segments) {
		return i.meter.err
	}
	return nil
}

// inside returns the groups inside r, with paths relative to it. The described place of a group comes first.
func (q *equalities) inside(r region, i *imports) ([][]path, error) {
	if r.empty() {
		return nil, nil
	}
	if r.open {
		return nil, &TypeError{Expected: withoutCycles, Got: outerCycle}
	}
	w := equalWalk{q: q, imports: i, done: map[int32]bool{}}
	if err := w.add(r, nil, none); err != nil {
		return nil, err
	}
	return w.groups(), nil
}

const outerCycle = "a cycle through another value"

// equalWalk gathers what is equal inside of a place.
type equalWalk struct {
	q       *equalities
	imports *imports
	found   []relative
	done    map[int32]bool // groups whose described places are in found
}

// relative is an occurrence, with its path from the place.
type relative struct {
	occurrence
	order int32 // its index in equalities.order
	met   bool  // it is the described place of its group, or has a copy of what is described there
	at    path
}

// add adds what is at r and below it, with the path base. It leaves out the occurrences at r of the group copied.
func (w *equalWalk) add(r region, base path, copied int32) error {
	q := w.q
	start := len(w.found)
	for k := r.from; k < r.to; k++ {
		m := q.order[k]
		met, at := q.met[m.group], q.path(m)
		if m.group == copied && len(at) == int(r.depth) {
			continue
		}
		here := met.from <= k && k < met.to && len(at) == int(met.depth)
		if here {
			w.done[m.group] = true
		}
		below := at[r.depth:]
		if err := w.imports.add(q, 1+len(base)+len(below)); err != nil {
			return err
		}
		w.found = append(w.found, relative{m, k, here, slices.Concat(base, below)})
	}
	for i := start; i < len(w.found); i++ {
		f := w.found[i]
		met := q.met[f.group]
		if met.empty() || w.done[f.group] {
			continue
		}
		if int(met.depth) < len(q.path(f.occurrence)) && met.from <= f.order && f.order < met.to {
			return &TypeError{Path: pathText(f.at), Expected: withoutCycles, Got: outerCycle}
		}
		// The object is described outside of the place. Here is a copy, whose inside is equal as it is there.
		w.done[f.group], w.found[i].met = true, true
		if err := w.add(met, f.at, f.group); err != nil {
			return err
		}
	}
	return nil
}

// groups returns what was found in the order of the message.
func (w *equalWalk) groups() [][]path {
	sort.SliceStable(w.found, func(i, j int) bool {
		a, b := &w.found[i], &w.found[j]
		if a.group != b.group {
			return a.group < b.group
		}
		if a.met != b.met {
			return a.met
		}
		return a.index < b.index
	})
	var groups [][]path
	for from := 0; from < len(w.found); {
		to := from + 1
		for to < len(w.found) && w.found[to].group == w.found[from].group {
			to++
		}
		if to-from > 1 {
			group := make([]path, 0, to-from)
			for _, f := range w.found[from:to] {
				group = append(group, f.at)
			}
			groups = append(groups, group)
		}
		from = to
	}
	return groups
}

// pathText is the form of a path in errors.
func pathText(p path) string {
	text := ""
	for i := len(p) - 1; i >= 0; i-- {
		head := p[i]
		if n := arrayIndex(head); n >= 0 {
			head = "[" + strconv.FormatInt(n, 10) + "]"
		}
		text = shortPath(joinPath(head, text))
	}
	return text
}
