package source

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

// API is an API that a program exposes.
type API struct {
	*schema.API
	At string // file:line:column of the expression that is exposed
	// PerConnection reports that a function makes the API, for each connection.
	PerConnection bool
	// Part reports that another API of the list exposes it, or contains it.
	Part bool

	pos token.Pos
}

// APIs describes what the program exposes: by each function of this module with a parameter api, such as ws.Handler,
// and by each field Expose. APIs that are equal are one. The error has a line for each that cannot be followed.
func (p *Program) APIs() ([]API, error) {
	var found []API
	var errs []error
	parts := map[token.Pos]bool{}
	for _, pkg := range p.own {
		for _, file := range pkg.Syntax {
			called := map[*ast.Ident]bool{}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					called[funName(n)] = true
				case *ast.Ident:
					if f, ok := pkg.TypesInfo.Uses[n].(*types.Func); ok && !called[n] && apiParam(f) >= 0 {
						errs = append(errs, p.fail(n.Pos(), "cannot see what %s.%s exposes here; call it by its name", f.Pkg().Name(), f.Name()))
					}
				}
				for _, exposed := range exposedBy(pkg, n) {
					api, err := p.describe(pkg, exposed, parts)
					switch {
					case err != nil:
						errs = append(errs, err)
					case api != nil:
						_, isFunc := pkg.TypesInfo.TypeOf(exposed).Underlying().(*types.Signature)
						found = append(found, API{API: api, At: p.at(exposed.Pos()), PerConnection: isFunc, pos: exposed.Pos()})
					}
				}
				return true
			})
		}
	}
	if err := different(errs); err != nil {
		return nil, err
	}
	var apis []API
	for _, api := range found {
		api.Part = parts[api.pos]
		known := slices.IndexFunc(apis, func(other API) bool { return reflect.DeepEqual(api.API, other.API) })
		if known < 0 {
			apis = append(apis, api)
		} else if !api.Part {
			apis[known].Part = false
		}
	}
	return apis, nil
}

// different joins errors, each text once.
func different(errs []error) error {
	var once []error
	for _, err := range errs {
		if !slices.ContainsFunc(once, func(other error) bool { return other.Error() == err.Error() }) {
			once = append(once, err)
		}
	}
	return errors.Join(once...)
}

// exposedBy returns the expressions that n exposes as APIs.
func exposedBy(pkg *sourcePackage, n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.CallExpr:
		if i := apiParam(callee(pkg, n)); i >= 0 && i < len(n.Args) {
			return []ast.Expr{n.Args[i]}
		}
	case *ast.AssignStmt:
		var exposed []ast.Expr
		for i, left := range n.Lhs {
			if field, ok := left.(*ast.SelectorExpr); ok && isExposeField(pkg, field.Sel) && len(n.Lhs) == len(n.Rhs) {
				exposed = append(exposed, n.Rhs[i])
			}
		}
		return exposed
	case *ast.KeyValueExpr:
		key, ok := n.Key.(*ast.Ident)
		if ok && isExposeField(pkg, key) {
			return []ast.Expr{n.Value}
		}
	}
	return nil
}

// apiParam is the index of the parameter of f that is exposed, or -1.
func apiParam(f *types.Func) int {
	if f == nil || f.Pkg() == nil || !isOurs(f.Pkg().Path()) {
		return -1
	}
	return slices.IndexFunc(slices.Collect(f.Signature().Params().Variables()), func(v *types.Var) bool {
		isDescription := isPointerTo(v.Type(), schemaPath, "API") || f.Pkg().Path() == schemaPath && isPointerTo(v.Type(), kkrpcPath, "API")
		return v.Name() == "api" && !isDescription // or what is to be described
	})
}

// isExposeField reports whether name is the field Expose of options of this module.
func isExposeField(pkg *sourcePackage, name *ast.Ident) bool {
	field, ok := pkg.TypesInfo.Uses[name].(*types.Var)
	return ok && name.Name == "Expose" && field.IsField() && field.Pkg() != nil && isOurs(field.Pkg().Path())
}

// isOurs reports whether path is that of a package of this module or of its adapters.
func isOurs(path string) bool { return path == kkrpcPath || strings.HasPrefix(path, kkrpcPath+"/") }

// callee is the function that a call names, or nil.
func callee(pkg *sourcePackage, call *ast.CallExpr) *types.Func {
	name := funName(call)
	if name == nil {
		return nil
	}
	f, _ := pkg.TypesInfo.Uses[name].(*types.Func)
	return f
}

// describe returns nil for an exposed nil. In parts it notes the arguments of Expose that it has followed.
func (p *Program) describe(pkg *sourcePackage, exposed ast.Expr, parts map[token.Pos]bool) (*schema.API, error) {
	e := &evaluator{Program: p, parts: parts}
	p.docs.problems = nil
	root, err := e.exposed(place{pkg: pkg, expr: exposed})
	if err != nil || root == nil {
		return nil, err
	}
	var entries []schema.Entry
	root.entries(nil, &entries, p)
	api, err := schema.Build(root.name, root.doc, slices.Values(entries))
	if err := different(p.docs.problems); err != nil {
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	api.Source = true
	return api, nil
}

// member is a name of an API on the way to its description.
type member struct {
	schema.Entry
	name     string // of the type, for the root
	doc      string
	pos      token.Pos
	children map[string]*member // of a namespace
	order    []string           // of the children
}

func namespace(pos token.Pos) *member {
	return &member{Entry: schema.Entry{Kind: schema.Namespace}, children: map[string]*member{}, pos: pos}
}

func (m *member) entries(path []string, all *[]schema.Entry, p *Program) {
	if len(path) > 0 {
		e := m.Entry
		e.Path, e.Doc, e.At = slices.Clone(path), m.doc, p.at(m.pos)
		*all = append(*all, e)
	}
	for _, name := range m.order {
		m.children[name].entries(append(path, name), all, p)
	}
}

// add puts a child under a name that is not taken.
func (e *evaluator) add(m *member, name string, child *member) error {
	if other := m.children[name]; other != nil {
		return e.fail(child.pos, "%q is exposed at %s already; rename one", name, e.at(other.pos))
	}
	m.children[name] = child
	m.order = append(m.order, name)
	return nil
}

func (p *Program) fail(pos token.Pos, format string, args ...any) error {
	for i, arg := range args {
		if t, ok := arg.(types.Type); ok {
			args[i] = types.TypeString(t, func(pkg *types.Package) string { return pkg.Name() })
		}
	}
	return fmt.Errorf("%s: %s", p.at(pos), fmt.Sprintf(format, args...))
}

// sorted orders the children as an Object does.
func (m *member) sorted() *member {
	slices.SortFunc(m.order, func(a, b string) int { return cmp.Compare(a, b) })
	return m
}
