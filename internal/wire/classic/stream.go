package classic

import (
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// AppendPull implements wire.Codec.
func (c codec) AppendPull(dst []byte, _, _ string, _ int) []byte { return dst }

// AppendControl implements wire.Codec.
func (c codec) AppendControl(dst []byte, kind wire.Kind, _, streamID string) []byte {
	if kind != wire.StreamReturn {
		return dst
	}
	dst = append(c.openMethod(dst, streamID, ""), `,"args":{},"type":"stream-cancel"`...)
	return c.close(dst, nil, noSlots)
}

// BeginItem implements wire.Codec.
func (c codec) BeginItem(dst, _, streamID []byte, _ bool) []byte {
	return append(c.openID(dst, streamID), `"value":`...)
}

// EndItem implements wire.Codec.
func (c codec) EndItem(dst []byte, tail *wire.Tail) []byte {
	return c.close(append(dst, `},"type":"stream-chunk"`...), valuesOf(tail), transferSlots)
}

// AppendItem implements wire.Codec.
func (c codec) AppendItem(dst, _, streamID []byte, done bool) []byte {
	dst = c.openID(dst, streamID)
	switch {
	case done:
		return c.close(append(dst, `},"type":"stream-end"`...), nil, noSlots)
	case !c.superJSON():
		return c.close(append(dst, `},"type":"stream-chunk"`...), nil, noSlots)
	}
	dst = append(dst, `"value":null},"type":"stream-chunk","transferSlots":null,"version":"superjson"}`...)
	return append(dst, `,"meta":{"values":{"args.value":["undefined"],"transferSlots":["undefined"]},"v":1}}`+"\n"...)
}

// ItemPath implements wire.Codec.
func (c codec) ItemPath() string { return "args.value" }

// AppendStreamError implements wire.Codec.
func (c codec) AppendStreamError(dst, _, streamID []byte, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	return c.appendError(dst, streamID, "stream-error", e, values)
}
