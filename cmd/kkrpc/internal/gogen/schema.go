package gogen

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/schema"
)

// Options of Of.
type Options struct {
	Package string // the name of that of the file
	// OneWay reports whether the method at a path only notifies.
	OneWay func(path []string) bool
}

// Of returns a file with a client of an API that is not one of Go, and with the types that it needs.
func Of(api *schema.API, opts *Options) *File {
	g := &generator{
		Options: *opts, file: &File{Package: opts.Package, Imports: NewImports(nil)},
		declared: names{}, named: map[string]*schema.Named{}, names: map[string]string{},
	}
	g.file.Imports.Name(kkrpcPath, "kkrpc")
	g.file.Imports.Name("context", "context")
	name := cmp.Or(exported(api.Name), "API")
	root := &Client{Name: g.declared.claim(name + "Client"), New: g.declared.claim("New" + name + "Client")}
	root.Doc = fmt.Sprintf("%s calls the functions of %s on the peer. It may be used from any goroutine.", root.Name, api.Name)
	if api.Doc != "" {
		root.Doc += "\n\n" + api.Doc
	}
	for i := range api.Types {
		t := &api.Types[i]
		g.named[t.Name] = t
		g.names[t.Name] = g.declared.claim(cmp.Or(exported(t.Name), "Type"))
	}
	g.client(root, api.Members, nil)
	for i := range api.Types {
		g.referenceClient(&api.Types[i])
	}
	for i := range api.Types {
		g.declare(&api.Types[i])
	}
	return g.file
}

type generator struct {
	Options
	file     *File
	declared names
	named    map[string]*schema.Named // by the name in the API
	names    map[string]string        // in Go, by that in the API
}

func (g *generator) use(path, name string) string { return g.file.Imports.Name(path, name) + "." }

func (g *generator) client(c *Client, members []schema.Member, path []string) {
	g.file.Clients = append(g.file.Clients, c)
	taken := names{}
	for i := range members {
		m := &members[i]
		to := append(path[:len(path):len(path)], m.Name)
		name := cmp.Or(exported(m.Name), "Member")
		call := Method{Doc: m.Doc, Path: bind.JoinPath(slices.Clone(to)), Context: "ctx", Fails: true}
		switch m.Kind {
		case schema.Namespace:
			name = taken.claim(name)
			inner := &Client{Name: g.declared.claim(c.Name + name)}
			inner.Doc = fmt.Sprintf("%s calls the functions of %s.", inner.Name, strings.Join(to, "."))
			c.Namespaces = append(c.Namespaces, Namespace{Name: name, Doc: m.Doc, Client: inner})
			g.client(inner, m.Members, to)
		case schema.Method:
			call.Name, call.Params = taken.claim(name), g.params(m.Function)
			switch result := m.Function.Result; {
			case g.OneWay != nil && g.OneWay(to):
				call.Kind, call.Context = Notify, ""
			case result == nil:
			case isStream(result):
				call.Kind, call.Result = Stream, g.typ(result.Elem)
			default:
				call.Result = g.result(result)
			}
			c.Methods = append(c.Methods, call)
		case schema.Class:
			call.Name, call.Kind, call.Params = taken.claim("New"+name), Construct, g.params(m.Function)
			call.Result = "any"
			if m.Function.Result != nil {
				call.Result = g.result(m.Function.Result)
			}
			c.Methods = append(c.Methods, call)
		default:
			get := call
			get.Name, get.Kind, get.Result = taken.claim(name), Get, g.result(m.Type)
			c.Methods = append(c.Methods, get)
			if m.Kind == schema.Property {
				set := call
				set.Name, set.Kind, set.Params = taken.claim("Set"+name), Set, []Param{{Name: "value", Type: g.typ(m.Type)}}
				set.Doc = fmt.Sprintf("%s writes what %s reads.", set.Name, get.Name)
				c.Methods = append(c.Methods, set)
			}
		}
	}
}

// referenceClient adds a client of the objects that references are to, if n is what these are.
func (g *generator) referenceClient(n *schema.Named) {
	if n.Type.Kind != schema.Reference || n.Type.Function != nil {
		return
	}
	name := g.names[n.Name]
	c := &Client{Name: g.declared.claim(name + "Client"), New: g.declared.claim("New" + name + "Client")}
	c.Doc = fmt.Sprintf("%s calls the %s that a reference is to, by that reference.", c.Name, name)
	oneWay := g.OneWay
	g.OneWay = nil // it knows paths of the API
	g.client(c, n.Type.Members, nil)
	g.OneWay = oneWay
}

