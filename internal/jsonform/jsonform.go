// Package jsonform recognises Go types that decide about their own JSON.
//
// Such types have the methods of encoding/json or of its version 2. The package imports neither, because importing one
// links all of it into every program. Programs that are downloaded must be small.
package jsonform

import (
	"encoding"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// The interfaces of encoding/json and of its version 2.
type (
	MarshalerTo     interface{ MarshalJSONTo(*jsontext.Encoder) error }
	Marshaler       interface{ MarshalJSON() ([]byte, error) }
	UnmarshalerFrom interface{ UnmarshalJSONFrom(*jsontext.Decoder) error }
	Unmarshaler     interface{ UnmarshalJSON([]byte) error }
)

var (
	writers = []reflect.Type{
		reflect.TypeFor[MarshalerTo](), reflect.TypeFor[Marshaler](),
		reflect.TypeFor[encoding.TextAppender](), reflect.TypeFor[encoding.TextMarshaler](),
	}
	readers = []reflect.Type{
		reflect.TypeFor[UnmarshalerFrom](), reflect.TypeFor[Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
)

// Writes reports whether t, or a pointer to it, has methods that write its JSON.
func Writes(t reflect.Type) bool { return Implements(t, writers...) }

// Reads reports whether t, or a pointer to it, has methods that read its JSON.
func Reads(t reflect.Type) bool { return Implements(t, readers...) }

// Speaks reports whether t, or a pointer to it, writes or reads JSON itself, and not only a text.
func Speaks(t reflect.Type) bool {
	return Implements(t, writers[0], writers[1], readers[0], readers[1])
}

// IsRaw reports whether t is a RawMessage of encoding/json or a Value of its jsontext. Both hold JSON already.
func IsRaw(t reflect.Type) bool {
	return t == reflect.TypeFor[jsontext.Value]() || t.Kind() == reflect.Slice && t.PkgPath() == "encoding/json" && t.Name() == "RawMessage"
}

// IsNumber reports whether t is the Number of encoding/json, a string that is written as a number.
func IsNumber(t reflect.Type) bool {
	return t.Kind() == reflect.String && t.PkgPath() == "encoding/json" && t.Name() == "Number"
}

// Embedded returns the pointer that a t is a struct of, if the pointer is embedded and writes JSON itself, or nil.
func Embedded(t reflect.Type) reflect.Type {
	if t.Kind() != reflect.Struct || t.NumField() != 1 {
		return nil
	}
	if f := t.Field(0); f.Anonymous && f.IsExported() && f.Type.Kind() == reflect.Pointer && Speaks(f.Type) {
		return f.Type
	}
	return nil
}

// Implements reports whether t, or a pointer to it, implements one of the interfaces.
func Implements(t reflect.Type, interfaces ...reflect.Type) bool {
	for _, i := range interfaces {
		if t.Implements(i) || t.Kind() != reflect.Interface && reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}

// CutTag splits the json tag of a field into the name, which may be in single quotes, and the options. Only in quotes a name
// can be empty.
func CutTag(tag string) (name string, named bool, options []string) {
	if strings.HasPrefix(tag, "'") {
		var b strings.Builder
		for i := 1; i < len(tag); i++ {
			switch {
			case tag[i] == '\\' && i+1 < len(tag):
				i++
				b.WriteByte(tag[i])
			case tag[i] == '\'':
				return b.String(), true, strings.Split(tag[i+1:], ",")
			default:
				b.WriteByte(tag[i])
			}
		}
	}
	parts := strings.Split(tag, ",")
	return parts[0], parts[0] != "", parts[1:]
}
