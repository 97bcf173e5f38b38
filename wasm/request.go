package wasm

import (
	"context"
	"fmt"
	"net/url"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// Request is what is known of the HTTP request that became a connection: what createHonoWebSocketHandler was given of it. If
// it was called without the Hono context, all of it is empty, and URL is not nil.
type Request struct {
	URL *url.URL
	// Params are the path parameters of the route: for "/chat/:room", "room".
	Params map[string]string
	// Header has the header's fields by their names in lower case. Of several of one name it has what the host has,
	// joined with ", ".
	Header map[string]string
}

type requestKey struct{}

// RequestFromContext returns the request of the connection that a handler's ctx belongs to, nil for any other ctx.
func RequestFromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// newRequest reads what createHonoWebSocketHandler tells of the Hono context. known is false if that is nothing.
func newRequest(about []byte) (r *Request, known bool, err error) {
	if len(about) == 0 {
		return &Request{URL: &url.URL{}}, false, nil
	}
	var in struct {
		URL    string            `json:"url"`
		Params map[string]string `json:"params"`
		Header map[string]string `json:"header"`
	}
	if err := superjson.Decode(superjson.ModeJSON, about, nil, &in); err != nil {
		return nil, false, fmt.Errorf("wasm: the host's account of the request: %w", err)
	}
	u, err := url.Parse(in.URL)
	if err != nil { // JavaScript takes "%zz" in a path
		return nil, false, Reject(closePolicy, "the URL of the request is malformed")
	}
	return &Request{URL: u, Params: in.Params, Header: in.Header}, true, nil
}
