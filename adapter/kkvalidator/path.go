package kkvalidator

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// pathIn translates the validator's path in the struct v, such as User.Tags[2].Name, into the path of JavaScript. The
// validator joins names, keys and indexes without escaping, so pathIn needs the value to split them.
func pathIn(v reflect.Value, namespace string) (path []any) {
	rest := namespace
	if name := v.Type().Name(); name != "" {
		rest = strings.TrimPrefix(rest, name+".") // of a generic type, a name with dots and brackets
	}
	for rest != "" {
		v = concrete(v)
		switch {
		case rest[0] == '.':
			rest = rest[1:]
		case rest[0] == '[':
			var key any
			if key, v, rest = element(v, rest[1:]); key == nil {
				return append(path, rest)
			}
			path = append(path, key)
		default:
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			name := rest[:end]
			rest = rest[end:]
			if v.Kind() != reflect.Struct {
				return append(path, name)
			}
			field, ok := v.Type().FieldByName(name)
			if !ok {
				return append(path, name) // what a rule for the whole struct reports may have any name
			}
			if shown, inlined := jsonName(v.Type(), field); !inlined {
				path = append(path, shown)
			}
			v = v.FieldByIndex(field.Index)
		}
	}
	return path
}

func concrete(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// element takes an index or key and its closing bracket from the front of text. key is nil if v has none that fits.
func element(v reflect.Value, text string) (key any, inner reflect.Value, rest string) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		digits, rest, _ := strings.Cut(text, "]")
		if i, err := strconv.Atoi(digits); err == nil && 0 <= i && i < v.Len() {
			return i, v.Index(i), rest
		}
	case reflect.Map:
		// A key may have brackets in it. The longest that fits is taken.
		for _, k := range v.MapKeys() {
			name := fmt.Sprint(k)
			if after, ok := strings.CutPrefix(text, name+"]"); ok && (key == nil || len(name) > len(key.(string))) {
				key, inner, rest = name, v.MapIndex(k), after
			}
		}
		if key != nil {
			return key, inner, rest
		}
	}
	return nil, v, text
}

// jsonName is the name of the field f of t in JavaScript. The fields of an inlined struct stand beside those around it. A
// field that does not cross has its name in Go.
func jsonName(t reflect.Type, f reflect.StructField) (name string, inlined bool) {
	for member := range superjson.Fields(t) {
		switch {
		case slices.Equal(member.Index, f.Index):
			return member.Name, false
		case len(member.Index) > len(f.Index) && slices.Equal(member.Index[:len(f.Index)], f.Index):
			inlined = true
		}
	}
	return f.Name, inlined
}
