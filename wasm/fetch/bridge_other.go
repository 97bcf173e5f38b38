//go:build !(js && wasm)

package fetch

// inside has no host here.
var inside = &client{running: map[int32]*exchange{}}
