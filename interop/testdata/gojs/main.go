// Command gojs does, by the name in its first argument, what Go's runtime for js/wasm has to be known for.
package main

import (
	"os"
	"runtime/debug"
	"syscall/js"
	"time"
)

var (
	never   = make(chan struct{})
	hoard   []byte
	returns = make(chan struct{})
)

// wait blocks before it returns 42.
//
//go:wasmexport wait
func wait() int32 {
	<-never
	return 42
}

// grow has 256 MiB, and shrink gives them back.
//
//go:wasmexport grow
func grow() {
	hoard = make([]byte, 256<<20)
	for i := 0; i < len(hoard); i += 4096 {
		hoard[i] = 1
	}
}

//go:wasmexport shrink
func shrink() {
	hoard = nil
	debug.FreeOSMemory()
}

func main() {
	switch os.Args[1] {
	case "exports": // which a program has as long as main runs
		<-returns
	case "deadlock":
		<-never
	case "timer":
		time.AfterFunc(50*time.Millisecond, func() {})
		js.Global().Call("setTimeout", js.FuncOf(func(js.Value, []js.Value) any {
			close(returns)
			return nil
		}), 1)
		<-returns
	}
}
