package superjson

import (
	"math/big"
	"net/url"
	"reflect"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// decodeFunc decodes the next value into v. n is its annotation and those inside, or nil.
type decodeFunc func(d *decoder, v reflect.Value, n *node) error

var decoders byType[decodeFunc]

func decoderOf(t reflect.Type) decodeFunc {
	return decoders.of(t, makeDecoder, func(made func() decodeFunc) decodeFunc {
		return func(d *decoder, v reflect.Value, n *node) error { return made()(d, v, n) }
	})
}

func ownDecoder(t reflect.Type) decodeFunc {
	switch t {
	case reflect.TypeFor[time.Time]():
		return decodeDate
	case reflect.TypeFor[Value]():
		return decodeKept
	case reflect.TypeFor[UndefinedType]():
		return decodeUndefined
	case reflect.TypeFor[big.Int]():
		return decodeBigInt
	case reflect.TypeFor[url.URL]():
		return decodeURL
	case reflect.TypeFor[RegExp]():
		return decodeRegExp
	case reflect.TypeFor[Map]():
		return decodeOrdered("Map", "map")
	case reflect.TypeFor[Set]():
		return decodeOrdered("Set", "set")
	case reflect.TypeFor[Error]():
		return decodeOrdered("Error", "Error")
	}
	return nil
}

func makeDecoder(t reflect.Type) decodeFunc {
	if f := ownDecoder(t); f != nil {
		return f
	}
	if jsonform.IsRaw(t) {
		return decodeRaw
	}
	if typedArrayName(t) != "" {
		return decodeTypedArray
	}
	if jsonform.IsNumber(t) {
		return decodeNumber
	}
	switch t.Kind() {
	case reflect.Interface:
		return decodeInterface
	case reflect.Pointer:
		if jsonform.Reads(t) {
			return referenceDecoder(t, pointerDecoder(t))
		}
		return pointerDecoder(t)
	}
	if p := jsonform.Embedded(t); p != nil {
		return heldDecoder(p, decodeUnmarshaler)
	}
	if jsonform.Reads(t) {
		return decodeUnmarshaler
	}
	switch t.Kind() {
	case reflect.Bool:
		return decodeBool
	case reflect.String:
		return decodeString
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return decodeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return decodeUint
	case reflect.Float32, reflect.Float64:
		return decodeFloat
	case reflect.Struct:
		return structDecoder(t)
	case reflect.Map:
		return mapDecoder(t)
	case reflect.Slice:
		return sliceDecoder(t)
	case reflect.Array:
		return arrayDecoder(t)
	}
	return func(*decoder, reflect.Value, *node) error {
		return &DataError{Reason: "cannot decode into a " + t.Kind().String()}
	}
}

// absent reads null or undefined where the type has a nil for it.
func (d *decoder) absent(v reflect.Value, n *node) (bool, error) {
	if d.dec.PeekKind() != 'n' && n.kind() != "undefined" {
		return false, nil
	}
	v.SetZero()
	_, err := d.read()
	return true, err
}

func pointerDecoder(t reflect.Type) decodeFunc {
	inner := decoderOf(t.Elem())
	return func(d *decoder, v reflect.Value, n *node) error {
		if nilled, err := d.absent(v, n); nilled {
			return err
		}
		if v.IsNil() {
			if err := d.spend(pointerCost + int(t.Elem().Size())); err != nil {
				return err
			}
			v.Set(reflect.New(t.Elem()))
		}
		if err := d.enter(); err != nil { // a pointer type may point to itself
			return err
		}
		err := inner(d, v.Elem(), n)
		d.depth--
		return err
	}
}

func decodeInterface(d *decoder, v reflect.Value, n *node) error {
	kind := d.dec.PeekKind()
	tree, err := d.anyTree(n)
	if err != nil {
		return err
	}
	value := reflect.ValueOf(tree)
	switch {
	case tree == nil || tree == Undefined && v.NumMethod() > 0:
		v.SetZero()
	case value.Type().AssignableTo(v.Type()):
		v.Set(value)
	default:
		return &TypeError{Expected: expectedOf(v.Type()), Got: kindName(kind, n)}
	}
	return nil
}

func expectedOf(t reflect.Type) string {
	if t == errorType {
		return "Error"
	}
	return t.String()
}

func decodeKept(d *decoder, v reflect.Value, n *node) error {
	raw, err := d.read()
	if err != nil {
		return err
	}
	if err := d.spend(len(raw)); err != nil {
		return err
	}
	kept, err := keptValue(raw, newMeta(n, d.equal, d.here, d.parts), d.counted())
	if err == nil {
		v.Set(reflect.ValueOf(kept))
	}
	return err
}

func decodeRaw(d *decoder, v reflect.Value, _ *node) error {
	raw, err := d.read()
	if err == nil {
		err = d.spend(len(raw))
	}
	if err == nil {
		raw, err = d.parts.inText(raw, d.mode, d.meter)
	}
	if err == nil {
		v.SetBytes(append([]byte(nil), raw...))
	}
	return err
}

func decodeUndefined(d *decoder, _ reflect.Value, n *node) error {
	if d.dec.PeekKind() != 'n' {
		return d.unfit("undefined", n)
	}
	_, err := d.token()
	return err
}

func decodeBool(d *decoder, v reflect.Value, n *node) error {
	if k := d.dec.PeekKind(); k != 't' && k != 'f' {
		return d.unfit("boolean", n)
	}
	t, err := d.token()
	if err == nil {
		v.SetBool(t.Bool())
	}
	return err
}

func decodeString(d *decoder, v reflect.Value, n *node) error {
	s, err := d.string("string", n)
	if err == nil {
		v.SetString(s)
	}
	return err
}

// string reads a string, or fails because the type expected is written as one.
func (d *decoder) string(expected string, n *node) (string, error) {
	if d.dec.PeekKind() != '"' {
		return "", d.unfit(expected, n)
	}
	t, err := d.token()
	if err != nil {
		return "", err
	}
	s := t.String()
	if r, err := d.parts.find(s); err != nil {
		return "", err
	} else if r != nil {
		return "", &TypeError{Expected: expected, Got: r.Type.String()}
	}
	return s, d.spend(len(s))
}

func decodeDate(d *decoder, v reflect.Value, n *node) error {
	if n.kind() == "Date" {
		tree, err := d.plain(nil)
		if err != nil {
			return err
		}
		t, ok := reviveDate(tree)
		if !ok {
			return &TypeError{Expected: "Date", Got: "invalid Date"}
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	s, err := d.string("Date", n)
	if err != nil {
		return err
	}
	t, ok := parseDate(s)
	if !ok {
		return &TypeError{Expected: "Date", Got: "string"}
	}
	v.Set(reflect.ValueOf(t))
	return nil
}

func decodeURL(d *decoder, v reflect.Value, n *node) error {
	s, err := d.string("URL", n)
	if err != nil {
		return err
	}
	u, ok := parseURL(s)
	if !ok && d.mode != ModeSuperJSON {
		u, err = url.Parse(s)
		ok = err == nil
	}
	if !ok {
		return &TypeError{Expected: "URL", Got: "string"}
	}
	v.Set(reflect.ValueOf(*u))
	return nil
}

func decodeRegExp(d *decoder, v reflect.Value, n *node) error {
	s, err := d.string("RegExp", n)
	if err != nil {
		return err
	}
	r, ok := parseRegExp(s)
	if !ok {
		return &TypeError{Expected: "RegExp", Got: "string"}
	}
	v.Set(reflect.ValueOf(r))
	return nil
}

// decodeOrdered decodes a Map, Set or Error, whose JSON form is known without an annotation.
func decodeOrdered(expected, annotation string) decodeFunc {
	kind := jsontext.Kind('[')
	if annotation == "Error" {
		kind = '{'
	}
	return func(d *decoder, v reflect.Value, n *node) error {
		if d.dec.PeekKind() != kind {
			return d.unfit(expected, n)
		}
		annotated := newNode(annotation)
		if n != nil {
			annotated.first, annotated.more = n.first, n.more
		}
		tree, err := d.anyTree(annotated)
		if err != nil {
			return misfit(err, annotation, n, expected, kindName(kind, n))
		}
		value := reflect.ValueOf(tree)
		if value.Type() != v.Addr().Type() {
			return badValue(annotation)
		}
		v.Set(value.Elem())
		return nil
	}
}
