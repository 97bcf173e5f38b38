package source

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/schema"
)

// evaluator follows expressions to what they expose, as far as that does not depend on the run of the program.
type evaluator struct {
	*Program
	parts map[token.Pos]bool // the arguments of Expose that were followed, by place
	depth int                // of namespaces
}

// maxDepth bounds how deep namespaces nest, as Expose does: an Object may contain itself.
const maxDepth = 16

// place is an expression and what is known where it stands.
type place struct {
	pkg     *sourcePackage
	expr    ast.Expr
	args    map[types.Object]place // what the parameters around it stand for
	types   typeArgs
	objects []*types.Var // the variables and fields of type kkrpc.Object that led to it
	as      types.Type   // what it was converted to, or nil
	result  int          // which one of a call with several results
}

// with is another expression at the same place.
func (at place) with(expr ast.Expr) place {
	return place{pkg: at.pkg, expr: expr, args: at.args, types: at.types}
}

// typ is the type of the expression.
func (at place) typ() types.Type {
	if at.as != nil {
		return at.as
	}
	t := types.Unalias(at.types.in(at.pkg.TypesInfo.TypeOf(at.expr)))
	if tuple, ok := t.(*types.Tuple); ok && at.result < tuple.Len() {
		t = types.Unalias(tuple.At(at.result).Type())
	}
	return t
}

// maxSteps bounds how far an expression is followed: functions may call each other.
const maxSteps = 200

// exposed returns what the expression at is when it is exposed as an API, or nil for nil.
func (e *evaluator) exposed(at place) (*member, error) {
	at, err := e.resolve(at)
	if err != nil {
		return nil, err
	}
	if tv := at.pkg.TypesInfo.Types[at.expr]; tv.IsNil() || e.exposesNothing(at) {
		return nil, nil
	}
	if signature, ok := at.typ().Underlying().(*types.Signature); ok && signature.Results().Len() == 2 { // of HandlerFor
		results, err := e.results(at, 0)
		if err != nil {
			return nil, err
		}
		return e.exposedOnly(at, results)
	}
	return e.namespace(at)
}

// exposesNothing reports whether the expression is what Refuse returns, or a function of this module for HandlerFor, such as
// the method of a contract.Guard. The API of that was given to another function.
func (e *evaluator) exposesNothing(at place) bool {
	if call, ok := at.expr.(*ast.CallExpr); ok {
		f := callee(at.pkg, call)
		return f != nil && isFunc(f, "Refuse")
	}
	name := lastName(at.expr)
	if name == nil {
		return false
	}
	f, ok := at.pkg.TypesInfo.Uses[name].(*types.Func)
	return ok && e.isLibrary(f)
}

// exposedOnly is exposed for the results of a function, all of which have to expose the same.
func (e *evaluator) exposedOnly(at place, results []place) (*member, error) {
	var only *member
	var from place
	for _, result := range results {
		m, err := e.exposed(result)
		switch {
		case err != nil:
			return nil, err
		case m == nil:
		case only != nil && !e.isSame(m, only):
			return nil, e.fail(result.expr.Pos(), "this function exposes another API here than at %s; kkrpc gen describes one: "+
				"make one of them, or expose each in a function of its own", e.at(from.expr.Pos()))
		default:
			only, from = m, result
		}
	}
	if only == nil {
		return nil, e.fail(at.expr.Pos(), "this function exposes nothing that can be seen")
	}
	return only, nil
}

// isSame reports whether two members have one description.
func (e *evaluator) isSame(a, b *member) bool {
	describe := func(m *member) (*schema.API, error) {
		var entries []schema.Entry
		m.entries(nil, &entries, e.Program)
		return schema.Build(m.name, m.doc, slices.Values(entries))
	}
	first, err := describe(a)
	second, err2 := describe(b)
	return err == nil && err2 == nil && reflect.DeepEqual(first, second)
}

// namespace returns what the resolved expression exposes as an API or as a part of one.
func (e *evaluator) namespace(at place) (*member, error) {
	switch t := at.typ(); {
	case isType(t, kkrpcPath, "Object"):
		return e.object(at)
	case isPointerTo(t, kkrpcPath, "API"):
		return e.compiled(at)
	}
	if call, ok := at.expr.(*ast.CallExpr); ok {
		if f := callee(at.pkg, call); f != nil && isFunc(f, "As") {
			return e.methodsOfInterface(at.types.in(at.pkg.TypesInfo.Instances[funName(call)].TypeArgs.At(0)), call.Pos())
		}
	}
	t := at.typ()
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	if _, ok := t.Underlying().(*types.Struct); ok {
		return e.structure(at, t)
	}
	return nil, e.fail(at.expr.Pos(), "cannot see which API this %s is; expose a kkrpc.Object, what kkrpc.As returns, or a struct", at.typ())
}

