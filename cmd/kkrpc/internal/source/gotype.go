package source

import (
	"cmp"
	"fmt"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/schema"
)

// goType implements schema.GoType and schema.Documented by the type checker.
type goType struct {
	types.Type
	docs *docs
}

func (d *docs) typ(t types.Type) schema.GoType {
	if t == nil {
		return nil
	}
	t = types.Unalias(t)
	if p, isParameter := t.(*types.TypeParam); isParameter {
		d.report(p.Obj().Pos(), "cannot see which type the type parameter %s is; expose functions without type parameters", t)
	}
	return goType{t, d}
}

var kinds = map[types.BasicKind]reflect.Kind{
	types.Bool: reflect.Bool, types.UntypedBool: reflect.Bool,
	types.Int: reflect.Int, types.Int8: reflect.Int8, types.Int16: reflect.Int16, types.Int32: reflect.Int32, types.Int64: reflect.Int64,
	types.Uint: reflect.Uint, types.Uint8: reflect.Uint8, types.Uint16: reflect.Uint16, types.Uint32: reflect.Uint32, types.Uint64: reflect.Uint64,
	types.Uintptr: reflect.Uintptr, types.Float32: reflect.Float32, types.Float64: reflect.Float64,
	types.Complex64: reflect.Complex64, types.Complex128: reflect.Complex128, types.String: reflect.String,
	types.UnsafePointer: reflect.UnsafePointer, types.UntypedInt: reflect.Int, types.UntypedRune: reflect.Int32, types.UntypedFloat: reflect.Float64,
	types.UntypedComplex: reflect.Complex128, types.UntypedString: reflect.String,
}

func (t goType) Kind() reflect.Kind {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return kinds[u.Kind()]
	case *types.Pointer:
		return reflect.Pointer
	case *types.Slice:
		return reflect.Slice
	case *types.Array:
		return reflect.Array
	case *types.Map:
		return reflect.Map
	case *types.Chan:
		return reflect.Chan
	case *types.Struct:
		return reflect.Struct
	case *types.Signature:
		return reflect.Func
	case *types.Interface:
		return reflect.Interface
	}
	return reflect.Invalid
}

func (t goType) Name() string {
	switch n := t.Type.(type) {
	case *types.Basic:
		return n.Name()
	case *types.Named:
		return n.Obj().Name() + argumentsText(n)
	}
	return ""
}

// argumentsText is the list of type arguments as package reflect writes it, or empty.
func argumentsText(n *types.Named) string {
	var list []string
	for arg := range n.TypeArgs().Types() {
		list = append(list, argumentText(arg))
	}
	if list == nil {
		return ""
	}
	return "[" + strings.Join(list, ",") + "]"
}

// argumentText is a type argument as package reflect writes it.
func argumentText(arg types.Type) string {
	arg = types.Unalias(arg)
	switch arg := arg.(type) {
	case *types.Basic:
		return types.Typ[arg.Kind()].Name()
	case *types.Interface:
		if arg.Empty() {
			return "interface {}"
		}
	case *types.Named:
		if arg.Obj().Pkg() != nil {
			return pathOf(arg.Obj().Pkg()) + "." + arg.Obj().Name() + argumentsText(arg)
		}
	case *types.Pointer:
		return "*" + argumentText(arg.Elem())
	case *types.Slice:
		return "[]" + argumentText(arg.Elem())
	case *types.Map:
		return "map[" + argumentText(arg.Key()) + "]" + argumentText(arg.Elem())
	case *types.Signature:
		return signatureArgument(arg)
	}
	return types.TypeString(arg, pathOf)
}

// signatureArgument is a func as a type argument: without the names of parameters.
func signatureArgument(s *types.Signature) string {
	var params, results []string
	for v := range s.Params().Variables() {
		params = append(params, argumentText(v.Type()))
	}
	if s.Variadic() {
		params[len(params)-1] = "..." + strings.TrimPrefix(params[len(params)-1], "[]")
	}
	for v := range s.Results().Variables() {
		results = append(results, argumentText(v.Type()))
	}
	text := "func(" + strings.Join(params, ", ") + ")"
	switch len(results) {
	case 0:
		return text
	case 1:
		return text + " " + results[0]
	}
	return text + " (" + strings.Join(results, ", ") + ")"
}

// Is reports whether other is the same type.
func (t goType) Is(other schema.GoType) bool {
	o, ok := other.(goType)
	return ok && types.Identical(t.Type, o.Type)
}

func (t goType) Package() string {
	if n, ok := t.Type.(*types.Named); ok && n.Obj().Pkg() != nil {
		return pathOf(n.Obj().Pkg())
	}
	return ""
}

