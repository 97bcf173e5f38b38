package kkrpc

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Remote returns a T whose functions call the peer. T is a struct; a field
//
//	Greet func(ctx context.Context, name string) (string, error)
//
// calls greet. Names are made as by Expose. A tag such as `kkrpc:"sayHello"` replaces a name, and `kkrpc:"-"` leaves a
// field alone. A field that is a struct is a namespace, whose tag has no option. A func
//   - may take a context first; without one it uses context.Background, so that only Options.CallTimeout ends the call;
//   - that returns an iter.Seq2[T, error] alone is like [Stream];
//   - otherwise returns at most one value and then an error. A func without results waits for the answer and drops an
//     error. A func that returns a value without an error is refused, since a call over a network can always fail;
//   - whose tag ends in ",notify", as in `kkrpc:"onNews,notify"` or `kkrpc:",notify"`, is like [Notify]. It takes no
//     context, and returns an error or nothing;
//   - whose tag ends in ",get", ",set" or ",new" is like [Get], [Set] or [Construct];
//   - passes a variadic parameter on as single arguments, and takes funcs as [Channel.Call] does.
//
// Remote panics if T is anything else, and names the field. It does not check what the peer has. The command
// kkrpc gen go writes a type with the same methods, whose calls cost less.
func Remote[T any](c Caller) T {
	var api T
	t := reflect.TypeFor[T]()
	known, ok := remotes.Load(t)
	if !ok {
		if t.Kind() != reflect.Struct {
			panic(fmt.Sprintf("kkrpc: Remote wants a struct of funcs, not %s", t))
		}
		known = remoteFuncs(t, nil, nil)
		remotes.Store(t, known)
	}
	v := reflect.ValueOf(&api).Elem()
	for _, f := range known.([]remoteFunc) {
		v.FieldByIndex(f.index).Set(reflect.MakeFunc(f.typ, f.bind(c)))
	}
	return api
}

var remotes sync.Map // reflect.Type → []remoteFunc

// remoteFunc is one field of a struct for Remote.
type remoteFunc struct {
	index   []int
	path    string
	typ     reflect.Type
	context bool
	result  reflect.Type // nil: none
	failing bool
	kind    wire.Kind
	oneWay  bool
	stream  *streamParam // the result alone: an iterator that makes the call; nil for others
}

// streams notes that the only result is t, and reports whether that is a stream.
func (r *remoteFunc) streams(t reflect.Type) bool {
	if kind, _ := bind.StreamKindOf(t); kind != bind.FailingSeq {
		return false // an io.Reader comes with an error
	}
	r.stream = newStreamParam(t)
	return r.stream != nil
}

const somethingElse = `a field for something else has the tag kkrpc:"-"`

func remoteFuncs(t reflect.Type, index []int, path []string) []remoteFunc {
	var funcs []remoteFunc
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("kkrpc")
		if tag == "-" || !f.IsExported() {
			continue
		}
		tag, option, optional := strings.Cut(tag, ",")
		if !tagged || optional && tag == "" {
			tag = bind.ExportedName(f.Name)
		}
		at := append(index[:len(index):len(index)], i)
		to := append(path[:len(path):len(path)], tag)
		where := t.String() + "." + f.Name
		switch {
		case tag == "" || strings.Contains(tag, "."):
			panic(fmt.Sprintf("kkrpc: Remote: field %s: %q cannot be called: a name is not empty and has no dot", where, tag))
		case f.Type.Kind() == reflect.Struct:
			if optional {
				panic(fmt.Sprintf("kkrpc: Remote: field %s: the tag has the option %q; a namespace has none", where, option))
			}
			inner := remoteFuncs(f.Type, at, to)
			if len(inner) == 0 {
				panic(fmt.Sprintf("kkrpc: Remote: field %s: %s has nothing to call; %s", where, f.Type, somethingElse))
			}
			funcs = append(funcs, inner...)
		case f.Type.Kind() == reflect.Func:
			r, err := newRemoteFunc(f.Type, at, strings.Join(to, "."))
			if err == nil && optional {
				err = r.option(option)
			}
			if err != nil {
				panic(fmt.Sprintf("kkrpc: Remote: field %s: %v", where, err))
			}
			funcs = append(funcs, r)
		default:
			panic(fmt.Sprintf("kkrpc: Remote: field %s: want a func or a struct of them, not %s; %s", where, f.Type, somethingElse))
		}
	}
	return funcs
}

