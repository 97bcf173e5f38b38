package tsgen

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// zod writes schemas as objects of Zod 4.
func (w *checks) zod() {
	for i, n := range w.types {
		fields := w.shapesOf(&n.Type, n.Name, nil)
		text := w.zodObject(fields, i, false)
		w.line("")
		if n.TypeScript != "" || n.Brand {
			w.line("export const %s = %s as unknown as z.ZodType<%s>", schemaName(n), text, n.names[sent])
			continue
		}
		w.line("export const %s = %s satisfies z.ZodType<%s>", schemaName(n), text, n.names[sent])
	}
}

// zodObject is an object with fields, in the schema of type number at. With plain, no rule applies.
func (w *checks) zodObject(fields []fieldShape, at int, plain bool) string {
	var b strings.Builder
	b.WriteString("z.object({")
	for _, f := range fields {
		text := indent(w.zodShape(f.shape, at, plain) + w.zodPresence(&f, plain))
		b.WriteString("\n\t")
		if !w.leadsOn(f.shape, at) {
			b.WriteString(propertyName(f.Field.Name) + ": " + text + ",")
			continue
		}
		typ := w.typ(&f.Field.Type, sent)
		if f.nullable || f.Optional {
			typ += " | undefined"
		}
		b.WriteString("get " + propertyName(f.Field.Name) + "(): z.ZodType<" + typ + "> {\n\t\treturn " + indent(text) + "\n\t},")
	}
	if len(fields) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("})")
	if !plain {
		for _, f := range fields {
			for _, one := range w.zodFieldRules(&f) {
				b.WriteString("\n\t" + one)
			}
		}
	}
	return b.String()
}

// leadsOn reports whether a shape refers to the schema of type number at, or to one behind it.
func (w *checks) leadsOn(s *shape, at int) bool {
	if s == nil {
		return false
	}
	return s.named != nil && w.order[s.named] >= at || w.leadsOn(s.elem, at) ||
		slices.ContainsFunc(s.fields, func(f fieldShape) bool { return w.leadsOn(f.shape, at) })
}

// zodShape is the expression of a value that is there.
func (w *checks) zodShape(s *shape, at int, plain bool) string {
	text := w.zodValue(s, at, plain)
	if !plain {
		text = withCalls(text, w.zodRules(s, w.ownValue(s)))
	}
	if s.alias != nil && (s.alias.Brand || s.alias.TypeScript != "") {
		text = "(" + text + " as unknown as z.ZodType<" + s.alias.names[sent] + ">)"
	}
	return text
}

// zodElement is zodShape for what stands in a list or a record, where null is possible.
func (w *checks) zodElement(s *shape, at int, plain bool) string {
	text := w.zodShape(s, at, plain)
	if s.nullable && (plain || len(s.whenNil) == 0) {
		text += ".nullable()"
	}
	return text
}

func withCalls(text string, calls []string) string {
	one := text + strings.Join(calls, "")
	if len(calls) == 0 || len(one) <= maxCall && !strings.Contains(one, "\n") {
		return one
	}
	return text + "\n\t" + strings.Join(calls, "\n\t")
}

