//go:build js && wasm

package console

import "unsafe"

//go:wasmimport kkrpc print
func hostPrint(level int32, p unsafe.Pointer, n int32)

func write(level int32, line []byte) {
	hostPrint(level, unsafe.Pointer(unsafe.SliceData(line)), int32(len(line)))
}
