package load

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// mask is not zero, since servers might skip the work.
var mask = [4]byte{0x3b, 0xa5, 0x5e, 0xd1}

// Out collects the frames that a client sends.
type Out struct {
	buf   []byte
	start int
}

const maxHeader = 14

// begin returns the buffer to append a message to, for end.
func (o *Out) begin() []byte {
	o.start = len(o.buf)
	return append(o.buf, make([]byte, maxHeader)...)
}

// end makes what was appended since begin a text frame.
func (o *Out) end(b []byte) { o.frame(b, ws.OpText) }

func (o *Out) frame(b []byte, op ws.OpCode) {
	payload := b[o.start+maxHeader:]
	ws.Cipher(payload, mask, 0)
	header := make([]byte, 0, maxHeader)
	header = append(header, 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		header = append(header, 0x80|byte(n))
	case n < 1<<16:
		header = append(header, 0x80|126)
		header = binary.BigEndian.AppendUint16(header, uint16(n))
	default:
		header = append(header, 0x80|127)
		header = binary.BigEndian.AppendUint64(header, uint64(n))
	}
	header = append(header, mask[:]...)
	if gap := maxHeader - len(header); gap > 0 {
		copy(b[o.start+len(header):], payload)
		b = b[:len(b)-gap]
	}
	copy(b[o.start:], header)
	o.buf = b
}

// take returns the frames and forgets them. They are valid until the next begin.
func (o *Out) take() []byte {
	b := o.buf
	o.buf = o.buf[:0]
	return b
}
