package bind

import (
	"fmt"
	"reflect"
)

// Callback compiles fn, a function of this side that the peer may call one way.
func (t *Types) Callback(fn any) (*Method, error) {
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func || v.IsNil() {
		return nil, fmt.Errorf("a callback must be a non-nil func, not %T", fn)
	}
	if err := t.checkCallback(v.Type()); err != nil {
		return nil, err
	}
	return t.method(v, "callback")
}

// checkCallback reports why a func of this side cannot be a callback. It may take a context first, then anything that
// arguments are decoded into, and may return an error.
func (t *Types) checkCallback(fn reflect.Type) error {
	if known, ok := t.callbacks.Load(fn); ok {
		err, _ := known.(error)
		return err
	}
	err := checkCallable(fn)
	if err == nil {
		_, err = t.planFor(fn, false)
	}
	if err != nil {
		err = fmt.Errorf("%s cannot be a callback: %w", fn, err)
	}
	t.callbacks.Store(fn, err)
	return err
}

// checkPeerCallback reports why a fn cannot stand for a function of the peer.
func (t *Types) checkPeerCallback(fn reflect.Type) error {
	if err := checkCallable(fn); err != nil {
		return err
	}
	for i := range fn.NumIn() {
		in := fn.In(i)
		if i == 0 && in == contextType {
			continue
		}
		if fn.IsVariadic() && i == fn.NumIn()-1 {
			in = in.Elem()
		}
		if in == t.kinds.Handle {
			continue
		}
		if err := t.CheckArgument(in); err != nil {
			return fmt.Errorf("its parameter %d%w", i+1, err)
		}
	}
	return nil
}

// checkCallable reports why no fn can be called across the connection, whatever the types of its data are.
func checkCallable(fn reflect.Type) error {
	if fn.NumOut() > 1 || fn.NumOut() == 1 && fn.Out(0) != errorType {
		return fmt.Errorf("%s returns values; a function across the connection is called one way and returns nothing or an error", fn)
	}
	for i := range fn.NumIn() {
		if in := fn.In(i); in == writerType || fn.IsVariadic() && i == fn.NumIn()-1 && in.Elem() == writerType {
			return fmt.Errorf("%s takes an io.Writer, but has no result that its caller could read; pass it an io.Reader", fn)
		}
	}
	if loop := ownParameter(fn, map[reflect.Type]bool{}); loop != nil {
		return fmt.Errorf("%s leads back to itself through its parameters; make one of them a *kkrpc.Callback", loop)
	}
	return nil
}

// ownParameter returns a type of funcs that is reached from fn through parameters, and then from itself. nil: there is
// none. A type is true in open while its parameters are looked at, and false afterwards.
func ownParameter(fn reflect.Type, open map[reflect.Type]bool) reflect.Type {
	open[fn] = true
	for i := range fn.NumIn() {
		in := fn.In(i)
		if fn.IsVariadic() && i == fn.NumIn()-1 {
			in = in.Elem()
		}
		if in.Kind() != reflect.Func || IsStreamType(in) {
			continue
		}
		isOpen, known := open[in]
		if isOpen {
			return in
		}
		if !known {
			if loop := ownParameter(in, open); loop != nil {
				return loop
			}
		}
	}
	open[fn] = false
	return nil
}

// Spread returns in, the arguments of a func, as single values, those of a variadic parameter included.
func Spread(in []reflect.Value, variadic bool) []any {
	args := make([]any, 0, len(in))
	for i, v := range in {
		if variadic && i == len(in)-1 {
			for j := range v.Len() {
				args = append(args, v.Index(j).Interface())
			}
			break
		}
		args = append(args, v.Interface())
	}
	return args
}
