// Package tsgen writes TypeScript declarations of an API that package schema describes. They are the types that
// RPCChannel and wrap of kkrpc take.
package tsgen

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc/schema"
)

// Codec is how values cross, which decides about the types of some.
type Codec string

// The codecs of kkrpc.
const (
	JSON      Codec = "json"       // a date is a string
	JSONBytes Codec = "json+bytes" // JSON with the bytes beside it, as package kkrpc-go-client of npm has it
	SuperJSON Codec = "superjson"  // a date is a Date
)

var codecs = []Codec{JSON, JSONBytes, SuperJSON}

// hasBytes reports whether bytes cross as such.
func (c Codec) hasBytes() bool { return c != JSON }

// Options are optional.
type Options struct {
	// Codec is that of the client. Empty means JSON, the default of kkrpc 2.
	Codec Codec
	// Values adds the constants of enumerations as objects, which a program can use when it runs.
	Values bool
	// Contract adds the constant contract, the hash of the API; see package contract.
	Contract bool
	// TypesOnly leaves out all that a program could use when it runs, as a file .d.ts does: constants, the guards of errors,
	// and the schemas.
	TypesOnly bool
	// Validate adds a schema for each type that is sent and has rules in it: tags validate, which package kkvalidator
	// checks. Empty means none.
	Validate Validation
	// Warn is called for each rule that no schema has, with one line. Nil means that nobody hears of them.
	Warn func(line string)
	// Command is named in the first line of the file.
	Command string
}

// Generate returns a TypeScript file with the types of api. Equal descriptions give equal files. The error joins all
// problems; each is one line.
func Generate(api *schema.API, opts *Options) ([]byte, error) {
	g := &generator{Options: *cmp.Or(opts, &Options{}), named: map[typeKey]*namedType{}, taken: map[string]string{}, errors: map[string]string{}}
	if g.Codec = cmp.Or(g.Codec, JSON); !slices.Contains(codecs, g.Codec) {
		return nil, fmt.Errorf("tsgen: codec %q: want json, json+bytes or superjson", g.Codec)
	}
	if !slices.Contains([]Validation{"", Standard, Zod}, g.Validate) {
		return nil, fmt.Errorf("tsgen: validate %q: want standard or zod", g.Validate)
	}
	g.root = identifier(api.Name)
	g.take(g.root, "the API "+api.Name)
	for i := range api.Types {
		t := &api.Types[i]
		g.named[keyOf(t.Name, t.Package)] = &namedType{Named: t}
	}
	g.use(api.Members, received)
	for i := range api.Errors {
		g.useType(&schema.Type{Fields: api.Errors[i].Fields}, received)
	}
	g.name(api)
	g.nameErrors(api)
	checks := g.planChecks(api)
	if err := errors.Join(g.errs...); err != nil {
		return nil, err
	}
	g.file(api, checks)
	return g.out.Bytes(), nil
}

// direction is the way of a value, as the TypeScript program sees it.
type direction uint8

const (
	received direction = iota
	sent
)

type typeKey struct{ name, pkg string }

func keyOf(name, pkg string) typeKey { return typeKey{name, pkg} }

// namedType is a type of the API and how the file names it.
type namedType struct {
	*schema.Named
	uses    [2]bool   // by direction
	differs bool      // the forms of both directions are not one
	names   [2]string // by direction
}

type generator struct {
	Options
	named  map[typeKey]*namedType
	taken  map[string]string // what has each name in TypeScript, for people
	root   string
	errors map[string]string // the names of the interfaces, by the names of errors
	out    bytes.Buffer
	depth  int
	errs   []error
}

func (g *generator) fail(format string, args ...any) {
	g.errs = append(g.errs, fmt.Errorf(format, args...))
}

// use notes in which directions the types of members cross, of an object whose results come by way d.
func (g *generator) use(members []schema.Member, d direction) {
	for _, m := range members {
		switch m.Kind {
		case schema.Method, schema.Class:
			g.useFunction(m.Function, d)
		case schema.Namespace:
			g.use(m.Members, d)
		default:
			g.useType(m.Type, d)
			if m.Kind == schema.Property {
				g.useType(m.Type, 1-d)
			}
		}
	}
}

