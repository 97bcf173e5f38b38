//go:build kkrpc_functions && !kkrpc_methods

package bind

import "reflect"

// methodNames are the names that methodNamed knows, in ascending order.
var methodNames []string

// methodNamed returns the method of t with this name.
func methodNamed(reflect.Type, string) (m reflect.Method, ok bool) { return m, false }
