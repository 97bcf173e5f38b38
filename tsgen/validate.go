package tsgen

import (
	"fmt"
	"slices"

	"github.com/kkrpc-go/kkrpc/schema"
)

// Validation is the form of the schemas in a file.
type Validation string

// The forms of schemas.
const (
	Standard Validation = "standard" // objects of Standard Schema, without a dependency
	Zod      Validation = "zod"      // objects of Zod 4
)

// checks writes the schemas of types that are sent and have rules in them.
type checks struct {
	*generator
	ruled   map[*namedType]bool // there is a rule in it or in its parts
	types   []*namedType        // that get a schema, in their order in the file
	order   map[*namedType]int  // in types
	helpers map[string]bool     // that the schemas use
	warned  map[string]bool
}

// planChecks finds the types that get schemas, and takes the names of these.
func (g *generator) planChecks(api *schema.API) *checks {
	w := &checks{
		generator: g, ruled: map[*namedType]bool{}, order: map[*namedType]int{}, helpers: map[string]bool{}, warned: map[string]bool{},
	}
	if g.Validate == "" || g.TypesOnly {
		return w
	}
	for changed := true; changed; { // a type has a rule if one of its parts has
		changed = false
		for _, n := range g.named {
			if n.uses[sent] && !w.ruled[n] && w.hasRules(&n.Type) {
				w.ruled[n], changed = true, true
			}
		}
	}
	reached := map[*namedType]bool{}
	for n := range w.ruled {
		w.reach(&schema.Type{Kind: schema.NamedType, Name: n.Name, Package: n.Package}, reached)
	}
	for i := range api.Types {
		n := g.named[keyOf(api.Types[i].Name, api.Types[i].Package)]
		if reached[n] && n.Type.Kind == schema.Struct && n.Type.GoKind != "valuer" {
			w.types = append(w.types, n)
			g.take(schemaName(n), "the schema of "+n.Package+"."+n.Name)
		}
	}
	if len(w.types) > 0 && g.Validate == Zod {
		w.types = w.partsFirst()
	}
	for i, n := range w.types {
		w.order[n] = i
	}
	if len(w.types) > 0 && g.Validate == Standard {
		g.take(standardName, "the interface of Standard Schema")
	}
	return w
}

// imports writes what the schemas import.
func (w *checks) imports() {
	if len(w.types) > 0 && w.Validate == Zod {
		w.line("")
		w.line(`import { z } from "zod"`)
	}
}

// schemas writes the schemas, and the helpers that they use.
func (w *checks) schemas() {
	if w.Validate == Zod {
		w.zod()
	} else {
		w.standard()
	}
	w.writeHelpers()
}

// schemaName is the name of the schema of a type that is sent.
func schemaName(n *namedType) string { return n.names[sent] + "Schema" }

func (w *checks) hasRules(t *schema.Type) bool {
	switch {
	case t == nil:
		return false
	case t.Kind == schema.NamedType:
		return w.ruled[w.named[keyOf(t.Name, t.Package)]]
	case len(t.Unsent) > 0:
		return true
	}
	return w.hasRules(t.Elem) || slices.ContainsFunc(t.Fields, func(f schema.Field) bool {
		return hasRule(f.Validate) || f.Validate != schema.NoRule && w.hasRules(&f.Type)
	})
}

// reach adds the types that t leads to.
func (w *checks) reach(t *schema.Type, reached map[*namedType]bool) {
	switch {
	case t == nil:
	case t.Kind == schema.NamedType:
		if n := w.named[keyOf(t.Name, t.Package)]; !reached[n] {
			reached[n] = true
			w.reach(&n.Type, reached)
		}
	default:
		w.reach(t.Elem, reached)
		for i := range t.Fields {
			w.reach(&t.Fields[i].Type, reached)
		}
	}
}

// partsFirst has each type behind those that it leads to, as far as it does not lead back.
func (w *checks) partsFirst() []*namedType {
	var list []*namedType
	seen := map[*namedType]bool{}
	var visit func(t *schema.Type)
	visit = func(t *schema.Type) {
		switch {
		case t == nil:
		case t.Kind == schema.NamedType:
			n := w.named[keyOf(t.Name, t.Package)]
			if seen[n] {
				return
			}
			seen[n] = true
			visit(&n.Type)
			if slices.Contains(w.types, n) {
				list = append(list, n)
			}
		default:
			visit(t.Elem)
			for i := range t.Fields {
				visit(&t.Fields[i].Type)
			}
		}
	}
	for _, n := range w.types {
		visit(&schema.Type{Kind: schema.NamedType, Name: n.Name, Package: n.Package})
	}
	return list
}

// warn says that a rule is left to the server.
func (w *checks) warn(at, field, rule, reason string) {
	text := where(at, fmt.Sprintf("%s: only the server checks %s: %s", field, rule, reason))
	if w.Warn != nil && !w.warned[text] {
		w.warned[text] = true
		w.Warn(text)
	}
}

// helper is the name of a function of checks.ts, which the file then has.
func (w *checks) helper(name string) string {
	w.helpers[name] = true
	return w.freeName(name)
}

// freeName is name, changed if the API has it.
func (w *checks) freeName(name string) string {
	for name != standardName && w.taken[name] != "" {
		name += "_"
	}
	return name
}