func newRemoteFunc(t reflect.Type, index []int, path string) (remoteFunc, error) {
	r := remoteFunc{index: index, path: path, typ: t, kind: wire.Call}
	r.context = t.NumIn() > 0 && t.In(0) == reflect.TypeFor[context.Context]()
	n := t.NumOut()
	r.failing = n > 0 && t.Out(n-1) == reflect.TypeFor[error]()
	switch {
	case n == 1 && r.streams(t.Out(0)):
		if err := types.CheckInbound(t.Out(0)); err != nil {
			return r, fmt.Errorf("result%w", err)
		}
	case n > 0 && !r.failing:
		return r, fmt.Errorf("%s must return an error last", t)
	case n > 2:
		return r, fmt.Errorf("%s returns more than a value and an error", t)
	case n == 2:
		r.result = t.Out(0)
		if err := types.CheckInbound(r.result); err != nil {
			return r, fmt.Errorf("result%w", err)
		}
	}
	for i := range t.NumIn() {
		in := t.In(i)
		if i == 0 && r.context || in == reflect.TypeFor[*Callback]() {
			continue
		}
		if t.IsVariadic() && i == t.NumIn()-1 {
			in = in.Elem()
		}
		if err := types.CheckArgument(in); err != nil {
			return r, fmt.Errorf("parameter %d%w", i+1, err)
		}
	}
	return r, nil
}

// option notes what stands behind the name in a tag.
func (r *remoteFunc) option(option string) error {
	params, value := r.typ.NumIn(), r.result != nil || r.stream != nil
	if r.context {
		params--
	}
	switch option {
	case "notify":
		switch r.oneWay = true; {
		case value:
			return fmt.Errorf("%s is to notify and returns a value", r.typ)
		case r.context:
			return fmt.Errorf("%s is to notify and takes a context, which Notify does not; remove the parameter", r.typ)
		}
	case "get":
		if r.kind = wire.Get; params > 0 || r.result == nil {
			return fmt.Errorf("%s is to get a property: want no parameters, and a value and an error as results", r.typ)
		}
	case "set":
		if r.kind = wire.Set; params != 1 || r.typ.IsVariadic() || value {
			return fmt.Errorf("%s is to set a property: want its value as the only parameter, and no result but an error", r.typ)
		}
	case "new":
		if r.kind = wire.New; r.result == nil {
			return fmt.Errorf("%s is to construct: want the instance and an error as results", r.typ)
		}
	default:
		return fmt.Errorf("the tag has the option %q; want notify, get, set or new", option)
	}
	return nil
}

// bind returns the body of the func for c.
func (r *remoteFunc) bind(c Caller) func(in []reflect.Value) []reflect.Value {
	return func(in []reflect.Value) []reflect.Value {
		ctx := context.Background()
		if r.context {
			if given, ok := in[0].Interface().(context.Context); ok {
				ctx = given
			}
			in = in[1:]
		}
		args := bind.Spread(in, r.typ.IsVariadic())
		if r.stream != nil {
			return []reflect.Value{r.stream.calling(ctx, c, r.path, args)}
		}
		var target any
		var result reflect.Value
		if r.result != nil {
			result = reflect.New(r.result)
			target = result.Interface()
		}
		err := c.do(ctx, outgoing{kind: r.kind, path: r.path, args: args, result: target, oneWay: r.oneWay})
		if !r.failing {
			return nil
		}
		failure := reflect.New(reflect.TypeFor[error]()).Elem()
		if err != nil {
			failure.Set(reflect.ValueOf(err))
		}
		if r.result == nil {
			return []reflect.Value{failure}
		}
		return []reflect.Value{result.Elem(), failure}
	}
}
