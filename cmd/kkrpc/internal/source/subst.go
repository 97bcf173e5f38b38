package source

import "go/types"

// typeArgs are the types that the type parameters around an expression stand for.
type typeArgs map[*types.TypeParam]types.Type

// in returns t with the type arguments in place of the parameters.
func (args typeArgs) in(t types.Type) types.Type {
	if len(args) == 0 {
		return t
	}
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		if arg, ok := args[t]; ok {
			return arg
		}
		return t
	case *types.Named:
		if t.TypeArgs().Len() == 0 {
			return t
		}
		var list []types.Type
		for arg := range t.TypeArgs().Types() {
			list = append(list, args.in(arg))
		}
		instance, err := types.Instantiate(nil, t.Origin(), list, false)
		if err != nil {
			return t // only with validation
		}
		return instance
	case *types.Pointer:
		return types.NewPointer(args.in(t.Elem()))
	case *types.Slice:
		return types.NewSlice(args.in(t.Elem()))
	case *types.Array:
		return types.NewArray(args.in(t.Elem()), t.Len())
	case *types.Chan:
		return types.NewChan(t.Dir(), args.in(t.Elem()))
	case *types.Map:
		return types.NewMap(args.in(t.Key()), args.in(t.Elem()))
	case *types.Tuple:
		return args.inTuple(t)
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, args.inTuple(t.Params()), args.inTuple(t.Results()), t.Variadic())
	case *types.Struct:
		var fields []*types.Var
		var tags []string
		for i := range t.NumFields() {
			f := t.Field(i)
			fields = append(fields, types.NewField(f.Pos(), f.Pkg(), f.Name(), args.in(f.Type()), f.Embedded()))
			tags = append(tags, t.Tag(i))
		}
		return types.NewStruct(fields, tags)
	case *types.Interface:
		var methods []*types.Func
		for m := range t.Methods() {
			methods = append(methods, types.NewFunc(m.Pos(), m.Pkg(), m.Name(), args.in(m.Signature()).(*types.Signature)))
		}
		return types.NewInterfaceType(methods, nil).Complete()
	default:
		return t
	}
}

func (args typeArgs) inTuple(t *types.Tuple) *types.Tuple {
	var list []*types.Var
	for v := range t.Variables() {
		list = append(list, types.NewParam(v.Pos(), v.Pkg(), v.Name(), args.in(v.Type())))
	}
	return types.NewTuple(list...)
}

// add notes the type arguments of a function, or of the receiver of a method. args are those around the call.
func (args typeArgs) add(params *types.TypeParamList, list *types.TypeList, around typeArgs) {
	for i := range min(params.Len(), list.Len()) {
		args[params.At(i)] = around.in(list.At(i))
	}
}

// typeArgsOf are those of a type with a name, or of a pointer to one.
func typeArgsOf(t types.Type) *types.TypeList {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.TypeArgs()
	}
	return nil
}
