package bind

import (
	"encoding"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// direction is the way of a value.
type direction uint8

const (
	inbound direction = iota
	outbound
)

// placedError is why a type cannot cross, and its place inside of the type that was checked.
type placedError struct {
	at     string // as in .Items[].Timeout
	reason string
}

func (e *placedError) Error() string { return e.at + ": " + e.reason }

// place makes err read well behind a noun.
func place(err error) error {
	if _, ok := err.(*placedError); ok {
		return err
	}
	return &placedError{reason: err.Error()}
}

// checkParameter reports why arguments cannot be decoded into a v. The error stands behind a noun, like those below.
func (t *Types) checkParameter(v reflect.Type) error {
	switch {
	case v == t.kinds.Handle:
		return nil
	case v.Kind() == reflect.Func && !IsStreamType(v):
		if err := t.checkPeerCallback(v); err != nil {
			return place(err)
		}
		return nil
	}
	return t.CheckInbound(v)
}

// CheckArgument reports why a v cannot be an argument for the peer: a function, data or a stream.
func (t *Types) CheckArgument(v reflect.Type) error {
	if v.Kind() == reflect.Func && !IsStreamType(v) {
		if err := t.checkCallback(v); err != nil {
			return place(err)
		}
		return nil
	}
	if v.Implements(writerType) && !v.Implements(readerType) && !hasOwnForm(v) {
		return place(writerError(v))
	}
	return t.checkOutbound(v)
}

// checkData reports why values of type v cannot cross the connection as data. It does not know what an interface holds.
func (t *Types) checkData(v reflect.Type, d direction) error {
	c := checker{kinds: &t.kinds, direction: d, seen: map[reflect.Type]bool{}}
	if reason, at := c.check(v, ""); reason != "" {
		return &placedError{at: at, reason: reason}
	}
	return nil
}

type checker struct {
	kinds     *Kinds
	direction direction
	seen      map[reflect.Type]bool
}

// check returns the reason and the place of the first problem in t, which stands at the place at.
func (c *checker) check(t reflect.Type, at string) (reason, where string) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "time.Duration has no unit that both sides agree on; use a number of milliseconds", at
	case t.PkgPath() == "" && t.Kind() <= reflect.Float64 && t.Kind() != reflect.Uintptr, c.seen[t]:
		return "", ""
	case t == contextType:
		return "a context.Context must be the first parameter", at
	case t == c.kinds.Handle || t == c.kinds.Handle.Elem():
		return "a *kkrpc.Callback can only be a parameter itself", at
	case c.kinds.isReference(t):
		return c.kinds.targetProblem(t), at
	case t == c.kinds.Ref.Elem():
		return "a kkrpc.Ref must be a pointer, *kkrpc.Ref", at
	case t == c.kinds.Shared && c.direction == inbound:
		return "a *kkrpc.Shared is only sent; use the type of its value", at
	case t == c.kinds.Shared && at != "":
		return "a *kkrpc.Shared can only stand by itself, not inside of another value", at
	}
	c.seen[t] = true
	if hasOwnForm(t) {
		return "", ""
	}
	switch t.Kind() {
	case reflect.Chan:
		if !IsStreamType(t) {
			return fmt.Sprintf("%s cannot cross the connection; a stream is a <-chan %s", t, t.Elem()), at
		}
		return fmt.Sprintf("%s: %s", t, misplacedStream), at
	case reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Sprintf("%s cannot cross the connection", t), at
	case reflect.Func:
		if IsStreamType(t) {
			return fmt.Sprintf("%s: %s", t, misplacedStream), at
		}
		return fmt.Sprintf("%s: a function can only be a parameter itself", t), at
	case reflect.Interface:
		if IsStreamType(t) {
			return fmt.Sprintf("%s: %s", t, misplacedStream), at
		}
		if c.direction == inbound && t.NumMethod() > 0 && t != errorType {
			return fmt.Sprintf("nothing can be decoded into the interface %s; use a concrete type or any", t), at
		}
		return "", ""
	case reflect.Pointer:
		return c.check(t.Elem(), at)
	case reflect.Slice, reflect.Array:
		return c.check(t.Elem(), at+"[]")
	case reflect.Map:
		if reason, where := c.check(t.Key(), at); reason != "" {
			return reason, where
		}
		if !isKey(t.Key()) {
			return fmt.Sprintf("%s cannot be the key of an object", t.Key()), at
		}
		return c.check(t.Elem(), at+"[]")
	case reflect.Struct:
		return c.fields(t, at)
	}
	return "", ""
}

func (c *checker) fields(t reflect.Type, at string) (reason, where string) {
	if err := superjson.CheckStruct(t, c.direction == inbound); err != nil {
		return err.Error(), at
	}
	for f := range superjson.Fields(t) {
		index := f.Index
		inner := at
		for i := range index {
			inner += "." + t.FieldByIndex(index[:i+1]).Name
		}
		if reason, where := c.check(t.FieldByIndex(index).Type, inner); reason != "" {
			return reason, where
		}
	}
	return "", ""
}

func isKey(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return implements[encoding.TextMarshaler](t)
}

// hasOwnForm reports whether t, or superjson, decides how a t is written. Then the parts of t do not matter.
func hasOwnForm(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[big.Int](), reflect.TypeFor[url.URL]():
		return true
	}
	if t.PkgPath() == reflect.TypeFor[superjson.Value]().PkgPath() {
		return true
	}
	return jsonform.Writes(t) || jsonform.Reads(t)
}

func implements[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(i)
}

// looksLikeService reports whether t is more likely meant to be called than to be read: a struct with methods.
func looksLikeService(t reflect.Type) bool {
	base := t
	if t.Kind() == reflect.Pointer {
		base = t.Elem()
	}
	return base.Kind() == reflect.Struct && t.NumMethod() > 0 && !hasOwnForm(base) && !t.Implements(errorType)
}
