package superjson

import (
	"errors"
	"reflect"
)

// ErrMemory is the error of a value that would take more memory than its Meter allows.
//
// For package kkrpc: see Meter.
var ErrMemory = errors.New("superjson: the value takes more memory than allowed")

// Meter counts about how many bytes of memory decoded values take. Small texts can take much: {} in an any is a map. A nil
// Meter counts nothing. The zero Meter has no limit. Strings, numbers and bools that are decoded alone are not counted.
//
// For package kkrpc: a channel bounds what its peer makes it allocate.
type Meter struct {
	Limit int // bytes of all values together; 0: any number
	Spent int // bytes so far
	// Watch is told what is spent, about each 64 KiB. An error ends the decoding. Nil: nobody is told.
	Watch interface{ Grown(spent int) error }
	// RequireMembers makes a required member that is missing or undefined a *TypeError; see Field.Required.
	RequireMembers bool

	copied int // bytes of parts, where there is no Limit

	next int   // Spent at which there is something to do; 0: not known yet
	err  error // why decoding ends
}

// watchStep is after how many bytes Meter.Watch is told again.
const watchStep = 64 << 10

// DecodeMetered is DecodeReferences that counts in m.
//
// For package kkrpc: see Meter.
func DecodeMetered(mode Mode, raw []byte, meta *Meta, v any, r ReferenceDecoder, m *Meter) error {
	return decode(mode, raw, meta, v, r, m)
}

// Spend counts n bytes that are about to be allocated. The error says why they must not be.
func (m *Meter) Spend(n int) error {
	if m.spend(n) {
		return nil
	}
	return m.err
}

// requires reports whether required members must be there.
func (m *Meter) requires() bool { return m != nil && m.RequireMembers }

// spend counts n bytes and reports whether decoding may go on.
func (m *Meter) spend(n int) bool {
	if m == nil {
		return true
	}
	m.Spent += n
	return m.Spent < m.next || m.look()
}

// look is spend where there may be something to do.
func (m *Meter) look() bool {
	switch {
	case m.err != nil:
	case m.Limit > 0 && m.Spent > m.Limit:
		m.err = ErrMemory
	case m.Watch != nil && m.Spent >= watchStep:
		m.err = m.Watch.Grown(m.Spent)
	}
	m.next = m.Spent + watchStep
	if m.Limit > 0 {
		m.next = min(m.next, m.Limit+1)
	}
	if m.err != nil {
		m.next = 0
	}
	return m.err == nil
}

// failed is why decoding ends; nil if it may go on.
func (m *Meter) failed() error {
	if m == nil {
		return nil
	}
	return m.err
}

// What values take, in bytes. A map has places for its members in groups of eight.
const (
	stringCost  = 16
	numberCost  = 8
	listCost    = 24
	pointerCost = 16
	mapCost     = 48
	mapGroup    = 8
	entryCost   = 100 // of a Map or Set, with its index
)

// spendMember counts member i of a map, beside mapCost. The key and the value of a member take size bytes.
func (m *Meter) spendMember(i, size int) bool {
	switch {
	case i == 0:
		return m.spend(mapGroup * (size + 1))
	case i < mapGroup:
		return true
	}
	return m.spend(2 * size)
}

const anyMember = 32 // the size of a string and an any

// memberSize is what the key and the value of a map take in its group.
func memberSize(t reflect.Type) int { return int(t.Key().Size() + t.Elem().Size()) }

// grow makes room for another element in list, unless it takes too much.
func (m *Meter) grow(list reflect.Value) bool {
	before, size := list.Cap(), list.Type().Elem().Size()
	next := max(1, 2*before)
	if before >= 256 {
		next = before + before/4 // about what Grow makes of it
	}
	if !m.spendGrowth(before, next, size) {
		return false
	}
	list.Grow(1)
	return m.spendGrowth(next, list.Cap(), size)
}

// count counts another element of size bytes of a list that is read into a draft. A list is as long as its elements in the end, but
// a draft that is not kept for the next one grows by about a quarter at a time.
func (m *Meter) count(counted *int, size uintptr) bool {
	before := *counted
	*counted++
	if uintptr(before)*size > maxKeptDraft {
		*counted += before / 4
	}
	return m.spendGrowth(before, *counted, size)
}

// spendGrowth counts what a list has grown by, from the capacity before to the one after.
func (m *Meter) spendGrowth(before, after int, size uintptr) bool {
	return after == before || m.spend((after-before)*int(size))
}

// revivedCost is what an annotated value takes beside its JSON form v.
func revivedCost(v any, n *node) int {
	switch v := v.(type) {
	case []any:
		if n.typ == "typed-array" {
			return listCost + numberCost*len(v)
		}
		return entryCost * (1 + len(v))
	case string:
		return entryCost + len(v)
	}
	return entryCost
}
