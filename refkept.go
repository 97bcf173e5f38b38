package kkrpc

import (
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// A result, or an item of a stream, is decoded by the goroutine that waits for it, when messages behind it may have been
// dealt with. One of them may give back a reference of this side that is in it: a peer in Go has it collected as soon as
// it is sent.

// keptRefs decodes a value that came earlier, with the references of this side that were in it.
type keptRefs struct {
	*refTable
	own map[string]*Ref
}

func (k keptRefs) DecodeReference(object map[string]any, typed bool) (any, error) {
	return k.decode(object, typed, k.own)
}

// decodeKept is decodeData for a value that came earlier, with the references of this side that findRefs found in it.
func (ch *Channel) decodeKept(d wire.Dialect, raw []byte, meta *superjson.Meta, v any, use bind.RefUse, own map[string]*Ref) error {
	if own == nil {
		return ch.decodeData(d, raw, meta, v, use)
	}
	return superjson.DecodeReferences(d.Mode(), raw, meta, v, keptRefs{&ch.tables().refs, own})
}

// findRefs looks for references of this side in a value that will be decoded later, when the peer may have given them back
// behind it. nil: there are none.
func (ch *Channel) findRefs(d wire.Dialect, raw []byte) map[string]*Ref {
	if ch.references(d, raw) == nil {
		return nil
	}
	f := refFinder{table: &ch.tables().refs}
	var ignored any
	_ = superjson.DecodeReferences(superjson.ModeJSON, raw, nil, &ignored, &f)
	return f.found
}

type refFinder struct {
	table *refTable
	found map[string]*Ref
}

func (f *refFinder) ReferenceType() reflect.Type { return refType }

func (f *refFinder) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _ := object["id"].(string)
	if own, _ := f.table.own(id); own != nil && object[refTag] == true {
		if f.found == nil {
			f.found = map[string]*Ref{}
		}
		f.found[id] = own.ref
	}
	return nil, nil
}
