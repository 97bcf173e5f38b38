//go:build !kkrpc_functions

package bind

import "reflect"

const unknownMethods = "%s: its methods are unknown" // does not happen

// methodsOf returns the methods of t in the order of their names. For an interface, these are also the unexported ones.
// known is false if there are more of them in the source of the program.
func methodsOf(t reflect.Type) (methods []reflect.Method, known bool) {
	for i := range t.NumMethod() {
		methods = append(methods, t.Method(i))
	}
	return methods, true
}

// methodNamed returns the method of t with this name.
func methodNamed(t reflect.Type, name string) (m reflect.Method, ok bool) {
	return t.MethodByName(name)
}
