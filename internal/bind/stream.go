package bind

import (
	"fmt"
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

// IsStream reports whether v has the shape of a stream.
func IsStream(v any) bool { return v != nil && IsStreamType(reflect.TypeOf(v)) }

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
		return t.checkData(v, outbound)
	case PairSeq:
		return place(PairError(v))
	}
	return t.checkItem(item, outbound)
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
	return kind == FailingSeq
}
