package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Parse reads a description that was written as JSON. The error has a line for each part that is not as it should be.
func Parse(text []byte) (*API, error) {
	api := new(API)
	if err := json.Unmarshal(text, api); err != nil {
		return nil, fmt.Errorf("schema: no description of an API: %w", err)
	}
	if api.Version != Version {
		return nil, fmt.Errorf("schema: the description has version %d; this module reads %d", api.Version, Version)
	}
	c := checker{types: typesOf(api)}
	c.members("", api.Members)
	for i := range api.Types {
		c.typ("type "+api.Types[i].Name, &api.Types[i].Type)
	}
	for i := range api.Errors {
		c.fields("error "+api.Errors[i].Name, api.Errors[i].Fields)
	}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return api, nil
}

// checker looks for what a description lacks.
type checker struct {
	types    map[typeName]*Named
	problems []error
}

func (c *checker) fail(where, problem string) {
	c.problems = append(c.problems, fmt.Errorf("schema: no description of an API: %s: %s", where, problem))
}

func (c *checker) members(path string, members []Member) {
	for i := range members {
		m := &members[i]
		at := strings.TrimPrefix(path+"."+m.Name, ".")
		switch m.Kind {
		case Method, Class:
			c.function(at, m.Function)
		case Property, ReadOnly, Constant:
			c.typ(at, m.Type)
		case Namespace:
			c.members(at, m.Members)
		default:
			c.fail(at, fmt.Sprintf("unknown kind %q of member", m.Kind))
		}
	}
}

func (c *checker) function(where string, f *Function) {
	if f == nil {
		c.fail(where, "it has no function")
		return
	}
	for i := range f.Params {
		c.typ(where+": "+paramName(&f.Params[i], i), &f.Params[i].Type)
	}
	if f.Result != nil {
		c.typ(where+": result", f.Result)
	}
}

func (c *checker) typ(where string, t *Type) {
	switch {
	case t == nil:
		c.fail(where, "it has no type")
	case !slices.Contains(kinds, t.Kind):
		c.fail(where, fmt.Sprintf("unknown kind %q of type", t.Kind))
	case t.Kind == NamedType && c.types[typeName{t.Name, t.Package}] == nil:
		c.fail(where, fmt.Sprintf("there is no type %s.%s", t.Package, t.Name))
	case t.Kind == Callback, t.Kind == Reference && t.Function != nil:
		c.function(where, t.Function)
	case t.Kind == Reference:
		c.members(where, t.Members)
	case t.Kind == List, t.Kind == Stream, t.Kind == Record, t.Kind == Nullable && t.Elem != nil:
		c.typ(where+"[]", t.Elem)
		if t.Kind == Record {
			c.typ(where+" key", t.Key)
		}
	case t.Kind == Struct:
		c.fields(where, t.Fields)
	}
}

func (c *checker) fields(where string, fields []Field) {
	for i := range fields {
		c.typ(where+"."+fields[i].Name, &fields[i].Type)
	}
}

// kinds are all of them.
var kinds = []Kind{
	Unknown, Boolean, Integer, Number, String, Bytes, Date, BigInt, URL, RegExp, Map, Set, Error, Typed, Undefined,
	Nullable, List, Record, Struct, NamedType, Callback, Stream, Reference,
}
