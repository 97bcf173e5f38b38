package tsgen

import (
	"strings"
	"unicode"

	"github.com/kkrpc-go/kkrpc/schema"
)

// nameErrors gives each error an interface, and each function that declares some a union of them.
func (g *generator) nameErrors(api *schema.API) {
	for _, e := range api.Errors {
		g.errors[e.Name] = pascal(e.Name)
		g.take(g.errors[e.Name], where(e.At, "error "+e.Name))
	}
	g.throwers(api, func(path string, f *schema.Function) {
		for _, name := range f.Errors {
			if g.errors[name] == "" {
				g.fail("the description has no error %s", name)
			}
		}
		if !g.isUnion(path, f) {
			g.take(unionName(path), "the type of the errors of "+path)
		}
	})
}

// throwers calls f with the functions that declare errors, also those of objects that references are to.
func (g *generator) throwers(api *schema.API, f func(path string, _ *schema.Function)) {
	eachThrower("", api.Members, f)
	for i := range api.Types {
		if n := g.named[keyOf(api.Types[i].Name, api.Types[i].Package)]; n.uses[received] && n.TypeScript == "" {
			eachThrower(identifier(n.Name), n.Type.Members, f)
		}
	}
}

// eachThrower calls f with the functions that declare errors.
func eachThrower(path string, members []schema.Member, f func(path string, _ *schema.Function)) {
	for _, m := range members {
		at := strings.TrimPrefix(path+"."+m.Name, ".")
		if m.Function != nil && len(m.Function.Errors) > 0 {
			f(at, m.Function)
		}
		eachThrower(at, m.Members, f)
	}
}

// isUnion reports whether the only error of a function has the name that the type of its errors would get.
func (g *generator) isUnion(path string, f *schema.Function) bool {
	return len(f.Errors) == 1 && g.errors[f.Errors[0]] == unionName(path)
}

// unionName is the name of the type of the errors that the function at path declares.
func unionName(path string) string { return pascal(path) + "Error" }

// throwsDoc is the tag for the comment of a function, or empty.
func throwsDoc(path string, f *schema.Function) string {
	if f == nil || len(f.Errors) == 0 {
		return ""
	}
	return "\n\n@throws {" + unionName(path) + "}"
}

// exceptions writes the types of errors, and a guard for each function that declares some.
func (g *generator) exceptions(api *schema.API) {
	for i := range api.Errors {
		e := &api.Errors[i]
		g.line("")
		g.doc(e.Doc)
		g.line("export interface %s extends %s {", g.errors[e.Name], g.global("Error"))
		g.line("\tname: %s", quoted(e.Name))
		g.fields(&schema.Type{Fields: e.Fields}, received)
		g.line("}")
	}
	g.throwers(api, func(path string, f *schema.Function) {
		union := unionName(path)
		var types, names []string
		for _, name := range f.Errors {
			types, names = append(types, g.errors[name]), append(names, quoted(name))
		}
		if !g.isUnion(path, f) {
			g.line("")
			g.line("export type %s = %s", union, strings.Join(types, " | "))
		}
		if g.TypesOnly {
			return
		}
		g.line("")
		g.line("/** Reports whether %s threw error for a reason that it declares. */", path)
		g.line("export function is%s(error: unknown): error is %s {", union, union)
		g.line("\treturn error instanceof %s && [%s].includes(error.name)", g.global("Error"), strings.Join(names, ", "))
		g.line("}")
	})
}

// pascal is the name of a type made of the words of text: users.find-all becomes UsersFindAll.
func pascal(text string) string {
	var b strings.Builder
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		b.WriteString(upperFirst(word))
	}
	return b.String()
}
