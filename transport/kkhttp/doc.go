// Package kkhttp carries kkrpc over plain HTTP: one POST for each call. It is compatible with kkrpc/http of kkrpc 2,
// and with HTTPClientIO and HTTPServerIO of kkrpc 0.x.
//
//	http.Handle("/rpc", kkhttp.Handler(api, nil))
//
//	c, err := kkhttp.NewClient("http://localhost:3000/rpc", nil)
//	sum, err := kkrpc.Call[float64](ctx, c, "math.add", 1, 2)
//
// Use it where WebSockets are not possible: behind proxies that pass HTTP only, from scripts, and from serverless
// functions. Elsewhere package transport/ws does more and costs less. The first call of a client asks the server for its
// generation of kkrpc, unless RPC.Dialect is set.
//
// # Not possible over HTTP
//
// A request has one response and leaves no connection behind. Functions as arguments, streams and remote references are
// therefore refused. The client refuses them before it sends, with an error that wraps kkrpc.ErrUnsupported. The server
// answers with an error response, also when a function of its API returns one of them. kkrpc.FromContext is nil in a
// function, and a call on that gets kkrpc.ErrUnsupported. The package is made with kkrpc.API.Answer and kkrpc.Unary.
// They also suit other ways to carry one request and its response.
//
// # Requests
//
// A handler answers each request in the dialect of the request. The requests of a client are independent of each other
// and run at the same time. There is no channel, so Limits.Running and Limits.Open have no effect. The
// context of a function has the values of the request's context. It ends when the function returns, when the caller
// hangs up, or after Options.Timeout.
//
// An answer with status 200 has a kkrpc response, also for a function that failed. An answer with 504 has an
// RPCTimeoutError. Any other status concerns HTTP and has a text. These are 400 for a body that is not one request,
// 403, 405, 408, 413, 415, 500, 503, and the status given to Reject.
//
// # Origins
//
// A browser lets any page send a POST to any server with the user's cookies. The body must therefore be declared as
// JSON. A page of another site cannot do that without a preflight request. Pages may call from the server's own origin
// and from the origins in Options.Origins, as in package ws. A page on another origin also needs CORS middleware around
// the handler. The middleware answers the preflight request and lets the page read the answers. Requests without Origin
// do not come from pages and pass.
//
// # Hosts
//
// A server that is meant for this machine or network alone should list its names in Options.Hosts. Otherwise a page can
// let its own name point to the server, and then has the same origin.
//
// # Stopping
//
// http.Server.Shutdown is all that a server needs: it waits for running requests and takes no further ones. Client.Close aborts
// its requests.
//
// # Limits
//
// Limits.Frame bounds a body and an answer, which are kept in memory as a whole. Hostile clients can therefore make a
// handler hold MaxRequests times Frame. The calls of a client beyond its MaxRequests wait for their turn. The header of
// an answer may have 64 KiB, unless ClientOptions.HTTP is set.
package kkhttp
