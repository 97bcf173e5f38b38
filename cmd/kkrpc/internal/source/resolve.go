package source

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
)

// resolve follows variables, calls, conversions and parentheses to the expression that makes the value.
func (e *evaluator) resolve(at place) (place, error) {
	for range maxSteps {
		next, err := e.step(at)
		if err != nil {
			return at, err
		}
		if next == nil {
			return at, nil
		}
		at = *next
	}
	return at, e.fail(at.expr.Pos(), "cannot see what this is: it depends on itself")
}

// step follows at once; nil says that there is nothing to follow.
func (e *evaluator) step(at place) (*place, error) {
	switch expr := at.expr.(type) {
	case *ast.ParenExpr:
		next := at
		next.expr = expr.X
		return &next, nil
	case *ast.UnaryExpr:
		if expr.Op != token.AND {
			return nil, nil
		}
		if _, literal := ast.Unparen(expr.X).(*ast.CompositeLit); literal {
			return nil, nil
		}
		return e.variable(at.with(ast.Unparen(expr.X)))
	case *ast.Ident, *ast.SelectorExpr:
		return e.variable(at)
	case *ast.CallExpr:
		return e.call(at, expr)
	}
	return nil, nil
}

// variable follows a variable to the only value that it gets. A value whose type says all is not followed.
func (e *evaluator) variable(at place) (*place, error) {
	name := lastName(at.expr)
	if name == nil {
		return nil, nil
	}
	v, ok := at.pkg.TypesInfo.Uses[name].(*types.Var)
	if !ok {
		return nil, nil
	}
	if value, ok := at.args[v]; ok {
		if pos := e.changed(v); pos.IsValid() && !e.typeTells(at.types.in(v.Type())) {
			return nil, e.fail(at.expr.Pos(), "cannot see what the parameter %s is: it is assigned at %s", v.Name(), e.at(pos))
		}
		if isType(v.Type(), kkrpcPath, "Object") {
			value.objects = append(slices.Clone(at.objects), v)
		}
		return &value, nil
	}
	if e.typeTells(at.types.in(v.Type())) {
		return nil, nil
	}
	pkg := e.packageOf(v)
	if pkg == nil {
		return nil, e.fail(at.expr.Pos(), "cannot see what %s holds", v.Name())
	}
	return e.assigned(at, pkg, v)
}

// changed is where the program assigns a parameter, or takes its address.
func (e *evaluator) changed(v *types.Var) (pos token.Pos) {
	pkg := e.packageOf(v)
	if pkg == nil {
		return token.NoPos
	}
	is := func(expr ast.Expr) bool {
		name, ok := ast.Unparen(expr).(*ast.Ident)
		return ok && pkg.TypesInfo.Uses[name] == v
	}
	for _, file := range pkg.Syntax {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if slices.ContainsFunc(n.Lhs, is) {
					pos = n.Pos()
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND && is(n.X) {
					pos = n.Pos()
				}
			}
			return true
		})
	}
	return pos
}

// typeTells reports whether the type of a value says all that it exposes.
func (e *evaluator) typeTells(t types.Type) bool {
	t = types.Unalias(t)
	if isOursExposed(t) || isPointerTo(t, kkrpcPath, "API") {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Interface, *types.Signature:
		return false
	}
	return true
}

// isLibrary reports whether f is of this module, and not of the program.
func (e *evaluator) isLibrary(f *types.Func) bool {
	return f.Pkg() != nil && isOurs(f.Pkg().Path()) && e.packageOf(f) == nil
}

func (e *evaluator) packageOf(o types.Object) *sourcePackage {
	for _, pkg := range e.own {
		if pkg.Types == o.Pkg() {
			return pkg
		}
	}
	return nil
}

