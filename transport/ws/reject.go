package ws

import "github.com/kkrpc-go/kkrpc/internal/admission"

// Reject is an error with which the function of HandlerFor answers a request before it becomes a WebSocket: status
// is an HTTP status of 400 or above and msg the body, which the client sees. It serves kkhttp.HandlerFor as well.
func Reject(status int, msg string) error { return admission.ByUser(status, msg) }
