package superjson

import (
	"reflect"
	"unsafe"
)

// objectKey identifies a JavaScript object: a pointer to a struct, a map, or a slice of any.
type objectKey struct {
	typ reflect.Type
	ptr unsafe.Pointer
	len int
}

// object is an object that the Encoder has met.
type object struct {
	key        objectKey
	start, end int // its JSON in dst
	notes, to  int // its annotations
	path       int // the length of the path under which it was written
	round      int32
	open       bool // it is being written: meeting it now is a cycle
	again      bool // it was written by an earlier Append too
}

// trackFrom is the depth from which the JSON modes look for cycles.
const trackFrom = 64

// enter begins to write an array or object.
func (e *Encoder) enter() error {
	if e.depth >= maxDepth {
		return &EncodeError{Reason: "nested deeper than 1000"}
	}
	e.depth++
	return nil
}

func (e *Encoder) leave() { e.depth-- }

// object writes what key identifies: by write the first time, by what that wrote after it.
func (e *Encoder) object(dst []byte, key objectKey, write func(dst []byte) ([]byte, error)) ([]byte, error) {
	dst, id, done, err := e.begin(dst, key)
	if done || err != nil {
		return dst, err
	}
	if dst, err = write(dst); err == nil {
		e.finish(dst, id, key)
	}
	return dst, err
}

// begin is called before the object of key is written. done means that dst already has the result: a second copy, or
// null in place of a cycle. Otherwise the caller must call finish with id.
func (e *Encoder) begin(dst []byte, key objectKey) (out []byte, id int32, done bool, err error) {
	if e.mode != ModeSuperJSON || e.unshared > 0 {
		if e.depth < trackFrom {
			return dst, -1, false, nil
		}
		if e.active[key] {
			return dst, 0, false, &EncodeError{Reason: "cycle"}
		}
		if e.active == nil {
			e.active = make(map[objectKey]bool)
		}
		e.active[key] = true
		return dst, -2, false, nil
	}
	id, met := e.objects[key]
	if !met {
		if e.objects == nil {
			e.objects = make(map[objectKey]int32)
		}
		id = int32(len(e.seen))
		e.objects[key] = id
		e.seen = append(e.seen, object{key: key})
	}
	if e.again == 0 || !met {
		path := e.fullPath()
		e.refs = append(e.refs, ref{e.savePath(path), id, len(path) == 0 && e.depth == 0})
	}
	o := &e.seen[id]
	if o.open {
		return append(dst, "null"...), id, true, nil
	}
	if met && o.round == e.round {
		dst, err = e.repeat(dst, *o)
		return dst, id, true, err
	}
	if met {
		// The bytes of an earlier Append may be gone, so it is written anew.
		o.again = true
		e.again++
	}
	o.open, o.round = true, e.round
	o.start, o.notes, o.path = len(dst), len(e.notes), len(e.fullPath())
	return dst, id, false, nil
}

func (e *Encoder) finish(dst []byte, id int32, key objectKey) {
	if id == -2 {
		delete(e.active, key)
	}
	if id < 0 {
		return
	}
	o := &e.seen[id]
	if o.again {
		o.again = false
		e.again--
	}
	o.open = false
	o.end, o.to = len(dst), len(e.notes)
}

// repeat writes an object that this Append wrote before once more.
func (e *Encoder) repeat(dst []byte, o object) ([]byte, error) {
	e.copied += o.end - o.start
	if e.copied > maxCopied {
		return dst, &EncodeError{Reason: "shared objects repeat too much data"}
	}
	dst = append(dst, dst[o.start:o.end]...)
	path := e.fullPath()
	for i := o.notes; i < o.to; i++ {
		n := e.notes[i]
		e.noteAt(append(path, e.text[int(n.start)+o.path:n.end]...), n.typ, n.arg)
	}
	return dst, nil
}

// unwrite forgets what was recorded since m and the objects that stood in dst beyond length.
func (e *Encoder) unwrite(m mark, length int) {
	e.rollback(m)
	for i := range e.seen {
		if o := &e.seen[i]; o.round == e.round && !o.open && o.start >= length {
			o.round = 0
		}
	}
}
