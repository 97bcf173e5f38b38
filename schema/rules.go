package schema

import (
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// RuleTag is the key of rules in the tags of structs, and NoRule the rule of a field that is not looked into.
const (
	RuleTag = "validate"
	NoRule  = "-"
)

// IsValuer reports the method ValidatorValue, which package validator asks for what is to be validated.
func (t goType) IsValuer() bool {
	valuer := reflect.TypeFor[interface{ ValidatorValue() any }]()
	return t.Kind() != reflect.Interface && (t.Implements(valuer) || reflect.PointerTo(t.Type).Implements(valuer))
}

// noteRule sets the rule of a field of the struct t, and the name by which other rules know it.
func (f *GoField) noteRule(t reflect.Type, index []int) {
	var names []string
	star, ignored := "", false
	for i := range index {
		part := t.FieldByIndex(index[:i+1])
		rule := part.Tag.Get(RuleTag)
		names = append(names, part.Name)
		if i == len(index)-1 {
			f.Validate = rule
		} else if part.Type.Kind() == reflect.Pointer || rule != "" {
			star = "*"
			ignored = ignored || rule == NoRule
		}
	}
	if f.GoName = star + strings.Join(names, "."); ignored {
		f.Validate = NoRule
	}
}

// unsent are the fields of the struct t that have a rule and no member. Those of structs in it are among them, if the
// structs are no members either.
func unsent(t reflect.Type) []GoField {
	members := slices.Collect(superjson.Fields(t))
	var found []GoField
	var walk func(s reflect.Type, at []int)
	walk = func(s reflect.Type, at []int) {
		for i := range s.NumField() {
			part, index := s.Field(i), append(slices.Clone(at), i)
			rule := part.Tag.Get(RuleTag)
			isMember := slices.ContainsFunc(members, func(m superjson.Field) bool { return slices.Equal(m.Index, index) })
			if isMember || rule == NoRule || !part.IsExported() && !part.Anonymous {
				continue
			}
			if rule != "" {
				f := GoField{Unsent: true}
				f.noteRule(t, index)
				found = append(found, f)
			}
			leads := slices.ContainsFunc(members, func(m superjson.Field) bool {
				return len(m.Index) > len(index) && slices.Equal(m.Index[:len(index)], index)
			})
			inner := part.Type
			if leads && inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				walk(inner, index)
			}
		}
	}
	walk(t, nil)
	return found
}
