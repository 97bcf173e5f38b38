package bind

import (
	"fmt"
	"io"
	"iter"
	"reflect"
)

// StreamKind is how a Go type stands for a stream.
type StreamKind uint8

const (
	NotStream   StreamKind = iota
	PlainSeq               // iter.Seq[T]
	FailingSeq             // iter.Seq2[T, error]
	PairSeq                // iter.Seq2[K, V], which has no meaning here
	ReceiveChan            // <-chan T
	ByteReader             // io.Reader or io.ReadCloser, whose items are bytes
)

var (
	readerType = reflect.TypeFor[io.Reader]()
	writerType = reflect.TypeFor[io.Writer]()
	// writtenType is what a function with an io.Writer returns to the peer.
	writtenType = reflect.TypeFor[iter.Seq2[[]byte, error]]()
)

// StreamKindOf recognises streams by their shape. No other func is ever taken for one: a callback returns nothing or an
// error, and so does not look like yield.
func StreamKindOf(t reflect.Type) (kind StreamKind, item reflect.Type) {
	switch t.Kind() {
	case reflect.Chan:
		if t.ChanDir() != reflect.RecvDir {
			return NotStream, nil // the other end of it would be of no use to the peer
		}
		return ReceiveChan, t.Elem()
	case reflect.Interface:
		if t == readerType || t == reflect.TypeFor[io.ReadCloser]() {
			return ByteReader, reflect.TypeFor[[]byte]()
		}
		return NotStream, nil
	case reflect.Func:
	default:
		return NotStream, nil
	}
	if t.NumIn() != 1 || t.NumOut() != 0 || t.IsVariadic() {
		return NotStream, nil
	}
	yield := t.In(0)
	if yield.Kind() != reflect.Func || yield.NumOut() != 1 || yield.Out(0) != reflect.TypeFor[bool]() || yield.IsVariadic() {
		return NotStream, nil
	}
	switch {
	case yield.NumIn() == 1:
		return PlainSeq, yield.In(0)
	case yield.NumIn() == 2 && yield.In(1) == errorType:
		return FailingSeq, yield.In(0)
	case yield.NumIn() == 2:
		return PairSeq, yield.In(0)
	}
	return NotStream, nil
}

// IsStreamType reports whether a t has the shape of a stream.
func IsStreamType(t reflect.Type) bool {
	kind, _ := StreamKindOf(t)
	return kind != NotStream
}

// IsStream reports whether v has the shape of a stream, or is an io.Reader that does not decide about its own JSON.
func IsStream(v any) bool { return v != nil && (IsStreamType(reflect.TypeOf(v)) || IsReader(v)) }

// IsReader reports whether v, which stands by itself, is sent as a stream of the bytes that it reads.
func IsReader(v any) bool {
	_, ok := v.(io.Reader)
	return ok && !hasOwnForm(reflect.TypeOf(v))
}

// asReader is v, which is declared as an io.Reader and so is one: without methods that decide about its JSON.
func asReader(v any) any {
	if v == nil || IsReader(v) {
		return v
	}
	if r, ok := v.(io.ReadCloser); ok {
		return struct{ io.ReadCloser }{r}
	}
	return struct{ io.Reader }{v.(io.Reader)}
}

// IsNil reports whether v, a stream, is nil.
func IsNil(v any) bool {
	switch rv := reflect.ValueOf(v); rv.Kind() {
	case reflect.Func, reflect.Chan, reflect.Pointer:
		return rv.IsNil()
	}
	return false
}

// CheckWriter reports that v, an argument for the peer, can only be written to.
func CheckWriter(v any) error {
	if _, ok := v.(io.Writer); ok && !hasOwnForm(reflect.TypeOf(v)) {
		return writerError(reflect.TypeOf(v))
	}
	return nil
}

func writerError(t reflect.Type) error {
	return fmt.Errorf("%s cannot be an argument: the peer could not write to it; read the result of the call, an io.ReadCloser", t)
}

const misplacedStream = "a stream can only be a result, a parameter or a property itself"

// PairError is why a t, a PairSeq, cannot cross.
func PairError(t reflect.Type) error {
	return fmt.Errorf("%s: a stream of pairs cannot cross; use iter.Seq2[T, error]", t)
}

// checkOutbound reports why a v cannot be a result, a property or an argument: data or a stream.
func (t *Types) checkOutbound(v reflect.Type) error {
	kind, item := StreamKindOf(v)
	switch kind {
	case NotStream:
		if err := checkConcrete(v); err != nil {
			return err
		}
		return t.checkData(v, outbound)
	case PairSeq:
		return place(PairError(v))
	}
	return t.checkItem(item, outbound)
}

// checkConcrete refuses types that are read as a stream where a value stands in an any, and would be data here.
func checkConcrete(v reflect.Type) error {
	if v.Implements(readerType) && !IsStreamType(v) && !hasOwnForm(v) {
		return &placedError{reason: fmt.Sprintf("%s can be read, but is neither io.Reader nor io.ReadCloser; declare one of them for a stream, or a type without Read for data", v)}
	}
	return nil
}

// CheckInbound reports why a v cannot hold what the peer sends: data or a stream. The error stands behind a noun.
func (t *Types) CheckInbound(v reflect.Type) error {
	kind, item := StreamKindOf(v)
	switch kind {
	case NotStream:
		return t.checkData(v, inbound)
	case PlainSeq, PairSeq, ReceiveChan:
		return &placedError{reason: fmt.Sprintf("%s cannot say that the stream has failed; use iter.Seq2[%s, error]", v, item)}
	}
	return t.checkItem(item, inbound)
}

func (t *Types) checkItem(item reflect.Type, d direction) error {
	err := t.checkData(item, d)
	if err == nil {
		return nil
	}
	placed := err.(*placedError)
	return &placedError{at: " items" + placed.at, reason: placed.reason}
}

// TakesStream reports whether a stream may be stored in what result, the pointer of a call, points to.
func TakesStream(result any) bool {
	switch result.(type) {
	case nil:
		return false
	case *any:
		return true
	}
	kind, _ := StreamKindOf(reflect.TypeOf(result).Elem())
	return kind == FailingSeq || kind == ByteReader
}
