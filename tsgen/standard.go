package tsgen

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// standardName is the interface of Standard Schema, under which others look for it.
const standardName = "StandardSchemaV1"

// standard writes schemas as objects of Standard Schema.
func (w *checks) standard() {
	for _, n := range w.types {
		fields := w.standardFields(w.shapesOf(&n.Type, n.Name, nil))
		name := n.names[sent]
		w.line("")
		w.line("export const %s: %s<%s> = /* @__PURE__ */ %s(() => (%s))",
			schemaName(n), w.helper(standardName), name, w.helper("schema"), fields)
	}
}

// standardFields is an object with the shapes of fields.
func (w *checks) standardFields(fields []fieldShape) string {
	var b strings.Builder
	b.WriteString("{")
	for _, f := range fields {
		b.WriteString("\n\t" + propertyName(f.Field.Name) + ": " + indent(w.standardShape(f.shape)) + ",")
	}
	if len(fields) > 0 {
		b.WriteString("\n")
	}
	return b.String() + "}"
}

// standardShape is the expression that makes the shape s.
func (w *checks) standardShape(s *shape) string {
	text := w.standardValue(s)
	if s.nullable {
		text = w.call("nullable", append([]string{text}, w.standardRules(s.whenNil)...)...)
	}
	return text
}

func (w *checks) standardValue(s *shape) string {
	rules := w.standardRules(s.rules)
	with := func(name string, args ...string) string { return w.call(name, append(args, rules...)...) }
	switch {
	case s.quoted:
		low, high := integerRange(s.typ)
		return with("numeral", numeralPattern(s.typ), low, high)
	case s.kind == textValue:
		return with("text")
	case s.kind == numberValue && s.typ.Kind == schema.Integer && s.typ.GoKind != "" && s.typ.GoKind != "int64":
		low, high := integerRange(s.typ)
		return with("integerIn", low, high)
	case s.kind == numberValue && s.typ.Kind == schema.Integer:
		return with("integer")
	case s.kind == numberValue && s.typ.GoKind == "float32":
		return with("single")
	case s.kind == numberValue && w.Codec == SuperJSON:
		return with("float")
	case s.kind == numberValue:
		return with("real")
	case s.kind == boolValue:
		return with("bool")
	case s.kind == dateValue:
		return with("date")
	case s.kind == bytesValue && w.Codec.hasBytes():
		return with("bytes")
	case s.kind == bytesValue:
		return with("base64")
	case s.kind == listValue:
		return with("list", w.standardShape(s.elem))
	case s.kind == arrayValue:
		return with("tuple", strconv.Itoa(s.typ.Len), w.standardShape(s.elem))
	case s.kind == recordValue && s.key != nil:
		return with("entries", w.standardShape(s.key), w.standardShape(s.elem))
	case s.kind == recordValue:
		return with("record", w.standardShape(s.elem))
	case s.kind == structValue:
		return w.standardStruct(s, rules)
	case s.typ.Kind == schema.String:
		return w.helper("encoded") + "()"
	case s.typ.Kind == schema.Number:
		return w.helper("real") + "()"
	}
	return w.helper("anything") + "()"
}

func (w *checks) standardStruct(s *shape, rules []string) string {
	unruled := s.unruled && w.hasRules(s.typ)
	if s.named == nil && !unruled {
		return w.call("struct", append([]string{"() => (" + w.standardFields(s.fields) + ")"}, rules...)...)
	}
	text := ""
	if s.named != nil {
		text = schemaName(s.named)
	} else {
		text = w.call("struct", "() => ("+w.standardFields(s.fields)+")")
	}
	if s.named != nil && (unruled || len(rules) == 0) {
		text = w.call("nested", text)
	}
	if unruled {
		text = w.call("unruled", text)
	}
	if len(rules) > 0 {
		text = w.call("nested", append([]string{text}, rules...)...)
	}
	return text
}

var helperOfValue = regexp.MustCompile(`^\w+\(v\)$`)

func (w *checks) standardRules(tests []test) []string {
	var list []string
	for _, t := range tests {
		text := t.passes("v")
		params := "(v)"
		switch {
		case t.cross && usesValue(text):
			params = "(v, s)"
		case t.cross:
			params = "(_, s)"
		case !usesValue(text):
			params = "()"
		}
		test := params + " => " + text
		switch {
		case t.stops:
			test += " || undefined"
		case helperOfValue.MatchString(text):
			test = strings.TrimSuffix(text, "(v)")
		}
		list = append(list, "["+quoted(t.tag)+", "+test+"]")
	}
	return list
}

var valueName = regexp.MustCompile(`(^|[^\w.])v($|\W)`)

// usesValue reports whether an expression has the value v.
func usesValue(text string) bool { return valueName.MatchString(text) }

// maxCall is the length from which a call has a line for each argument.
const maxCall = 100

// call is a call of a helper.
func (w *checks) call(name string, args ...string) string {
	name = w.helper(name)
	text := name + "(" + strings.Join(args, ", ") + ")"
	if len(args) < 2 || len(text) <= maxCall && !strings.Contains(text, "\n") {
		return text
	}
	return name + "(\n\t" + indent(strings.Join(args, ",\n")) + ",\n)"
}

// indent moves all lines but the first by a tab.
func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n\t") }

// numeralPattern is what a number in a string looks like.
func numeralPattern(t *schema.Type) string {
	if t.Kind == schema.Number {
		return `/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/`
	}
	return `/^[+-]?\d+$/`
}

// integerRange are the limits of a Go type that JavaScript can have.
func integerRange(t *schema.Type) (low, high string) {
	const safe = "9007199254740991"
	if t.Kind == schema.Number {
		return "-Infinity", "Infinity"
	}
	name, bits := t.GoKind, 64
	if i := strings.IndexAny(name, "0123456789"); i > 0 {
		bits, _ = strconv.Atoi(name[i:])
		name = name[:i]
	}
	switch {
	case name == "uint" && bits == 64:
		return "0", safe
	case name == "uint":
		return "0", strconv.FormatUint(uint64(1)<<bits-1, 10)
	case bits == 64:
		return "-" + safe, safe
	}
	return fmt.Sprint(-int64(1) << (bits - 1)), fmt.Sprint(int64(1)<<(bits-1) - 1)
}
