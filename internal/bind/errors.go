package bind

import (
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/jsonform"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// typeErrorf is the error for a request that does not fit the function it names.
func typeErrorf(format string, args ...any) *wire.Error {
	return &wire.Error{Name: "TypeError", Message: fmt.Sprintf(format, args...)}
}

// argumentError is err as the peer sees it. i counts from zero, the text from one.
func (t *Types) argumentError(path string, i int, err error) error {
	return t.placeError(path+": argument "+strconv.Itoa(i+1), err)
}

// placeError is err as the peer sees it, with the place where it happened.
func (t *Types) placeError(where string, err error) error {
	if errors.Is(err, superjson.ErrMemory) {
		return &wire.Error{Name: "RPCLimitError", Message: where + ": the values of the message take too much memory when decoded"}
	}
	inner, text := "", err.Error()
	if e, ok := errors.AsType[*superjson.TypeError](err); ok {
		inner, text = e.Path, "expected "+e.Expected+", got "+e.Got
	} else if e, ok := errors.AsType[*superjson.DataError](err); ok {
		inner, text = e.Path, e.Reason
	} else if placed := t.kinds.Place(where, err); placed != nil {
		return placed
	}
	if inner != "" && inner[0] != '[' {
		inner = "." + inner
	}
	return typeErrorf("%s%s: %s", where, inner, text)
}

// surplus refuses more than max arguments.
func surplus(path string, in *Request, max int) error {
	if got := len(in.Message.Args); got > max {
		return typeErrorf("%s: argument %d: expected at most %s, got %d", path, max+1, plural(max, "argument"), got)
	}
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// expected is what a peer must send for a value of type v.
func (t *Types) expected(v reflect.Type) string {
	for v.Kind() == reflect.Pointer && v != t.kinds.Ref {
		v = v.Elem()
	}
	if t.kinds.isReference(v) {
		return "reference"
	}
	switch v {
	case reflect.TypeFor[time.Time]():
		return "Date"
	case reflect.TypeFor[big.Int]():
		return "bigint"
	case reflect.TypeFor[url.URL]():
		return "URL"
	case reflect.TypeFor[[]byte]():
		return "Uint8Array"
	}
	if jsonform.IsNumber(v) {
		return "number"
	}
	switch v.Kind() {
	case reflect.Chan:
		return "stream"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Float32, reflect.Float64:
		return "number"
	case reflect.Func:
		if IsStreamType(v) {
			return "stream"
		}
		return "function"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Interface:
		if IsStreamType(v) {
			return "stream"
		}
		return "value"
	default:
		return "integer"
	}
}

// JSONKind is what JavaScript calls the value raw; nil is undefined.
func JSONKind(raw []byte) string {
	if len(raw) == 0 {
		return "undefined"
	}
	switch raw[0] {
	case 'n':
		return "null"
	case 't', 'f':
		return "boolean"
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	default:
		return "number"
	}
}
