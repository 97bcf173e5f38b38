package tsgen

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// members writes what the holder of an object can call, read and write. received: the client is the holder.
func (g *generator) members(path string, members []schema.Member, d direction) {
	g.depth++
	defer func() { g.depth-- }()
	for i := range members {
		m := &members[i]
		at := strings.TrimPrefix(path+"."+m.Name, ".")
		doc := m.Doc
		if d == received {
			doc += throwsDoc(at, m.Function)
		}
		g.doc(doc)
		if m.Kind == schema.Namespace {
			g.line("%s: {", propertyName(m.Name))
			g.members(at, m.Members, d)
			g.line("}")
			continue
		}
		for _, text := range g.member(m, d) {
			g.line("%s", text)
		}
	}
}

// member is what stands in the type of an object for one of its members.
func (g *generator) member(m *schema.Member, d direction) []string {
	name := propertyName(m.Name)
	switch m.Kind {
	case schema.Method:
		if name == "new" {
			name = `"new"` // else it would be a construct signature
		}
		return []string{name + "(" + g.params(m.Function, 1-d) + "): " + g.result(m.Function.Result, d)}
	case schema.Class:
		return []string{name + ": new (" + g.params(m.Function, 1-d) + ") => " + g.result(m.Function.Result, d)}
	case schema.Namespace:
		return []string{name + ": " + g.inline(m.Members, d)}
	case schema.Property:
		if d == sent {
			return []string{name + ": " + g.result(m.Type, d)}
		}
		return []string{"get " + name + "(): " + g.promise(m.Type), "set " + name + "(value: " + g.typ(m.Type, sent) + ")"}
	}
	return []string{"readonly " + name + ": " + g.result(m.Type, d)}
}

// inline is the type of an object that has no name.
func (g *generator) inline(members []schema.Member, d direction) string {
	var list []string
	for i := range members {
		list = append(list, g.member(&members[i], d)...)
	}
	return "{ " + strings.Join(list, "; ") + " }"
}

// promise is what a client gets for a result of type t; nil is none.
func (g *generator) promise(t *schema.Type) string {
	switch {
	case t == nil:
		return g.global("Promise") + "<void>"
	case t.Kind == schema.Stream:
		stream := g.typ(t, received)
		return stream + " & " + g.global("Promise") + "<" + stream + ">"
	}
	return g.global("Promise") + "<" + g.typ(t, received) + ">"
}

// result is what a holder gets for a t that goes the way d: the client a promise, Go whatever can be awaited. Nil is none.
func (g *generator) result(t *schema.Type, d direction) string {
	if d == received {
		return g.promise(t)
	}
	text := "void"
	if t != nil {
		text = g.typ(t, sent)
	}
	if text == "unknown" {
		return text
	}
	return operand(text) + " | " + g.global("Promise") + "<" + text + ">"
}

// reference is the type of a reference that goes the way d, and whose object has no name.
func (g *generator) reference(t *schema.Type, d direction) string {
	switch {
	case t.Function != nil:
		return "(" + g.params(t.Function, 1-d) + ") => " + g.result(t.Function.Result, d)
	case t.Members == nil:
		return "unknown"
	}
	return g.inline(t.Members, d)
}

// params are those of a function whose arguments go the way d.
func (g *generator) params(f *schema.Function, d direction) string {
	names := paramNames(f.Params)
	var list []string
	for i := range f.Params {
		p := &f.Params[i]
		switch t := g.typ(&p.Type, d); {
		case p.Variadic:
			list = append(list, "..."+names[i]+": "+element(t)+"[]")
		case p.Optional && !slices.ContainsFunc(f.Params[i:], func(p schema.Param) bool { return !p.Optional && !p.Variadic }):
			list = append(list, names[i]+"?: "+t)
		default:
			list = append(list, names[i]+": "+t)
		}
	}
	return strings.Join(list, ", ")
}

// paramNames are those of Go, changed where TypeScript does not take them.
func paramNames(params []schema.Param) []string {
	names := make([]string, len(params))
	for i, p := range params {
		name := p.Name
		switch {
		case name == "" || name == "_":
			name = "arg" + strconv.Itoa(i+1)
		case isReserved(name):
			name += "_"
		}
		for slices.Contains(names[:i], name) {
			name += "_"
		}
		names[i] = name
	}
	return names
}

func (g *generator) fields(t *schema.Type, d direction) {
	g.depth++
	defer func() { g.depth-- }()
	for i := range t.Fields {
		g.doc(t.Fields[i].Doc)
		g.line("%s", g.field(&t.Fields[i], d))
	}
}

func (g *generator) field(f *schema.Field, d direction) string {
	t := &f.Type
	if f.Optional && d == received && t.Kind == schema.Nullable {
		t = t.Elem // null is absent
	}
	text := g.typ(t, d)
	if f.Quoted {
		text = "string"
		if t.Kind == schema.Nullable {
			text += " | null"
		}
	}
	mark := ""
	if f.Optional || d == sent && t.Kind == schema.Nullable {
		mark = "?"
	}
	return propertyName(f.Name) + mark + ": " + text
}