func (w *checks) zodValue(s *shape, at int, plain bool) string {
	isEnum := s.alias != nil && isEnumeration(s.alias.Named)
	switch {
	case s.quoted:
		text := "z.string().regex(" + numeralPattern(s.typ) + ")"
		if s.typ.Kind == schema.Integer {
			low, high := integerRange(s.typ)
			text += ".refine((v) => " + low + " <= " + w.global("Number") + "(v) && " + w.global("Number") + "(v) <= " + high + ")"
		}
		return text
	case isEnum:
		var values []string
		for _, v := range s.alias.Values {
			if !slices.Contains(values, v.JSON) {
				values = append(values, v.JSON)
			}
		}
		return "z.literal([" + strings.Join(values, ", ") + "])"
	case s.kind == textValue, s.kind == otherValue && s.typ.Kind == schema.String:
		return "z.string()"
	case s.kind == numberValue && s.typ.Kind == schema.Integer && s.typ.GoKind != "" && s.typ.GoKind != "int64":
		low, high := integerRange(s.typ)
		return "z.int().min(" + low + ").max(" + high + ")"
	case s.kind == numberValue && s.typ.Kind == schema.Integer:
		return "z.int()"
	case s.kind == numberValue && s.typ.GoKind == "float32":
		return "z.number().refine((v) => " + w.global("Number") + ".isFinite(" + w.global("Math") + ".fround(v)))"
	case s.kind == numberValue, s.kind == otherValue && s.typ.Kind == schema.Number:
		return "z.number()"
	case s.kind == boolValue:
		return "z.boolean()"
	case s.kind == dateValue && w.Codec == SuperJSON:
		return "z.date()"
	case s.kind == dateValue:
		return "z.union([z.date(), z.string()]).refine((v) => !" + w.global("Number") + ".isNaN(" + w.helper("instant") + "(v)))"
	case s.kind == bytesValue && w.Codec.hasBytes():
		return "z.instanceof(" + w.global("Uint8Array") + ")"
	case s.kind == bytesValue:
		return "z.string().refine((v) => " + w.helper("sizeOf") + "(v) !== null)"
	case s.kind == listValue:
		return "z.array(" + w.zodElement(s.elem, at, plain) + ")"
	case s.kind == arrayValue && s.typ.Len <= maxTuple:
		return "z.tuple([" + strings.Join(slices.Repeat([]string{w.zodElement(s.elem, at, plain)}, s.typ.Len), ", ") + "])"
	case s.kind == arrayValue:
		return "z.array(" + w.zodElement(s.elem, at, plain) + ").length(" + strconv.Itoa(s.typ.Len) + ")"
	case s.kind == recordValue:
		return w.zodRecord(s, at, plain)
	case s.kind == structValue && s.named == nil:
		return w.zodObject(s.fields, at, plain || s.unruled)
	case s.kind == structValue && (plain || s.unruled) && w.ruled[s.named]:
		return "z.custom<" + s.named.names[sent] + `>((v) => typeof v === "object" && v !== null)`
	case s.kind == structValue:
		return schemaName(s.named)
	case s.typ.Kind == schema.Unknown:
		return "z.unknown()"
	}
	if s.alias != nil {
		return "z.custom<" + s.alias.names[sent] + ">()"
	}
	return "z.custom<" + w.typ(s.typ, sent) + ">()"
}

func (w *checks) zodRecord(s *shape, at int, plain bool) string {
	elem := w.zodElement(s.elem, at, plain)
	key := "z.string()"
	if s.key != nil {
		key = w.zodShape(s.key, at, plain)
	}
	if s.typ.Key.Kind != schema.NamedType {
		return "z.record(" + key + ", " + elem + ")"
	}
	n := w.named[keyOf(s.typ.Key.Name, s.typ.Key.Package)]
	switch {
	case isEnumeration(n.Named) && s.key == nil:
		named := &shape{subject: w.subjectOf(s.typ.Key), alias: n}
		return "z.partialRecord(" + w.zodValue(named, at, plain) + ", " + elem + ")"
	case isEnumeration(n.Named), n.Brand, n.TypeScript != "":
		return "(z.record(" + key + ", " + elem + ") as unknown as z.ZodType<" + w.typ(s.typ, sent) + ">)"
	}
	return "z.record(" + key + ", " + elem + ")"
}

// zodPresence says what may stand in place of the value of a field.
func (w *checks) zodPresence(f *fieldShape, plain bool) string {
	switch {
	case f.nullable && !plain && len(f.whenNil) > 0 && f.whenNil[0].passes("v") == "false":
		return ""
	case f.nullable:
		return ".nullish()"
	case !f.Optional:
		return ""
	case plain, len(f.rules) == 0 && !w.hasRules(f.typ), len(f.rules) > 0 && f.rules[0].stops:
		return ".optional()"
	case f.kind == textValue && !f.quoted:
		return `.prefault("")`
	case f.kind == numberValue && !f.quoted:
		return ".prefault(0)"
	case f.kind == boolValue:
		return ".prefault(false)"
	case f.nilable && w.acceptsNil(f.shape):
		return ".optional()"
	case f.kind == structValue:
		return ".prefault({} as never)"
	}
	return ""
}

