//go:build !unix && !js

package ws

import "runtime"

// yield lets all goroutines run that are ready.
func yield() { runtime.Gosched() }
