package load

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/gobwas/ws"
)

// session is kkrpc 2 in a session, see docs/protocol.md. Answers come in the order of calls.
type session struct{ compact }

func (session) protocol() string { return "kkrpc.compact-json, kkrpc.session.1" }

func (session) Hello(out *Out) (answers int) {
	out.end(append(out.begin(), "#open"...))
	return 1
}

// answered acknowledges as the clients do.
func (session) answered(out *Out, id uint64) {
	if id%64 == 0 {
		out.end(strconv.AppendUint(append(out.begin(), "#ack "...), id, 10))
	}
}

// isControl reports whether msg belongs to the session, and not to the calls.
func isControl(msg []byte) bool { return len(msg) > 0 && msg[0] == '#' }

// blobs is kkrpc 2 with binary frames, for work with a Blob.
type blobs struct{ compact }

func (blobs) protocol() string { return "kkrpc.compact-json, kkrpc.bytes.1" }

const blobMark = "0123456789abcdef"

func (d blobs) Call(out *Out, w *Work, id uint64) {
	if w.Blob == nil {
		d.compact.Call(out, w, id)
		return
	}
	b := out.begin()
	head := len(b)
	b = append(b, 0xB1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, blobMark...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(w.Blob)))
	text := len(b)
	b = append(b, `{"t":"q","id":"`+compactID...)
	b = appendHex(b, id, idDigits)
	b = append(b, `","op":"call","p":[`...)
	b = appendPath(b, w.Method)
	b = append(b, `],"a":[{"__kkrpc_next_arg__":"value","v":"`+blobMark+`0"}]}`...)
	binary.LittleEndian.PutUint32(b[head+8:], uint32(len(b)-text))
	b = append(b, make([]byte, (8-(len(b)-head)%8)%8)...)
	out.frame(append(b, w.Blob...), ws.OpBinary)
}

func (d blobs) Parse(msg []byte) (id, value []byte, err error) {
	if msg[0] == '{' {
		return d.compact.Parse(msg)
	}
	text, blob, err := openBlob(msg)
	if err == nil {
		id, _, err = d.compact.Parse(text)
	}
	return id, blob, err
}

// openBlob takes a binary frame with one part apart.
func openBlob(msg []byte) (text, blob []byte, err error) {
	const head = 40
	if len(msg) < head || msg[0] != 0xB1 || binary.LittleEndian.Uint32(msg[4:]) != 1 {
		return nil, nil, fmt.Errorf("no binary frame with one part: % x", msg[:min(len(msg), head)])
	}
	size, length := int(binary.LittleEndian.Uint32(msg[8:])), int(binary.LittleEndian.Uint32(msg[32:]))
	at := (head + size + 7) &^ 7
	if at+length != len(msg) {
		return nil, nil, fmt.Errorf("a binary frame of %d bytes in place of %d", len(msg), at+length)
	}
	return msg[head : head+size], msg[at:], nil
}

// echoedBlobs sends the same frames and wants them back as they are.
type echoedBlobs struct{ blobs }

func (echoedBlobs) protocol() string { return "" }

func (echoedBlobs) Parse(msg []byte) (id, value []byte, err error) {
	text, blob, err := openBlob(msg)
	if err == nil {
		id, _, err = echo{}.Parse(text)
	}
	return id, blob, err
}
