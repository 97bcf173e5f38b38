package tsgen

import (
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// shape is how a value is checked.
type shape struct {
	subject
	named    *namedType // the struct, if that has a schema
	alias    *namedType // the name of what is no struct, such as an enumeration
	nullable bool
	whenNil  []test // for null and for a member that is absent, if it is nullable
	rules    []test
	unruled  bool // no rule applies to what is in it
	quoted   bool // a number in a string
	key      *shape
	elem     *shape
	fields   []fieldShape
}

type fieldShape struct {
	*schema.Field
	*shape
}

// test is a rule as TypeScript checks it.
type test struct {
	tag    string // for the message
	stops  bool   // a value that does not pass is good, without the rules that follow
	cross  bool   // it depends on other fields
	passes condition
}

// place is where a tag stands.
type place struct {
	*checks
	at, name string // for people
	in       *structFields
	around   []*namedType // types without a schema that are being looked into
}

// shapesOf are the shapes of the fields of a struct that people know as owner.
func (w *checks) shapesOf(t *schema.Type, owner string, around []*namedType) []fieldShape {
	var list []fieldShape
	for i := range t.Fields {
		f := &t.Fields[i]
		p := &place{checks: w, at: f.At, name: owner + "." + f.Name, in: &structFields{fields: t.Fields}, around: around}
		if dot := strings.LastIndex(f.GoName, "."); dot >= 0 {
			p.in.prefix = f.GoName[:dot+1]
		}
		c := parseTag(f.Validate)
		if strings.HasPrefix(f.GoName, "*") {
			if hasRule(f.Validate) || w.hasRules(&f.Type) {
				p.leave("the rules", "they stand in an embedded struct that is behind a pointer or has a rule")
			}
			c = parseTag(schema.NoRule)
		}
		s := p.shape(&f.Type, c, true)
		s.quoted = f.Quoted
		list = append(list, fieldShape{f, s})
	}
	for _, u := range t.Unsent {
		p := &place{checks: w, at: u.At, name: owner + "." + strings.TrimPrefix(u.GoName, "*")}
		p.leave(u.Validate, "the field does not cross")
	}
	return list
}

// leave says that a rule is left to the server.
func (p *place) leave(rule, reason string) { p.warn(p.at, p.name, rule, reason) }

// shape is that of a value of type t with the rules c. Without ruled, no rule of its parts applies either.
func (p *place) shape(t *schema.Type, c *chain, ruled bool) *shape {
	s := &shape{subject: p.subjectOf(t)}
	s.nullable = s.pointer
	if c != nil && len(c.rules) > 0 && c.rules[0].name == schema.NoRule {
		c, ruled = nil, false
	}
	s.unruled = !ruled
	if c != nil {
		s.whenNil = p.nilTests(s.subject, c)
		s.rules = p.tests(s, c)
	}
	inner := p.enter(s, t)
	if inner == nil {
		s.kind, s.typ = otherValue, &schema.Type{Kind: schema.Unknown}
	}
	if isList := s.kind == listValue || s.kind == arrayValue || s.kind == recordValue; isList {
		inner.elements(s, c)
	} else if c != nil && c.dive {
		p.leave("dive", "it is about a "+s.subject.name())
	}
	if s.kind == structValue && s.named == nil {
		s.fields = p.shapesOf(s.typ, p.name, inner.around)
	}
	return s
}

// enter notes the names of t. It returns nil if the value is in a type without a schema that contains itself.
func (p *place) enter(s *shape, t *schema.Type) *place {
	inner := *p
	for t.Kind == schema.NamedType || t.Kind == schema.Nullable && t.Elem != nil {
		if t.Kind == schema.Nullable {
			t = t.Elem
			continue
		}
		n := p.checks.named[keyOf(t.Name, t.Package)]
		if _, ok := p.order[n]; ok {
			s.named = n
			return &inner
		}
		if slices.Contains(p.around, n) {
			return nil
		}
		if s.alias == nil {
			s.alias = n
		}
		inner.around = append(slices.Clone(inner.around), n)
		t = &n.Type
	}
	return &inner
}

// elements sets the shapes of what is in a list or a record. Without a dive, only its types count.
func (p *place) elements(s *shape, c *chain) {
	if c == nil || !c.dive {
		c = new(chain)
		s.elem = p.shape(s.typ.Elem, nil, false)
	} else if elem := c.elem; len(elem.rules) == 0 && !elem.dive {
		s.elem = p.shape(s.typ.Elem, nil, !s.unruled)
	} else {
		s.elem = p.shape(s.typ.Elem, elem, !s.unruled)
	}
	if s.kind != recordValue {
		return
	}
	key := p.subjectOf(s.typ.Key)
	switch {
	case key.typ.GoKind == "" && c.keys != nil:
		s.key = p.shape(s.typ.Key, c.keys, true)
	case key.typ.GoKind == "" || key.typ.GoKind == "text" || key.typ.GoKind == "valuer":
		if c.keys != nil {
			p.leave("the rules of keys", "they are about a "+key.name())
		}
	default:
		s.key = p.shape(&schema.Type{Kind: schema.Integer, GoKind: key.typ.GoKind}, c.keys, true)
		s.key.quoted = true
	}
}

// tests are the rules of c for a value that is not nil.
func (p *place) tests(s *shape, c *chain) []test {
	var list []test
	for i := range c.rules {
		r := &c.rules[i]
		t := test{tag: r.text()}
		var err error
		switch r.name {
		case "structonly", "nostructlevel":
			s.unruled = true
			return list
		case "omitempty", "omitzero", "omitnil":
			t.stops = true
			t.passes, err = p.kept(s.subject, r.name)
			if err != nil && (i < len(c.rules)-1 || c.dive || p.hasRules(s.typ)) {
				p.leave("the rules behind "+r.name, err.Error())
				s.unruled = true
			}
			if err != nil {
				return list
			}
		default:
			if t.passes, err = p.condition(r, s.subject, p.in); err != nil {
				p.leave(t.tag, err.Error())
				continue
			}
			t.cross = isCross(r)
		}
		if t.passes("v") != "true" {
			list = append(list, t)
		}
	}
	return list
}

func isCross(r *rule) bool {
	return fieldRules[r.name] != nil || slices.ContainsFunc(r.alternatives, func(one rule) bool { return isCross(&one) })
}

// kept is the condition that the rules behind omitempty and the like apply.
func (p *place) kept(s subject, rule string) (condition, error) {
	switch {
	case rule == "omitzero" && s.kind == bytesValue:
		return compare("(VALUE ?? 0) > 0"), nil
	case rule == "omitzero" && s.nilable:
		return compare("%s(VALUE) > 0", p.helper("count")), nil
	case rule == "omitzero":
		s.pointer = false
	case rule == "omitnil" && !s.nilable:
		return always, nil
	case rule == "omitnil":
		s.pointer = false
	}
	return p.has(s)
}

// nilTests are what the validator makes of a pointer that is nil. Only its first rule counts, unless that is one about
// other fields.
func (p *place) nilTests(s subject, c *chain) []test {
	if !s.pointer {
		return nil
	}
	var list []test
	for i := range c.rules {
		r := &c.rules[i]
		first := r
		if len(r.alternatives) > 0 && i == 0 {
			first = &r.alternatives[0]
		}
		switch {
		case first.name == "omitempty", first.name == "omitzero", first.name == "omitnil":
			return list
		case first.name == "isdefault" && i == 0:
			return nil
		case first.name == "isdefault":
		case whenNil[r.name]:
			condition, err := p.fieldRule(r, s)
			if err != nil {
				return list // tests says so
			}
			list = append(list, test{tag: r.text(), cross: true, passes: condition})
		case i > 0 && (r.name == "structonly" || r.name == "nostructlevel"):
			return list
		case !isKnown(first):
			return list
		default:
			return append(list, test{tag: first.text(), passes: never})
		}
	}
	if c.dive {
		list = append(list, test{tag: "dive", passes: never})
	}
	return list
}

func isKnown(r *rule) bool {
	return generalRules[r.name] != nil || textRules[r.name] != nil || fieldRules[r.name] != nil ||
		r.name == "structonly" || r.name == "nostructlevel"
}

// fieldRule is the condition of a rule about other fields for a value that is nil.
func (p *place) fieldRule(r *rule, s subject) (condition, error) {
	return fieldRules[r.name](p.checks, r, subject{kind: nilValue, typ: s.typ}, p.in)
}