// pathOf is the path of a package as a program knows it.
func pathOf(pkg *types.Package) string {
	if pkg.Name() == "main" {
		return "main"
	}
	return pkg.Path()
}

func (t goType) Elem() schema.GoType {
	return t.docs.typ(t.Underlying().(interface{ Elem() types.Type }).Elem())
}

func (t goType) Key() schema.GoType { return t.docs.typ(t.Underlying().(*types.Map).Key()) }

func (t goType) Len() int { return int(t.Underlying().(*types.Array).Len()) }

func (t goType) Receives() bool { return t.Underlying().(*types.Chan).Dir() == types.RecvOnly }

func (t goType) In() []schema.GoParam {
	var list []schema.GoParam
	for v := range t.Underlying().(*types.Signature).Params().Variables() {
		list = append(list, schema.GoParam{Name: v.Name(), Type: t.docs.typ(v.Type())})
	}
	return list
}

func (t goType) Out() []schema.GoType {
	var list []schema.GoType
	for v := range t.Underlying().(*types.Signature).Results().Variables() {
		list = append(list, t.docs.typ(v.Type()))
	}
	return list
}

func (t goType) IsVariadic() bool { return t.Underlying().(*types.Signature).Variadic() }

func (t goType) RefersTo() schema.GoType { return t.docs.typ(t.Type.(*types.Named).TypeArgs().At(0)) }

