package kkrpc

import (
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// A value that nobody decodes, such as the answer to a call that has been given up, may have references of the peer in it.
// Nobody could release them, so the peer is told as if they had been garbage collected.

// unreadRefs looks for references in a value that nobody decodes. counted: a part of it may have been decoded.
func (ch *Channel) unreadRefs(d wire.Dialect, raw []byte, counted bool) {
	if !ch.refsOn.Load() || ch.references(d, raw) == nil {
		return
	}
	var ignored any
	_ = superjson.DecodeReferences(superjson.ModeJSON, raw, nil, &ignored, unreadRefs{&ch.tables().refs, counted})
}

// readsRefs reports whether what is decoded into result, the pointer of a call, can have references in it.
func readsRefs(result any) bool {
	return result != nil && types.RefUseOf(reflect.TypeOf(result).Elem()) != bind.RefNever
}

// unreadItems is unreadRefs for items of a stream whose texts are in data.
func (ch *Channel) unreadItems(items []inItem, data []byte) {
	if len(items) == 0 {
		return
	}
	if d := items[0].dialect; ch.refsOn.Load() && ch.references(d, data) != nil {
		for i := range items {
			ch.unreadRefs(d, data[:items[i].text], false)
			data = data[items[i].text:]
		}
	}
}

// unreadArgs is unreadRefs for a request or the invocation of a callback.
func (ch *Channel) unreadArgs(m *wire.Message, counted bool) {
	for i := range m.Args {
		ch.unreadRefs(m.Dialect, m.Args[i].JSON, counted)
	}
	ch.unreadRefs(m.Dialect, m.Value, counted)
}

type unreadRefs struct {
	table   *refTable
	counted bool
}

func (unreadRefs) ReferenceType() reflect.Type { return refType }

func (u unreadRefs) DecodeReference(object map[string]any, _ bool) (any, error) {
	id, _, _, ok := refParts(object)
	if !ok || len(id) > maxFunctionID {
		return nil, nil
	}
	if own, err := u.table.own(id); own == nil && err == nil {
		u.table.unread(id, u.counted)
	}
	return nil, nil
}
