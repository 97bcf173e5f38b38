package compact

import (
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

func (c codec) openControl(dst []byte, id, streamID, op string) []byte {
	dst = appendID(c.open(dst, "sq"), id)
	dst = append(dst, `,"sid":"`...)
	dst = append(dst, streamID...)
	dst = append(dst, `","op":"`...)
	dst = append(dst, op...)
	return append(dst, '"')
}

func controlOp(kind wire.Kind) string {
	if kind == wire.StreamThrow {
		return "throw"
	}
	return "return"
}

// AppendPull implements wire.Codec.
func (c codec) AppendPull(dst []byte, id, streamID string, n int) []byte {
	dst = append(c.openControl(dst, id, streamID, "pull"), `,"n":`...)
	return c.close(strconv.AppendInt(dst, int64(n), 10), nil)
}

// AppendControl implements wire.Codec.
func (c codec) AppendControl(dst []byte, kind wire.Kind, id, streamID string) []byte {
	return c.closeUndefined(c.openControl(dst, id, streamID, controlOp(kind)))
}

func (c codec) openItem(dst, id, streamID []byte) []byte {
	return appendRaw(appendRaw(c.open(dst, "sr"), `,"id":`, id), `,"sid":`, streamID)
}

// BeginItem implements wire.Codec.
func (c codec) BeginItem(dst, id, streamID []byte, done bool) []byte {
	dst = strconv.AppendBool(append(c.openItem(dst, id, streamID), `,"d":`...), done)
	return append(dst, `,"v":`...)
}

// EndItem implements wire.Codec.
func (c codec) EndItem(dst []byte, tail *wire.Tail) []byte { return c.closeValue(dst, tail) }

// AppendItem implements wire.Codec.
func (c codec) AppendItem(dst, id, streamID []byte, done bool) []byte {
	dst = strconv.AppendBool(append(c.openItem(dst, id, streamID), `,"d":`...), done)
	return c.closeUndefined(dst)
}

// ItemPath implements wire.Codec.
func (c codec) ItemPath() string { return "v" }

// AppendStreamError implements wire.Codec.
func (c codec) AppendStreamError(dst, id, streamID []byte, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	return c.appendError(dst, c.openItem(dst, id, streamID), e, values)
}
