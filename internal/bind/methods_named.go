//go:build kkrpc_functions

package bind

import (
	"errors"
	"reflect"
)

// A program that looks methods up by reflection has every exported method of every type: the linker cannot tell which ones
// it asks for. The tag kkrpc_functions leaves that out. Instead, methodNamed asks by names that are constants, and the linker
// keeps the methods with these names. `kkrpc build hono` adds the names to the program, see method_names_main.go.

var errMethods = errors.New("this program was built without its methods; expose functions in a kkrpc.Object, " +
	"or build without the tag kkrpc_functions, and by kkrpc build hono with --all-methods")

// methodsOf returns the methods of t in the order of their names. For an interface, these are also the unexported ones.
// The error is errMethods if there are more of them in the source of the program.
func methodsOf(t reflect.Type) (methods []reflect.Method, err error) {
	for _, name := range methodNames {
		if m, ok := methodNamed(t, name); ok {
			methods = append(methods, m)
		}
	}
	if len(methods) < t.NumMethod() {
		return nil, errMethods
	}
	return methods, nil
}
