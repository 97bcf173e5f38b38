package superjson

import (
	"encoding"
	"encoding/base64"
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
)

// elements reads an array and calls element at each item, which it must read.
func (d *decoder) elements(n *node, element func(i int, item *node) error) error {
	if d.dec.PeekKind() != '[' {
		return d.unfit("array", n)
	}
	if err := d.enter(); err != nil {
		return err
	}
	if _, err := d.token(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if more, err := d.more(); err != nil {
			return err
		} else if !more {
			break
		}
		d.pushIndex(i)
		item := n.item(i)
		if item == nil && n.kind() == "typed-array" && d.dec.PeekKind() == '"' {
			item = numberNode
		}
		if err := element(i, item); err != nil {
			return atIndex(err, i)
		}
		d.pop()
	}
	d.depth--
	return nil
}

// numbers is elements for numbers. JSON.stringify writes a typed array as an object with indexes as names.
func (d *decoder) numbers(expected string, n *node, element func(i int, item *node) error) error {
	if d.mode == ModeSuperJSON || d.dec.PeekKind() != '{' {
		return d.elements(n, element)
	}
	i := 0
	return d.members(n, func(name string, item *node) error {
		if name != strconv.Itoa(i) {
			return &TypeError{Expected: expected, Got: "object"}
		}
		i++
		return element(i-1, item)
	})
}

// elementsOf returns how the elements of an array of numbers, or of other values, are read.
func elementsOf(elem reflect.Type) func(d *decoder, n *node, element func(i int, item *node) error) error {
	if !isNumber(elem.Kind()) || jsonform.Reads(elem) {
		return (*decoder).elements
	}
	return func(d *decoder, n *node, element func(i int, item *node) error) error {
		return d.numbers("array", n, element)
	}
}

func sliceDecoder(t reflect.Type) decodeFunc {
	if t.Elem().Kind() == reflect.Uint8 && !jsonform.Reads(t.Elem()) {
		return decodeBytes
	}
	inner, elements := decoderOf(t.Elem()), elementsOf(t.Elem())
	return func(d *decoder, v reflect.Value, n *node) error {
		if nilled, err := d.absent(v, n); nilled {
			return err
		}
		if d.parts != nil && d.dec.PeekKind() == '"' {
			return d.elementsOfPart(v, n)
		}
		out := reflect.New(t).Elem()
		out.Set(reflect.MakeSlice(t, 0, 0))
		err := elements(d, n, func(i int, item *node) error {
			if i == out.Cap() && !d.meter.grow(out) {
				return d.meter.err
			}
			out.SetLen(i + 1)
			return inner(d, out.Index(i), item)
		})
		if err == nil {
			v.Set(out)
		}
		return err
	}
}

// arrayDecoder wants as many elements as the array has.
func arrayDecoder(t reflect.Type) decodeFunc {
	size := "array of " + strconv.Itoa(t.Len())
	if t.Elem().Kind() == reflect.Uint8 && !jsonform.Reads(t.Elem()) {
		return func(d *decoder, v reflect.Value, n *node) error {
			b, err := d.bytes(n)
			if err != nil {
				return err
			}
			if len(b) != t.Len() {
				return &TypeError{Expected: size, Got: "array of " + strconv.Itoa(len(b))}
			}
			copy(v.Bytes(), b)
			return nil
		}
	}
	inner, elements := decoderOf(t.Elem()), elementsOf(t.Elem())
	return func(d *decoder, v reflect.Value, n *node) error {
		if d.parts != nil && d.dec.PeekKind() == '"' {
			return d.elementsOfPart(v, n)
		}
		count := 0
		err := elements(d, n, func(i int, item *node) error {
			count++
			if i >= t.Len() {
				_, err := d.read()
				return err
			}
			return inner(d, v.Index(i), item)
		})
		if err == nil && count != t.Len() {
			return &TypeError{Expected: size, Got: "array of " + strconv.Itoa(count)}
		}
		return err
	}
}

