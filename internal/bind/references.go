package bind

import (
	"fmt"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// RefUse says whether values of a type may hold references.
type RefUse uint8

const (
	RefNever RefUse = iota
	RefMaybe        // by an interface in it
	RefSurely
)

// isReference reports whether a t is a reference, or a struct of nothing but one that is embedded.
func (k *Kinds) isReference(t reflect.Type) bool { return t == k.Ref || jsonform.Embedded(t) == k.Ref }

// targetProblem says why a reference of type t cannot be, or is empty.
func (k *Kinds) targetProblem(t reflect.Type) string {
	target := k.RefersTo(t)
	switch {
	case target == nil, target.Kind() == reflect.Func, target.Kind() == reflect.Interface && target.NumMethod() > 0:
		return ""
	}
	return fmt.Sprintf("a %s stands for a %s; want a func type, or an interface with methods", t, target)
}

// RefUseOf says whether values of type v may hold references. It looks no deeper than the check of an API does.
func (t *Types) RefUseOf(v reflect.Type) RefUse {
	if v.Kind() < reflect.Array && v.Kind() > reflect.Invalid {
		return RefNever
	}
	known, ok := t.uses.Load(v)
	if !ok {
		known = t.refUseIn(v, map[reflect.Type]bool{})
		t.uses.Store(v, known)
	}
	return known.(RefUse)
}

func (t *Types) refUseIn(v reflect.Type, seen map[reflect.Type]bool) (use RefUse) {
	switch {
	case t.kinds.isReference(v):
		return RefSurely
	case seen[v]:
		return RefNever
	case v.Kind() == reflect.Interface, v.PkgPath() == valueType.PkgPath():
		return RefMaybe
	}
	seen[v] = true
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return t.refUseIn(v.Elem(), seen)
	case reflect.Func:
		for i := range v.NumIn() {
			if in := v.In(i); in != contextType {
				use = max(use, t.refUseIn(in, seen))
			}
		}
		for i := range v.NumOut() {
			if out := v.Out(i); out != errorType {
				use = max(use, t.refUseIn(out, seen))
			}
		}
	case reflect.Struct:
		if v != t.kinds.Handle.Elem() && hasOwnForm(v) {
			return RefNever
		}
		for f := range superjson.Fields(v) {
			use = max(use, t.refUseIn(f.Type, seen))
		}
	}
	return use
}

// DecodeData decodes raw into the pointer v, whose type has to do with references as use says. references is nil if
// there are none in raw. m counts what it takes, unless it is nil.
func (t *Types) DecodeData(d wire.Dialect, raw []byte, meta *superjson.Meta, v any, use RefUse, references superjson.ReferenceDecoder, m *superjson.Meter) error {
	if references == nil && use == RefSurely {
		references = noReferences{t.kinds.Ref}
	}
	return superjson.DecodeMetered(d.Mode(), raw, meta, v, references, m)
}

// noReferences is for a value without references that is decoded where one is expected.
type noReferences struct{ typ reflect.Type }

func (n noReferences) ReferenceType() reflect.Type { return n.typ }

func (noReferences) DecodeReference(map[string]any, bool) (any, error) { return nil, nil }
