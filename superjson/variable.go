package superjson

import (
	"reflect"
	"unsafe"
)

// variable is one whose type the plan of its reader or writer knows. Plans reach fields and elements by their offsets,
// which takes a fifth of the time that reflection takes.
//
// This file has the conversions of pointers to fields and elements. FuzzQuick and FuzzVariables compare what is done here
// with reflection.
type variable struct{ at unsafe.Pointer }

// variableOf is v, which is addressable. The garbage collector knows it as a pointer into that variable.
func variableOf(v reflect.Value) variable { return variable{v.Addr().UnsafePointer()} }

// as is the variable at p, which is of type T or has T as its underlying type: both are the same in memory.
func as[T any](p variable) *T { return (*T)(p.at) }

// integer is the integer of size bytes at p, as a signed one.
func (p variable) integer(size uintptr) int64 {
	switch size {
	case 1:
		return int64(*as[int8](p))
	case 2:
		return int64(*as[int16](p))
	case 4:
		return int64(*as[int32](p))
	}
	return *as[int64](p)
}

// setInteger stores the lowest bytes of n in the integer of size bytes at p.
func (p variable) setInteger(size uintptr, n int64) {
	switch size {
	case 1:
		*as[int8](p) = int8(n)
	case 2:
		*as[int16](p) = int16(n)
	case 4:
		*as[int32](p) = int32(n)
	default:
		*as[int64](p) = n
	}
}

// value is the variable at p, which is of type t. It is addressable and can be set.
func (p variable) value(t reflect.Type) reflect.Value { return reflect.NewAt(t, p.at).Elem() }

// field is the part of the struct at p with that offset, which is one that reflect.StructField.Offset gave.
func (p variable) field(offset uintptr) variable { return variable{unsafe.Add(p.at, offset)} }

// target is what the pointer at p points to. It is nil if the pointer is.
func (p variable) target() variable { return variable{*(*unsafe.Pointer)(p.at)} }

// point makes the pointer at p, which is one to a t, point to a new t.
func (p variable) point(t reflect.Type) variable {
	made := reflect.New(t).UnsafePointer()
	*(*unsafe.Pointer)(p.at) = made
	return variable{made}
}

// items is the slice at p, of elements of size bytes. It shares the elements, and is valid for as long as the slice keeps
// its length.
func (p variable) items(size uintptr) items {
	// The data pointer of a slice is that of a slice of bytes too. Only the pointer is used of it.
	list := (*[]byte)(p.at)
	return items{first: unsafe.Pointer(unsafe.SliceData(*list)), n: len(*list), size: size}
}

// items are the elements of a slice or array.
type items struct {
	first unsafe.Pointer
	n     int
	size  uintptr
}

// array is the n elements of the array at p.
func (p variable) array(n int, size uintptr) items { return items{p.at, n, size} }

// item is element i, which is below n.
func (l items) item(i int) variable { return variable{unsafe.Add(l.first, uintptr(i)*l.size)} }

// hop is a pointer to an embedded struct on the way to a field.
type hop struct {
	offset uintptr      // of the pointer, from the struct before
	to     reflect.Type // what it points to
	sealed bool         // the pointer is unexported, so reflection could not set it
}

// route returns how the field of t with this index is reached: over hops, and at an offset from the last of them.
func route(t reflect.Type, index []int) (hops []hop, offset uintptr) {
	sealed := false
	for i, n := range index {
		if i > 0 && t.Kind() == reflect.Pointer {
			hops = append(hops, hop{offset, t.Elem(), sealed})
			t, offset = t.Elem(), 0
		}
		f := t.Field(n)
		t, offset, sealed = f.Type, offset+f.Offset, !f.IsExported()
	}
	return hops, offset
}

// memoryOf is the memory of the elements of v, a slice of numbers.
func memoryOf(v reflect.Value) []byte {
	return unsafe.Slice((*byte)(v.UnsafePointer()), v.Len()*int(v.Type().Elem().Size()))
}
