package fetch

import (
	"context"
	"errors"
	"fmt"
)

// ErrConnection is why a fetch in a plain Worker fails if the connection has closed to which it belonged, or if none is
// open.
var ErrConnection = errors.New("in a Worker without a Durable Object a fetch ends with its connection")

// ErrRedirect is the error of a redirect if Request.Redirect is RedirectError.
var ErrRedirect = errors.New("the server redirects elsewhere")

// errClosed is the error of Read after Close.
var errClosed = errors.New("read of a closed response body")

// Error is why a request failed. It wraps the cause.
type Error struct {
	Method string
	URL    string // without query, fragment and user; "" if it is malformed
	Err    error
}

func (e *Error) Error() string {
	if e.URL == "" {
		return fmt.Sprintf("fetch: %s: %v", e.Method, e.Err)
	}
	return fmt.Sprintf("fetch: %s %s: %v", e.Method, e.URL, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// ended is why a request fails whose ctx has ended.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return ctx.Err()
}
