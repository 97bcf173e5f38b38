package bind

import (
	"math"
	"reflect"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

const maxSafeInteger = 1<<53 - 1

// AppendScalar appends the scalar that p points to if all dialects write it alike.
func AppendScalar(dst []byte, p any) (_ []byte, ok bool) {
	switch p := p.(type) {
	case *string:
		return wire.AppendString(dst, *p), true
	case *bool:
		return strconv.AppendBool(dst, *p), true
	case *int:
		return appendInteger(dst, int64(*p))
	case *float64:
		return appendWhole(dst, *p)
	}
	return dst, false
}

// appendReflected is AppendScalar for the scalar in v.
func appendReflected(dst []byte, v reflect.Value) (_ []byte, ok bool) {
	switch {
	case v.Kind() == reflect.String:
		return wire.AppendString(dst, v.String()), true
	case v.Kind() == reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), true
	case v.CanInt():
		return appendInteger(dst, v.Int())
	case v.CanUint() && v.Uint() <= maxSafeInteger:
		return strconv.AppendUint(dst, v.Uint(), 10), true
	case v.Kind() == reflect.Float64, v.Kind() == reflect.Float32 && math.Abs(v.Float()) < 1<<24: // as in superjson
		return appendWhole(dst, v.Float())
	}
	return dst, false
}

func appendInteger(dst []byte, n int64) (_ []byte, ok bool) {
	if n < -maxSafeInteger || n > maxSafeInteger {
		return dst, false
	}
	return strconv.AppendInt(dst, n, 10), true
}

// appendWhole appends a number that is an integer, and not -0.
func appendWhole(dst []byte, f float64) (_ []byte, ok bool) {
	if n := int64(f); float64(n) == f && (n != 0 || !math.Signbit(f)) {
		return appendInteger(dst, n)
	}
	return dst, false
}

// AppendPlain is AppendScalar for the scalar v.
func AppendPlain(dst []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case string:
		return AppendScalar(dst, &v)
	case bool:
		return AppendScalar(dst, &v)
	case int:
		return AppendScalar(dst, &v)
	case float64:
		return AppendScalar(dst, &v)
	}
	return dst, false
}
