// Package studioclient has clients that kkrpc gen go makes of one API of kkrpc 2: of interop/testdata/typed/studio-api.ts,
// and of a struct of funcs in Go.
package studioclient