// methods are those of the Go interface for the objects that references are to: the functions that a Go value can have
// under their names.
func (g *generator) methods(members []schema.Member) []Method {
	var list []Method
	for i := range members {
		m := &members[i]
		if !isGoMethod(m) {
			continue
		}
		method := Method{Name: exported(m.Name), Doc: m.Doc, Context: "ctx", Params: g.params(m.Function), Fails: true}
		switch result := m.Function.Result; {
		case result == nil:
		case isStream(result):
			method.Kind, method.Result = Stream, g.typ(result.Elem)
		default:
			method.Result = g.result(result)
		}
		list = append(list, method)
	}
	return list
}

// isGoMethod reports whether a Go method is exposed under the name of m.
func isGoMethod(m *schema.Member) bool {
	return m.Kind == schema.Method && bind.ExportedName(exported(m.Name)) == m.Name
}

// isUntyped reports whether a t is a reference to what has no type in Go: neither a func type nor an interface.
func (g *generator) isUntyped(t *schema.Type) bool {
	if t.Kind == schema.NamedType {
		t = &g.named[t.Name].Type
	}
	return t.Kind == schema.Reference && t.Function == nil &&
		!slices.ContainsFunc(t.Members, func(m schema.Member) bool { return isGoMethod(&m) })
}

// reference is the Go type of a reference to what has the type target.
func (g *generator) reference(target string) string {
	return g.use(kkrpcPath, "kkrpc") + "RefTo[" + target + "]"
}

// function is the Go type of a function that a reference is to.
func (g *generator) function(f *schema.Function) string {
	text := "func(" + g.use("context", "context") + "Context"
	for _, p := range g.params(f) {
		if text += ", "; p.Variadic {
			text += "..."
		}
		text += p.Type
	}
	switch {
	case f.Result == nil:
		return text + ") error"
	case isStream(f.Result):
		return text + ") " + g.typ(f.Result)
	}
	return text + ") (" + g.result(f.Result) + ", error)"
}

func (g *generator) params(f *schema.Function) []Param {
	var list []Param
	for i := range f.Params {
		p := &f.Params[i]
		param := Param{Name: p.Name, Type: g.typ(&p.Type), Variadic: p.Variadic, Optional: p.Optional}
		if p.Optional && !g.hasNil(&p.Type) {
			param.Type = "*" + param.Type
		}
		list = append(list, param)
	}
	return list
}

// hasNil reports whether the Go type of a t has a nil that can stand for what is absent.
func (g *generator) hasNil(t *schema.Type) bool {
	switch t.Kind {
	case schema.NamedType, schema.Reference:
		return g.isUntyped(t)
	case schema.Nullable, schema.Unknown, schema.Bytes, schema.BigInt, schema.URL, schema.Map, schema.Set, schema.Error, schema.Typed,
		schema.Record, schema.Callback, schema.Stream:
		return true
	case schema.List:
		return t.Len == 0
	}
	return false
}

// isPointer reports whether the Go type of a t is a pointer, whose nil is null.
func (g *generator) isPointer(t *schema.Type) bool {
	switch t.Kind {
	case schema.NamedType, schema.Reference:
		return g.isUntyped(t)
	case schema.Nullable, schema.Unknown, schema.BigInt, schema.URL, schema.Map, schema.Set, schema.Error:
		return true
	}
	return false
}

// isBytes reports whether t is a stream of bytes, which in Go is a reader.
func isBytes(t *schema.Type) bool { return t.Kind == schema.Stream && t.Elem.Kind == schema.Bytes }

// isStream reports whether t is any other stream, which in Go is an iterator.
func isStream(t *schema.Type) bool { return t.Kind == schema.Stream && !isBytes(t) }

// result is the Go type of a t that the peer returns.
func (g *generator) result(t *schema.Type) string {
	if isBytes(t) {
		return g.use("io", "io") + "ReadCloser"
	}
	return g.typ(t)
}

