package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// A binary frame is the text of a message with the bytes that its placeholders stand for. All numbers are little-endian:
//
//	0   1 byte: BinaryFrame     32  for each part: length (4), type (1), 0 (3)
//	1   3 bytes: 0                  the text
//	4   4 bytes: count of parts     the parts, each at the next multiple of 8
//	8   4 bytes: length of text
//	12  4 bytes: 0
//	16  16 bytes: the mark

// BinaryFrame is the first byte of each binary frame. No text in UTF-8 begins with it.
const BinaryFrame = 0xB1

const (
	binaryHead = 32
	markSize   = 16
	partHead   = 8
	partAlign  = 8
)

// ErrBinary is a part of the error for a binary frame that is malformed.
var ErrBinary = errors.New("malformed binary frame")

func malformedBinary(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBinary, fmt.Sprintf(format, args...))
}

// BinarySize is how long the binary frame of a message is, in bytes.
func BinarySize(text []byte, parts []superjson.Part) int {
	size := binaryHead + partHead*len(parts) + len(text)
	for _, p := range parts {
		size = aligned(size) + len(p.Data)
	}
	return size
}

// AppendBinary appends the binary frame of a message to the empty frame. The placeholders in text begin with mark.
func AppendBinary(frame, text []byte, mark string, parts []superjson.Part) []byte {
	frame = append(frame, BinaryFrame, 0, 0, 0)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(parts)))
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(text)))
	frame = append(frame, 0, 0, 0, 0)
	frame = append(frame, mark...)
	for _, p := range parts {
		frame = binary.LittleEndian.AppendUint32(frame, uint32(len(p.Data)))
		frame = append(frame, byte(p.Type), 0, 0, 0)
	}
	frame = append(frame, text...)
	for _, p := range parts {
		frame = append(frame, zeros[:aligned(len(frame))-len(frame)]...)
		frame = append(frame, p.Data...)
	}
	return frame
}

var zeros [partAlign]byte

// aligned is the offset of the part that follows n bytes.
func aligned(n int) int { return (n + partAlign - 1) &^ (partAlign - 1) }

// OpenBinary reads a binary frame. text aliases frame, the parts do not. Errors wrap ErrBinary.
func OpenBinary(frame []byte) (text []byte, parts *superjson.Parts, err error) {
	if len(frame) < binaryHead || frame[0] != BinaryFrame {
		return nil, nil, malformedBinary("its head has 32 bytes and begins with 0xB1")
	}
	count, length := binary.LittleEndian.Uint32(frame[4:]), uint64(binary.LittleEndian.Uint32(frame[8:]))
	mark := frame[16:binaryHead]
	switch {
	case frame[1]|frame[2]|frame[3]|frame[12]|frame[13]|frame[14]|frame[15] != 0:
		return nil, nil, malformedBinary("bytes 1 to 3 or 12 to 15 are not 0")
	case count == 0 || count > superjson.MaxParts:
		return nil, nil, malformedBinary("it has %d parts, and not 1 to %d", count, superjson.MaxParts)
	case bytes.ContainsFunc(mark, notOfMark):
		return nil, nil, malformedBinary("the mark has other characters than letters, digits, - and _")
	}
	at := uint64(binaryHead + partHead*count)
	if at+length > uint64(len(frame)) {
		return nil, nil, malformedBinary("it ends before its text does")
	}
	text = frame[at : at+length]
	at += length
	list := make([]superjson.Part, count)
	for i := range list {
		head := frame[binaryHead+partHead*i:]
		size := uint64(binary.LittleEndian.Uint32(head))
		kind := superjson.PartType(head[4])
		start := uint64(aligned(int(at)))
		switch {
		case head[5]|head[6]|head[7] != 0:
			return nil, nil, malformedBinary("part %d: bytes 5 to 7 of its head are not 0", i)
		case !kind.Fits(int(size)):
			return nil, nil, malformedBinary("part %d: %d bytes are no %v", i, size, kind)
		case start+size > uint64(len(frame)):
			return nil, nil, malformedBinary("it ends before part %d does", i)
		case len(bytes.Trim(frame[at:start], "\x00")) > 0:
			return nil, nil, malformedBinary("the bytes before part %d are not 0", i)
		}
		list[i] = superjson.Part{Type: kind, Data: append([]byte{}, frame[start:start+size]...)}
		at = start + size
	}
	if at != uint64(len(frame)) {
		return nil, nil, malformedBinary("%d bytes follow the last part", uint64(len(frame))-at)
	}
	return text, superjson.NewParts(string(mark), list), nil
}

func notOfMark(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
}
