//go:build js && wasm

package durable

import (
	"math"
	"time"
	"unsafe"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
)

// npm/workers/durable.mjs is the other side. Elsewhere npm/host.mjs says that there is no object.

//go:wasmimport kkrpc durable
func hostAsk(token int32, operation unsafe.Pointer, n int32, blob unsafe.Pointer, size, most int32) int32

//go:wasmimport kkrpc durable_save
func hostSave(id int32, state unsafe.Pointer, n, reserve int32) int32

//go:wasmimport kkrpc durable_rested
func hostRested(milliseconds int32)

//go:wasmimport kkrpc durable_alarmed
func hostAlarmed(token int32, failure unsafe.Pointer, n int32)

//go:wasmimport kkrpc durable_broken
func hostBroken(id int32)

func init() {
	here.host = bridge{}
	hibernate.Open = here.open
}

// incoming is where the host writes an answer.
var incoming []byte

//go:wasmexport kkrpc_durable_buffer
func buffer(n int32) unsafe.Pointer {
	incoming = make([]byte, n)
	return unsafe.Pointer(unsafe.SliceData(incoming))
}

//go:wasmexport kkrpc_durable_answered
func answered(token int32) {
	answer := incoming
	incoming = nil
	here.answered(token, answer)
}

//go:wasmexport kkrpc_durable_hibernates
func hibernates() int32 {
	if here.opts.Hibernate {
		return 1
	}
	return 0
}

// The functions below start goroutines, since what the host calls must not block.

//go:wasmexport kkrpc_durable_wake
func wake(connections int32) {
	here.begin(int(connections))
	go here.wake()
}

//go:wasmexport kkrpc_durable_rest
func rest() { go here.rest() }

//go:wasmexport kkrpc_durable_sleep
func sleep() { go here.sleep() }

//go:wasmexport kkrpc_durable_alarm
func alarm(token, retries int32) { go here.alarm(token, int(retries)) }

type bridge struct{}

func (bridge) ask(token int32, operation string, blob []byte, most int) (ok bool) {
	return hostAsk(token, unsafe.Pointer(unsafe.StringData(operation)), int32(len(operation)),
		unsafe.Pointer(unsafe.SliceData(blob)), int32(len(blob)), int32(min(most, math.MaxInt32))) != 0
}

func (bridge) save(id int32, state string, reserve int) (over int) {
	return int(hostSave(id, unsafe.Pointer(unsafe.StringData(state)), int32(len(state)), int32(reserve)))
}

func (bridge) rested(awake time.Duration) {
	hostRested(int32(min(awake.Milliseconds(), math.MaxInt32)))
}

func (bridge) alarmed(token int32, failure string) {
	hostAlarmed(token, unsafe.Pointer(unsafe.StringData(failure)), int32(len(failure)))
}

func (bridge) broken(id int32) { hostBroken(id) }
