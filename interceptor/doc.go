// Package interceptor has interceptors for kkrpc that many programs need: logging, recovery from panics, timing and a rate
// limit.
//
//	opts := kkrpc.Options{Inbound: []kkrpc.Interceptor{
//		interceptor.Logging(slog.Default(), nil),
//		interceptor.RateLimit(100, 200),
//	}}
//
// All of them work for calls in both directions, and one value serves any number of channels at a time. The first in
// Options.Inbound or Options.Outbound is the outermost: a Logging in front of a RateLimit also logs what that refuses.
//
// Interceptors see requests that reach a function: one that names nothing, whose arguments do not fit or that is over a
// limit of the channel is answered before.
package interceptor
