package tsgen

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// structFields are those of the struct that a rule stands in, as other rules name them.
type structFields struct {
	fields []schema.Field
	prefix string // of the names in the embedded struct that the rule stands in, such as Base.
}

// sibling is another field of the struct, which a rule names.
type sibling struct {
	subject
	access string // its value, which may be absent
	quoted bool
}

// find returns the field with a name in Go. Names that lead through other structs are left to the server.
func (w *checks) find(in *structFields, name string) (*sibling, error) {
	i := -1
	if in != nil {
		i = slices.IndexFunc(in.fields, func(f schema.Field) bool { return f.GoName == in.prefix+name })
	}
	if i < 0 {
		return nil, fmt.Errorf("%s is no field of this struct that crosses", name)
	}
	f := &in.fields[i]
	return &sibling{subject: w.subjectOf(&f.Type), access: "s" + member(f.Name), quoted: f.Quoted}, nil
}

// orZero is the value of a scalar as rules see it, where expr may be absent.
func (w *checks) orZero(s subject, expr string) string {
	switch s.kind {
	case textValue:
		return `(` + expr + ` ?? "")`
	case boolValue:
		return `(` + expr + ` ?? false)`
	case dateValue:
		return w.helper("instant") + "(" + expr + ")"
	case numberValue:
		if expr = `(` + expr + ` ?? 0)`; s.typ.GoKind == "float32" {
			expr = w.global("Math") + ".fround" + expr
		}
	}
	return expr
}

func (w *checks) valueOf(f *sibling) string {
	if f.quoted {
		return w.global("Number") + w.orZero(f.subject, f.access)
	}
	return w.orZero(f.subject, f.access)
}

// isSet is the condition that the member expr, which may be absent, is not zero.
func (w *checks) isSet(s subject, quoted bool, expr string) (string, error) {
	switch {
	case s.pointer, s.nilable:
		return expr + " != null", nil
	case s.kind == structValue:
		return w.someFieldIsSet(s.typ, expr)
	case s.kind == arrayValue:
		one, err := w.isSet(w.subjectOf(s.typ.Elem), false, "v")
		return "(" + expr + " ?? []).some((v: any) => " + one + ")", err
	case s.kind == otherValue:
		return "", fmt.Errorf("it depends on a %s", s.name())
	}
	has, err := w.has(s)
	if err != nil {
		return "", err
	}
	value := w.orZero(s, expr)
	if quoted {
		value = w.global("Number") + value
	}
	return has(value), nil
}

// someIsSet is the condition that a struct or an array is not zero.
func (w *checks) someIsSet(t *schema.Type) (condition, error) {
	if _, err := w.isSet(subject{kind: kindOf(t), typ: t}, false, "v"); err != nil {
		return nil, err
	}
	return func(v string) string {
		text, _ := w.isSet(subject{kind: kindOf(t), typ: t}, false, v) // as above
		return text
	}, nil
}

func (w *checks) someFieldIsSet(t *schema.Type, expr string) (string, error) {
	var list []string
	for i := range t.Fields {
		f := &t.Fields[i]
		access := expr + optionalMember(f.Name)
		if strings.HasPrefix(f.GoName, "*") { // it may be behind a pointer, which is then set
			list = append(list, access+" !== undefined")
			continue
		}
		text, err := w.isSet(w.subjectOf(&f.Type), f.Quoted, access)
		if err != nil {
			return "", err
		}
		list = append(list, text)
	}
	if len(list) == 0 {
		return "false", nil
	}
	return "(" + strings.Join(list, " || ") + ")", nil
}

// fieldRule makes the condition of a rule about several fields.
type fieldRule func(w *checks, r *rule, s subject, in *structFields) (condition, error)

var fieldRules map[string]fieldRule

// whenNil are the rules that the validator also has for a pointer that is nil.
var whenNil = map[string]bool{}

func init() {
	fieldRules = map[string]fieldRule{
		"eqfield": fieldComparison("==="), "nefield": fieldComparison("!=="),
		"gtfield": fieldComparison(">"), "gtefield": fieldComparison(">="),
		"ltfield": fieldComparison("<"), "ltefield": fieldComparison("<="),
	}
	for name, d := range map[string]struct {
		set   func(*checks, *rule, *structFields) ([]string, error) // conditions on other fields
		any   bool                                                  // one of them is enough
		holds bool                                                  // whether the rule then applies; else it applies otherwise
	}{
		"if":          {(*checks).matches, false, true},
		"unless":      {(*checks).matches, true, false},
		"with":        {(*checks).given, true, true},
		"with_all":    {(*checks).given, false, true},
		"without":     {(*checks).given, false, false},
		"without_all": {(*checks).given, true, false},
	} {
		for _, verb := range []string{"required_", "excluded_"} {
			whenNil[verb+name] = true
			fieldRules[verb+name] = func(w *checks, r *rule, s subject, in *structFields) (condition, error) {
				list, err := d.set(w, r, in)
				if err != nil {
					return nil, err
				}
				if verb+name == "excluded_without" && len(list) > 1 {
					return nil, errors.New("it has one field")
				}
				has, err := w.has(s)
				if err != nil {
					return nil, err
				}
				if verb == "excluded_" {
					has = not(has)
				}
				operator := " && "
				if d.any {
					operator = " || "
				}
				others := strings.Join(list, operator)
				if d.holds {
					others = negation(others)
				}
				return func(v string) string {
					if text := has(v); text == "false" {
						return others
					} else if text == "true" {
						return text
					} else {
						return others + " || " + text
					}
				}, nil
			}
		}
	}
}

