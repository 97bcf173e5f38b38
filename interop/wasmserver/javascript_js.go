package main

import (
	"fmt"
	"os"
	"sync"
	"syscall/js"

	"github.com/kkrpc-go/kkrpc"
)

// javascript are functions that call JavaScript, which calls back.
func javascript() kkrpc.Object {
	return kkrpc.Object{
		// printBoth writes to both files at once: each write ends with a callback.
		"printBoth": func() string {
			var wg sync.WaitGroup
			for _, f := range []*os.File{os.Stdout, os.Stderr} {
				wg.Go(func() { fmt.Fprintln(f, "a line") })
			}
			wg.Wait()
			return "printed"
		},
		// mapped has Array.prototype.map call Go for each element, before it returns.
		"mapped": func() string {
			double := js.FuncOf(func(_ js.Value, args []js.Value) any { return 2 * args[0].Int() })
			defer double.Release()
			return js.ValueOf([]any{1, 2, 3}).Call("map", double).Call("join", " ").String()
		},
		// overflowInside exhausts the stack in a callback.
		"overflowInside": func() {
			f := js.FuncOf(func(js.Value, []js.Value) any { return deeper(1) })
			js.ValueOf([]any{1}).Call("forEach", f)
		},
		// hoard keeps so many MiB.
		"hoard": func(mib int) string {
			for range mib / 256 {
				hoard = append(hoard, make([]byte, 256<<20))
			}
			return "kept"
		},
	}
}
