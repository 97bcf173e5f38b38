// Package durable gives a Go program inside a [Durable Object] of Cloudflare the object's storage and alarm. It also lets
// the object sleep while connections are open. Package wasm serves the connections. The class of the object extends
// GoDurableObject, which index.mjs of `kkrpc build hono --runtime workers` exports.
//
//	func main() {
//		durable.Configure(&durable.Options{Hibernate: true, OnAlarm: onAlarm})
//		panic(wasm.Serve(kkrpc.Object{"join": join, "visits": visits}, nil))
//	}
//
// # Storage
//
// Get, Put, Delete, List and Transaction are those of ctx.storage in JavaScript. A value is a JavaScript value: an object in
// Go is an object there. It is encoded as JSON, so a number has at most 53 bits. A []byte is a Uint8Array. Cloudflare
// documents limits of 2,048 bytes for a key, and 2 MiB for a key with its value.
//
// The functions need no connection. They work with any ctx. Its end ends the wait, but the operation may still be done.
//
// # Alarm
//
// SetAlarm sets the time at which Options.OnAlarm is called, also if the object sleeps until then. An object has one alarm.
//
// # Sleep
//
// With Options.Hibernate, Cloudflare takes the object with its program out of memory when nothing has happened for about ten
// seconds. Connections stay open, and cost nothing meanwhile. The next message, close, connection or alarm starts the
// program anew. The connections are opened again, with the same wasm.Request, variables and dialect. Then those calls run
// again that functions have kept by Keep.
//
// A program with a timer, a ticker or a request of package wasm/fetch is not idle, and does not sleep.
//
// # Errors
//
// Work that cannot be kept ends with the object. These are calls of the peer without an answer, calls to the peer, and
// streams in both directions. Options.Awake says how long they keep the object awake. When it wakes, calls and streams of
// the peer get an error with the name RPCHibernatedError: they may have been done. The peer's streams are stopped, and calls
// to the peer are cancelled.
//
// Memory that no kept call restores is forgotten. A reference of the program that is in no result of a kept call is then
// released: calls on it fail, in Go with kkrpc.ErrReleased. An invocation of a function that the program had passed to the
// peer before is dropped. Callbacks and references of the peer that the program does not hold any more are given back.
//
// A connection that cannot be restored is closed with code 1012 and RPCHibernatedError in its reason. 1012 means that the
// peer may connect again. These are the causes:
//   - A kept call has failed, or the kept calls took more than ten seconds together.
//   - There was more open work than could be noted.
//   - The attachment of the socket cannot be read.
//
// # Limits
//
// A connection keeps 16,384 bytes. The request, its variables and the kept calls have to fit. GoDurableObject refuses a
// larger request with the status 431, and Keep returns an error. Options.MaxValue bounds what Get and List return.
//
// The package adds 46 KB to the gzipped size of a program.
//
// # Concurrency
//
// All functions may be called at the same time. Storage of one object is used by one program.
//
// [Durable Object]: https://developers.cloudflare.com/durable-objects/
package durable
