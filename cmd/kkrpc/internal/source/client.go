package source

import (
	"cmp"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/gogen"
	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/schema"
)

// Dir is the folder of the package that was asked for.
func (p *Program) Dir() string {
	for _, file := range p.root.Syntax {
		return filepath.Dir(p.fset.Position(file.Package).Filename)
	}
	return p.dir
}

// Client describes a client for a type of the package: an interface, or a struct of funcs as kkrpc.Remote takes it. The
// file belongs to the same package, or to another one with the name that inPackage says. The notes say why the client
// does not implement the interface. The error has a line for each problem.
func (p *Program) Client(name, inPackage string) (f *gogen.File, notes []string, err error) {
	object := p.root.Types.Scope().Lookup(name)
	declared, ok := object.(*types.TypeName)
	if !ok {
		return nil, nil, fmt.Errorf("%s has no type %s%s", p.root.PkgPath, name, p.callable())
	}
	if named, ok := declared.Type().(*types.Named); ok && named.TypeParams().Len() > 0 && named.TypeArgs().Len() == 0 {
		const want = "%s has type parameters; declare a type with all of them, as in type API = %s[string]"
		return nil, nil, p.fail(object.Pos(), want, name, name)
	}
	c := &clients{Program: p, inPackage: inPackage, file: &gogen.File{Package: cmp.Or(inPackage, p.root.Types.Name())}}
	var scope []string
	if inPackage == "" {
		scope = p.root.Types.Scope().Names()
	} else if p.root.Types.Name() == "main" {
		const want = "%s is in package main, which another package cannot import; leave out --package"
		return nil, nil, p.fail(object.Pos(), want, name)
	}
	c.file.Imports = gogen.NewImports(scope)
	c.file.Imports.Name(kkrpcPath, "kkrpc")
	c.file.Imports.Name("context", "context")
	root := &gogen.Client{Name: name + "Client", New: "New" + name + "Client"}
	if !declared.Exported() {
		root.New = "new" + strings.ToUpper(name[:1]) + name[1:] + "Client"
	}
	root.Doc = fmt.Sprintf("%s calls the functions of %s on the peer. It may be used from any goroutine.", root.Name, name)
	if doc := p.docs.of(object); doc != "" {
		root.Doc += "\n\n" + doc
	}
	c.add(root, object.Pos())
	c.claim(root.New, object.Pos())
	switch t := declared.Type().Underlying().(type) {
	case *types.Interface:
		c.methods(root, t)
		if len(c.differ) == 0 {
			c.file.Implements = c.typ(declared.Type(), object.Pos())
		}
	case *types.Struct:
		c.fields(root, t, nil)
	default:
		c.refuse(object.Pos(), "%s is neither an interface nor a struct of funcs, as kkrpc.Remote takes it", name)
	}
	if len(c.errs) == 0 && len(root.Methods)+len(root.Namespaces) == 0 {
		c.refuse(object.Pos(), "%s has nothing to call", name)
	}
	if c.broken || len(c.errs) > 0 { // a part of a type may be what the compiler does not know
		c.errs = append(c.errs, p.errs...)
	}
	p.docs.problems = nil
	return c.file, c.differ, errors.Join(c.errs...)
}

// callable lists the types of the package for which there can be a client.
func (p *Program) callable() string {
	var names []string
	for _, name := range p.root.Types.Scope().Names() {
		object, ok := p.root.Types.Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		switch t := object.Type().Underlying().(type) {
		case *types.Interface:
			if t.NumMethods() > 0 {
				names = append(names, name)
			}
		case *types.Struct:
			for f := range t.Fields() {
				if _, ok := f.Type().Underlying().(*types.Signature); ok && f.Exported() {
					names = append(names, name)
					break
				}
			}
		}
	}
	if names == nil {
		return ", and no interface"
	}
	return "; there is " + strings.Join(names, ", ")
}

// clients makes a file from a type.
type clients struct {
	*Program
	inPackage string // empty: that of the type
	file      *gogen.File
	declared  map[string]bool // names of the file
	broken    bool            // a type is not known, as Program.errs says
	differ    []string        // why the client does not implement the interface
	errs      []error
}

