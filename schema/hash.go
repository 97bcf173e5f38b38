package schema

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
)

// Hash stands for all that crosses, as 12 letters, digits, - and _: names of members, types of parameters and results,
// names of fields. It does not depend on comments, constants, declared errors, the names of Go types and the order of
// names. A description by reflection has therefore the same hash as that from source.
func (api *API) Hash() string {
	h := hasher{types: map[typeName]*Named{}}
	api.crossing(h.types)
	// Types that lead back to themselves have no text of their own. Each is told from the others by what is in it, then by
	// what is in that, until one more look tells no more of them apart.
	for classes := -1; ; {
		digests := map[typeName]digest{}
		different := map[digest]bool{}
		for name, named := range h.types {
			digests[name] = h.typ(&named.Type)
			different[digests[name]] = true
		}
		h.digests = digests
		if len(different) == classes {
			break
		}
		classes = len(different)
	}
	sum := sha256.Sum256([]byte(h.members(api.Members)))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// crossing adds the types with names that members lead to. Those of errors are none: reflection does not know them.
func (api *API) crossing(found map[typeName]*Named) {
	all := typesOf(api)
	var typ func(t *Type)
	var members func(list []Member)
	function := func(f *Function) {
		if f == nil {
			return
		}
		for i := range f.Params {
			typ(&f.Params[i].Type)
		}
		typ(f.Result)
	}
	typ = func(t *Type) {
		if t == nil {
			return
		}
		name := typeName{t.Name, t.Package}
		if t.Kind == NamedType && all[name] != nil && found[name] == nil {
			found[name] = all[name]
			typ(&all[name].Type)
		}
		typ(t.Key)
		typ(t.Elem)
		function(t.Function)
		for i := range t.Fields {
			typ(&t.Fields[i].Type)
		}
		members(t.Members)
	}
	members = func(list []Member) {
		for _, m := range list {
			function(m.Function)
			typ(m.Type)
			members(m.Members)
		}
	}
	members(api.Members)
}

// digest stands for a text, of any length.
type digest string

func digestOf(format string, args ...any) digest {
	sum := sha256.Sum256(fmt.Appendf(nil, format, args...))
	return digest(sum[:])
}

// hasher makes digests of the parts of an API. Parts that differ have different digests.
type hasher struct {
	types   map[typeName]*Named
	digests map[typeName]digest // of types with names, as far as they are told apart
}

func (h *hasher) members(members []Member) (all digest) {
	for _, m := range slices.SortedFunc(slices.Values(members), func(a, b Member) int { return cmp.Compare(a.Name, b.Name) }) {
		all = digestOf("%x %q %s %x %x %x", all, m.Name, m.Kind, h.function(m.Function), h.typ(m.Type), h.members(m.Members))
	}
	return all
}

func (h *hasher) function(f *Function) (all digest) {
	if f == nil {
		return ""
	}
	for i := range f.Params {
		p := &f.Params[i]
		all = digestOf("%x %t %t %x", all, p.Optional, p.Variadic, h.typ(&p.Type))
	}
	return digestOf("%x %x", all, h.typ(f.Result))
}

func (h *hasher) typ(t *Type) digest {
	switch {
	case t == nil:
		return ""
	case t.Kind == NamedType:
		return h.digests[typeName{t.Name, t.Package}]
	}
	var fields digest
	for _, f := range slices.SortedFunc(slices.Values(t.Fields), func(a, b Field) int { return cmp.Compare(a.Name, b.Name) }) {
		fields = digestOf("%x %q %t %t %x", fields, f.Name, f.Optional, f.Quoted, h.typ(&f.Type))
	}
	all := digestOf("%s %q %d %x %x %x %x", t.Kind, t.Name, t.Len, h.typ(t.Key), h.typ(t.Elem), h.function(t.Function), fields)
	if t.Members == nil {
		return all
	}
	return digestOf("%x %x", all, h.members(t.Members))
}
