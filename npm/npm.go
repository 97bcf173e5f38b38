// Package npm holds the JavaScript side of package wasm: the host that runs a Go program inside a JavaScript server, and
// what `kkrpc build hono` puts beside it for each runtime.
package npm

import "embed"

// Files has host.mjs, batch.mjs, fetch.mjs, runtime.mjs, socket.mjs and values.mjs, which every runtime needs; index.d.mts, the
// types of the module that a server imports; and a folder per runtime, bun, deno, node and workers, with that module and what
// there is besides, or in place of a file of the same name.
//
//go:embed *.mjs *.mts bun deno node workers
var Files embed.FS
