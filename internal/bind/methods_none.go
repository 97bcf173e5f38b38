//go:build kkrpc_functions

package bind

import "reflect"

const noMethods = "%s: this program is built without the methods of types (build tag kkrpc_functions); expose its functions in a kkrpc.Object"

func (b *builder) declaredMethods(n *node, t reflect.Type, p reflect.Value, _ *layout) {
	if p.Type().NumMethod() > 0 {
		b.fail(n.path, noMethods, t)
	}
}

func (b *builder) interfaceMethods(n *node, v any, _ *layout) {
	iface, _ := b.kinds.Implementation(v)
	b.fail(n.path, noMethods, iface)
}