func mapDecoder(t reflect.Type) decodeFunc {
	key := keyParser(t.Key())
	if key == nil {
		return func(*decoder, reflect.Value, *node) error {
			return &DataError{Reason: "map keys of type " + t.Key().String() + " (use *Map)"}
		}
	}
	inner := decoderOf(t.Elem())
	return func(d *decoder, v reflect.Value, n *node) error {
		if nilled, err := d.absent(v, n); nilled {
			return err
		}
		out, size := reflect.MakeMap(t), memberSize(t)
		if err := d.spend(mapCost); err != nil {
			return err
		}
		if n.kind() == "map" {
			err := d.pairs(n, out)
			if err == nil {
				v.Set(out)
			}
			return err
		}
		err := d.members(n, func(name string, item *node) error {
			k := reflect.New(t.Key()).Elem()
			if !d.meter.spendMember(out.Len(), size) || !d.meter.spend(len(name)) {
				return d.meter.err
			}
			if !key(k, name) {
				return &TypeError{Expected: "a member named by " + t.Key().String(), Got: "string"}
			}
			value := reflect.New(t.Elem()).Elem()
			if err := inner(d, value, item); err != nil {
				return err
			}
			out.SetMapIndex(k, value)
			return nil
		})
		if err == nil {
			v.Set(out)
		}
		return err
	}
}

// pairs reads a Map into a Go map, whose keys are decoded like any value. Of equal keys the last value stays.
func (d *decoder) pairs(n *node, out reflect.Value) error {
	key, inner := decoderOf(out.Type().Key()), decoderOf(out.Type().Elem())
	size := memberSize(out.Type())
	return d.elements(n, func(_ int, pair *node) error {
		if !d.meter.spendMember(out.Len(), size) {
			return d.meter.err
		}
		k, value := reflect.New(out.Type().Key()).Elem(), reflect.New(out.Type().Elem()).Elem()
		count := 0
		err := d.elements(pair, func(i int, item *node) error {
			switch count++; i {
			case 0:
				return key(d, k, item)
			case 1:
				return inner(d, value, item)
			}
			return badValue("map")
		})
		if err == nil && count != 2 {
			err = badValue("map")
		}
		if err == nil {
			out.SetMapIndex(k, value)
		}
		return err
	})
}

// members reads an object and calls member at each value, which it must read.
func (d *decoder) members(n *node, member func(name string, item *node) error) error {
	if d.dec.PeekKind() != '{' {
		return d.unfit("object", n)
	}
	if err := d.enter(); err != nil {
		return err
	}
	if _, err := d.token(); err != nil {
		return err
	}
	for {
		name, ok, err := d.name()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		d.push(name)
		if err := member(name, n.child(name)); err != nil {
			return atKey(err, name)
		}
		d.pop()
	}
	d.depth--
	return nil
}

// keyParser returns how a member name becomes a map key, nil when it cannot.
func keyParser(t reflect.Type) func(k reflect.Value, name string) bool {
	if reflect.PointerTo(t).Implements(textUnmarshalerType) {
		return func(k reflect.Value, name string) bool {
			return k.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name)) == nil
		}
	}
	switch t.Kind() {
	case reflect.String:
		return func(k reflect.Value, name string) bool { k.SetString(name); return true }
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(k reflect.Value, name string) bool {
			n, err := strconv.ParseInt(name, 10, t.Bits())
			k.SetInt(n)
			return err == nil
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(k reflect.Value, name string) bool {
			n, err := strconv.ParseUint(name, 10, t.Bits())
			k.SetUint(n)
			return err == nil
		}
	}
	return nil
}

