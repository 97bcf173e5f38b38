package kkrpc

import (
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// A value that nobody decodes, such as the answer to a call that has been given up, may have references of the peer in it.
// Nobody could release them, so the peer is told as if they had been garbage collected.

// discard gives back the references in a value that nobody decodes. seen: a part of it may have been decoded.
func (t *refTable) discard(v text, seen bool) {
	if !t.ch.refsOn.Load() || t.ch.references(v.dialect, v.JSON) == nil {
		return
	}
	var ignored any
	_ = superjson.DecodeReferences(superjson.ModeJSON, v.JSON, nil, &ignored, unreadRefs{t, seen})
}

// readsRefs reports whether what is decoded into result, the pointer of a call, can have references in it.
func readsRefs(result any) bool {
	return result != nil && types.RefUseOf(reflect.TypeOf(result).Elem()) != bind.RefNever
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
