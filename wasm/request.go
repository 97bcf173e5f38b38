package wasm

import (
	"context"
	"fmt"
	"net/url"

	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/wasm/internal/owner"
)

// Request holds the parts of the HTTP request that createHonoWebSocketHandler passes on. Without the Hono context they
// are empty, and URL is not nil.
type Request struct {
	URL *url.URL
	// Params are the path parameters of the route: for "/chat/:room", "room".
	Params map[string]string
	// Header has the fields by their names in lower case. The host joins several fields of one name with ", ". A value that is
	// not UTF-8 is read as Latin-1; on Workers its bytes become U+FFFD.
	Header map[string]string

	server *server // for Var, Env and Do
	conn   *conn   // nil for a Request that the user has made

	object *objectState // of a Durable Object that may hibernate; nil elsewhere
}

// Context returns a context for Var, Env, Do and package fetch, for use in the function of ServeFor and in OnOpen. It
// carries r, as the contexts of functions do. It is never cancelled.
func (r *Request) Context() context.Context {
	ctx := context.WithValue(context.Background(), requestKey{}, r)
	if r.conn == nil {
		return ctx
	}
	return owner.With(ctx, r.conn.id)
}

type requestKey struct{}

// RequestFromContext returns the request of the connection of a handler's ctx, or nil for any other ctx.
func RequestFromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}

// objectState is what a Durable Object tells of a connection.
type objectState struct {
	Wakes int    `json:"wakes"` // how many programs have served it before
	State string `json:"state"` // what the last of them has saved
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
		Object *objectState      `json:"object"`
	}
	if err := superjson.Decode(superjson.ModeJSON, about, nil, &in); err != nil {
		return nil, false, fmt.Errorf("wasm: the host's account of the request: %w", err)
	}
	u, err := url.Parse(in.URL)
	if err != nil { // JavaScript takes "%zz" in a path
		return nil, false, Reject(closePolicy, "the URL of the request is malformed")
	}
	return &Request{URL: u, Params: in.Params, Header: in.Header, object: in.Object}, true, nil
}
