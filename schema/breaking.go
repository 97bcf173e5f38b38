package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Breaking lists what breaks for a client that was built against the description old, a line for each. A line begins with
// the path. A client breaks if a member is gone, an argument is refused, or a result has another form. New members break
// nothing, nor do parameters that may be left out. If one of the descriptions was made by [Of], only what reflection knows
// is compared.
func Breaking(old, new *API) []string {
	c := comparison{old: typesOf(old), new: typesOf(new), open: new.Source, seen: map[pair]bool{}}
	c.members("", old.Members, new.Members)
	c.errors(old.Errors, new.Errors)
	return c.found
}

func typesOf(api *API) map[typeName]*Named {
	types := map[typeName]*Named{}
	for i := range api.Types {
		types[typeName{api.Types[i].Name, api.Types[i].Package}] = &api.Types[i]
	}
	return types
}

// comparison compares what the clients of old expect with what new does.
type comparison struct {
	old, new map[typeName]*Named
	open     bool // a new type without constants has none, while reflection does not know them
	seen     map[pair]bool
	found    []string
}

// pair is a comparison of types with names that has been begun.
type pair struct {
	old, new typeName
	sent     bool
}

func (c *comparison) report(path, format string, args ...any) {
	line := path + ": " + fmt.Sprintf(format, args...)
	if !slices.Contains(c.found, line) {
		c.found = append(c.found, line)
	}
}

func (c *comparison) members(path string, old, new []Member) {
	for i := range old {
		m := &old[i]
		name := strings.TrimPrefix(path+"."+m.Name, ".")
		at := slices.IndexFunc(new, func(n Member) bool { return n.Name == m.Name })
		if at < 0 {
			c.report(name, "is gone")
			continue
		}
		c.member(name, m, &new[at])
	}
}

func (c *comparison) member(path string, old, new *Member) {
	switch {
	case old.isReadable() && new.isReadable():
		if old.Kind == Property && new.Kind != Property {
			c.report(path, "cannot be set any more")
		}
		c.received(path, old.Type, new.Type)
		if old.Kind == Property && new.Kind == Property {
			c.sent(path, old.Type, new.Type)
		}
	case old.Kind != new.Kind:
		c.report(path, "was %s and is %s", article(string(old.Kind)), article(string(new.Kind)))
	case old.Kind == Namespace:
		c.members(path, old.Members, new.Members)
	default:
		c.function(path, old.Function, new.Function)
	}
}

