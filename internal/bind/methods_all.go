//go:build !kkrpc_functions

package bind

import "reflect"

// methodsOf returns the methods of t in the order of their names. For an interface, these are also the unexported ones.
// There is no error.
func methodsOf(t reflect.Type) (methods []reflect.Method, err error) {
	for i := range t.NumMethod() {
		methods = append(methods, t.Method(i))
	}
	return methods, nil
}

// methodNamed returns the method of t with this name.
func methodNamed(t reflect.Type, name string) (m reflect.Method, ok bool) {
	return t.MethodByName(name)
}