// useFunction is for a function whose result comes by way d.
func (g *generator) useFunction(f *schema.Function, d direction) {
	for i := range f.Params {
		g.useType(&f.Params[i].Type, 1-d)
	}
	if f.Result != nil {
		g.useType(f.Result, d)
	}
}

func (g *generator) useType(t *schema.Type, d direction) {
	switch {
	case t == nil:
	case t.Kind == schema.NamedType:
		n := g.named[keyOf(t.Name, t.Package)]
		if n == nil {
			g.fail("the description has no type %s.%s", t.Package, t.Name)
		} else if !n.uses[d] {
			n.uses[d] = true
			g.useType(&n.Type, d) // also with a directive, which may name its parts
		}
	case t.Kind == schema.Callback:
		g.useFunction(t.Function, 1-d)
	case t.Kind == schema.Reference:
		if t.Function != nil {
			g.useFunction(t.Function, d)
		}
		g.use(t.Members, d)
	default:
		g.useType(t.Elem, d)
		g.useType(t.Key, d)
		for i := range t.Fields {
			g.useType(&t.Fields[i].Type, d)
		}
	}
}

// name gives each type that is used its name, or two if the directions differ.
func (g *generator) name(api *schema.API) {
	for changed := true; changed; { // a type differs if one of its parts does
		changed = false
		for _, n := range g.named {
			if !n.differs && n.TypeScript == "" && g.differs(&n.Type) {
				n.differs, changed = true, true
			}
		}
	}
	for i := range api.Types {
		n := g.named[keyOf(api.Types[i].Name, api.Types[i].Package)]
		switch {
		case !n.uses[received] && !n.uses[sent]:
			continue
		case n.uses[received] && n.uses[sent] && n.differs:
			n.names = [2]string{g.claim(n.Named, ""), g.claim(n.Named, "Input")}
		default:
			name := g.claim(n.Named, "")
			n.names = [2]string{name, name}
		}
	}
}

// differs reports whether what is sent as a t may be more than what is received, as far as it is known already.
func (g *generator) differs(t *schema.Type) bool {
	switch {
	case t == nil:
		return false
	case t.Kind == schema.NamedType:
		n := g.named[keyOf(t.Name, t.Package)]
		return n != nil && n.differs
	case g.Codec != SuperJSON && (t.Kind == schema.Date || t.Kind == schema.URL), t.Kind == schema.Reference && isTyped(t):
		return true
	}
	return g.differs(t.Elem) || g.differs(t.Key) || slices.ContainsFunc(t.Fields, func(f schema.Field) bool {
		return f.Type.Kind == schema.Nullable || g.differs(&f.Type)
	})
}

// claim returns the TypeScript name for a Go type, and notes that it is taken.
func (g *generator) claim(t *schema.Named, suffix string) string {
	name := identifier(t.Name) + suffix
	if other := g.taken[name]; other != "" && suffix != "" {
		g.fail("%s has the name %s, which what is sent of %s gets; rename one of them", other, name, where(t.At, t.Package+"."+t.Name))
		return name
	}
	g.take(name, where(t.At, t.Package+"."+t.Name))
	return name
}

// take notes that what people know as owner has a name in TypeScript.
func (g *generator) take(name, owner string) {
	switch other := g.taken[name]; {
	case other != "" && name == g.root:
		g.fail("%s has the name of the API itself, %s; rename one of them", owner, name)
	case other != "":
		g.fail("%s and %s are both %s in TypeScript; rename one of them", owner, other, name)
	case !plainName.MatchString(name):
		g.fail("%s: TypeScript has no type with the name %s; rename it", owner, name)
	}
	g.taken[name] = owner
}

// where is a name for people, with the place of its declaration if that is known.
func where(at, name string) string {
	if at == "" {
		return name
	}
	return at + ": " + name
}

// identifier is a TypeScript name for a Go type: that of page is Page, of Page[example.com/m.User] PageUser, of Page[*m.User]
// PagePtrUser.
func identifier(name string) string {
	base, args, generic := strings.Cut(name, "[")
	base = upperFirst(base) // a value of the client, such as api, often has the other name
	if !generic {
		return base
	}
	args = strings.NewReplacer("interface {}", "Any", "[]", " List ", "map[", " Map ", "*", " Ptr ").Replace(args)
	var b strings.Builder
	b.WriteString(base)
	for part := range strings.FieldsFuncSeq(args, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_./-~", r)
	}) {
		b.WriteString(upperFirst(part[strings.LastIndexAny(part, "./-~")+1:]))
	}
	return b.String()
}

