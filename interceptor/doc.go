// Package interceptor has interceptors that many programs need: logging, recovery from panics, timing and a rate limit.
//
//	opts := kkrpc.Options{Inbound: []kkrpc.Interceptor{
//		interceptor.Logging(slog.Default(), nil),
//		interceptor.RateLimit(100, 200),
//	}}
//
// Each of them works for calls in both directions, and one value serves any number of channels at a time. The first one
// in Options.Inbound or Options.Outbound is the outermost. A Logging in front of a RateLimit therefore also logs
// refused calls.
//
// Interceptors see only requests that reach a function. A request is refused earlier if its function does not exist,
// its arguments do not fit, or it exceeds a limit.
package interceptor