// acceptsNil reports whether the rules of a list take one that is absent, as far as they do not depend on other fields.
func (w *checks) acceptsNil(s *shape) bool {
	for _, t := range s.rules {
		text := t.passes("v")
		if t.stops {
			return true
		}
		if m := sizeOfValue.FindStringSubmatch(text); m != nil && !isZero[m[1]](m[2]) || text == "v != null" {
			return false
		}
	}
	return true
}

// sizeOfValue is a rule about the size of a value, and isZero how it judges nothing.
var (
	sizeOfValue = regexp.MustCompile(`^(?:\w+\(v\)|\(v \?\? 0\)) (===|>=|>|<=|<) (-?\d+)$`)
	isZero      = map[string]func(string) bool{
		"===": func(n string) bool { return n == "0" },
		">=":  func(n string) bool { return n == "0" || n[0] == '-' },
		">":   func(n string) bool { return n[0] == '-' },
		"<=":  func(n string) bool { return n[0] != '-' },
		"<":   func(n string) bool { return n != "0" && n[0] != '-' },
	}
)

// ownValue is the value of s as rules see it.
func (w *checks) ownValue(s *shape) string {
	switch {
	case s.quoted:
		return w.global("Number") + "(v)"
	case s.kind == dateValue:
		return w.helper("instant") + "(v)"
	case s.kind == bytesValue:
		return w.helper("sizeOf") + "(v)"
	case s.kind == numberValue && s.typ.GoKind == "float32":
		return w.global("Math") + ".fround(v)"
	}
	return "v"
}

// zodRules are the calls for the rules of s, whose value is an expression. Those about other fields come with the object.
func (w *checks) zodRules(s *shape, value string) []string {
	var calls, skips []string
	for _, t := range s.rules {
		text := t.passes(value)
		switch {
		case t.cross, text == "v != null": // a list that is there
		case t.stops:
			skips = append(skips, negation(text))
		default:
			condition := strings.Join(append(slices.Clone(skips), text), " || ")
			param := "v"
			if !usesValue(condition) {
				param = ""
			} else if s.alias != nil && isEnumeration(s.alias.Named) {
				param = "v: " + w.typ(s.typ, sent) // a rule may name other values
			}
			calls = append(calls, ".refine(("+param+") => "+condition+", "+w.must(t.tag)+")")
		}
	}
	return calls
}

func (w *checks) must(tag string, path ...string) string {
	args := quoted(tag)
	for _, name := range path {
		args += ", " + quoted(name)
	}
	return w.helper("must") + "(" + args + ")"
}

// zodFieldRules are the calls for the rules of a field that depend on others.
func (w *checks) zodFieldRules(f *fieldShape) []string {
	access := "s" + member(f.Field.Name)
	var calls []string
	refine := func(conditions []string, tag string) {
		text := strings.Join(conditions, " || ")
		calls = append(calls, ".refine((s: any) => "+text+", "+w.must(tag, f.Field.Name)+")")
	}
	if f.nullable && len(f.whenNil) > 0 && f.whenNil[0].passes("v") != "false" {
		for _, t := range f.whenNil {
			conditions := []string{access + " != null"}
			if text := t.passes(access); text != "false" {
				conditions = append(conditions, text)
			}
			refine(conditions, t.tag)
		}
	}
	value := access
	if f.quoted || !f.nilable {
		value = w.valueOf(&sibling{subject: f.subject, access: access, quoted: f.quoted})
	}
	var skips []string
	if f.nullable {
		skips = append(skips, access+" == null")
	}
	for _, t := range f.rules {
		text := t.passes(value)
		switch {
		case t.stops:
			skips = append(skips, negation(text))
		case t.cross:
			refine(append(slices.Clone(skips), text), t.tag)
		}
	}
	return calls
}