// typ is the Go type of a t.
func (g *generator) typ(t *schema.Type) string {
	switch t.Kind {
	case schema.Boolean:
		return "bool"
	case schema.Integer:
		return "int64"
	case schema.Number:
		return "float64"
	case schema.String:
		return "string"
	case schema.Bytes:
		return "[]byte"
	case schema.Date:
		return g.use("time", "time") + "Time"
	case schema.BigInt:
		return "*" + g.use("math/big", "big") + "Int"
	case schema.URL:
		return "*" + g.use("net/url", "url") + "URL"
	case schema.RegExp:
		return g.use(superjsonPath, "superjson") + "RegExp"
	case schema.Map:
		return "*" + g.use(superjsonPath, "superjson") + "Map"
	case schema.Set:
		return "*" + g.use(superjsonPath, "superjson") + "Set"
	case schema.Error:
		return "*" + g.use(superjsonPath, "superjson") + "Error"
	case schema.Typed:
		return g.use(superjsonPath, "superjson") + t.Name
	case schema.Reference:
		if g.isUntyped(t) {
			return "*" + g.use(kkrpcPath, "kkrpc") + "Ref"
		}
		return g.reference(g.function(t.Function))
	case schema.Nullable:
		if t.Elem == nil {
			return "any"
		}
		if g.isPointer(t.Elem) {
			return g.typ(t.Elem)
		}
		return "*" + g.typ(t.Elem)
	case schema.List:
		if t.Len > 0 {
			return fmt.Sprintf("[%d]%s", t.Len, g.typ(t.Elem))
		}
		return "[]" + g.typ(t.Elem)
	case schema.Record:
		return "map[string]" + g.typ(t.Elem)
	case schema.Struct:
		return g.object(t, "")
	case schema.NamedType:
		switch {
		case g.named[t.Name].Type.Kind != schema.Reference:
			return g.names[t.Name]
		case g.isUntyped(t):
			return "*" + g.use(kkrpcPath, "kkrpc") + "Ref"
		}
		return g.reference(g.names[t.Name])
	case schema.Callback:
		return "func(" + g.callback(t.Function) + ")"
	case schema.Stream:
		if isBytes(t) {
			return g.use("io", "io") + "Reader"
		}
		return fmt.Sprintf("%sSeq2[%s, error]", g.use("iter", "iter"), g.typ(t.Elem))
	}
	return "any"
}

// callback is the list of parameters of a func that is a parameter.
func (g *generator) callback(f *schema.Function) string {
	taken := names{}
	var list []string
	for i, p := range g.params(f) {
		if p.Variadic {
			p.Type = "..." + p.Type
		}
		list = append(list, taken.claim(plain(p.Name, i))+" "+p.Type)
	}
	return strings.Join(list, ", ")
}

// object is a struct. self is the type that it is the form of, or empty.
func (g *generator) object(t *schema.Type, self string) string {
	var b strings.Builder
	b.WriteString("struct {\n")
	taken := names{}
	for i := range t.Fields {
		f := &t.Fields[i]
		form, tag := g.typ(&f.Type), jsonName(f.Name)
		switch {
		case f.Optional && !g.hasNil(&f.Type):
			form = "*" + form
		case self != "" && g.contains(&f.Type, self, map[string]bool{}):
			form = "*" + form // a struct cannot be a part of itself
		}
		if f.Optional {
			tag += ",omitzero"
		}
		b.WriteString(comment(f.Doc))
		fmt.Fprintf(&b, "%s %s %s\n", taken.claim(cmp.Or(exported(f.Name), "Field")), form, quotedTag("json:"+strconv.Quote(tag)))
	}
	b.WriteString("}")
	return b.String()
}

// contains reports whether values of the Go type of a t have one of the type with this name inside, without a pointer.
func (g *generator) contains(t *schema.Type, name string, seen map[string]bool) bool {
	switch t.Kind {
	case schema.NamedType:
		if t.Name == name {
			return true
		}
		if seen[t.Name] {
			return false
		}
		seen[t.Name] = true
		return g.contains(&g.named[t.Name].Type, name, seen)
	case schema.List:
		return t.Len > 0 && g.contains(t.Elem, name, seen)
	case schema.Struct:
		return slices.ContainsFunc(t.Fields, func(f schema.Field) bool {
			return !f.Optional && g.contains(&f.Type, name, seen)
		})
	}
	return false
}

// jsonName is a name in a json tag.
func jsonName(name string) string {
	if name == "-" || name == "" || strings.ContainsAny(name, `,'"\`+"`") {
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(name) + "'"
	}
	return name
}

func quotedTag(tag string) string {
	if strings.Contains(tag, "`") {
		return strconv.Quote(tag)
	}
	return "`" + tag + "`"
}

func (g *generator) declare(n *schema.Named) {
	if g.isUntyped(&n.Type) {
		return
	}
	t := Type{Name: g.names[n.Name], Doc: n.Doc}
	switch {
	case n.Type.Kind == schema.Struct:
		t.Text = g.object(&n.Type, n.Name)
	case n.Type.Kind == schema.Reference && n.Type.Function != nil:
		t.Text = g.function(n.Type.Function)
	case n.Type.Kind == schema.Reference:
		t.Interface = g.methods(n.Type.Members)
	default:
		t.Text = g.typ(&n.Type)
	}
	for _, v := range n.Values {
		text := v.JSON
		if n.Type.Kind == schema.String {
			var value string
			if err := json.Unmarshal([]byte(v.JSON), &value); err != nil {
				continue // no constant of a string is anything else
			}
			text = strconv.Quote(value)
		}
		t.Values = append(t.Values, Value{Name: g.declared.claim(t.Name + valueName(v.Name)), Doc: v.Doc, Text: text})
	}
	g.file.Types = append(g.file.Types, t)
}
