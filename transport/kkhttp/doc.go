// Package kkhttp carries kkrpc over plain HTTP: one POST for each call. It is compatible with kkrpc/http of kkrpc 2 and
// with HTTPClientIO and HTTPServerIO of kkrpc 0.
//
//	http.Handle("/rpc", kkhttp.Handler(api, nil))
//
//	ch, err := kkhttp.NewClient("http://localhost:3000/rpc", nil)
//	sum, err := kkrpc.Call[float64](ctx, ch, "math.add", 1, 2)
//
// It serves where WebSockets cannot: behind proxies that know nothing else, from scripts and serverless functions. Where
// they can, package transport/ws does more and costs less. A server of kkrpc 0 reads SuperJSON only over HTTP, so a
// client of one sets its RPC.Dialect to kkrpc.ClassicSuperJSON.
//
// # What HTTP cannot do
//
// A request has one response and nothing outlives it. So functions as arguments, streams and remote references are
// refused: by the client before anything is sent, with an error that wraps kkrpc.ErrUnsupported, and by the server with
// an error response, also when a function of its API returns such a thing. A function that calls its caller by
// kkrpc.FromContext gets kkrpc.ErrUnsupported. For the same reason transporttest, which is about both
// sides sending as they like, does not apply to this package.
//
// # Requests
//
// A handler answers each request in the dialect it is written in. The requests of one client know nothing of each other
// and run at the same time, each on a channel of its own, so Limits.Running and Limits.Open mean nothing here. The context of a function has the values of the request's context, and ends when the function
// returns, the caller hangs up or Options.Timeout has passed.
//
// Status 200 has a kkrpc response, also for a function that failed; 504 one too, an RPCTimeoutError. Any other status is
// about HTTP and has a text: 400 for a body that is not one request, 403, 405, 408, 413, 415, 500, 503, and what Reject was
// given.
//
// # Origins
//
// A browser lets any page send a POST anywhere, with the user's cookies. So the body must be declared as JSON, which a
// page of another site cannot do without the browser asking first, and requests from pages are accepted from the
// server's own origin and from those that Options.Origins lists, as in package ws. A page on another origin needs both:
// to be listed, and CORS middleware around the handler, which answers the browser's question (OPTIONS) and lets the page
// read the answers. Requests without Origin are not from pages and pass.
//
// # Names
//
// A server that is meant for this machine or network alone should also list its names in Options.Hosts. Otherwise a
// page can have its own name point to the server, and is then of the same origin.
//
// # Stopping
//
// http.Server.Shutdown waits for the requests under way. Closing a client's channel aborts its requests.
//
// # Limits
//
// A body and an answer are bounded by Limits.Frame and kept in memory whole, so MaxRequests times Frame is what a hostile
// crowd can make a handler hold. A client queues what MaxRequests keeps waiting, up to Limits.Outbound bytes; beyond
// that its calls wait. The header of an answer may have 64 KiB, unless ClientOptions.HTTP says otherwise.
package kkhttp
