package schema

import (
	"errors"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Of describes a compiled API. It knows no names of parameters, no comments, no constants of types and no errors
// that functions declare.
func Of(api *kkrpc.API) (*API, error) {
	if api == nil {
		return nil, errors.New("schema: the API is nil")
	}
	name := ""
	if t := api.Type(); t != nil {
		name = t.Name()
	}
	return Build(name, "", entriesOf(api))
}

// Describe returns a function that answers with the description of api, for a member of an API:
//
//	api["describe"] = schema.Describe(api)
//
// It compiles and describes api when it is first called, so that api may contain it. It tells each caller all that can be
// called; expose it only where everybody may know that.
func Describe(api any) func() (any, error) {
	return sync.OnceValues(func() (any, error) {
		compiled, err := kkrpc.Expose(api)
		if err != nil {
			return nil, err
		}
		return Of(compiled)
	})
}

func entriesOf(api *kkrpc.API) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range api.Entries() {
			entry := Entry{Path: e.Path, Kind: memberKind(e), Variadic: e.Variadic, Type: reflected(e.Type)}
			for _, in := range e.In {
				entry.Params = append(entry.Params, GoParam{Type: reflected(in)})
			}
			if !yield(entry) {
				return
			}
		}
	}
}

func memberKind(e kkrpc.Entry) MemberKind {
	switch e.Kind {
	case kkrpc.FunctionEntry:
		return Method
	case kkrpc.ClassEntry:
		return Class
	case kkrpc.ConstantEntry:
		return Constant
	case kkrpc.NamespaceEntry:
		return Namespace
	}
	if e.Settable {
		return Property
	}
	return ReadOnly
}

// goType implements GoType by reflection.
type goType struct{ reflect.Type }

// reflected returns nil for nil.
func reflected(t reflect.Type) GoType {
	if t == nil {
		return nil
	}
	return goType{t}
}

func (t goType) Package() string { return t.PkgPath() }

func (t goType) Elem() GoType { return goType{t.Type.Elem()} }

func (t goType) Key() GoType { return goType{t.Type.Key()} }

func (t goType) Receives() bool { return t.ChanDir() == reflect.RecvDir }

func (t goType) In() []GoParam {
	var in []GoParam
	for p := range t.Type.Ins() {
		in = append(in, GoParam{Type: goType{p}})
	}
	return in
}

func (t goType) Out() []GoType {
	var out []GoType
	for p := range t.Type.Outs() {
		out = append(out, goType{p})
	}
	return out
}

func (t goType) Is(other GoType) bool {
	o, ok := other.(goType)
	return ok && o.Type == t.Type
}

func (t goType) RefersTo() GoType {
	value, _ := t.Type.MethodByName("Value")
	return goType{value.Type.Out(0)}
}

func (t goType) Methods() (list []GoMethod, err error) {
	for m := range t.Type.Methods() {
		if m.IsExported() {
			list = append(list, GoMethod{Name: bind.ExportedName(m.Name), Type: goType{m.Type}})
		}
	}
	return list, nil
}

func (t goType) IsError() bool { return t.Type == reflect.TypeFor[error]() }

func (t goType) Form() Form {
	switch {
	case jsonform.Speaks(t.Type):
		return JSONForm
	case jsonform.Writes(t.Type), jsonform.Reads(t.Type):
		return TextForm
	}
	return Plain
}

func (t goType) Fields() ([]GoField, error) {
	if err := superjson.CheckStruct(t.Type, false); err != nil {
		return nil, err
	}
	var fields []GoField
	for f := range superjson.Fields(t.Type) {
		field := GoField{Name: f.Name, Type: goType{f.Type}, Optional: f.Optional, Quoted: f.Quoted}
		field.noteRule(t.Type, f.Index)
		fields = append(fields, field)
	}
	return append(slices.Clip(fields), unsent(t.Type)...), nil
}
