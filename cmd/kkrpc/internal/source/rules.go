package source

import (
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// IsValuer reports the method ValidatorValue, which package validator asks for what is to be validated.
func (t goType) IsValuer() bool {
	method := methodOf(t.Type, "ValidatorValue")
	if method == nil || types.IsInterface(t.Type) {
		return false
	}
	text := signatureText(method.Signature())
	return text == "func() any" || text == "func() interface{}"
}

// rule is the rule in the tag of field i of s.
func rule(s *types.Struct, i int) string { return reflect.StructTag(s.Tag(i)).Get(schema.RuleTag) }

// structOf is the struct that t is or points to, or nil.
func structOf(t types.Type) (s *types.Struct, pointer bool) {
	t = types.Unalias(t)
	if p, ok := t.(*types.Pointer); ok {
		t, pointer = types.Unalias(p.Elem()), true
	}
	s, _ = t.Underlying().(*types.Struct)
	return s, pointer
}

// noteRule sets the rule of a field of s, the name by which other rules know it, and its place.
func (d *docs) noteRule(f *schema.GoField, s *types.Struct, index []int) {
	var names []string
	star, ignored := "", false
	for i, n := range index {
		v := s.Field(n)
		names = append(names, v.Name())
		if i == len(index)-1 {
			f.Validate, f.GoName, f.At = rule(s, n), star+strings.Join(names, "."), d.program.at(v.Pos())
			break
		}
		inner, pointer := structOf(v.Type())
		if pointer || rule(s, n) != "" {
			star = "*"
			ignored = ignored || rule(s, n) == schema.NoRule
		}
		s = inner
	}
	if ignored {
		f.Validate = schema.NoRule
	}
}

// unsent are the fields of s that have a rule and are none of members. Those of structs in it are among them, if the
// structs are no members either.
func (d *docs) unsent(s *types.Struct, members []field) []schema.GoField {
	var found []schema.GoField
	var walk func(in *types.Struct, at []int)
	walk = func(in *types.Struct, at []int) {
		for i := range in.NumFields() {
			v, index := in.Field(i), append(slices.Clone(at), i)
			isMember := slices.ContainsFunc(members, func(f field) bool { return slices.Equal(f.index, index) })
			if isMember || rule(in, i) == schema.NoRule || !v.Exported() && !v.Embedded() {
				continue
			}
			if rule(in, i) != "" {
				f := schema.GoField{Unsent: true}
				d.noteRule(&f, s, index)
				found = append(found, f)
			}
			leads := slices.ContainsFunc(members, func(f field) bool {
				return len(f.index) > len(index) && slices.Equal(f.index[:len(index)], index)
			})
			if inner, pointer := structOf(v.Type()); inner != nil && (leads || !pointer) {
				walk(inner, index)
			}
		}
	}
	walk(s, nil)
	return found
}
