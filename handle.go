package kkrpc

import (
	"errors"
	"maps"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"
	"weak"
)

// Values that cross by identity have ids. exports are the values of this side that the peer may use. imports are the
// values of the peer that this side holds. Their locks may be taken under Channel.mu. The only lock that is taken under
// them is that of news.

// errFull is the error of exports and imports at their limit.
var errFull = errors.New("too many handles")

// exports holds values of this side until the peer gives their ids back.
type exports[L any] struct {
	limit int

	mu     sync.Mutex // guards what follows
	closed bool
	prefix string // of the ids
	last   uint64 // number of the last id
	byID   map[string]*export[L]
	byKey  map[identity]*export[L]
}

// export is one value. It is carried by each message that it is sent with.
type export[L any] struct {
	table *exports[L]
	id    string
	value L        // keeps the address in key from being used again
	key   identity // zero: no other message finds this export

	// Guarded by exports.mu.
	sends   int // messages that carried it and were not given back
	pending int // calls under way that carry it
}

// identity tells values apart as JavaScript does.
type identity struct {
	typ reflect.Type
	ptr uintptr
}

// funcIdentity returns the identity of a func: two closures of one func literal are two functions. Go's reflection only
// offers the code that they share.
func funcIdentity(fn any) identity {
	// A func is one pointer, to its closure. An interface holds a value of pointer size in its second word.
	return identity{reflect.TypeOf(fn), (*[2]uintptr)(unsafe.Pointer(&fn))[1]}
}

// find returns the export with this key, or nil.
func (t *exports[L]) find(key identity) *export[L] {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byKey[key]
}

// add counts the value with this key as sent, and makes its export if there is none. A zero key makes a new one each
// time. With asked, a call under way carries it until settled.
func (t *exports[L]) add(key identity, value L, asked bool) (*export[L], error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byKey[key]
	if e == nil {
		switch {
		case t.closed:
			return nil, ErrClosed
		case len(t.byID) >= t.limit:
			return nil, errFull
		case t.byID == nil:
			t.byID, t.byKey = map[string]*export[L]{}, map[identity]*export[L]{}
		}
		t.last++
		e = &export[L]{table: t, id: t.prefix + strconv.FormatUint(t.last, 10), value: value, key: key}
		t.byID[e.id] = e
		if key != (identity{}) {
			t.byKey[key] = e
		}
	}
	e.sends++
	if asked {
		e.pending++
	}
	return e, nil
}

// sent implements carried.
func (e *export[L]) sent() {}

// unsent implements carried. It takes back one add.
func (e *export[L]) unsent() {
	e.table.mu.Lock()
	defer e.table.mu.Unlock()
	if e.sends--; e.sends <= 0 {
		e.table.dropLocked(e)
	}
}

// settled notes that a call which carried e has ended.
func (e *export[L]) settled() {
	e.table.mu.Lock()
	defer e.table.mu.Unlock()
	e.pending--
}

// get returns the export with an id, or nil. issued reports whether the id is or was one of this table's.
func (t *exports[L]) get(id string) (e *export[L], issued bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e = t.byID[id]; e != nil {
		return e, true
	}
	number, ok := strings.CutPrefix(id, t.prefix)
	n, err := strconv.ParseUint(number, 10, 64)
	return nil, ok && err == nil && n > 0 && n <= t.last
}

// giveBack is called when the peer releases an id. If it was garbage collected there, times is how often the peer had
// received it. times is 0 if the peer released it on purpose. An export that was sent again since is kept. An export is
// also kept if it was sent before and a call under way carries it. The peer may not have seen that call yet.
func (t *exports[L]) giveBack(id string, times int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byID[id]
	if e == nil {
		return
	}
	e.sends -= times
	if times > 0 && e.sends > 0 || e.pending > 0 && e.sends > 1 {
		return
	}
	t.dropLocked(e)
}

func (t *exports[L]) dropLocked(e *export[L]) {
	delete(t.byID, e.id)
	if t.byKey[e.key] == e {
		delete(t.byKey, e.key)
	}
}

func (t *exports[L]) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.byID)
}

