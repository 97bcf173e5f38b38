package kkrpc

import (
	"context"
	"net/http"
)

// placeholder signatures while the channel is written
var _ http.Handler

// Channel is one RPC connection: what either side exposes, the other calls.
type Channel struct{}

// New starts a channel over t, which it owns from then on. It returns at once; the channel lives until Close, until
// the peer closes, or until ctx ends, whose values are the base of every handler's context.
func New(ctx context.Context, t Transport, opts *Options) (*Channel, error) { panic("x") }

// Close closes the channel and its transport. Pending calls fail with ErrClosed. It does not wait for handlers.
func (ch *Channel) Close() error { panic("x") }

// CloseWith is Close with a WebSocket close code and reason for the peer.
func (ch *Channel) CloseWith(code int, reason string) error { panic("x") }

// Done is closed once the channel is closed.
func (ch *Channel) Done() <-chan struct{} { panic("x") }

// Err is nil while the channel is open, then an error that wraps ErrClosed and says why.
func (ch *Channel) Err() error { panic("x") }

// Call calls path on the peer and decodes the result into result, a pointer; nil ignores it.
func (ch *Channel) Call(ctx context.Context, result any, path string, args ...any) error { panic("x") }

// Dialect is what the channel speaks; zero until the peer has been heard.
func (ch *Channel) Dialect() Dialect { panic("x") }

// FromContext returns the channel on which the running handler was called; nil outside a handler.
func FromContext(ctx context.Context) *Channel { panic("x") }

func Call[T any](ctx context.Context, ch *Channel, path string, args ...any) (T, error)     { panic("x") }
func Get[T any](ctx context.Context, ch *Channel, path string) (T, error)                   { panic("x") }
func Set(ctx context.Context, ch *Channel, path string, value any) error                    { panic("x") }
func Construct[T any](ctx context.Context, ch *Channel, path string, args ...any) (T, error) { panic("x") }
