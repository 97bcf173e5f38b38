package source

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// addErrors adds those that the directives above a member of an Object or above a field declare.
func (e *evaluator) addErrors(m *member, pkg *sourcePackage, directives []directive, pos token.Pos) error {
	thrown, err := e.throws(pkg, directives)
	if err != nil {
		return err
	}
	if len(thrown) > 0 && m.Kind != schema.Method && m.Kind != schema.Class {
		return e.fail(pos, "//kkrpc:throws stands above a %s; only functions throw", m.Kind)
	}
	m.Errors = append(m.Errors, thrown...)
	return nil
}

// throws returns the errors that the directives of a function in pkg declare, as in //kkrpc:throws NoFunds store.NotFound.
func (e *evaluator) throws(pkg *sourcePackage, directives []directive) ([]schema.GoError, error) {
	var declared []schema.GoError
	for _, d := range directives {
		names := strings.Fields(d.text)
		if len(names) == 0 || names[0] != "throws" {
			return nil, e.fail(d.pos, "no directive //kkrpc:%s for a function; there is //kkrpc:throws ERROR", d.text)
		}
		if len(names) == 1 {
			return nil, e.fail(d.pos, "//kkrpc:throws names no error")
		}
		for _, name := range names[1:] {
			thrown, err := e.thrown(pkg, d.pos, strings.TrimSuffix(name, ","))
			if err != nil {
				return nil, err
			}
			declared = append(declared, thrown)
		}
	}
	return declared, nil
}

// thrown describes the error with this name as the file at pos knows it: a type with a method RPCError, or a variable that
// holds a *kkrpc.Error.
func (e *evaluator) thrown(pkg *sourcePackage, pos token.Pos, name string) (schema.GoError, error) {
	fail := func(format string, args ...any) (schema.GoError, error) {
		return schema.GoError{}, e.fail(pos, "//kkrpc:throws "+name+": "+format, args...)
	}
	expr, err := parser.ParseExpr(strings.TrimPrefix(name, "*"))
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	if err == nil {
		err = types.CheckExpr(e.fset, pkg.Types, pos, expr, info)
	}
	ident := lastName(expr)
	if err != nil || ident == nil {
		return fail("there is no such type or variable here")
	}
	object := info.Uses[ident]
	described := schema.GoError{Doc: e.docs.of(object), At: e.at(object.Pos())}
	own := e.packageOf(object)
	if own == nil {
		return fail("it belongs to another module; declare an error of this one")
	}
	var values []place
	switch object := object.(type) {
	case *types.Var:
		value, err := e.assigned(place{pkg: pkg, expr: ident}, own, object)
		if err != nil || value == nil {
			return fail("it is no *kkrpc.Error that is made where it is declared")
		}
		values = []place{*value}
	case *types.TypeName:
		method := methodOf(object.Type(), "RPCError")
		if method == nil || signatureText(method.Signature()) != "func() *kkrpc.Error" {
			return fail("it has no method RPCError() *kkrpc.Error, which would say how it crosses")
		}
		body := e.declaration(method)
		if body == nil {
			return fail("its method RPCError belongs to another module")
		}
		values = slices.DeleteFunc(body.returned(0), func(value place) bool { return value.pkg.TypesInfo.Types[value.expr].IsNil() })
	default:
		return fail("it is neither a type nor a variable")
	}
	for i, value := range values {
		name, fields, err := e.errorLiteral(value)
		if err != nil {
			return schema.GoError{}, err
		}
		if i > 0 && name != described.Name {
			return fail("RPCError chooses among names; declare an error for each")
		}
		described.Name = name
		if i == 0 {
			described.Fields = fields
		} else {
			described.Fields = eitherFields(described.Fields, fields)
		}
	}
	if described.Name == "" {
		return fail("its name cannot be seen; RPCError has to return &kkrpc.Error{Name: …}")
	}
	return described, nil
}

// eitherFields are those of an error that has the fields a or b. Those that only one has are optional.
func eitherFields(a, b []schema.GoField) []schema.GoField {
	named := func(list []schema.GoField, name string) int {
		return slices.IndexFunc(list, func(f schema.GoField) bool { return f.Name == name })
	}
	for i := range a {
		a[i].Optional = a[i].Optional || named(b, a[i].Name) < 0
	}
	for _, f := range b {
		if named(a, f.Name) < 0 {
			f.Optional = true
			a = append(a, f)
		}
	}
	return a
}

// errorLiteral reads the name and the fields of a kkrpc.Error that is written as a literal.
func (e *evaluator) errorLiteral(at place) (name string, fields []schema.GoField, err error) {
	expr := ast.Unparen(at.expr)
	if u, ok := expr.(*ast.UnaryExpr); ok && u.Op == token.AND {
		expr = u.X
	}
	literal, ok := expr.(*ast.CompositeLit)
	if !ok || !isType(at.pkg.TypesInfo.TypeOf(literal), kkrpcPath, "Error") {
		return "", nil, e.fail(expr.Pos(), "cannot see which error this is; write &kkrpc.Error{Name: …}")
	}
	for _, element := range literal.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			return "", nil, e.fail(element.Pos(), "cannot see which error this is; write the names of the fields")
		}
		switch pair.Key.(*ast.Ident).Name {
		case "Name":
			value := at.pkg.TypesInfo.Types[pair.Value].Value
			if value == nil {
				return "", nil, e.fail(pair.Value.Pos(), "cannot see the name of this error; use a constant")
			}
			name = constant.StringVal(value)
		case "Fields":
			if fields, err = e.errorFields(at.with(pair.Value)); err != nil {
				return "", nil, err
			}
		}
	}
	if name == "" || name == "Error" {
		return "", nil, e.fail(literal.Pos(), "this error has no name of its own by which a client could know it; set Name")
	}
	return name, fields, nil
}

// errorFields reads the literal of kkrpc.Error.Fields. The types of the values are those of their expressions.
func (e *evaluator) errorFields(at place) ([]schema.GoField, error) {
	if at.pkg.TypesInfo.Types[at.expr].IsNil() {
		return nil, nil
	}
	literal, ok := ast.Unparen(at.expr).(*ast.CompositeLit)
	if !ok {
		return nil, e.fail(at.expr.Pos(), "cannot see the fields of this error; write them as map[string]any{…} here")
	}
	var fields []schema.GoField
	before := literal.Lbrace
	for _, element := range literal.Elts {
		pair := element.(*ast.KeyValueExpr)
		key := at.pkg.TypesInfo.Types[pair.Key].Value
		if key == nil {
			return nil, e.fail(pair.Key.Pos(), "cannot see the name of this field; use a constant")
		}
		field := schema.GoField{Name: constant.StringVal(key), Doc: strings.TrimSpace(e.comment(at.pkg, before, pair).Text())}
		if slices.Contains([]string{"name", "message", "stack", "cause"}, field.Name) {
			return nil, e.fail(pair.Key.Pos(), "each Error has a %s of its own; rename this field", field.Name)
		}
		if value := at.pkg.TypesInfo.Types[pair.Value]; !value.IsNil() {
			field.Type = e.docs.typ(types.Default(value.Type))
		}
		fields = append(fields, field)
		before = pair.End()
	}
	return fields, nil
}