func (t *exports[L]) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.byID, t.byKey = nil, nil
}

// imports holds values of the peer weakly. R is what the program holds for one. The peer learns which of them the
// program has dropped, and which came with a message that nobody read.
type imports[R any] struct {
	limit   int
	news    *news
	patient bool // the janitor tells the peer of what nobody read, see unread

	mu     sync.Mutex // guards what follows
	closed bool
	held   map[string]imported[R]
	gone   map[string]int // how often ids came that nobody holds and the peer was not told of
	later  map[string]int // likewise, for the janitor to tell; no id is in two of the maps
}

type imported[R any] struct {
	ref   weak.Pointer[R]
	times int // that it came
}

// accept returns what the program holds for an id, the same as long as the program holds it and fits says that it still
// serves. Otherwise make makes another one.
func (t *imports[R]) accept(id string, fits func(*R) bool, make func() *R) (*R, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.held[id]
	e.times++
	if known {
		if r := e.ref.Value(); r != nil && fits(r) {
			t.held[id] = e
			return r, nil
		}
	}
	switch {
	case t.closed:
		return nil, ErrClosed
	case !known && len(t.held)+len(t.gone) >= t.limit:
		return nil, errFull
	case !known:
		e.times += t.gone[id] + t.later[id]
		delete(t.gone, id)
		delete(t.later, id)
	}
	r := make()
	e.ref = weak.Make(r)
	if t.held == nil {
		t.held = map[string]imported[R]{}
	}
	t.held[id] = e
	runtime.AddCleanup(r, t.collect, collected[R]{id, e.ref})
	t.news.expect()
	return r, nil
}

// collected remains of an R that was garbage collected.
type collected[R any] struct {
	id  string
	ref weak.Pointer[R]
}

// collect notes that the program has dropped a value. It is a cleanup and must not write to the channel. The peer
// learns of it with the next message, or by the janitor.
func (t *imports[R]) collect(c collected[R]) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.held[c.id]; e.ref == c.ref && !t.closed {
		delete(t.held, c.id)
		t.goneLocked(c.id, e.times)
	}
}

func (t *imports[R]) goneLocked(id string, times int) {
	if t.gone == nil {
		t.gone = map[string]int{}
	}
	t.gone[id] += times
	t.news.come()
}

// forget drops a value that the program has released.
func (t *imports[R]) forget(id string, r *R) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held[id].ref == weak.Make(r) {
		delete(t.held, id)
	}
}

// unread notes that a value of the peer has come with a message that nobody reads. seen: accept may have counted it. The
// next message tells the peer, or the janitor if t is patient: kkrpc in JavaScript forgets a function at the first release,
// and may pass the same one in another attempt. Until then such ids take no room from values that are held.
func (t *imports[R]) unread(id string, seen bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.held[id]
	switch {
	case known && !seen:
		e.times++
		t.held[id] = e
	case known, t.closed:
	case !t.patient && len(t.held)+len(t.gone) < t.limit:
		t.goneLocked(id, 1)
		t.news.expect()
	case t.patient && len(t.later) < t.limit:
		if t.later == nil {
			t.later = map[string]int{}
		}
		t.later[id] += t.gone[id] + 1
		delete(t.gone, id)
		t.news.expect()
	}
}

// takeGone returns the ids to report to the peer, with how often each had come. all: also those that can wait.
func (t *imports[R]) takeGone(all bool) map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.gone
	t.gone = nil
	if all && len(t.later) > 0 {
		if taken == nil {
			taken = map[string]int{}
		}
		maps.Copy(taken, t.later)
		t.later = nil
	}
	return taken
}

// more reports whether there may be something to tell later.
func (t *imports[R]) more() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.held)+len(t.gone)+len(t.later) > 0
}

func (t *imports[R]) size() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.held)
}

func (t *imports[R]) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.held, t.gone, t.later = nil, nil, nil
}

// unquote reads a raw id. Ids of this side need no unescaping, and others are compared as they were written.
func unquote(raw []byte) string {
	if len(raw) >= 2 && raw[0] == '"' {
		return string(raw[1 : len(raw)-1])
	}
	return string(raw)
}
