package kkvalidator

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"github.com/kkrpc-go/kkrpc"
)

// walk looks for the structs in a value.
type walk struct {
	ctx      context.Context
	validate *validator.Validate
	message  func(string, validator.FieldError) string
	issues   []issue
	around   map[place]bool // what the current value is in
}

// place is the target of a pointer, map or slice.
type place struct {
	at  uintptr
	typ reflect.Type
	len int
}

// value validates what is in v. A peer with SuperJSON can send a value of type any that contains itself.
func (w *walk) value(v reflect.Value, path []any) {
	if len(w.issues) == maxIssues {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		w.value(v.Elem(), path)
	case reflect.Struct:
		switch {
		case v.Type().ConvertibleTo(reflect.TypeFor[time.Time]()):
		case mayContainItself(v.Type()) && w.containsItself(v):
			w.add(fmt.Sprintf("%s contains itself, which cannot be validated", nameOf(path)), path)
		default:
			w.structure(v, path)
		}
	case reflect.Pointer:
		switch v.Interface().(type) {
		case *kkrpc.Ref, *kkrpc.Callback, *kkrpc.Shared:
			return // to be used by others meanwhile, and nothing to validate
		}
		w.inside(v, 0, func() { w.value(v.Elem(), path) })
	case reflect.Slice:
		if !isPlain(v.Type().Elem()) {
			w.inside(v, v.Len(), func() { w.elements(v, path) })
		}
	case reflect.Array:
		if !isPlain(v.Type().Elem()) {
			w.elements(v, path)
		}
	case reflect.Map:
		if !isPlain(v.Type().Elem()) {
			w.inside(v, 0, func() { w.entries(v, path) })
		}
	}
}

func (w *walk) elements(v reflect.Value, path []any) {
	for i := range v.Len() {
		w.value(v.Index(i), append(path[:len(path):len(path)], i))
	}
}

// entries validates the values of a map. The problems are in the order of the keys, so that they are the same each time.
func (w *walk) entries(v reflect.Value, path []any) {
	before := len(w.issues)
	for entries := v.MapRange(); entries.Next(); {
		w.value(entries.Value(), append(path[:len(path):len(path)], fmt.Sprint(entries.Key())))
	}
	slices.SortStableFunc(w.issues[before:], func(a, b issue) int {
		return strings.Compare(a.Path[len(path)].(string), b.Path[len(path)].(string))
	})
}

// inside calls f unless v is nil or f is under way for it already.
func (w *walk) inside(v reflect.Value, length int, f func()) {
	p := place{v.Pointer(), v.Type(), length}
	if v.IsNil() || w.around[p] {
		return
	}
	if w.around == nil {
		w.around = map[place]bool{}
	}
	w.around[p] = true
	f()
	delete(w.around, p)
}

// isPlain reports whether values of t cannot have structs in them.
func isPlain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Interface:
		return false
	}
	return true
}

// containsItself reports whether v has a cycle, in which the validator would go round for ever.
func (w *walk) containsItself(v reflect.Value) (found bool) {
	switch v.Kind() {
	case reflect.Interface:
		return !v.IsNil() && w.containsItself(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); (f.IsExported() || f.Anonymous) && w.containsItself(v.Field(i)) {
				return true
			}
		}
		return false
	case reflect.Array:
		return !isPlain(v.Type().Elem()) && w.anyContainsItself(v)
	case reflect.Pointer, reflect.Map, reflect.Slice:
	default:
		return false
	}
	length := 0
	if v.Kind() == reflect.Slice {
		length = v.Len()
	}
	if v.IsNil() || isPlain(v.Type().Elem()) {
		return false
	}
	if w.around[place{v.Pointer(), v.Type(), length}] {
		return true
	}
	w.inside(v, length, func() {
		switch v.Kind() {
		case reflect.Pointer:
			found = w.containsItself(v.Elem())
		case reflect.Slice:
			found = w.anyContainsItself(v)
		case reflect.Map:
			for entries := v.MapRange(); !found && entries.Next(); {
				found = w.containsItself(entries.Value())
			}
		}
	})
	return found
}

func (w *walk) anyContainsItself(v reflect.Value) bool {
	for i := range v.Len() {
		if w.containsItself(v.Index(i)) {
			return true
		}
	}
	return false
}
