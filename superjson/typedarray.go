package superjson

import (
	"math"
	"math/big"
	"reflect"
)

// These are the JavaScript typed arrays except Uint8Array, which is []byte. Under the JSON modes those of bigints are
// refused. The others are written as arrays of numbers, and also read from the objects with indexes that JSON.stringify
// makes of typed arrays. Versions of superjson before 2.2.7 know no arrays of bigints, and write null for NaN and the
// infinities, which is read as 0.
type (
	Int8Array         []int8
	Uint8ClampedArray []uint8
	Int16Array        []int16
	Uint16Array       []uint16
	Int32Array        []int32
	Uint32Array       []uint32
	Float32Array      []float32
	Float64Array      []float64
	BigInt64Array     []int64
	BigUint64Array    []uint64
)

const uint8Array = "Uint8Array"

var typedArrayTypes = map[string]reflect.Type{
	uint8Array:          reflect.TypeFor[[]byte](),
	"Buffer":            reflect.TypeFor[[]byte](), // Node's; the original writes the name but refuses to read it
	"Int8Array":         reflect.TypeFor[Int8Array](),
	"Uint8ClampedArray": reflect.TypeFor[Uint8ClampedArray](),
	"Int16Array":        reflect.TypeFor[Int16Array](),
	"Uint16Array":       reflect.TypeFor[Uint16Array](),
	"Int32Array":        reflect.TypeFor[Int32Array](),
	"Uint32Array":       reflect.TypeFor[Uint32Array](),
	"Float32Array":      reflect.TypeFor[Float32Array](),
	"Float64Array":      reflect.TypeFor[Float64Array](),
	"BigInt64Array":     reflect.TypeFor[BigInt64Array](),
	"BigUint64Array":    reflect.TypeFor[BigUint64Array](),
}

// typedArrayName is the JavaScript name of one of the named slice types above, or "".
func typedArrayName(t reflect.Type) string {
	if t.PkgPath() == "" || typedArrayTypes[t.Name()] != t {
		return ""
	}
	return t.Name()
}

// newTypedArray converts numbers as a JavaScript typed array does: integers wrap, Uint8ClampedArray clamps.
func newTypedArray(t reflect.Type, numbers []float64) reflect.Value {
	out := reflect.MakeSlice(t, len(numbers), len(numbers))
	for i, f := range numbers {
		setElement(out.Index(i), f, t == typedArrayTypes["Uint8ClampedArray"])
	}
	return out
}

func setElement(v reflect.Value, f float64, clamp bool) {
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		v.SetFloat(f)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		if clamp {
			f = math.RoundToEven(min(max(f, 0), 255))
		}
		v.SetUint(uint64(toUint32(f)))
	default:
		v.SetInt(int64(int32(toUint32(f))))
	}
}

// toUint32 is the ECMAScript conversion: the integer part modulo 2^32.
func toUint32(f float64) uint32 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	f = math.Mod(math.Trunc(f), 1<<32)
	return uint32(int64(f))
}

// holdsBigInts reports the typed arrays whose elements are bigints, written as strings.
func holdsBigInts(name string) bool { return name == "BigInt64Array" || name == "BigUint64Array" }

// bigIntItem annotates the elements of such an array.
var bigIntItem = newNode("bigint")

// newBigIntArray converts bigints as a JavaScript typed array does: modulo 2^64.
func newBigIntArray(name string, list []any) (any, error) {
	out := reflect.MakeSlice(typedArrayTypes[name], len(list), len(list))
	for i, item := range list {
		n, done := item.(*big.Int)
		if !done {
			var err error
			if n, err = reviveBigInt(item); err != nil {
				return nil, badValue(name)
			}
		}
		low := new(big.Int).Mod(n, twoTo64).Uint64() // never negative
		if v := out.Index(i); v.CanInt() {
			v.SetInt(int64(low))
		} else {
			v.SetUint(low)
		}
	}
	return out.Interface(), nil
}

var twoTo64 = new(big.Int).Lsh(big.NewInt(1), 64)