func decodeQuoted(d *decoder, v reflect.Value, n *node) error {
	if v.Kind() == reflect.Pointer {
		if nilled, err := d.absent(v, n); nilled {
			return err
		}
		if err := d.spend(pointerCost); err != nil {
			return err
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	s, err := d.string("string", n)
	if err != nil {
		return err
	}
	switch bits := v.Type().Bits(); {
	case v.CanInt():
		i, bad := strconv.ParseInt(s, 10, bits)
		v.SetInt(i)
		err = bad
	case v.CanUint():
		u, bad := strconv.ParseUint(s, 10, bits)
		v.SetUint(u)
		err = bad
	default:
		f, bad := strconv.ParseFloat(s, bits)
		v.SetFloat(f)
		err = bad
	}
	if err != nil {
		return &TypeError{Expected: "number in a string", Got: "string"}
	}
	return nil
}

func decodeBytes(d *decoder, v reflect.Value, n *node) error {
	if nilled, err := d.absent(v, n); nilled {
		return err
	}
	b, err := d.bytes(n)
	if err == nil {
		v.SetBytes(b)
	}
	return err
}

// bytes reads every form of a Uint8Array: an array of numbers, {"type":"Uint8Array" or "Buffer","data":[…]}, an object
// with indexes as names and, except under SuperJSON, base64.
func (d *decoder) bytes(n *node) ([]byte, error) {
	switch d.dec.PeekKind() {
	case '"':
		if d.mode == ModeSuperJSON && d.parts == nil {
			break
		}
		t, err := d.token()
		if err != nil {
			return nil, err
		}
		text := t.String()
		r, err := d.parts.find(text)
		switch {
		case err != nil:
			return nil, err
		case r != nil && partTypes[r.Type].size == 1 && r.Type != partInt8Array:
			return d.parts.take(r, d.meter)
		case r != nil:
			return nil, &TypeError{Expected: uint8Array, Got: r.Type.String()}
		case d.mode == ModeSuperJSON:
			return nil, &TypeError{Expected: uint8Array, Got: "string"}
		}
		if err := d.spend(len(text)); err != nil {
			return nil, err
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, &TypeError{Expected: uint8Array, Got: "string"}
		}
		return b, nil
	case '[':
		return d.byteArray(n)
	case '{':
		return d.byteObject(n)
	}
	return nil, d.unfit(uint8Array, n)
}

func (d *decoder) byteArray(n *node) ([]byte, error) {
	out := []byte{}
	err := d.elements(n, func(_ int, item *node) error {
		b, err := d.byte(item)
		before := cap(out)
		if out = append(out, b); err == nil && !d.meter.spendGrowth(before, cap(out), 1) {
			err = d.meter.err
		}
		return err
	})
	return out, err
}

func (d *decoder) byte(n *node) (byte, error) {
	text, _, err := d.number("byte", n)
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f > 255 || f != float64(byte(f)) {
		return 0, &TypeError{Expected: "byte", Got: "number"}
	}
	return byte(f), nil
}

func (d *decoder) byteObject(n *node) ([]byte, error) {
	out, tagged := []byte{}, false
	data := []byte(nil)
	err := d.members(n, func(name string, item *node) error {
		var err error
		switch {
		case name == "type" && d.dec.PeekKind() == '"':
			t, bad := d.token()
			tagged, err = bad == nil && (t.String() == uint8Array || t.String() == "Buffer"), bad
		case name == "data" && d.dec.PeekKind() == '[':
			data, err = d.byteArray(nil)
		case name == strconv.Itoa(len(out)):
			var b byte
			b, err = d.byte(item)
			out = append(out, b)
		default:
			err = &TypeError{Expected: uint8Array, Got: "object"}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if tagged != (data != nil) || tagged && len(out) > 0 {
		return nil, &TypeError{Expected: uint8Array, Got: "object"}
	}
	if tagged {
		return data, nil
	}
	if len(out) == 0 && d.mode == ModeSuperJSON { // an ArrayBuffer, a Blob, a promise
		return nil, &TypeError{Expected: uint8Array, Got: "object"}
	}
	return out, nil
}

func decodeTypedArray(d *decoder, v reflect.Value, n *node) error {
	if nilled, err := d.absent(v, n); nilled {
		return err
	}
	name := typedArrayName(v.Type())
	kind := d.dec.PeekKind()
	if kind == '"' && d.parts != nil {
		return d.typedArrayOfPart(v, n)
	}
	if kind != '[' && (kind != '{' || d.mode == ModeSuperJSON) {
		return d.unfit(name, n)
	}
	list := []any{}
	err := d.numbers(name, nil, func(int, *node) error {
		item, err := d.plain(nil)
		if _, text := item.(string); text && d.mode != ModeSuperJSON {
			return &TypeError{Expected: "number", Got: "string"}
		}
		before := cap(list)
		if list = append(list, item); err == nil && !d.meter.spendGrowth(before, cap(list), stringCost) {
			err = d.meter.err
		}
		return err
	})
	if err == nil {
		err = d.spend(listCost + numberCost*len(list))
	}
	if err != nil {
		return err
	}
	array, err := reviveTypedArray(list, name)
	if err != nil {
		return misfit(err, name, n, name, kindName(kind, n))
	}
	v.Set(reflect.ValueOf(array))
	return nil
}
