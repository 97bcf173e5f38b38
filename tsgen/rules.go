package tsgen

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// subject is a value that rules apply to.
type subject struct {
	kind    subjectKind
	typ     *schema.Type // without a name and not Nullable
	pointer bool         // it stands behind a pointer that is not nil
	nilable bool         // a list, record or bytes may be undefined
}

// subjectKind is what rules distinguish. A rule sees dates as milliseconds, bytes as their number.
type subjectKind string

const (
	textValue   subjectKind = "text"
	numberValue subjectKind = "number"
	boolValue   subjectKind = "boolean"
	dateValue   subjectKind = "date"
	bytesValue  subjectKind = "bytes"
	listValue   subjectKind = "list"
	arrayValue  subjectKind = "array"
	recordValue subjectKind = "map"
	structValue subjectKind = "struct"
	nilValue    subjectKind = "null"
	otherValue  subjectKind = "" // what rules see is not what crosses
)

// maxNames bounds the names and pointers between a type and its form. A pointer may lead to itself.
const maxNames = 16

// subjectOf resolves t, which may be Nullable.
func (g *generator) subjectOf(t *schema.Type) subject {
	s := subject{typ: t}
	for range maxNames {
		switch {
		case s.typ.Kind == schema.NamedType:
			s.typ = &g.named[keyOf(s.typ.Name, s.typ.Package)].Type
		case s.typ.Kind == schema.Nullable && s.typ.Elem != nil:
			s.pointer, s.typ = true, s.typ.Elem
		}
	}
	s.kind = kindOf(s.typ)
	s.nilable = s.kind == listValue || s.kind == recordValue || s.kind == bytesValue
	return s
}

func kindOf(t *schema.Type) subjectKind {
	switch {
	case t.GoKind == "valuer":
	case t.Kind == schema.String && t.GoKind == "":
		return textValue
	case t.Kind == schema.Integer, t.Kind == schema.Number && t.GoKind != "string":
		return numberValue
	case t.Kind == schema.Boolean:
		return boolValue
	case t.Kind == schema.Date:
		return dateValue
	case t.Kind == schema.Bytes:
		return bytesValue
	case t.Kind == schema.List && t.Len > 0:
		return arrayValue
	case t.Kind == schema.List:
		return listValue
	case t.Kind == schema.Record:
		return recordValue
	case t.Kind == schema.Struct:
		return structValue
	}
	return otherValue
}

// name is the kind of a subject for people.
func (s subject) name() string {
	if s.kind == otherValue {
		return "value that Go holds in another form"
	}
	return string(s.kind)
}

// condition is a boolean expression in TypeScript about the value of an expression.
type condition func(value string) string

// always and never do not depend on the value.
func always(string) string { return "true" }
func never(string) string  { return "false" }

func not(c condition) condition {
	return func(v string) string {
		switch text := c(v); text {
		case "true":
			return "false"
		case "false":
			return "true"
		default:
			return negation(text)
		}
	}
}

// negation is the condition that text does not hold.
func negation(text string) string {
	operators := equality.FindAllStringIndex(text, -1)
	isCompound := strings.Contains(text, "||") || strings.Contains(text, "&&") || strings.Contains(text, "=>")
	switch {
	case len(operators) == 1 && !isCompound:
		at := operators[0][0] + 1
		return text[:at] + map[byte]string{'!': "=", '=': "!"}[text[at]] + text[at+1:]
	case simple.MatchString(text):
		return "!" + text
	}
	return "!(" + text + ")"
}

var (
	equality = regexp.MustCompile(` [!=]==? `)
	simple   = regexp.MustCompile(`^[\w.]+(\([^()]*\))?$`) // a name or a call
)

// compare is a condition made of a format, in which VALUE is the value.
func compare(format string, args ...any) condition {
	const place = "\x00" // is in no literal
	text := fmt.Sprintf(strings.ReplaceAll(format, "VALUE", place), args...)
	return func(v string) string { return strings.ReplaceAll(text, place, v) }
}

