package bind

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/compact"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// The kinds of the tests are the simplest that do.
type (
	object    map[string]any
	as        struct{ iface, impl any }
	compiled  struct{ api API }
	class     struct{ fn any }
	property  interface{ cell() *variable }
	variable  struct{ value any } // of any type, seen by the peer as a number
	handle    struct{ id string }
	feed      struct{ id string }
	reference struct{ target any }
	shared    struct{ value any }
)

func (*reference) MarshalJSON() ([]byte, error) { return nil, errors.New("a reference") }

func (*reference) UnmarshalJSON([]byte) error { return errors.New("no reference") }

// Reference gives held a field with an exported name.
type Reference = reference

// held is a reference that says what it stands for.
type held[T any] struct{ *Reference }

func (held[T]) refersTo() reflect.Type { return reflect.TypeFor[T]() }

func (v *variable) cell() *variable { return v }

var errPlaced = errors.New("placed")

type testValues struct{}

func (testValues) Members(v any) map[string]any { return v.(object) }

func (testValues) Implementation(v any) (reflect.Type, any) {
	return reflect.TypeOf(v.(as).iface).Elem(), v.(as).impl
}

func (testValues) Compiled(v any) *API { return &v.(*compiled).api }

func (testValues) Constructor(v any) any { return v.(class).fn }

func (testValues) PropertyType(any) (reflect.Type, bool) { return reflect.TypeFor[float64](), true }

func (testValues) Load(_ context.Context, v any) (any, error) { return v.(property).cell().value, nil }

func (testValues) Store(v, pointer any) error {
	n := *pointer.(*float64)
	if n < 0 {
		return errors.New("negative")
	}
	v.(property).cell().value = n
	return nil
}

func (testValues) Unshare(v any) any {
	if s, ok := v.(*shared); ok {
		return s.value
	}
	return v
}

func (testValues) Referent(v any) (Handle, any) {
	switch target := v.(*reference).target.(type) {
	case *handle:
		return target, nil
	case nil:
		return nil, nil
	default:
		return nil, target
	}
}

func (testValues) RefersTo(t reflect.Type) reflect.Type {
	if h, ok := reflect.Zero(t).Interface().(interface{ refersTo() reflect.Type }); ok {
		return h.refersTo()
	}
	return nil
}

// Callback makes functions that panic with the id of their handle.
func (testValues) Callback(t reflect.Type) func(Handle) any {
	return func(h Handle) any {
		return reflect.MakeFunc(t, func([]reflect.Value) []reflect.Value { panic(h.(*handle).id) }).Interface()
	}
}

// Stream makes iterators that fail with the id of their feed.
func (testValues) Stream(t reflect.Type) func(Source) any {
	_, item := StreamKindOf(t)
	return func(s Source) any {
		return reflect.MakeFunc(t, func(in []reflect.Value) []reflect.Value {
			err := errors.New(s.(*feed).id)
			in[0].Call([]reflect.Value{reflect.Zero(item), reflect.ValueOf(&err).Elem()})
			return nil
		}).Interface()
	}
}

// Written makes iterators of one item: all that run writes.
func (testValues) Written(run func(io.Writer) error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		var b bytes.Buffer
		err := run(&b)
		yield(b.Bytes(), err)
	}
}

func (testValues) Place(where string, err error) error {
	if errors.Is(err, errPlaced) {
		return fmt.Errorf("%s: %w", where, err)
	}
	return nil
}

// newTypes returns Types with the kinds above and with empty caches.
func newTypes() *Types {
	return New(Kinds{
		Object:    reflect.TypeFor[object](),
		Interface: reflect.TypeFor[as](),
		API:       reflect.TypeFor[compiled](),
		Class:     reflect.TypeFor[class](),
		Property:  reflect.TypeFor[property](),
		Handle:    reflect.TypeFor[*handle](),
		Ref:       reflect.TypeFor[*reference](),
		Shared:    reflect.TypeFor[*shared](),
		Values:    testValues{},
	})
}

func expose(t testing.TB, v any) *API {
	t.Helper()
	api, err := newTypes().Expose(v)
	if err != nil {
		t.Fatal(err)
	}
	return &api
}

// testPeer takes {"stream":…} for a stream and {"ref":…} for a reference to a function of the peer, or of this side.
type testPeer struct{}

func (testPeer) Function(id []byte) (Handle, error) {
	if string(id) == `"unknown"` {
		return nil, errPlaced
	}
	return &handle{string(id)}, nil
}

func (testPeer) Stream(raw []byte) (Source, error) {
	switch {
	case string(raw) == `{"stream":"closed"}`:
		return nil, errPlaced
	case strings.HasPrefix(string(raw), `{"stream":`):
		return &feed{string(raw)}, nil
	}
	return nil, nil
}

func (testPeer) References(raw []byte) superjson.ReferenceDecoder {
	if !strings.Contains(string(raw), `"ref":`) {
		return nil
	}
	return testReferences{}
}

type testReferences struct{}

func (testReferences) ReferenceType() reflect.Type { return reflect.TypeFor[*reference]() }

func (testReferences) DecodeReference(object map[string]any, _ bool) (any, error) {
	switch object["ref"] {
	case nil:
		return nil, nil
	case "own":
		return &reference{strings.ToUpper}, nil
	case "object":
		return &reference{nil}, nil
	case "released":
		return nil, errPlaced
	}
	return &reference{&handle{fmt.Sprint(object["ref"])}}, nil
}

// jsonWriter writes JSON, and streams as STREAM.
type jsonWriter struct{ enc *superjson.Encoder }

func newWriter() jsonWriter { return jsonWriter{superjson.NewEncoder(superjson.ModeJSON)} }

func (w jsonWriter) Append(dst []byte, path string, v any) ([]byte, error) {
	return w.enc.Append(dst, path, testValues{}.Unshare(v))
}

func (w jsonWriter) AppendAny(dst []byte, path string, v any) ([]byte, bool, error) {
	switch {
	case IsStream(v):
		return append(dst, "STREAM"...), false, nil
	case IsUndefined(v):
		return dst, true, nil
	}
	dst, err := w.Append(dst, path, v)
	return dst, false, err
}

// parse makes a request of the members of a compact one.
func parse(t testing.TB, members string) *Request {
	t.Helper()
	in := &Request{Peer: testPeer{}, Message: new(wire.Message)}
	if err := compact.JSON.Parse([]byte(`{"t":"q","id":"1",`+members+`}`), in.Message, 64); err != nil {
		t.Fatalf("%s: %v", members, err)
	}
	return in
}

// answer is what the peer gets for in: an encoded result, "undefined", or an error.
func answer(t testing.TB, api *API, in *Request) string {
	t.Helper()
	_, inv, refusal := api.Lookup(in.Message)
	if refusal != nil {
		return refusal.Error()
	}
	if err := inv.Decode(in); err != nil {
		return err.Error()
	}
	if err := inv.Run(t.Context()); err != nil {
		return "failed: " + err.Error()
	}
	if plain, ok := inv.AppendPlain(nil); ok {
		return string(plain)
	}
	dst, absent, err := inv.AppendResult(nil, newWriter(), "v")
	switch {
	case err != nil:
		return "not encoded: " + err.Error()
	case absent:
		return "undefined"
	}
	return string(dst)
}
