package superjson

import (
	"reflect"
	"sync"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// copies writes values that have no address, such as one in an any, by copying each into a variable.
type copies struct {
	typ       reflect.Type
	encode    encodeFunc
	reuse     bool
	variables sync.Pool // of *copied; unused without reuse
}

type copied struct {
	value reflect.Value // addressable
	at    variable
}

var allCopies sync.Map // reflect.Type to *copies

func copiesOf(t reflect.Type) *copies {
	c, ok := allCopies.Load(t)
	if !ok {
		c, _ = allCopies.LoadOrStore(t, &copies{typ: t, encode: encoderOf(t), reuse: !callsMethods(t)})
	}
	return c.(*copies)
}

func (c *copies) write(e *Encoder, dst []byte, v reflect.Value) (_ []byte, err error) {
	to, ok := c.variables.Get().(*copied)
	if !ok {
		made := reflect.New(c.typ).Elem()
		to = &copied{made, variableOf(made)}
	}
	to.value.Set(v)
	dst, err = c.encode(e, dst, to.at)
	if c.reuse {
		to.value.SetZero()
		c.variables.Put(to)
	}
	return dst, err
}

// callsMethods reports whether writing a t gives a method of the program the address of the t or of a part of it, which
// the method may keep.
func callsMethods(t reflect.Type) bool {
	return contains(t, func(t reflect.Type) (is, plain bool) {
		return jsonform.Writes(t) || jsonform.Implements(t, errorType, reflect.TypeFor[zeroer]()), ownEncoder(t) != nil
	})
}

// contains reports whether match holds for t, or for a field or an element of an array inside of it. match can leave a type out
// with all its parts: plain.
func contains(t reflect.Type, match func(t reflect.Type) (is, plain bool)) bool {
	if jsonform.IsRaw(t) || jsonform.IsNumber(t) || typedArrayName(t) != "" {
		return false
	}
	if is, plain := match(t); is || plain {
		return !plain
	}
	switch t.Kind() {
	case reflect.Array:
		return contains(t.Elem(), match)
	case reflect.Struct:
		for i := range t.NumField() {
			if contains(t.Field(i).Type, match) {
				return true
			}
		}
	}
	return false
}