func upperFirst(text string) string {
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

func (g *generator) file(api *schema.API, checks *checks) {
	g.line("// Code generated by %s. DO NOT EDIT.", cmp.Or(g.Command, "kkrpc"))
	checks.imports()
	g.line("")
	g.doc(api.Doc)
	g.line("export interface %s {", g.root)
	g.members("", api.Members, received)
	g.line("}")
	if slices.ContainsFunc(api.Types, func(n schema.Named) bool { return n.Brand }) {
		g.line("")
		g.line("declare const brand: unique symbol")
	}
	for i := range api.Types {
		n := g.named[keyOf(api.Types[i].Name, api.Types[i].Package)]
		for d, name := range n.names {
			if name == "" || direction(d) == sent && name == n.names[received] {
				continue
			}
			if !n.uses[d] {
				d = 1 - d
			}
			g.declaration(n, name, direction(d))
		}
	}
	g.exceptions(api)
	if g.Contract && !g.TypesOnly {
		g.line("")
		g.line("/** The API that this file was written for, as a server with package contract compares it. */")
		g.line("export const contract = %s", quoted(api.Hash()))
	}
	checks.schemas()
}

func (g *generator) declaration(n *namedType, name string, d direction) {
	g.line("")
	g.doc(n.Doc)
	switch {
	case n.TypeScript != "":
		g.line("export type %s = %s", name, n.TypeScript)
	case n.Brand:
		g.line("export type %s = %s & { readonly [brand]: %s }", name, g.typ(&n.Type, d), quoted(name))
	case isEnumeration(n.Named):
		g.enumeration(n, name)
	case n.Type.Kind == schema.Struct:
		g.line("export interface %s {", name)
		g.fields(&n.Type, d)
		g.line("}")
	case n.Type.Kind == schema.Reference && n.Type.Members != nil:
		g.line("export interface %s {", name)
		g.members(identifier(n.Name), n.Type.Members, d)
		g.line("}")
	default:
		g.line("export type %s = %s", name, g.typ(&n.Type, d))
	}
}

// isTyped reports whether a reference says what it is one to.
func isTyped(t *schema.Type) bool { return t.Function != nil || t.Members != nil }

// isEnumeration reports whether the constants of a type are its only values.
func isEnumeration(n *schema.Named) bool {
	return len(n.Values) > 0 && !n.Brand && n.TypeScript == "" && (n.Type.Kind == schema.String || n.Type.Kind == schema.Integer)
}

func (g *generator) enumeration(n *namedType, name string) {
	var values []string
	for _, v := range n.Values {
		if !slices.Contains(values, v.JSON) {
			values = append(values, v.JSON)
		}
	}
	g.line("export type %s = %s", name, strings.Join(values, " | "))
	if !g.Values || g.TypesOnly {
		return
	}
	g.line("")
	g.line("export const %s = {", name)
	g.depth++
	for _, v := range n.Values {
		g.doc(v.Doc)
		g.line("%s: %s,", propertyName(v.Name), v.JSON)
	}
	g.depth--
	g.line("} as const")
}

func (g *generator) line(format string, args ...any) {
	if format != "" {
		for range g.depth {
			g.out.WriteByte('\t')
		}
	}
	fmt.Fprintf(&g.out, format+"\n", args...)
}

// doc writes a Go comment as JSDoc.
func (g *generator) doc(text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	text = strings.ReplaceAll(text, "*/", "*\\/")
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t")
		if rest, ok := strings.CutPrefix(line, "Deprecated:"); ok {
			lines[i] = "@deprecated" + rest
		}
	}
	if len(lines) == 1 {
		g.line("/** %s */", lines[0])
		return
	}
	g.line("/**")
	for _, line := range lines {
		g.line("%s", strings.TrimRight(" * "+line, " "))
	}
	g.line(" */")
}