// typ is the type of a value that goes the way d.
func (g *generator) typ(t *schema.Type, d direction) string {
	super := g.Codec == SuperJSON
	switch t.Kind {
	case schema.Boolean, schema.Number, schema.String, schema.Undefined, schema.Unknown:
		return string(t.Kind)
	case schema.Integer:
		return "number"
	case schema.NamedType:
		return g.named[keyOf(t.Name, t.Package)].names[d]
	case schema.Nullable:
		if t.Elem == nil {
			return "null"
		}
		if text := g.typ(t.Elem, d); text != "unknown" {
			return operand(text) + " | null"
		}
		return "unknown"
	case schema.List:
		if t.Len > 0 && t.Len <= maxTuple {
			return "[" + strings.Join(slices.Repeat([]string{g.typ(t.Elem, d)}, t.Len), ", ") + "]"
		}
		return element(g.typ(t.Elem, d)) + "[]"
	case schema.Record:
		return g.record(t, d)
	case schema.Struct:
		return g.object(t, d)
	case schema.Callback:
		if p := t.Function.Params; len(p) == 1 && p[0].Variadic && p[0].Name == "" && p[0].Type.Kind == schema.Unknown {
			return "(...args: any[]) => void" // a *kkrpc.Callback: the client knows what its function takes
		}
		return "(" + g.params(t.Function, 1-d) + ") => void"
	case schema.Reference:
		return g.reference(t, d)
	case schema.Stream:
		return g.global("AsyncIterable") + "<" + g.typ(t.Elem, d) + ">"
	case schema.Bytes:
		if g.Codec.hasBytes() {
			return g.global("Uint8Array")
		}
		return "string"
	case schema.Typed:
		if g.Codec.hasBytes() {
			return g.global(t.Name)
		}
		return "number[]"
	case schema.Date, schema.URL:
		class := map[schema.Kind]string{schema.Date: "Date", schema.URL: "URL"}[t.Kind]
		switch {
		case super:
			return g.global(class)
		case d == sent:
			return g.global(class) + " | string"
		}
		return "string"
	}
	if class, ok := map[schema.Kind]string{
		schema.BigInt: "bigint", schema.Map: "Map<unknown, unknown>", schema.Set: "Set<unknown>", schema.RegExp: "RegExp", schema.Error: "Error",
	}[t.Kind]; ok && super {
		return g.global(class)
	}
	return "unknown"
}

func (g *generator) record(t *schema.Type, d direction) string {
	if t.Key.Kind != schema.NamedType {
		return "{ [key: string]: " + g.typ(t.Elem, d) + " }"
	}
	n := g.named[keyOf(t.Key.Name, t.Key.Package)]
	if isEnumeration(n.Named) || n.Brand || n.TypeScript != "" {
		return "{ [key in " + n.names[d] + "]?: " + g.typ(t.Elem, d) + " }"
	}
	return "{ [key: " + n.names[d] + "]: " + g.typ(t.Elem, d) + " }"
}

func (g *generator) object(t *schema.Type, d direction) string {
	var fields []string
	for i := range t.Fields {
		fields = append(fields, g.field(&t.Fields[i], d))
	}
	if len(fields) == 0 {
		return "{}"
	}
	return "{ " + strings.Join(fields, "; ") + " }"
}

// maxTuple is the length up to which the type of a list of fixed length is a tuple.
const maxTuple = 16

// element is t where an element of a list stands.
func element(t string) string {
	if strings.ContainsAny(t, "|&=") {
		return "(" + t + ")"
	}
	return t
}

// operand is t where it stands beside others: the type of a function reaches as far as it can.
func operand(t string) string {
	if strings.HasPrefix(t, "(") && strings.Contains(t, "=>") {
		return "(" + t + ")"
	}
	return t
}

// global is a name of JavaScript, which a type of the API may hide.
func (g *generator) global(name string) string {
	base, _, _ := strings.Cut(name, "<")
	if _, hidden := g.taken[base]; hidden {
		return "globalThis." + name
	}
	return name
}

var plainName = regexp.MustCompile(`^[\p{L}_$][\p{L}\p{Nd}_$]*$`)

func propertyName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quoted(name)
}

// quoted is a string literal.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return `""` // no string fails
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// reserved are the words that name no parameter in strict code.
var reserved = strings.Fields(`any arguments as async await boolean break case catch class const continue debugger default delete do else enum
	eval export extends false finally for function if implements import in instanceof interface let never new null number object package private
	protected public return static string super switch symbol this throw true try typeof undefined unknown var void while with yield bigint`)

func isReserved(name string) bool { return slices.Contains(reserved, name) }
