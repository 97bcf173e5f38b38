package kkvalidator

import (
	"reflect"
	"slices"
	"sync"
)

var recursive sync.Map // reflect.Type → bool

// mayContainItself reports whether a value of type t can have a cycle.
func mayContainItself(t reflect.Type) bool {
	known, ok := recursive.Load(t)
	if !ok {
		known = leadsBack(t, nil)
		recursive.Store(t, known)
	}
	return known.(bool)
}

func leadsBack(t reflect.Type, around []reflect.Type) bool {
	if slices.Contains(around, t) {
		return true
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return leadsBack(t.Elem(), around)
	case reflect.Struct:
		around = append(around[:len(around):len(around)], t)
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && leadsBack(f.Type, around) {
				return true
			}
		}
	}
	return false
}
