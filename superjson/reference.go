package superjson

import (
	"reflect"

	"github.com/go-json-experiment/json/jsontext"
)

// A reference is an object that stands for a value of its sender, such as a function. A program defines references by
// the two interfaces here, for values of one pointer type. That type also has marshaling methods of its own, for code
// without references.

// ReferenceEncoder writes references.
//
// For package kkrpc: a channel gives a reference its id.
type ReferenceEncoder interface {
	// ReferenceType is the type of the values that are references.
	ReferenceType() reflect.Type
	// AppendReference appends the object that stands for v, which is of that type and not nil.
	AppendReference(dst []byte, v any) ([]byte, error)
}

// ReferenceDecoder recognises references while a value is decoded.
//
// For package kkrpc: a channel knows what an id stands for.
type ReferenceDecoder interface {
	// ReferenceType is the type of the values that are references.
	ReferenceType() reflect.Type
	// DecodeReference returns the reference for object, a value of ReferenceType, or nil if object is plain data. typed
	// reports that the Go value to be decoded is of that type, not any.
	DecodeReference(object map[string]any, typed bool) (v any, err error)
}

// SetReferences makes r write the references among the values, also after Reset. Nil undoes it.
//
// For package kkrpc: see ReferenceEncoder.
func (e *Encoder) SetReferences(r ReferenceEncoder) { e.references = r }

// DecodeReferences is Decode for a value that may contain references.
//
// For package kkrpc: see ReferenceDecoder.
func DecodeReferences(mode Mode, raw []byte, meta *Meta, v any, r ReferenceDecoder) error {
	return decode(mode, raw, meta, v, r, nil)
}

// referenceEncoder returns how values of t are written, which may be references; plain writes those that are none.
func referenceEncoder(t reflect.Type, plain encodeFunc) encodeFunc {
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
		if e.references == nil || p.target().at == nil || e.references.ReferenceType() != t {
			return plain(e, dst, p)
		}
		return e.references.AppendReference(dst, p.value(t).Interface())
	}
}

// referenceDecoder returns how places of type t are read, which may be for references; plain reads those that are not.
func referenceDecoder(t reflect.Type, plain decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value, n *node) error {
		if d.references == nil || d.references.ReferenceType() != t {
			return plain(d, v, n)
		}
		if nilled, err := d.absent(v, n); nilled {
			return err
		}
		return d.reference(v, n)
	}
}

// reference reads a reference into v, which is of the type of references.
func (d *decoder) reference(v reflect.Value, n *node) error {
	if d.dec.PeekKind() != '{' {
		return d.unfit("reference", n)
	}
	read, err := d.any(n)
	if err != nil {
		return err
	}
	d.settle()
	if object, ok := read.(map[string]any); ok {
		if read, err = d.references.DecodeReference(object, true); err != nil {
			return err
		}
	}
	if reflect.TypeOf(read) != v.Type() {
		return &TypeError{Expected: "reference", Got: kindName(jsontext.Kind('{'), n)}
	}
	v.Set(reflect.ValueOf(read))
	return nil
}

// A struct of nothing but an embedded reference stands for that reference. It is never null: a pointer to it is.

// heldEncoder returns how the struct t is written that embeds a ref; plain writes one whose ref is no reference.
func heldEncoder(t, ref reflect.Type, plain encodeFunc) encodeFunc {
	return func(e *Encoder, dst []byte, p variable) ([]byte, error) {
		switch held := p.value(t).Field(0); {
		case e.references == nil || e.references.ReferenceType() != ref:
			return plain(e, dst, p)
		case held.IsNil():
			return dst, &EncodeError{Reason: "the " + t.String() + " holds no reference; use a pointer to it where null is meant"}
		default:
			return e.references.AppendReference(dst, held.Interface())
		}
	}
}

// heldDecoder returns how a struct is read that embeds a p; plain reads one whose p is no reference.
func heldDecoder(p reflect.Type, plain decodeFunc) decodeFunc {
	return func(d *decoder, v reflect.Value, n *node) error {
		if d.references == nil || d.references.ReferenceType() != p {
			return plain(d, v, n)
		}
		return d.reference(v.Field(0), n)
	}
}
