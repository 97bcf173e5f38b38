//go:build js && wasm

package wasm

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"

	"github.com/kkrpc-go/kkrpc"
)

// Messages cross in linear memory. The host asks for a buffer by kkrpc_buffer, writes there, and passes the place with
// the next call. Go holds no JavaScript value, so none can leak.

//go:wasmimport kkrpc ready
func hostReady()

//go:wasmimport kkrpc send
func hostSend(id int32, p unsafe.Pointer, n int32) int32

//go:wasmimport kkrpc buffered
func hostBuffered(id int32) int32

//go:wasmimport kkrpc close
func hostClose(id, code int32, reason unsafe.Pointer, n int32)

//go:wasmimport kkrpc value
func hostValue(id, kind int32, name unsafe.Pointer, n, most int32) int32

//go:wasmimport kkrpc take
func hostTake(p unsafe.Pointer)

//go:wasmimport kkrpc ask
func hostAsk(id, token int32, text unsafe.Pointer, n int32, blob unsafe.Pointer, size, most int32) int32

// serving is the server of this program; nil until Serve is called.
var serving *server

// scratch is the buffer for messages that cross together. large is the buffer for messages that do not fit.
var (
	scratch [64 << 10]byte
	large   []byte
)

//go:wasmexport kkrpc_scratch
func scratchAt() unsafe.Pointer { return unsafe.Pointer(&scratch) }

//go:wasmexport kkrpc_buffer
func buffer(n int32) unsafe.Pointer {
	if n < 0 || int(n) > serving.frame() {
		return nil // too large: the host says so to the peer
	}
	large = make([]byte, max(n, 1))
	return unsafe.Pointer(unsafe.SliceData(large))
}

// written is what the host has put into large.
func written(n int32) []byte {
	b := large[:n]
	large = nil
	return b
}

//go:wasmexport kkrpc_open
func open(id, n int32) { serving.open(id, written(n)) }

//go:wasmexport kkrpc_message
func message(id, n, text int32) { serving.message(id, written(n), text != 0) }

// messages takes the messages in the first n bytes of the scratch. Each has the id of its connection and its length,
// four bytes each in little endian, and then its bytes. The length is complemented for a message that may not be UTF-8.
//
//go:wasmexport kkrpc_messages
func messages(n int32) {
	for b := scratch[:n]; len(b) > 0; {
		id, length := int32(binary.LittleEndian.Uint32(b)), int32(binary.LittleEndian.Uint32(b[4:]))
		text := length >= 0
		if !text {
			length = ^length
		}
		serving.message(id, b[8:8+length], text)
		b = b[8+length:]
	}
}

// closed takes the code of a close, and the reason of one by the host, of n bytes in the buffer.
//
//go:wasmexport kkrpc_closed
func closed(id, code, n int32) {
	reason := ""
	if n > 0 {
		reason = string(written(n))
	}
	serving.closed(id, int(code), reason)
}

// answered is told of an answer of n bytes to what was asked with the token.
//
//go:wasmexport kkrpc_answered
func answered(token, n int32) { serving.answered(token, func() []byte { return take(n) }) }

//go:wasmexport kkrpc_frame
func frame() int32 { return int32(min(serving.opts.RPC.Limits.Frame, math.MaxInt32)) }

type bridge struct{}

func (bridge) send(id int32, msg []byte) int {
	return int(hostSend(id, unsafe.Pointer(unsafe.SliceData(msg)), int32(len(msg))))
}

func (bridge) buffered(id int32) int { return int(hostBuffered(id)) }

func (bridge) close(id int32, code int, reason string) {
	hostClose(id, int32(code), unsafe.Pointer(unsafe.StringData(reason)), int32(len(reason)))
}

// value lets the host find the answer and say its length, and then write it. Nothing comes between the two calls.
func (bridge) value(id int32, kind valueKind, name string, most int) (answer []byte) {
	return take(hostValue(id, int32(kind), unsafe.Pointer(unsafe.StringData(name)), int32(len(name)), int32(min(most, math.MaxInt32))))
}

func (bridge) ask(id, token int32, text, blob []byte, most int) (ok bool) {
	return hostAsk(id, token, unsafe.Pointer(unsafe.SliceData(text)), int32(len(text)),
		unsafe.Pointer(unsafe.SliceData(blob)), int32(len(blob)), int32(min(most, math.MaxInt32))) != 0
}

// take has the host write its answer of n bytes.
func take(n int32) (answer []byte) {
	answer = make([]byte, n)
	if n > 0 {
		hostTake(unsafe.Pointer(unsafe.SliceData(answer)))
	}
	return answer
}

// serveFor is ServeFor where there is a host.
func serveFor(api func(r *Request) (any, error), opts *Options) error {
	if serving != nil {
		return errors.New("wasm: Serve has been called before; a program serves one API")
	}
	s, err := newServer(bridge{}, api, opts)
	if err != nil {
		return err
	}
	serving = s
	hostReady()
	select {}
}

var _ kkrpc.Transport = (*conn)(nil)
