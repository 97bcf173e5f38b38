package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"slices"
)

// Hash stands for all that crosses, as 12 letters, digits, - and _: names of members, types of parameters and results,
// names of fields. What only source knows is no part of it, nor are the names of Go types and the order of names. A
// description by reflection has therefore the same hash as that from source.
func (api *API) Hash() string {
	h := hasher{Hash: sha256.New(), types: typesOf(api), seen: map[typeName]int{}}
	h.members(api.Members)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:9])
}

// hasher writes the structure of an API as text that no two structures share.
type hasher struct {
	hash.Hash
	types map[typeName]*Named
	seen  map[typeName]int // types with names that have been written, by when
}

func (h *hasher) put(format string, args ...any) { fmt.Fprintf(h, format, args...) }

func (h *hasher) members(members []Member) {
	members = slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	for _, m := range members {
		h.put("%q %s", m.Name, m.Kind)
		h.function(m.Function)
		h.typ(m.Type)
		h.put("{")
		h.members(m.Members)
		h.put("}")
	}
}

func (h *hasher) function(f *Function) {
	if f == nil {
		return
	}
	h.put("(")
	for i := range f.Params {
		p := &f.Params[i]
		h.put("%t %t", p.Optional, p.Variadic)
		h.typ(&p.Type)
	}
	h.put(")")
	h.typ(f.Result)
}

func (h *hasher) typ(t *Type) {
	switch {
	case t == nil:
		h.put(";")
		return
	case t.Kind != NamedType:
	case h.types[typeName{t.Name, t.Package}] == nil:
		h.put("?")
		return
	default:
		name := typeName{t.Name, t.Package}
		if i, ok := h.seen[name]; ok {
			h.put("#%d", i)
			return
		}
		h.seen[name] = len(h.seen)
		t = &h.types[name].Type
	}
	h.put("%s %d", t.Kind, t.Len)
	if t.Kind == Typed {
		h.put("%q", t.Name)
	}
	h.put("[")
	h.typ(t.Key)
	h.typ(t.Elem)
	h.put("]")
	h.function(t.Function)
	h.put("{")
	fields := slices.SortedFunc(slices.Values(t.Fields), func(a, b Field) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range fields {
		h.put("%q %t %t", f.Name, f.Optional, f.Quoted)
		h.typ(&f.Type)
	}
	h.put("}")
}
