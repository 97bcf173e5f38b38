package source

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/schema"
)

// structure exposes the methods that a struct type declares, then its fields. Values of fields are looked for in the
// composite literal that the expression is.
func (e *evaluator) structure(at place, t types.Type) (*member, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, e.fail(at.expr.Pos(), "namespaces nest too deeply: %s contains itself", t)
	}
	defer func() { e.depth-- }()
	m := namespace(at.expr.Pos())
	named, _ := t.(*types.Named)
	if named != nil {
		m.name, m.doc = named.Obj().Name(), e.docs.of(named.Obj())
		if promoted := promotedMethod(named); promoted != "" {
			return nil, e.fail(at.expr.Pos(), "method %s of %s is promoted from an embedded field; use kkrpc.As to choose what is exposed", promoted, t)
		}
		_, isPointer := at.typ().(*types.Pointer)
		var methods []*types.Func
		for method := range named.Methods() {
			if !method.Exported() {
				continue
			}
			methods = append(methods, method)
			if _, pointer := method.Signature().Recv().Type().(*types.Pointer); pointer && !isPointer && at.typ() == t && e.depth == 1 {
				return nil, e.fail(at.expr.Pos(), "method %s has a pointer receiver; expose a *%s", method.Name(), t)
			}
		}
		if err := e.methods(m, methods); err != nil {
			return nil, err
		}
	}
	s := t.Underlying().(*types.Struct)
	for i := range s.NumFields() {
		f := s.Field(i)
		tag, tagged := reflect.StructTag(s.Tag(i)).Lookup("kkrpc")
		if tag == "-" || !f.Exported() || !tagged && !e.isExposed(f.Type()) {
			continue
		}
		name := tag
		if !tagged {
			name = bind.ExportedName(f.Name())
		}
		child, err := e.fieldOf(at, f)
		if err != nil {
			return nil, err
		}
		if doc := e.docs.of(f); doc != "" {
			child.doc = doc
		}
		if err := e.addErrors(child, e.packageOf(f), e.docs.directives[f.Pos()], f.Pos()); err != nil {
			return nil, err
		}
		if err := e.add(m, name, child); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// isExposed reports whether a field of type t is exposed without a tag.
func (e *evaluator) isExposed(t types.Type) bool {
	return isType(t, kkrpcPath, "Object") || isType(t, kkrpcPath, "Class") || e.property(types.Unalias(t), token.NoPos) != nil
}

// fieldOf returns what a field exposes: by its type where that says all, else by its value.
func (e *evaluator) fieldOf(at place, f *types.Var) (*member, error) {
	t := types.Unalias(f.Type())
	if m := e.property(t, f.Pos()); m != nil {
		return m, nil
	}
	base := t
	if p, ok := base.(*types.Pointer); ok {
		base = types.Unalias(p.Elem())
	}
	value, err := e.fieldValue(at, f)
	g := goType{base, e.docs}
	if _, ok := base.Underlying().(*types.Struct); ok && g.Form() == schema.Plain && !hasOwnForm(g) && !isOursExposed(base) {
		if value == nil {
			value = &at // only its type counts
		}
		return e.structure(*value, base)
	}
	if value != nil {
		return e.value(*value)
	}
	if err != nil && !e.typeTells(t) {
		return nil, err
	}
	switch t.Underlying().(type) {
	case *types.Signature:
		m := &member{pos: f.Pos()}
		return m, e.signature(m, t.Underlying().(*types.Signature))
	case *types.Interface, *types.Map:
	default:
		if !isOursExposed(base) {
			return &member{Entry: schema.Entry{Kind: schema.Constant, Type: e.docs.typ(t)}, pos: f.Pos()}, nil
		}
	}
	return nil, e.fail(f.Pos(), "cannot see what the field %s holds; set it in the composite literal that is exposed", f.Name())
}

func isOursExposed(t types.Type) bool {
	return isType(t, kkrpcPath, "Object") || isType(t, kkrpcPath, "Class") || isType(t, kkrpcPath, "API")
}

// fieldValue is the value of a field of the struct at, or nil: that of the composite literal there, or else the only one that
// the program gives the field anywhere.
func (e *evaluator) fieldValue(at place, f *types.Var) (*place, error) {
	expr := at.expr
	if u, ok := expr.(*ast.UnaryExpr); ok {
		expr = u.X
	}
	if literal, ok := expr.(*ast.CompositeLit); ok {
		if value := fieldOfLiteral(at.pkg, literal, f); value != nil {
			found := e.through(at.with(value), f)
			return &found, nil
		}
	}
	pkg := e.packageOf(f)
	if e.typeTells(f.Type()) || pkg == nil {
		return nil, nil
	}
	return e.assigned(at.with(&ast.Ident{NamePos: f.Pos(), Name: f.Name()}), pkg, f)
}

// fieldOfLiteral is the value that a composite literal gives the field f, or nil.
func fieldOfLiteral(pkg *sourcePackage, literal *ast.CompositeLit, f *types.Var) ast.Expr {
	s, ok := pkg.TypesInfo.TypeOf(literal).Underlying().(*types.Struct)
	for i, element := range literal.Elts {
		if pair, keyed := element.(*ast.KeyValueExpr); keyed {
			if key, named := pair.Key.(*ast.Ident); named && isVar(pkg.TypesInfo.Uses[key], f) {
				return pair.Value
			}
		} else if ok && i < s.NumFields() && s.Field(i).Origin() == f.Origin() {
			return element
		}
	}
	return nil
}

// isVar reports whether an object is the variable v, or the field v of an instance of its type.
func isVar(o types.Object, v *types.Var) bool {
	found, ok := o.(*types.Var)
	return ok && found.Origin() == v.Origin()
}

// promotedMethod is the name of an exported method that t gets from an embedded field, or empty.
func promotedMethod(t *types.Named) string {
	for method := range types.NewMethodSet(types.NewPointer(t)).Methods() {
		if len(method.Index()) > 1 && method.Obj().Exported() {
			return method.Obj().Name()
		}
	}
	return ""
}