func article(noun string) string {
	if strings.ContainsRune("aeiouAEIOU", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func (m *Member) isReadable() bool {
	return m.Kind == Property || m.Kind == ReadOnly || m.Kind == Constant
}

// function compares functions that the client calls.
func (c *comparison) function(path string, old, new *Function) {
	c.params(path, old, new)
	switch {
	case old.Result == nil:
	case new.Result == nil:
		c.report(path, "result: is gone")
	default:
		c.received(path+": result", old.Result, new.Result)
	}
}

// params compares the arguments of calls by old with the parameters of new.
func (c *comparison) params(path string, old, new *Function) {
	for i := range old.Params {
		p := &old.Params[i]
		at := path + ": " + paramName(p, i)
		switch n := new.param(i); {
		case n == nil:
			c.report(at, "is gone, and calls with it are refused")
		case p.Variadic && !n.Variadic:
			c.report(at, "took any number of arguments")
		case (p.Optional || p.Variadic) && !n.Optional && !n.Variadic:
			c.report(at, "cannot be left out any more")
		default:
			c.sent(at, &p.Type, &n.Type)
		}
	}
	for i := len(old.Params); i < len(new.Params); i++ {
		if p := &new.Params[i]; !p.Optional && !p.Variadic {
			c.report(path+": "+paramName(p, i), "is new and cannot be left out")
		}
	}
}

// param is the parameter that argument i belongs to, or nil.
func (f *Function) param(i int) *Param {
	switch last := len(f.Params) - 1; {
	case i <= last:
		return &f.Params[i]
	case last >= 0 && f.Params[last].Variadic:
		return &f.Params[last]
	}
	return nil
}

func paramName(p *Param, i int) string {
	if p.Name == "" {
		return fmt.Sprintf("parameter %d", i+1)
	}
	return "parameter " + p.Name
}

// received compares what the client expects with what it gets now.
func (c *comparison) received(path string, old, new *Type) { c.types(path, old, new, false) }

// sent compares what the client sends with what is taken now.
func (c *comparison) sent(path string, old, new *Type) { c.types(path, old, new, true) }

func (c *comparison) types(path string, old, new *Type, sent bool) {
	if old.Kind == NamedType && new.Kind == NamedType {
		p := pair{typeName{old.Name, old.Package}, typeName{new.Name, new.Package}, sent}
		if c.seen[p] {
			return
		}
		c.seen[p] = true
	}
	oldValues, old := resolve(c.old, old)
	newValues, new := resolve(c.new, new)
	from, to := new, old // a value of from has to do where a to is expected
	if sent {
		from, to = old, new
	}
	switch {
	case old == nil || new == nil || to.Kind == Unknown: // anything will do
	case from.Kind == Nullable && to.Kind != Nullable && sent:
		if to.Kind != List && to.Kind != Record {
			c.report(path, "null is not taken any more")
		}
		c.types(path, old.Elem, new, sent)
	case from.Kind == Nullable && to.Kind != Nullable:
		c.report(path, "may be null")
		c.types(path, old, new.Elem, sent)
	case to.Kind == Nullable && from.Kind != Nullable:
		if sent {
			c.types(path, old, new.Elem, sent)
		} else {
			c.types(path, old.Elem, new, sent)
		}
	case from.Kind == Integer && to.Kind == Number, from.Kind == Undefined && sent:
	case old.Kind != new.Kind:
		c.report(path, "was %s and is %s", article(string(old.Kind)), article(string(new.Kind)))
	default:
		c.values(path, oldValues, newValues, sent)
		c.parts(path, old, new, sent)
	}
}

// resolve follows a name. It returns nil for a Nullable of nothing, and for a name without a type.
func resolve(types map[typeName]*Named, t *Type) (values []Value, form *Type) {
	for t != nil && t.Kind == NamedType {
		named := types[typeName{t.Name, t.Package}]
		if named == nil {
			return nil, nil
		}
		values, t = named.Values, &named.Type
	}
	return values, t
}

// values compares enumerations. A type without values takes and gives any.
func (c *comparison) values(path string, old, new []Value, sent bool) {
	from, to, problem := new, old, "may be %s"
	if sent {
		from, to, problem = old, new, "%s is not taken any more"
	}
	if len(to) == 0 {
		return
	}
	if len(from) == 0 && !sent && c.open {
		c.report(path, "may be any value")
	}
	for _, v := range from {
		if !slices.ContainsFunc(to, func(w Value) bool { return w.JSON == v.JSON }) {
			c.report(path, problem, v.JSON)
		}
	}
}

func (c *comparison) parts(path string, old, new *Type, sent bool) {
	switch old.Kind {
	case Nullable, List, Record, Stream:
		if old.Elem == nil || new.Elem == nil {
			return
		}
		if old.Len != new.Len {
			c.report(path, "had %d elements and has %d", old.Len, new.Len)
		}
		c.types(path+map[Kind]string{List: "[]", Record: "[]", Stream: " items"}[old.Kind], old.Elem, new.Elem, sent)
	case Typed:
		if old.Name != new.Name {
			c.report(path, "was %s and is %s", article(old.Name), article(new.Name))
		}
	case Callback:
		c.arguments(path, old.Function, new.Function, sent)
	case Reference:
		c.references(path, old, new, sent)
	case Struct:
		c.fields(path, old, new, sent)
	}
}

// arguments compares those that a function is called with by the side that gets it. sent: the client passes the function.
func (c *comparison) arguments(path string, old, new *Function, sent bool) {
	for i := range old.Params {
		p := &old.Params[i]
		at := path + ": " + paramName(p, i)
		if n := new.param(i); n != nil {
			c.types(at, &p.Type, &n.Type, !sent)
		} else if !p.Variadic {
			c.report(at, "is not passed any more")
		}
	}
}

// references compares what references are to. One that does not say so is compared with none.
func (c *comparison) references(path string, old, new *Type, sent bool) {
	switch {
	case old.Function == nil && old.Members == nil, new.Function == nil && new.Members == nil:
	case (old.Function == nil) != (new.Function == nil):
		c.report(path, "was a reference to %s and is one to %s", referent(old), referent(new))
	case old.Function != nil && sent:
		c.called(path, old.Function, new.Function)
	case old.Function != nil:
		c.function(path, old.Function, new.Function)
	case sent:
		for i := range new.Members {
			name := path + "." + new.Members[i].Name
			at := slices.IndexFunc(old.Members, func(m Member) bool { return m.Name == new.Members[i].Name })
			if at < 0 {
				c.report(name, "is new, and the objects of older clients do not have it")
			} else if f := new.Members[i].Function; f != nil && old.Members[at].Function != nil {
				c.called(name, old.Members[at].Function, f)
			}
		}
	default:
		c.members(path, old.Members, new.Members)
	}
}

func referent(t *Type) string {
	if t.Function != nil {
		return "a function"
	}
	return "an object"
}

// called compares functions of the client that the API calls.
func (c *comparison) called(path string, old, new *Function) {
	c.arguments(path, old, new, true)
	switch {
	case new.Result == nil:
	case old.Result == nil:
		c.report(path, "result: is wanted now")
	default:
		c.sent(path+": result", old.Result, new.Result)
	}
}

// errors compares what clients read of an error that they catch. They have to expect any other error too.
func (c *comparison) errors(old, new []Exception) {
	for _, e := range old {
		at := slices.IndexFunc(new, func(n Exception) bool { return n.Name == e.Name })
		if at >= 0 {
			c.fields("error "+e.Name, &Type{Fields: e.Fields}, &Type{Fields: new[at].Fields}, false)
		}
	}
}

func (c *comparison) fields(path string, old, new *Type, sent bool) {
	for i := range old.Fields {
		f := &old.Fields[i]
		at := path + "." + f.Name
		n := slices.IndexFunc(new.Fields, func(n Field) bool { return n.Name == f.Name })
		switch {
		case n < 0 && sent:
			c.report(at, "is gone, and what clients send is ignored")
		case n < 0:
			c.report(at, "is gone")
		case f.Quoted != new.Fields[n].Quoted:
			c.report(at, "a number was and is not both in quotes")
		case !sent && new.Fields[n].Optional && !f.Optional:
			c.report(at, "may be absent")
		default:
			c.types(at, &f.Type, &new.Fields[n].Type, sent)
		}
	}
}