// assigned finds the value of v, a variable of pkg. Members that are set later are found by later; any other use of a
// kkrpc.Object could change it.
func (e *evaluator) assigned(at place, pkg *sourcePackage, v *types.Var) (*place, error) {
	var found []place
	in := []*sourcePackage{pkg}
	if v.Exported() {
		in = e.own
	}
	for _, pkg := range in {
		value := func(expr ast.Expr) {
			found = append(found, place{pkg: pkg, expr: expr, args: at.args, types: at.types})
		}
		// one of several on the left side, of which each has its value or all have one call.
		valueOf := func(i, left int, right []ast.Expr) {
			if value(right[min(i, len(right)-1)]); len(right) < left {
				found[len(found)-1].result = i
			}
		}
		for _, file := range pkg.Syntax {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					for i, left := range n.Lhs {
						if name := lastName(left); name != nil && (pkg.TypesInfo.Defs[name] == v || isVar(pkg.TypesInfo.Uses[name], v)) {
							valueOf(i, len(n.Lhs), n.Rhs)
						}
					}
				case *ast.ValueSpec:
					for i, name := range n.Names {
						if pkg.TypesInfo.Defs[name] == v && len(n.Values) > 0 {
							valueOf(i, len(n.Names), n.Values)
						}
					}
				case *ast.CompositeLit:
					if expr := fieldOfLiteral(pkg, n, v); v.IsField() && expr != nil {
						value(expr)
					}
				}
				return true
			})
		}
	}
	if _, isFunc := v.Type().Underlying().(*types.Signature); isFunc && len(found) != 1 {
		return nil, nil // the type says what can be called
	}
	switch len(found) {
	case 0:
		if v.Kind() == types.ParamVar {
			return nil, e.fail(at.expr.Pos(), "cannot see what the parameter %s is; expose the API in the function that makes it, or return it from one", v.Name())
		}
		if v.IsField() {
			return nil, e.fail(v.Pos(), "cannot see what the field %s holds; set it where the struct is made", v.Name())
		}
		return nil, e.fail(at.expr.Pos(), "cannot see what %s is; it is declared at %s without a value", v.Name(), e.at(v.Pos()))
	case 1:
		found[0].objects = at.objects
		value := e.through(found[0], v)
		return &value, nil
	}
	return nil, e.fail(at.expr.Pos(), "cannot see what %s is: it is assigned at %s and at %s", v.Name(), e.at(found[0].expr.Pos()), e.at(found[1].expr.Pos()))
}

// through is the value at, to which the variable or the field v has led.
func (e *evaluator) through(at place, v *types.Var) place {
	if isType(at.typ(), kkrpcPath, "Object") || isType(v.Type(), kkrpcPath, "Object") {
		at.objects = append(slices.Clone(at.objects), v)
	}
	return at
}

// later adds the members that the variables that led to an Object get later, as in api["x"] = f. Any use that may change the
// Object in another way is an error.
func (e *evaluator) later(m *member, at place) (err error) {
	for _, v := range at.objects {
		for _, pkg := range e.own {
			for _, file := range pkg.Syntax {
				inspectWithParent(file, func(n ast.Node, parents []ast.Node) {
					name, ok := n.(*ast.Ident)
					if ok && err == nil && (isVar(pkg.TypesInfo.Uses[name], v) || pkg.TypesInfo.Defs[name] == v) {
						err = e.use(m, place{pkg: pkg, expr: name, args: at.args, types: at.types}, parents)
					}
				})
			}
		}
	}
	m.sorted()
	return err
}

