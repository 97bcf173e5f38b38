// Package fetch sends HTTP requests from a Go program inside a JavaScript server, see package wasm. It calls the fetch of
// the runtime: Bun, Deno, Node.js or Cloudflare Workers. It adds 16 KB to the gzipped size of a program, net/http 1.3 MB.
// A program that needs net/http takes the transport of package wasm/fetch/roundtrip.
//
//	response, err := fetch.Get(ctx, "https://api.example.com/users")
//	if err != nil {
//		return err
//	}
//	defer response.Body.Close()
//	if response.Status != 200 {
//		return fmt.Errorf("users: %d %s", response.Status, response.StatusText)
//	}
//	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
//
// A response with an error status is not an error. The caller has to close the body of each response, as with net/http.
// A body that is neither closed nor read to its end holds its connection until ctx ends.
//
// # Bodies
//
// Both bodies are streams with back-pressure. The runtime reads no more of a response than its own buffers take, up to
// about 10 MB, until the program reads on. It asks for the next part of a request body when it can send it. Node.js sends
// the header of a request with the first part of its body.
//
// A [bytes.Reader], [bytes.Buffer] or [strings.Reader] is sent as a whole, with a Content-Length. Any other reader is
// sent as it is read, in chunks of up to 64 KiB without a Content-Length. A runtime cannot send it again, so a redirect
// that keeps the body fails (307 and 308). A reader that fails aborts the request.
//
// The runtimes decode responses with Content-Encoding gzip and br. Do then removes Content-Encoding and Content-Length
// from Response.Header, because both describe the encoded bytes. Do asks for these two encodings unless Request.Header
// has an Accept-Encoding. Node.js and Bun decode others too, and leave their headers unchanged. So ask for others only if
// you know the runtime.
//
// # Cancellation
//
// The end of ctx aborts the request at any time, also while its bodies are on their way. Do and Read then return an error
// that wraps ctx.Err() and context.Cause(ctx). This package has no other timeout. A runtime may have one.
//
// # Errors
//
// Do and Read return an [*Error]. It names the method and the URL, without query, fragment and user, because those may
// hold secrets. Errors of the network have no types, because runtimes tell them only as texts.
//
// # Limits
//
// URLs begin with http:// or https://. A user in the URL is sent as basic authentication. The runtimes refuse bodies of
// GET and HEAD, and more than 20 redirects, or 126 in Bun. Node.js and Deno refuse the methods CONNECT and TRACE, and
// some ports, such as 1. The runtimes set Host, Content-Length and the fields that govern a connection. Do
// refuses these in Request.Header, because each runtime treats them differently. Values have to be ASCII.
//
// # Redirects
//
// The runtimes drop Authorization at a redirect to another origin. Cloudflare Workers keep Cookie, the others drop it. All
// keep other fields, such as X-Api-Key. So take RedirectManual for a request with secrets in such fields.
//
// # Cloudflare Workers
//
// In a Durable Object the program fetches at any time. In a plain Worker (`--plain`) each fetch belongs to the request of an
// open connection. That is the connection whose ctx Do is given, or any open one for another ctx. If it closes, the fetch
// fails with [ErrConnection], also for other connections that wait for its response. Ask again then. A request of the
// server that ctx.abort ends in JavaScript is not noticed, so give ctx a deadline.
//
// # Concurrency
//
// All functions may be called at the same time. A body is for one reader at a time. Close may be called while Read waits.
package fetch
