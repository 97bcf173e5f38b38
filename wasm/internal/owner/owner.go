// Package owner tells to which connection of the JavaScript server a context belongs. Package wasm sets it, and package
// wasm/fetch reads it: a plain Worker fetches only in the request of a connection.
package owner

import "context"

type key struct{}

// With returns a context that belongs to the connection with this id.
func With(ctx context.Context, id int32) context.Context { return context.WithValue(ctx, key{}, id) }

// ID returns the id of the connection of ctx, or 0 if it has none.
func ID(ctx context.Context) int32 {
	id, _ := ctx.Value(key{}).(int32)
	return id
}