// use looks at a use of a variable of type Object. The nodes around it are parents, the nearest one last.
func (e *evaluator) use(m *member, at place, parents []ast.Node) error {
	node, around := ast.Node(at.expr), parents
	up := func() ast.Node {
		if len(around) == 0 {
			return nil
		}
		return around[len(around)-1]
	}
	for {
		switch parent := up().(type) {
		case *ast.ParenExpr:
			node, around = parent, around[:len(around)-1]
			continue
		case *ast.SelectorExpr: // of a package or a struct
			if parent.Sel == at.expr {
				node, around = parent, around[:len(around)-1]
				continue
			}
		case *ast.IndexExpr:
			if parent.X == node && len(around) > 1 {
				return e.indexed(m, at, parent, around[len(around)-2])
			}
			return nil
		case *ast.CallExpr:
			if f := callee(at.pkg, parent); f != nil && e.isLibrary(f) {
				return nil
			}
			if name, ok := parent.Fun.(*ast.Ident); ok && name.Name == "len" {
				return nil
			}
			return e.fail(at.expr.Pos(), "cannot see what this call does to the kkrpc.Object; set its members in one function")
		case *ast.ValueSpec, *ast.Field, *ast.RangeStmt, *ast.ReturnStmt, *ast.KeyValueExpr, *ast.BinaryExpr:
			return nil
		case *ast.AssignStmt:
			if left, ok := node.(ast.Expr); ok && slices.Contains(parent.Lhs, left) { // its only value, see assigned
				return nil
			}
		}
		return e.fail(at.expr.Pos(), "cannot see what is done here to the kkrpc.Object; set its members in one function, by its name")
	}
}

// indexed looks at a member of an Object that is read or set.
func (e *evaluator) indexed(m *member, at place, index *ast.IndexExpr, around ast.Node) error {
	a, ok := around.(*ast.AssignStmt)
	if !ok {
		if _, isAssertion := around.(*ast.TypeAssertExpr); isAssertion {
			return e.fail(at.expr.Pos(), "cannot see what is done to this member; write the kkrpc.Object as a composite literal")
		}
		return nil
	}
	for i, left := range a.Lhs {
		if left != index {
			continue
		}
		if len(a.Lhs) != len(a.Rhs) {
			return e.fail(at.expr.Pos(), "cannot see what this member is; assign it by itself")
		}
		return e.keyed(m, at, index.Index, a.Rhs[i], nil)
	}
	return nil
}

// inspectWithParent calls f with each node and those around it, the nearest one last.
func inspectWithParent(root ast.Node, f func(n ast.Node, parents []ast.Node)) {
	var stack []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		f(n, stack)
		stack = append(stack, n)
		return true
	})
}

// call follows a conversion, or a call of a function of the program to what it returns.
func (e *evaluator) call(at place, call *ast.CallExpr) (*place, error) {
	if tv := at.pkg.TypesInfo.Types[call.Fun]; tv.IsType() {
		if isType(tv.Type, kkrpcPath, "ReadOnly") || e.typeTells(at.types.in(tv.Type)) {
			return nil, nil
		}
		next := at.with(call.Args[0])
		next.objects, next.as = at.objects, nil
		if isType(tv.Type, kkrpcPath, "Object") {
			if _, literal := ast.Unparen(call.Args[0]).(*ast.CompositeLit); literal {
				next.expr, next.as = ast.Unparen(call.Args[0]), tv.Type
			}
		}
		return &next, nil
	}
	f := callee(at.pkg, call)
	if f != nil && e.isLibrary(f) {
		return nil, nil // As, Expose, Constructor and the like
	}
	if t := at.typ(); t != nil {
		if e.typeTells(t) {
			return nil, nil
		}
	}
	results, err := e.results(at.with(call.Fun), at.result)
	if err != nil {
		return nil, err
	}
	var only *place
	for _, result := range results {
		if result.pkg.TypesInfo.Types[result.expr].IsNil() {
			continue
		}
		if only != nil {
			return nil, e.fail(call.Pos(), "cannot see what this is: the function returns other things at %s and at %s", e.at(only.expr.Pos()), e.at(result.expr.Pos()))
		}
		only = &result
	}
	if only == nil {
		return nil, e.fail(call.Pos(), "cannot see what this call returns")
	}
	e.bind(only, at, call)
	only.objects = append(slices.Clone(only.objects), at.objects...)
	return only, nil
}

