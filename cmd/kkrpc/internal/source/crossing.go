package source

import (
	"fmt"
	"go/token"
	"go/types"

	"github.com/kkrpc-go/kkrpc/schema"
)

// direction is the way of a value, as the Go program sees it.
type direction uint8

const (
	inbound direction = iota
	outbound
)

// check refuses a type of which package schema does not see that it cannot cross: that depends on the direction.
func (c *clients) check(t types.Type, d direction, pos token.Pos, what string) {
	if isPointerTo(t, kkrpcPath, "Callback") && d == outbound {
		return
	}
	if s, ok := t.Underlying().(*types.Signature); ok && d == outbound {
		if item, _ := streamOf(t); item != nil {
			c.check(item, outbound, pos, what+": items")
			return
		}
		c.checkCallback(s, pos, what, map[*types.Signature]bool{})
		return
	}
	if schema.IsReader(c.docs.typ(t)) {
		return
	}
	if reason := c.onlyDeclared(t); reason != "" && d == outbound {
		c.refuse(pos, "%s: %s", what, reason)
		return
	}
	x := crossing{docs: c.docs, direction: d, seen: map[types.Type]bool{}}
	if reason, at := x.check(types.Unalias(t), ""); reason != "" {
		c.refuse(pos, "%s%s: %s", what, at, reason)
	}
}

// onlyDeclared is why a t cannot be sent, if it has the methods of io.Reader or io.Writer, or empty.
func (c *clients) onlyDeclared(t types.Type) string {
	methods := types.NewMethodSet(t)
	has := func(name string) bool {
		method := methods.Lookup(nil, name)
		return method != nil && signatureText(method.Obj().(*types.Func).Signature()) == "func([]byte) (int, error)"
	}
	g := goType{types.Unalias(t), c.docs}
	switch {
	case g.Form() != schema.Plain:
		return ""
	case has("Read"):
		return fmt.Sprintf("%s can be read, but is neither io.Reader nor io.ReadCloser; declare one of them for a stream, or a type without Read for data", t)
	case has("Write"):
		return fmt.Sprintf("%s cannot be an argument: the peer could not write to it; return an io.ReadCloser", t)
	}
	return ""
}

// checkCallback is check for a function of this side that the peer calls.
func (c *clients) checkCallback(s *types.Signature, pos token.Pos, what string, open map[*types.Signature]bool) {
	if n := s.Results().Len(); n > 1 || n == 1 && !isError(s.Results().At(0).Type()) {
		c.refuse(pos, "%s: %s returns values; a callback is called one way and returns nothing or an error", what, s)
		return
	}
	if open[s] {
		c.refuse(pos, "%s: %s leads back to itself through its parameters; make one of them a *kkrpc.Callback", what, s)
		return
	}
	open[s] = true
	defer delete(open, s)
	for i := range s.Params().Len() {
		t := s.Params().At(i).Type()
		item, _ := streamOf(t)
		inner, isFunc := t.Underlying().(*types.Signature)
		switch {
		case i == 0 && isType(t, "context", "Context"), isPointerTo(t, kkrpcPath, "Callback"):
		case item != nil:
			c.check(item, inbound, pos, what)
		case isFunc:
			c.checkCallback(inner, pos, what, open)
		default:
			c.check(t, inbound, pos, fmt.Sprintf("%s: its parameter %d", what, i+1))
		}
	}
}

// crossing looks through a type for parts that cannot cross.
type crossing struct {
	docs      *docs
	direction direction
	seen      map[types.Type]bool
}

// check returns the reason and the place of the first problem in t, which stands at the place at.
func (x *crossing) check(t types.Type, at string) (reason, where string) {
	t = types.Unalias(t)
	switch {
	case x.seen[t], isPointerTo(t, kkrpcPath, "Ref"):
		return "", ""
	case isType(t, "context", "Context"):
		return "a context.Context must be the first parameter", at
	case isType(t, kkrpcPath, "Callback"), isPointerTo(t, kkrpcPath, "Callback"):
		return "a *kkrpc.Callback can only be a parameter itself", at
	case isType(t, kkrpcPath, "Ref"):
		return "a kkrpc.Ref must be a pointer, *kkrpc.Ref", at
	case isPointerTo(t, kkrpcPath, "Shared") && x.direction == inbound:
		return "a *kkrpc.Shared is only sent; use the type of its value", at
	}
	x.seen[t] = true
	g := goType{t, x.docs}
	if hasOwnForm(g) || g.Form() != schema.Plain {
		return "", ""
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if x.direction == inbound && u.NumMethods() > 0 && !isError(t) {
			return fmt.Sprintf("nothing can be decoded into the interface %s; use a concrete type, any, or a kkrpc.RefTo", t), at
		}
	case *types.Pointer:
		return x.check(u.Elem(), at)
	case *types.Slice:
		return x.check(u.Elem(), at+"[]")
	case *types.Array:
		return x.check(u.Elem(), at+"[]")
	case *types.Map:
		return x.check(u.Elem(), at+"[]")
	case *types.Struct:
		fields, err := g.Fields()
		if err != nil {
			return err.Error(), at
		}
		if hidden := x.sealed(u, map[*types.Struct]bool{}); hidden != "" && x.direction == inbound {
			const why = "cannot set the embedded pointer to the unexported struct %s; export it or embed the struct itself"
			return fmt.Sprintf(why, hidden), at
		}
		for _, f := range fields {
			if reason, where := x.check(f.Type.(goType).Type, at+"."+f.Name); reason != "" {
				return reason, where
			}
		}
	}
	return "", ""
}

// sealed is the name of an unexported struct that has fields and is embedded in s by a pointer, at any depth, or empty.
// Reflection cannot make one.
func (x *crossing) sealed(s *types.Struct, open map[*types.Struct]bool) string {
	if open[s] {
		return ""
	}
	open[s] = true
	for i := range s.NumFields() {
		_, inner := x.docs.field(s, i)
		if inner == nil {
			continue
		}
		_, isPointer := types.Unalias(s.Field(i).Type()).(*types.Pointer)
		if fields, err := (goType{inner, x.docs}).Fields(); isPointer && !s.Field(i).Exported() && err == nil && len(fields) > 0 {
			return s.Field(i).Name()
		}
		if name := x.sealed(inner.Underlying().(*types.Struct), open); name != "" {
			return name
		}
	}
	return ""
}