func (c *clients) refuse(pos token.Pos, format string, args ...any) {
	c.errs = append(c.errs, c.fail(pos, format, args...))
}

// claim notes that the file declares a name.
func (c *clients) claim(name string, pos token.Pos) {
	other := c.root.Types.Scope().Lookup(name)
	switch {
	case c.declared[name]:
		c.refuse(pos, "the client has two types %s; rename a field", name)
	case other != nil && c.inPackage == "":
		c.refuse(pos, "the client is called %s, as what is declared at %s; rename one of them", name, c.at(other.Pos()))
	}
	if c.declared == nil {
		c.declared = map[string]bool{}
	}
	c.declared[name] = true
}

func (c *clients) add(client *gogen.Client, pos token.Pos) {
	c.claim(client.Name, pos)
	c.file.Clients = append(c.file.Clients, client)
}

// methods adds those of an interface, in the order of their names.
func (c *clients) methods(client *gogen.Client, t *types.Interface) {
	var list []*types.Func
	for method := range t.Methods() {
		if !method.Exported() {
			c.note(method.Pos(), "the method %s is not exported and is left out", method.Name())
			continue
		}
		list = append(list, method)
	}
	slices.SortFunc(list, func(a, b *types.Func) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, f := range list {
		m := &gogen.Method{Name: f.Name(), Doc: c.docs.of(f), Path: bind.JoinPath([]string{bind.ExportedName(f.Name())})}
		if c.signature(m, f.Signature(), f.Pos(), true) {
			client.Methods = append(client.Methods, *m)
		}
	}
}

func (c *clients) note(pos token.Pos, format string, args ...any) {
	c.differ = append(c.differ, c.fail(pos, format, args...).Error())
}

const somethingElse = `a field for something else has the tag kkrpc:"-"`

// fields adds those of a struct, by the rules of kkrpc.Remote.
func (c *clients) fields(client *gogen.Client, t *types.Struct, path []string) {
	for i := range t.NumFields() {
		f := t.Field(i)
		tag, tagged := reflect.StructTag(t.Tag(i)).Lookup("kkrpc")
		if tag == "-" || !f.Exported() {
			continue
		}
		tag, option, optional := strings.Cut(tag, ",")
		if !tagged || optional && tag == "" {
			tag = bind.ExportedName(f.Name())
		}
		to := append(path[:len(path):len(path)], tag)
		if tag == "" || strings.Contains(tag, ".") {
			c.refuse(f.Pos(), "%q cannot be called: a name is not empty and has no dot", tag)
			continue
		}
		switch u := f.Type().Underlying().(type) {
		case *types.Struct:
			if optional {
				c.refuse(f.Pos(), "field %s: the tag has the option %q; a namespace has none", f.Name(), option)
				continue
			}
			inner := &gogen.Client{Name: client.Name + f.Name()}
			inner.Doc = fmt.Sprintf("%s calls the functions of %s.", inner.Name, strings.Join(to, "."))
			c.add(inner, f.Pos())
			client.Namespaces = append(client.Namespaces, gogen.Namespace{Name: f.Name(), Doc: c.docs.of(f), Client: inner})
			before := len(c.errs)
			c.fields(inner, u, to)
			if len(c.errs) == before && !c.broken && len(inner.Methods)+len(inner.Namespaces) == 0 {
				c.refuse(f.Pos(), "field %s: %s has nothing to call; %s", f.Name(), f.Type(), somethingElse)
			}
		case *types.Signature:
			m := &gogen.Method{Name: f.Name(), Doc: c.docs.of(f), Path: strings.Join(to, ".")}
			if c.signature(m, u, f.Pos(), false) && (!optional || c.option(m, option, f.Pos())) {
				client.Methods = append(client.Methods, *m)
			}
		default:
			if c.isKnown(f.Type()) {
				c.refuse(f.Pos(), "field %s: want a func or a struct of them, not %s; %s", f.Name(), f.Type(), somethingElse)
			}
		}
	}
}

// option heeds what stands behind the name in a tag, as kkrpc.Remote does.
func (c *clients) option(m *gogen.Method, option string, pos token.Pos) bool {
	why := ""
	switch option {
	case "notify":
		switch m.Kind = gogen.Notify; {
		case m.Result != "":
			why = "a func that notifies returns no value"
		case m.Context != "":
			why = "kkrpc.Notify takes no context; remove the parameter"
		}
	case "get":
		if len(m.Params) > 0 || m.Result == "" || m.Kind == gogen.Stream {
			why = "a func that gets a property has no parameters, and a value and an error as results"
		}
		m.Kind = gogen.Get
	case "set":
		if len(m.Params) != 1 || m.Params[0].Variadic || m.Result != "" {
			why = "a func that sets a property has its value as the only parameter, and no result but an error"
		}
		m.Kind = gogen.Set
	case "new":
		if m.Result == "" || m.Kind == gogen.Stream {
			why = "a func that constructs has the instance and an error as results"
		}
		m.Kind = gogen.Construct
	default:
		why = fmt.Sprintf("the tag has the option %q; want notify, get, set or new", option)
	}
	if why != "" {
		c.refuse(pos, "field %s: %s", m.Name, why)
	}
	return why == ""
}

// signature fills m from that of a method, or of a field that kkrpc.Remote fills. The method of an interface may be that
// of a server, and gets what a client has to return beside.
func (c *clients) signature(m *gogen.Method, s *types.Signature, pos token.Pos, lenient bool) bool {
	before, written := len(c.errs), false
	entry := schema.Entry{Path: []string{"f"}, Kind: schema.Method, Variadic: s.Variadic()}
	for i := range s.Params().Len() {
		v := s.Params().At(i)
		if i == 0 && isType(v.Type(), "context", "Context") {
			m.Context = cmp.Or(v.Name(), "_")
			continue
		}
		t := v.Type()
		variadic := s.Variadic() && i == s.Params().Len()-1
		if variadic {
			t = types.Unalias(t).Underlying().(*types.Slice).Elem()
		}
		if lenient && schema.IsWriter(c.docs.typ(t)) {
			entry.Params = append(entry.Params, schema.GoParam{Type: c.docs.typ(v.Type())}) // Build refuses a second one
			written = true
			continue
		}
		m.Params = append(m.Params, gogen.Param{Name: v.Name(), Type: c.typ(t, pos), Variadic: variadic})
		entry.Params = append(entry.Params, schema.GoParam{Name: v.Name(), Type: c.docs.typ(v.Type())})
		c.check(t, outbound, pos, fmt.Sprintf("parameter %d", i+1))
	}
	results := s.Results().Len()
	if m.Fails = results > 0 && isError(s.Results().At(results-1).Type()); m.Fails {
		results--
	}
	if results > 1 {
		c.refuse(pos, "%s returns %d values; want at most one, and an error behind it", m.Name, results)
		return false
	}
	if results == 1 {
		t := s.Results().At(0).Type()
		entry.Type = c.docs.typ(t)
		c.result(m, t, pos, lenient)
	}
	if written {
		m.Result, m.Fails = c.file.Imports.Name("io", "io")+".ReadCloser", true
		c.note(pos, "%s returns an io.ReadCloser in the client, of what the function writes to its io.Writer", m.Name)
	}
	if len(c.errs) > before || !c.isKnown(s) {
		return false
	}
	if _, err := schema.Build("", "", slices.Values([]schema.Entry{entry})); err != nil {
		c.refuse(pos, "%s: %s", m.Name, strings.TrimPrefix(err.Error(), "schema: f: "))
		return false
	}
	return true
}

// result fills m from the type of its value.
func (c *clients) result(m *gogen.Method, t types.Type, pos token.Pos, lenient bool) {
	item, failing := streamOf(t)
	switch {
	case item == nil:
		m.Result = c.typ(t, pos)
		if m.Fails {
			break
		}
		if !lenient {
			c.refuse(pos, "%s must return an error last, since a call over a network can always fail", m.Name)
			return
		}
		c.note(pos, "%s returns an error too in the client, since a call over a network can always fail", m.Name)
		m.Fails = true
	case !failing && !lenient:
		c.refuse(pos, "%s returns a stream that cannot say that it has failed; use iter.Seq2[%s, error]", m.Name, item)
		return
	case !failing:
		const why = "%s returns an iter.Seq2[%s, error] in the client, since a stream over a network can always fail"
		c.note(pos, why, m.Name, item)
		if m.Fails {
			m.Result = fmt.Sprintf("%s.Seq2[%s, error]", c.file.Imports.Name("iter", "iter"), c.typ(item, pos))
			break
		}
		m.Kind, m.Result = gogen.Stream, c.typ(item, pos)
	case m.Fails:
		m.Result = c.typ(t, pos)
	default:
		m.Kind, m.Result = gogen.Stream, c.typ(item, pos)
		if !isType(t, "iter", "Seq2") {
			m.Returns = c.typ(t, pos)
		}
	}
	if item != nil {
		t = item
	}
	c.check(t, inbound, pos, "result")
}

// streamOf returns the type of the items of a t, and whether the stream can fail. It is nil if a t is no stream.
func streamOf(t types.Type) (item types.Type, failing bool) {
	switch u := t.Underlying().(type) {
	case *types.Chan:
		if u.Dir() == types.RecvOnly {
			return u.Elem(), false
		}
	case *types.Signature:
		if u.Params().Len() != 1 || u.Results().Len() != 0 || u.Variadic() {
			return nil, false
		}
		yield, ok := u.Params().At(0).Type().Underlying().(*types.Signature)
		if !ok || yield.Results().Len() != 1 || !types.Identical(yield.Results().At(0).Type(), types.Typ[types.Bool]) {
			return nil, false
		}
		switch {
		case yield.Params().Len() == 1:
			return yield.Params().At(0).Type(), false
		case yield.Params().Len() == 2 && isError(yield.Params().At(1).Type()):
			return yield.Params().At(0).Type(), true
		}
	}
	return nil, false
}

// typ is the text of a type in the file, which imports what it needs.
func (c *clients) typ(t types.Type, pos token.Pos) string {
	if c.inPackage != "" {
		if hidden := unexported(t); hidden != nil {
			const why = "the type %s is not exported, so that package %s cannot name it; export it, or leave out --package"
			c.refuse(pos, why, hidden.Name(), c.inPackage)
		}
	}
	return types.TypeString(t, func(pkg *types.Package) string {
		if pkg == c.root.Types && c.inPackage == "" {
			return ""
		}
		return c.file.Imports.Name(pkg.Path(), pkg.Name())
	})
}

// unexported is a type that the text of t names and other packages cannot, or nil.
func unexported(t types.Type) *types.TypeName {
	var hidden *types.TypeName
	named(t, func(name *types.TypeName) {
		if name.Pkg() != nil && !name.Exported() {
			hidden = name
		}
	})
	return hidden
}

// named calls f with each type that the text of t names.
func named(t types.Type, f func(*types.TypeName)) {
	list := func(args *types.TypeList) {
		for arg := range args.Types() {
			named(arg, f)
		}
	}
	switch t := t.(type) {
	case *types.Alias:
		f(t.Obj())
		list(t.TypeArgs())
	case *types.Named:
		f(t.Obj())
		list(t.TypeArgs())
	case *types.Map:
		named(t.Key(), f)
		named(t.Elem(), f)
	case interface{ Elem() types.Type }:
		named(t.Elem(), f)
	case *types.Signature:
		for v := range t.Params().Variables() {
			named(v.Type(), f)
		}
		for v := range t.Results().Variables() {
			named(v.Type(), f)
		}
	case *types.Struct:
		for v := range t.Fields() {
			named(v.Type(), f)
		}
	}
}

// isKnown reports whether the type checker knows all parts of t. If it does not, its errors say why.
func (c *clients) isKnown(t types.Type) bool {
	known := !strings.Contains(types.TypeString(t, nil), "invalid type")
	c.broken = c.broken || !known
	return known
}
