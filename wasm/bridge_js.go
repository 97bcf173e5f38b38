//go:build js && wasm

package wasm

import (
	"errors"
	"unsafe"

	"github.com/kkrpc-go/kkrpc"
)

// Messages cross in linear memory: the host asks for a place with kkrpc_buffer, writes there, and says with the next call
// what it has written. No JavaScript value is held on this side, so that none can be forgotten.

//go:wasmimport kkrpc ready
func hostReady()

//go:wasmimport kkrpc send
func hostSend(id int32, p unsafe.Pointer, n int32) int32

//go:wasmimport kkrpc close
func hostClose(id, code int32, reason unsafe.Pointer, n int32)

// serving is the server of this program; nil until Serve is called.
var serving *server

// scratch is where the host writes.
var scratch []byte

// keepScratch is how large a scratch is kept for the next message.
const keepScratch = 64 << 10

//go:wasmexport kkrpc_buffer
func buffer(n int32) unsafe.Pointer {
	if n < 0 || int(n) > serving.opts.RPC.Limits.Frame {
		return nil // too large: the host says so to the peer
	}
	if int(n) > len(scratch) {
		scratch = make([]byte, max(int(n), 4<<10))
	}
	return unsafe.Pointer(unsafe.SliceData(scratch))
}

// written is the first n bytes of the scratch, which is left to the garbage collector if it is large.
func written(n int32) []byte {
	b := scratch[:n]
	if len(scratch) > keepScratch {
		scratch = nil
	}
	return b
}

//go:wasmexport kkrpc_open
func open(id, n int32) { serving.open(id, written(n)) }

//go:wasmexport kkrpc_message
func message(id, n, text int32) { serving.message(id, written(n), text != 0) }

//go:wasmexport kkrpc_closed
func closed(id, code int32) { serving.closed(id, int(code)) }

type bridge struct{}

func (bridge) send(id int32, msg []byte) int {
	return int(hostSend(id, unsafe.Pointer(unsafe.SliceData(msg)), int32(len(msg))))
}

func (bridge) close(id int32, code int, reason string) {
	hostClose(id, int32(code), unsafe.Pointer(unsafe.StringData(reason)), int32(len(reason)))
}

// serveFor is ServeFor where there is a host.
func serveFor(api func(r *Request) (any, error), opts *Options) error {
	if serving != nil {
		return errors.New("wasm: Serve has been called before; a program serves one API")
	}
	serving = newServer(bridge{}, api, opts)
	hostReady()
	select {}
}

var _ kkrpc.Transport = (*conn)(nil)