// funName is the name of the function that a call names.
func funName(call *ast.CallExpr) *ast.Ident {
	return lastName(uninstantiated(ast.Unparen(call.Fun)))
}

// uninstantiated is a generic function without the type arguments behind it.
func uninstantiated(fun ast.Expr) ast.Expr {
	switch f := fun.(type) {
	case *ast.IndexExpr:
		return f.X
	case *ast.IndexListExpr:
		return f.X
	}
	return fun
}

func isFunc(f *types.Func, name string) bool {
	return f.Pkg() != nil && f.Pkg().Path() == kkrpcPath && f.Name() == name && f.Signature().Recv() == nil
}

func isType(t types.Type, pkg, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == pkg
}

func isPointerTo(t types.Type, pkg, name string) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	return ok && isType(p.Elem(), pkg, name)
}

// compiled follows an *API to what Expose got.
func (e *evaluator) compiled(at place) (*member, error) {
	call, ok := at.expr.(*ast.CallExpr)
	if ok {
		if f := callee(at.pkg, call); f != nil && isFunc(f, "Expose") {
			e.parts[call.Args[0].Pos()] = true
			return e.exposed(at.with(call.Args[0]))
		}
		if of, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && of.Sel.Name == "RequireMembers" {
			return e.exposed(at.with(of.X))
		}
	}
	return nil, e.fail(at.expr.Pos(), "cannot see where this *kkrpc.API was made")
}

// object returns the members of an Object.
func (e *evaluator) object(at place) (*member, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, e.fail(at.expr.Pos(), "namespaces nest too deeply")
	}
	defer func() { e.depth-- }()
	m := namespace(at.expr.Pos())
	switch expr := at.expr.(type) {
	case *ast.CompositeLit:
		before := expr.Lbrace
		for _, element := range expr.Elts {
			pair := element.(*ast.KeyValueExpr)
			if err := e.keyed(m, at, pair.Key, pair.Value, e.comment(at.pkg, before, element)); err != nil {
				return nil, err
			}
			before = element.End()
		}
		return m.sorted(), e.later(m, at)
	case *ast.CallExpr:
		if name, ok := expr.Fun.(*ast.Ident); ok && name.Name == "make" {
			return m.sorted(), e.later(m, at)
		}
	}
	return nil, e.fail(at.expr.Pos(), "cannot see what is in this kkrpc.Object; write it as a composite literal")
}

// keyed adds the value under a key of an Object. A comment there says more than one where the value is declared.
func (e *evaluator) keyed(m *member, at place, key, value ast.Expr, comment *ast.CommentGroup) error {
	name := at.pkg.TypesInfo.Types[key].Value
	if name == nil || name.Kind() != constant.String {
		return e.fail(key.Pos(), "cannot see which name this is; use a constant")
	}
	child, err := e.value(at.with(value))
	if err != nil {
		return err
	}
	child.doc = cmp.Or(strings.TrimSpace(comment.Text()), child.doc)
	if err := e.addErrors(child, at.pkg, directivesOf(comment), key.Pos()); err != nil {
		return err
	}
	return e.add(m, constant.StringVal(name), child)
}

// value returns what an expression is as a value of an Object or of a tagged field.
func (e *evaluator) value(at place) (*member, error) {
	from := at
	at, err := e.resolve(at)
	if err != nil {
		return nil, err
	}
	t := at.typ()
	pos := at.expr.Pos()
	switch {
	case at.pkg.TypesInfo.Types[at.expr].IsNil():
		return &member{Entry: schema.Entry{Kind: schema.Constant}, pos: pos}, nil
	case isType(t, kkrpcPath, "Object"), isPointerTo(t, kkrpcPath, "API"):
		return e.namespace(at)
	case isType(t, kkrpcPath, "Class"):
		return e.class(at)
	}
	if call, ok := at.expr.(*ast.CallExpr); ok {
		if f := callee(at.pkg, call); f != nil && isFunc(f, "As") {
			return e.namespace(at)
		}
	}
	if m := e.property(t, pos); m != nil {
		return m, nil
	}
	if s, ok := t.Underlying().(*types.Signature); ok && !isStream(e.docs, t) {
		return e.function(at, s)
	}
	if _, ok := t.Underlying().(*types.Interface); ok {
		return nil, e.fail(from.expr.Pos(), "cannot see what this %s holds", t)
	}
	return &member{Entry: schema.Entry{Kind: schema.Constant, Type: e.docs.typ(types.Default(t))}, pos: pos}, nil
}

