// Package values has random JavaScript values go through Go and back, and the real superjson compare them. Its tests
// are all there is.
package values

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Schema describes values, as values-schema.mjs of interop/js makes it.
type Schema struct {
	Kind   string  `json:"k"`
	Of     *Schema `json:"of"`
	Key    *Schema `json:"key"`
	Len    int     `json:"n"`
	Fields []struct {
		Name     string
		Optional bool
		Of       *Schema
	} `json:"f"`
}

// ParseType returns the Go type of a schema in JSON.
func ParseType(text []byte) (reflect.Type, error) {
	var s Schema
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	return s.Type()
}

var leaves = map[string]reflect.Type{
	"any":               reflect.TypeFor[any](),
	"value":             reflect.TypeFor[superjson.Value](),
	"string":            reflect.TypeFor[string](),
	"bool":              reflect.TypeFor[bool](),
	"float32":           reflect.TypeFor[float32](),
	"float64":           reflect.TypeFor[float64](),
	"int":               reflect.TypeFor[int](),
	"int8":              reflect.TypeFor[int8](),
	"int16":             reflect.TypeFor[int16](),
	"int32":             reflect.TypeFor[int32](),
	"int64":             reflect.TypeFor[int64](),
	"uint":              reflect.TypeFor[uint](),
	"uint8":             reflect.TypeFor[uint8](),
	"uint16":            reflect.TypeFor[uint16](),
	"uint32":            reflect.TypeFor[uint32](),
	"uint64":            reflect.TypeFor[uint64](),
	"json.Number":       reflect.TypeFor[json.Number](),
	"bigint":            reflect.TypeFor[*big.Int](),
	"bigint-int64":      reflect.TypeFor[int64](),
	"date":              reflect.TypeFor[time.Time](),
	"url":               reflect.TypeFor[*url.URL](),
	"regexp":            reflect.TypeFor[*superjson.RegExp](),
	"error":             reflect.TypeFor[*superjson.Error](),
	"goerror":           reflect.TypeFor[error](),
	"undefined":         reflect.TypeFor[superjson.UndefinedType](),
	"map":               reflect.TypeFor[*superjson.Map](),
	"set":               reflect.TypeFor[*superjson.Set](),
	"Uint8Array":        reflect.TypeFor[[]byte](),
	"Int8Array":         reflect.TypeFor[superjson.Int8Array](),
	"Uint8ClampedArray": reflect.TypeFor[superjson.Uint8ClampedArray](),
	"Int16Array":        reflect.TypeFor[superjson.Int16Array](),
	"Uint16Array":       reflect.TypeFor[superjson.Uint16Array](),
	"Int32Array":        reflect.TypeFor[superjson.Int32Array](),
	"Uint32Array":       reflect.TypeFor[superjson.Uint32Array](),
	"Float32Array":      reflect.TypeFor[superjson.Float32Array](),
	"Float64Array":      reflect.TypeFor[superjson.Float64Array](),
	"BigInt64Array":     reflect.TypeFor[superjson.BigInt64Array](),
	"BigUint64Array":    reflect.TypeFor[superjson.BigUint64Array](),
}

// Type returns the Go type of the schema.
func (s *Schema) Type() (reflect.Type, error) {
	if t := leaves[s.Kind]; t != nil {
		return t, nil
	}
	if s.Kind == "struct" {
		return s.structType()
	}
	if s.Of == nil {
		return nil, fmt.Errorf("the schema %q is unknown", s.Kind)
	}
	of, err := s.Of.Type()
	if err != nil {
		return nil, err
	}
	switch s.Kind {
	case "nil":
		return of, nil
	case "ptr":
		return reflect.PointerTo(of), nil
	case "slice", "goset":
		return reflect.SliceOf(of), nil
	case "array":
		return reflect.ArrayOf(s.Len, of), nil
	case "record":
		return reflect.MapOf(reflect.TypeFor[string](), of), nil
	case "intrecord":
		return reflect.MapOf(reflect.TypeFor[int](), of), nil
	case "gomap":
		key, err := s.Key.Type()
		if err != nil {
			return nil, err
		}
		return reflect.MapOf(key, of), nil
	}
	return nil, fmt.Errorf("the schema %q is unknown", s.Kind)
}

// structType has the option omitzero for members that may be absent.
func (s *Schema) structType() (reflect.Type, error) {
	var fields []reflect.StructField
	for i, f := range s.Fields {
		t, err := f.Of.Type()
		if err != nil {
			return nil, err
		}
		tag := "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(f.Name) + "'"
		if f.Optional {
			tag += ",omitzero"
		}
		fields = append(fields, reflect.StructField{
			Name: "F" + strconv.Itoa(i),
			Type: t,
			Tag:  reflect.StructTag("json:" + strconv.Quote(tag)),
		})
	}
	return reflect.StructOf(fields), nil
}
