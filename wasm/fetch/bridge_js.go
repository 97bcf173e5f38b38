//go:build js && wasm

package fetch

import "unsafe"

// Go holds no JavaScript value: the host has the fetches by id, and bodies cross in linear memory, see npm/fetch.mjs.

//go:wasmimport kkrpc fetch
func hostFetch(id, connection int32, request unsafe.Pointer, n, kind int32, body unsafe.Pointer, length int32) int32

//go:wasmimport kkrpc fetch_read
func hostRead(id int32, p unsafe.Pointer, n int32) int32

//go:wasmimport kkrpc fetch_write
func hostWrite(id int32, p unsafe.Pointer, n int32)

//go:wasmimport kkrpc fetch_end
func hostEnd(id int32)

var inside = &client{host: bridge{}, running: map[int32]*exchange{}}

// incoming is where the host writes the text of the next event.
var incoming []byte

//go:wasmexport kkrpc_fetch_buffer
func buffer(n int32) unsafe.Pointer {
	incoming = make([]byte, n)
	return unsafe.Pointer(unsafe.SliceData(incoming))
}

//go:wasmexport kkrpc_fetch
func event(id, event, n int32) {
	data := incoming[:n]
	incoming = nil
	inside.deliver(id, event, data)
}

type bridge struct{}

func (bridge) start(id, connection int32, request string, kind int32, body []byte) bool {
	return hostFetch(id, connection, unsafe.Pointer(unsafe.StringData(request)), int32(len(request)),
		kind, unsafe.Pointer(unsafe.SliceData(body)), int32(len(body))) != 0
}

func (bridge) read(id int32, p []byte) int {
	return int(hostRead(id, unsafe.Pointer(unsafe.SliceData(p)), int32(len(p))))
}

func (bridge) write(id int32, part []byte) {
	hostWrite(id, unsafe.Pointer(unsafe.SliceData(part)), int32(len(part)))
}

func (bridge) end(id int32) { hostEnd(id) }