// condition is what a rule demands of s, in a struct with these fields. The error says why it is left to the server.
func (w *checks) condition(r *rule, s subject, in *structFields) (condition, error) {
	if r.name == "" {
		return w.alternatives(r, s, in)
	}
	for _, rules := range []map[string]ruleFunc{generalRules, textRules} {
		if f := rules[r.name]; f != nil {
			return f(w, r, s)
		}
	}
	if f := fieldRules[r.name]; f != nil {
		return f(w, r, s, in)
	}
	return nil, errors.New("it is no rule that is known here")
}

// ruleFunc makes the condition of a rule.
type ruleFunc func(w *checks, r *rule, s subject) (condition, error)

// unfit is the error for a rule that the validator does not have for values of this kind.
func unfit(s subject) (condition, error) { return nil, fmt.Errorf("it is about a %s", s.name()) }

func (w *checks) alternatives(r *rule, s subject, in *structFields) (condition, error) {
	var all []condition
	for i := range r.alternatives {
		c, err := w.condition(&r.alternatives[i], s, in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.alternatives[i].text(), err)
		}
		all = append(all, c)
	}
	return func(v string) string {
		var list []string
		for _, c := range all {
			list = append(list, c(v))
		}
		return strings.Join(list, " || ")
	}, nil
}

// generalRules are those for values of several kinds.
var generalRules map[string]ruleFunc

func init() { // they refer to each other
	generalRules = map[string]ruleFunc{
		"required":  func(w *checks, _ *rule, s subject) (condition, error) { return w.has(s) },
		"isdefault": func(w *checks, _ *rule, s subject) (condition, error) { return negated(w.has(s)) },
		"len":       sizeRule("==="),
		"min":       sizeRule(">="), "gte": sizeRule(">="), "gt": sizeRule(">"),
		"max": sizeRule("<="), "lte": sizeRule("<="), "lt": sizeRule("<"),
		"eq":     equals,
		"ne":     func(w *checks, r *rule, s subject) (condition, error) { return negated(equals(w, r, s)) },
		"oneof":  oneOf,
		"noneof": func(w *checks, r *rule, s subject) (condition, error) { return negated(oneOf(w, r, s)) },
		"unique": unique,
	}
}

func negated(c condition, err error) (condition, error) {
	if err != nil {
		return nil, err
	}
	return not(c), nil
}

// has is the condition that s is not zero.
func (w *checks) has(s subject) (condition, error) {
	switch {
	case s.kind == nilValue:
		return never, nil
	case s.pointer:
		return always, nil
	case s.kind == textValue:
		return compare(`VALUE !== ""`), nil
	case s.kind == numberValue:
		return compare("VALUE !== 0"), nil
	case s.kind == boolValue:
		return compare("VALUE"), nil
	case s.kind == dateValue:
		return compare("VALUE !== %s", w.helper("noTime")), nil
	case s.nilable:
		return compare("VALUE != null"), nil
	case s.kind == listValue, s.kind == recordValue, s.kind == bytesValue:
		return always, nil
	case s.kind == arrayValue, s.kind == structValue:
		return w.someIsSet(s.typ)
	}
	return unfit(s)
}

// number is a parameter as a number in TypeScript.
func number(s subject, param string) (string, error) {
	var text string
	var err error
	switch k := s.typ.GoKind; {
	case s.kind != numberValue, s.typ.Kind == schema.Integer && !strings.HasPrefix(k, "u"):
		var n int64
		n, err = strconv.ParseInt(param, 0, 64)
		text = strconv.FormatInt(n, 10)
	case s.typ.Kind == schema.Integer:
		var n uint64
		n, err = strconv.ParseUint(param, 0, 64)
		text = strconv.FormatUint(n, 10)
	default:
		bits := 64
		if k == "float32" {
			bits = 32
		}
		var f float64
		f, err = strconv.ParseFloat(param, bits)
		text = strings.NewReplacer("+Inf", "Infinity", "Inf", "Infinity").Replace(strconv.FormatFloat(f, 'g', -1, 64))
	}
	if err != nil {
		return "", fmt.Errorf("the server fails, as it cannot read %q", param)
	}
	return text, nil
}