func (t goType) Methods() (list []schema.GoMethod, err error) {
	e := &evaluator{Program: t.docs.program}
	for _, method := range exportedMethods(t.Underlying().(*types.Interface)) {
		m := schema.GoMethod{Name: bind.ExportedName(method.Name()), Doc: t.docs.of(method), Type: t.docs.typ(method.Signature())}
		if m.Errors, err = e.throws(e.packageOf(method), t.docs.directives[method.Pos()]); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// exportedMethods are those of an interface, in the order of package reflect.
func exportedMethods(iface *types.Interface) (methods []*types.Func) {
	for method := range iface.Methods() {
		if method.Exported() {
			methods = append(methods, method)
		}
	}
	slices.SortFunc(methods, func(a, b *types.Func) int { return cmp.Compare(a.Name(), b.Name()) })
	return methods
}

func (t goType) IsError() bool { return isError(t.Type) }

func isError(t types.Type) bool { return types.Identical(t, types.Universe.Lookup("error").Type()) }

// forms are the methods by which a type decides about its JSON, and their parameters and results.
var forms = map[string]struct {
	signature string
	form      schema.Form
}{
	"MarshalJSON":       {"func() ([]byte, error)", schema.JSONForm},
	"UnmarshalJSON":     {"func([]byte) error", schema.JSONForm},
	"MarshalJSONTo":     {"func(*jsontext.Encoder) error", schema.JSONForm},
	"UnmarshalJSONFrom": {"func(*jsontext.Decoder) error", schema.JSONForm},
	"MarshalText":       {"func() ([]byte, error)", schema.TextForm},
	"UnmarshalText":     {"func([]byte) error", schema.TextForm},
	"AppendText":        {"func([]byte) ([]byte, error)", schema.TextForm},
}

func (t goType) Form() schema.Form {
	form := schema.Plain
	for name, f := range forms {
		if method := methodOf(t.Type, name); method != nil && signatureText(method.Signature()) == f.signature {
			form = max(form, f.form)
		}
	}
	return form
}

// methodOf finds an exported method of t or of a pointer to it.
func methodOf(t types.Type, name string) *types.Func {
	object, _, _ := types.LookupFieldOrMethod(t, true, nil, name)
	method, _ := object.(*types.Func)
	return method
}

// signatureText is a signature without the names of parameters, packages by their names.
func signatureText(s *types.Signature) string {
	unnamed := func(tuple *types.Tuple) *types.Tuple {
		var list []*types.Var
		for v := range tuple.Variables() {
			list = append(list, types.NewParam(0, nil, "", v.Type()))
		}
		return types.NewTuple(list...)
	}
	plain := types.NewSignatureType(nil, nil, nil, unnamed(s.Params()), unnamed(s.Results()), s.Variadic())
	return types.TypeString(plain, func(p *types.Package) string { return p.Name() })
}

func (t goType) Document(n *schema.Named) {
	named, ok := t.Type.(*types.Named)
	if !ok {
		return
	}
	n.Doc, n.Values, n.At = t.docs.of(named.Obj()), t.docs.constants(named), t.docs.program.at(named.Obj().Pos())
	for _, directive := range t.docs.directives[named.Obj().Pos()] {
		switch text, isTS := strings.CutPrefix(directive.text, "ts "); {
		case isTS:
			n.TypeScript = strings.TrimSpace(text)
		case directive.text == "brand":
			n.Brand = true
		default:
			t.docs.report(directive.pos, "no directive //kkrpc:%s for a type; there are //kkrpc:ts TYPE and //kkrpc:brand", directive.text)
		}
	}
}

// field is a field of a struct on the way to its JSON.
type field struct {
	schema.GoField
	index  []int
	tagged bool
}

// embedded is a struct whose fields are those of another.
type embedded struct {
	structure *types.Struct
	key       types.Type
	index     []int
	optional  bool // a pointer leads to it
}

// Fields follows the rule of package superjson: breadth first, of fields with one name the shallowest counts, and at that
// depth the only one with a name in its tag.
func (t goType) Fields() ([]schema.GoField, error) {
	var list []field
	visited := map[types.Type]bool{}
	taken := map[string]bool{}
	for level := []embedded{{structure: t.Underlying().(*types.Struct), key: t.Type}}; len(level) > 0; {
		var found []field
		var next []embedded
		for _, s := range level {
			if visited[s.key] {
				continue
			}
			visited[s.key] = true
			for i := range s.structure.NumFields() {
				f, inner := t.docs.field(s.structure, i)
				index := append(slices.Clone(s.index), i)
				if inner != nil {
					_, pointer := types.Unalias(s.structure.Field(i).Type()).(*types.Pointer)
					next = append(next, embedded{inner.Underlying().(*types.Struct), inner, index, s.optional || pointer})
				} else if f != nil {
					f.index = index
					f.Optional = f.Optional || s.optional
					found = append(found, *f)
				}
			}
		}
		all, tagged := map[string]int{}, map[string]int{}
		for _, f := range found {
			all[f.Name]++
			if f.tagged {
				tagged[f.Name]++
			}
		}
		for _, f := range found {
			switch {
			case taken[f.Name]:
			case all[f.Name] == 1, tagged[f.Name] == 1 && f.tagged:
				list = append(list, f)
			case tagged[f.Name] != 1:
				return nil, fmt.Errorf("two fields have the name %q; rename one by its tag", f.Name)
			}
		}
		for _, f := range found {
			taken[f.Name] = true
		}
		level = next
	}
	slices.SortFunc(list, func(a, b field) int { return slices.Compare(a.index, b.index) })
	whole := t.Underlying().(*types.Struct)
	var fields []schema.GoField
	for _, f := range list {
		t.docs.noteRule(&f.GoField, whole, f.index)
		fields = append(fields, f.GoField)
	}
	return append(fields, t.docs.unsent(whole, list)...), nil
}

// field reads field i of s. inner is the struct whose fields stand in its place, if it is embedded.
func (d *docs) field(s *types.Struct, i int) (f *field, inner types.Type) {
	v := s.Field(i)
	tag := reflect.StructTag(s.Tag(i)).Get("json")
	if tag == "-" {
		return nil, nil
	}
	name, named, options := jsonform.CutTag(tag)
	target := types.Unalias(v.Type())
	if p, ok := target.(*types.Pointer); ok {
		target = types.Unalias(p.Elem())
	}
	_, isStruct := target.Underlying().(*types.Struct)
	embed := v.Embedded() && !named || slices.Contains(options, "embed")
	g := goType{target, d}
	if embed && isStruct && g.Form() == schema.Plain && !hasOwnForm(g) {
		return nil, target
	}
	if !v.Exported() {
		return nil, nil
	}
	if !named {
		name = v.Name()
	}
	basic, _ := target.Underlying().(*types.Basic)
	isNumber := basic != nil && basic.Info()&types.IsNumeric != 0
	return &field{tagged: named, GoField: schema.GoField{
		Name: name, Doc: d.of(v), Type: d.typ(v.Type()),
		Optional: slices.Contains(options, "omitempty") || slices.Contains(options, "omitzero"),
		Quoted:   slices.Contains(options, "string") && isNumber,
	}}, nil
}

// hasOwnForm reports whether package superjson writes values of the struct type t in a form of its own.
func hasOwnForm(t goType) bool {
	switch t.Package() + "." + t.Name() {
	case "time.Time", "math/big.Int", "net/url.URL":
		return true
	}
	return t.Package() == superjsonPath
}

const (
	kkrpcPath     = "github.com/kkrpc-go/kkrpc"
	superjsonPath = kkrpcPath + "/superjson"
	schemaPath    = kkrpcPath + "/schema"
)
