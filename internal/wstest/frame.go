package wstest

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// codeNone stands for a close frame without code.
const codeNone = 1005

// Frame is a frame as a case sends it, valid or not.
type Frame struct {
	op      byte
	more    bool // FIN is not set
	rsv     byte // 4 is RSV1, 1 is RSV3
	payload []byte

	form    int    // bytes of the extended length: 0, 2 or 8; -1 for the shortest form
	claimed uint64 // length in the header, if not 0
	badMask bool   // masked where it must not be, or the reverse
}

// append appends f as the one side sends it. mask32 is the key of its mask.
func (f Frame) append(b []byte, masked bool, mask32 uint32) []byte {
	first := f.rsv<<4 | f.op
	if !f.more {
		first |= 0x80
	}
	masked = masked != f.badMask
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	length := uint64(len(f.payload))
	if f.claimed != 0 {
		length = f.claimed
	}
	form := f.form
	switch {
	case form >= 0:
	case length < 126:
		form = 0
	case length < 1<<16:
		form = 2
	default:
		form = 8
	}
	b = append(b, first)
	switch form {
	case 0:
		b = append(b, bit|byte(length))
	case 2:
		b = binary.BigEndian.AppendUint16(append(b, bit|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, bit|127), length)
	}
	if !masked {
		return append(b, f.payload...)
	}
	var key [4]byte
	binary.BigEndian.PutUint32(key[:], mask32)
	b = append(append(b, key[:]...), f.payload...)
	mask(b[len(b)-len(f.payload):], key)
	return b
}

// mask masks p, or takes the mask away.
func mask(p []byte, key [4]byte) {
	pattern := bytes.Repeat(key[:], min(1<<10, len(p)/4+1))
	for len(p) > 0 {
		p = p[subtle.XORBytes(p, p, pattern):]
	}
}

// readFrame reads a frame that follows the rules. masked says whether the sender has to mask.
func readFrame(r *bufio.Reader, masked bool) (Frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{op: head[0] & 15, more: head[0]&0x80 == 0, rsv: head[0] >> 4 & 7, form: -1}
	if (head[1]&0x80 != 0) != masked {
		return f, errors.New("a frame with the wrong mask bit")
	}
	length := uint64(head[1] & 0x7f)
	switch length {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return f, err
		}
		if length = uint64(binary.BigEndian.Uint16(b[:])); length < 126 {
			return f, errors.New("a length that is not in its shortest form")
		}
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return f, err
		}
		if length = binary.BigEndian.Uint64(b[:]); length < 1<<16 {
			return f, errors.New("a length that is not in its shortest form")
		}
	}
	if f.op >= 8 && (f.more || f.rsv != 0 || length > 125) {
		return f, fmt.Errorf("a control frame with opcode %d, more %v, reserved bits %d and %d bytes", f.op, f.more, f.rsv, length)
	}
	if length > 64<<20 {
		return f, fmt.Errorf("a frame of %d bytes", length)
	}
	var key [4]byte
	if masked {
		if _, err := io.ReadFull(r, key[:]); err != nil {
			return f, err
		}
	}
	f.payload = make([]byte, length)
	if _, err := io.ReadFull(r, f.payload); err != nil {
		return f, err
	}
	if masked {
		mask(f.payload, key)
	}
	return f, nil
}

// closePayload is what a close frame holds.
func closePayload(code int, reason string) []byte {
	if code == codeNone && reason == "" {
		return nil
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}