// size is what rules compare with a number.
func (w *checks) size(s subject) (condition, error) {
	switch s.kind {
	case textValue:
		return compare("%s(VALUE)", w.helper("runes")), nil
	case numberValue:
		return compare("VALUE"), nil
	case listValue, recordValue, bytesValue:
		if s.kind == bytesValue {
			return compare("(VALUE ?? 0)"), nil
		}
		return compare("%s(VALUE)", w.helper("count")), nil
	case arrayValue:
		return compare("%d", s.typ.Len), nil
	}
	return unfit(s)
}

func sizeRule(operator string) ruleFunc {
	return func(w *checks, r *rule, s subject) (condition, error) {
		if s.kind == dateValue && operator != "===" {
			return compare("VALUE %s %s.now()", operator, w.global("Date")), nil // the parameter counts for nothing
		}
		size, err := w.size(s)
		if err != nil {
			return nil, err
		}
		n, err := number(s, r.param)
		if err != nil {
			return nil, err
		}
		return func(v string) string { return size(v) + " " + operator + " " + n }, nil
	}
}

func equals(w *checks, r *rule, s subject) (condition, error) {
	switch s.kind {
	case textValue:
		return compare("VALUE === %s", quoted(r.param)), nil
	case boolValue:
		wanted, err := strconv.ParseBool(r.param)
		if err != nil {
			return nil, fmt.Errorf("the server fails, as it cannot read %q", r.param)
		}
		return compare("VALUE === %t", wanted), nil
	}
	return sizeRule("===")(w, &rule{name: "len", param: r.param}, s)
}

func oneOf(_ *checks, r *rule, s subject) (condition, error) {
	var list []string
	for _, word := range words(r.param) {
		switch {
		case s.kind == textValue:
			list = append(list, quoted(word))
		case s.kind != numberValue || s.typ.Kind != schema.Integer:
			return unfit(s)
		default: // a word that Go would write in another way is no value
			if n, err := strconv.ParseInt(word, 10, 64); err == nil && strconv.FormatInt(n, 10) == word {
				list = append(list, word)
			}
		}
	}
	text := "[" + strings.Join(list, ", ") + "]"
	if len(list) == 0 {
		return never, nil
	}
	return func(v string) string { return text + ".includes(" + v + ")" }, nil
}

func unique(w *checks, r *rule, s subject) (condition, error) {
	if s.kind != listValue && s.kind != recordValue && s.kind != arrayValue {
		return unfit(s)
	}
	elem := w.subjectOf(s.typ.Elem)
	if r.param == "" {
		if elem.kind != textValue && elem.kind != numberValue && elem.kind != boolValue {
			return nil, fmt.Errorf("it compares a %s", elem.name())
		}
		return compare("%s(VALUE, (v) => %s)", w.helper("unique"), w.keyOf(elem, "v")), nil
	}
	if elem.kind != structValue || s.kind == recordValue {
		return unfit(s)
	}
	for i := range elem.typ.Fields {
		f := &elem.typ.Fields[i]
		part := w.subjectOf(&f.Type)
		if f.GoName != r.param {
			continue
		}
		if part.kind != textValue && part.kind != numberValue && part.kind != boolValue || f.Quoted {
			return nil, fmt.Errorf("it compares a %s", part.name())
		}
		access := "v" + member(f.Name)
		if elem.pointer {
			return compare("%s(VALUE, (v: any) => v === null ? null : %s)", w.helper("unique"), w.keyOf(part, access)), nil
		}
		return compare("%s(VALUE, (v: any) => %s)", w.helper("unique"), w.keyOf(part, access)), nil
	}
	return nil, fmt.Errorf("%s is no field that crosses", r.param)
}

// keyOf is the value of a scalar that unique compares.
func (w *checks) keyOf(s subject, value string) string {
	if s.pointer {
		return value + " ?? null"
	}
	text := w.orZero(s, value)
	if inner, ok := strings.CutPrefix(text, "("); ok {
		return strings.TrimSuffix(inner, ")")
	}
	return text
}