func isStream(d *docs, t types.Type) bool { return schema.IsStream(d.typ(t)) }

// property returns nil if a t is no property.
func (e *evaluator) property(t types.Type, pos token.Pos) *member {
	kind := schema.Property
	if p, ok := t.(*types.Pointer); ok {
		t = types.Unalias(p.Elem())
	}
	n, ok := t.(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != kkrpcPath {
		return nil
	}
	switch n.Obj().Name() {
	case "Property":
	case "ReadOnly":
		kind = schema.ReadOnly
	default:
		return nil
	}
	return &member{Entry: schema.Entry{Kind: kind, Type: e.docs.typ(n.TypeArgs().At(0))}, pos: pos}
}

func (e *evaluator) class(at place) (*member, error) {
	call, ok := at.expr.(*ast.CallExpr)
	if ok {
		if f := callee(at.pkg, call); f != nil && isFunc(f, "Constructor") {
			m, err := e.value(at.with(call.Args[0]))
			if err == nil {
				m.Kind = schema.Class
			}
			return m, err
		}
	}
	return nil, e.fail(at.expr.Pos(), "cannot see the function of this kkrpc.Class")
}

// function describes a func with the names and the comment of its declaration.
func (e *evaluator) function(at place, s *types.Signature) (*member, error) {
	m := &member{pos: at.expr.Pos()}
	if name := lastName(uninstantiated(at.expr)); name != nil {
		if f, ok := at.pkg.TypesInfo.Uses[name].(*types.Func); ok {
			return m, e.declared(m, f, s)
		}
	}
	return m, e.signature(m, s)
}

// declared describes the function f, whose signature s is, with its comment and its directives.
func (e *evaluator) declared(m *member, f *types.Func, s *types.Signature) (err error) {
	m.doc = e.docs.of(f)
	if m.Errors, err = e.throws(e.packageOf(f), e.docs.directives[f.Pos()]); err != nil {
		return err
	}
	return e.signature(m, s)
}

func lastName(expr ast.Expr) *ast.Ident {
	if s, ok := expr.(*ast.SelectorExpr); ok {
		return s.Sel
	}
	name, _ := expr.(*ast.Ident)
	return name
}

func (e *evaluator) signature(m *member, s *types.Signature) error {
	m.Kind, m.Variadic = schema.Method, s.Variadic()
	for i := range s.Params().Len() {
		v := s.Params().At(i)
		if i == 0 && isType(v.Type(), "context", "Context") {
			continue
		}
		m.Params = append(m.Params, schema.GoParam{Name: v.Name(), Type: e.docs.typ(v.Type())})
	}
	results := s.Results().Len()
	if results > 0 && isError(s.Results().At(results-1).Type()) {
		results--
	}
	switch results {
	case 0:
	case 1:
		m.Type = e.docs.typ(s.Results().At(0).Type())
	default:
		return e.fail(m.pos, "the function returns %d values; want at most one, and an error behind it", s.Results().Len())
	}
	return nil
}

// methodsOfInterface exposes the methods of an interface, in the order of package reflect.
func (e *evaluator) methodsOfInterface(t types.Type, pos token.Pos) (*member, error) {
	t = types.Unalias(t)
	if _, isParameter := t.(*types.TypeParam); isParameter {
		return nil, e.fail(pos, "cannot see which interface the type parameter %s is; name the interface", t)
	}
	iface, ok := t.Underlying().(*types.Interface)
	if !ok {
		return nil, e.fail(pos, "kkrpc.As wants an interface, not %s", t)
	}
	m := namespace(pos)
	if n, ok := t.(*types.Named); ok {
		m.name, m.doc = n.Obj().Name(), e.docs.of(n.Obj())
	}
	return m, e.methods(m, exportedMethods(iface))
}

func (e *evaluator) methods(m *member, methods []*types.Func) error {
	slices.SortFunc(methods, func(a, b *types.Func) int {
		if a.Name() < b.Name() {
			return -1
		}
		return 1
	})
	for _, method := range methods {
		child := &member{pos: method.Pos()}
		if err := e.declared(child, method, method.Signature()); err != nil {
			return err
		}
		if err := e.add(m, bind.ExportedName(method.Name()), child); err != nil {
			return err
		}
	}
	return nil
}