// bind makes the arguments of a call known to what the function returns.
func (e *evaluator) bind(result *place, at place, call *ast.CallExpr) {
	fun, _ := e.bodyOf(at.with(call.Fun))
	if fun == nil {
		return
	}
	args, typeArgs := map[types.Object]place{}, typeArgs{}
	maps.Copy(args, at.args)
	maps.Copy(typeArgs, at.types)
	if f := callee(at.pkg, call); f != nil {
		s := f.Origin().Signature()
		typeArgs.add(s.TypeParams(), at.pkg.TypesInfo.Instances[funName(call)].TypeArgs, at.types)
		if method, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && s.Recv() != nil {
			typeArgs.add(s.RecvTypeParams(), typeArgsOf(at.with(method.X).typ()), at.types)
		}
	}
	i := 0
	for _, f := range fun.typ.Params.List {
		_, variadic := f.Type.(*ast.Ellipsis)
		for _, name := range f.Names {
			param := fun.pkg.TypesInfo.Defs[name]
			delete(args, param) // of a call around this one
			if i < len(call.Args) && (!variadic || call.Ellipsis.IsValid()) {
				args[param] = at.with(call.Args[i])
			}
			i++
		}
	}
	result.args, result.types = args, typeArgs
}

// body is a function whose source is known.
type body struct {
	pkg   *sourcePackage
	typ   *ast.FuncType
	body  *ast.BlockStmt
	args  map[types.Object]place
	types typeArgs
}

// bodyOf finds the source of the function that an expression names or is, or nil.
func (e *evaluator) bodyOf(at place) (*body, error) {
	at, err := e.resolve(at)
	if err != nil {
		return nil, err
	}
	if literal, ok := at.expr.(*ast.FuncLit); ok {
		return &body{at.pkg, literal.Type, literal.Body, at.args, at.types}, nil
	}
	name := lastName(uninstantiated(at.expr))
	if name == nil {
		return nil, nil
	}
	f, ok := at.pkg.TypesInfo.Uses[name].(*types.Func)
	if !ok {
		return nil, nil
	}
	if declared := e.declaration(f); declared != nil {
		declared.args, declared.types = at.args, at.types
		return declared, nil
	}
	return nil, nil
}

// declaration finds the source of f in the program, or nil.
func (e *evaluator) declaration(f *types.Func) *body {
	pkg := e.packageOf(f)
	if pkg == nil {
		return nil
	}
	for _, file := range pkg.Syntax {
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.FuncDecl); ok && pkg.TypesInfo.Defs[d.Name] == f.Origin() && d.Body != nil {
				return &body{pkg: pkg, typ: d.Type, body: d.Body}
			}
		}
	}
	return nil
}

// results are those of a function, at each of its return statements: which one of several.
func (e *evaluator) results(at place, which int) ([]place, error) {
	f, err := e.bodyOf(at)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, e.fail(at.expr.Pos(), "cannot see what this function returns")
	}
	return f.returned(which), nil
}

// returned are results of f, one at each of its return statements.
func (f *body) returned(which int) (found []place) {
	ast.Inspect(f.body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			if which < len(n.Results) {
				found = append(found, place{pkg: f.pkg, expr: n.Results[which], args: f.args, types: f.types})
			} else if len(n.Results) == 1 { // of another call
				found = append(found, place{pkg: f.pkg, expr: n.Results[0], args: f.args, types: f.types, result: which})
			}
		}
		return true
	})
	return found
}

// comment is the one above n, behind the place before, or else the one behind n on its last line.
func (e *evaluator) comment(pkg *sourcePackage, before token.Pos, n ast.Node) (behind *ast.CommentGroup) {
	line := func(pos token.Pos) int { return e.fset.Position(pos).Line }
	for _, file := range pkg.Syntax {
		if n.Pos() < file.FileStart || n.Pos() > file.FileEnd {
			continue
		}
		for _, group := range file.Comments {
			switch {
			case group.Pos() > before && line(group.Pos()) > line(before) && line(group.End()) == line(n.Pos())-1:
				return group
			case group.Pos() > n.End() && line(group.Pos()) == line(n.End()) && line(n.Pos()) == line(n.End()):
				behind = group
			}
		}
	}
	return behind
}