// matches are the conditions that fields have the values that stand behind them.
func (w *checks) matches(r *rule, in *structFields) ([]string, error) {
	list := words(r.param)
	if len(list)%2 != 0 || len(list) == 0 {
		return nil, errors.New("it has a field without a value, and the server fails")
	}
	var conditions []string
	for pair := range slices.Chunk(list, 2) {
		f, err := w.find(in, pair[0])
		if err != nil {
			return nil, err
		}
		text, err := w.match(f, pair[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pair[0], err)
		}
		conditions = append(conditions, text)
	}
	return conditions, nil
}

func (w *checks) match(f *sibling, value string) (string, error) {
	switch isNil := value == "nil" && (f.pointer || f.nilable); {
	case isNil && f.kind == textValue:
		return "(" + f.access + ` == null || ` + f.access + ` === "nil")`, nil
	case isNil && f.kind == numberValue:
		return "", errors.New("the server fails if it is not nil")
	case isNil:
		return f.access + " == null", nil
	}
	var text string
	switch f.kind {
	case textValue:
		text = w.valueOf(f) + " === " + quoted(value)
	case boolValue:
		text = w.valueOf(f) + " === " + strconv.FormatBool(value == "true")
	case numberValue:
		n, err := number(f.subject, value)
		if err != nil {
			return "", err
		}
		text = w.valueOf(f) + " === " + n
	case listValue, recordValue:
		n, err := number(f.subject, value)
		if err != nil {
			return "", err
		}
		text = w.helper("count") + "(" + f.access + ") === " + n
	default:
		return "", fmt.Errorf("it is a %s", f.name())
	}
	if f.pointer {
		text = "(" + f.access + " != null && " + text + ")"
	}
	return text, nil
}

// given are the conditions that fields are not zero.
func (w *checks) given(r *rule, in *structFields) ([]string, error) {
	var conditions []string
	for _, name := range words(r.param) {
		f, err := w.find(in, name)
		if err != nil {
			return nil, err
		}
		text, err := w.isSet(f.subject, f.quoted, f.access)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, text)
	}
	if len(conditions) == 0 {
		return nil, errors.New("it names no field")
	}
	return conditions, nil
}

// fieldComparison compares with another field of the same kind. A pointer that is nil is of another kind.
func fieldComparison(operator string) fieldRule {
	return func(w *checks, r *rule, s subject, in *structFields) (condition, error) {
		f, err := w.find(in, r.param)
		if err != nil {
			return nil, err
		}
		isEquality := operator == "===" || operator == "!=="
		switch {
		case f.kind != s.kind || f.typ.GoKind != s.typ.GoKind || f.typ.Kind != s.typ.Kind:
			return nil, fmt.Errorf("%s has another type", r.param)
		case s.kind == numberValue, s.kind == dateValue, isEquality && (s.kind == textValue || s.kind == boolValue):
		case isEquality && (s.kind == listValue || s.kind == recordValue):
			count := w.helper("count")
			text := " " + operator + " " + count + "(" + f.access + ")"
			return func(v string) string { return w.orNil(f, operator, count+"("+v+")"+text) }, nil
		default:
			return unfit(s)
		}
		other := w.valueOf(f)
		return func(v string) string { return w.orNil(f, operator, v+" "+operator+" "+other) }, nil
	}
}

// orNil adds what a comparison with a nil pointer is.
func (w *checks) orNil(f *sibling, operator, text string) string {
	switch {
	case !f.pointer:
		return text
	case operator == "!==":
		return f.access + " == null || " + text
	}
	return f.access + " != null && " + text
}

// member is the access to a member of an object, optionalMember that to one of an object that may be absent.
func member(name string) string {
	if plainName.MatchString(name) {
		return "." + name
	}
	return "[" + quoted(name) + "]"
}

func optionalMember(name string) string { return "?." + strings.TrimPrefix(member(name), ".") }
