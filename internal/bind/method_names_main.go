//go:build kkrpc_functions && kkrpc_methods

package bind

import (
	"reflect"
	_ "unsafe" // for go:linkname
)

// The functions without a body are in package main of the program. `kkrpc build hono` adds a file with them there: the go
// command builds no changed file of a module in its cache, and package bind is in one for most users.

// methodNames are the names that methodNamed knows, in ascending order.
var methodNames = namesInMain()

//go:linkname namesInMain main.kkrpcMethodNames
func namesInMain() []string

// methodNamed returns the method of t with this name.
//
//go:linkname methodNamed main.kkrpcMethodNamed
func methodNamed(t reflect.Type, name string) (m reflect.Method, ok bool)
