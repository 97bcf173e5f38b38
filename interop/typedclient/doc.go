// Package typedclient has the client that kkrpc gen go makes of interop/testdata/typed/api.ts.
package typedclient
