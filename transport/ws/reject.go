package ws

import "github.com/kkrpc-go/kkrpc/internal/admission"

// Reject is an error with which the function of HandlerFor refuses a connection. code decides how:
//
//   - An HTTP status from 400 to 599 answers the request, with msg as the body. It does not become a WebSocket. A browser tells
//     its page nothing of that: the WebSocket closes with code 1006. Clients in Go get a StatusError.
//   - A close code from 3000 to 4999 upgrades the request and closes the WebSocket with this code and msg as the reason, cut to
//     123 bytes. Every client sees both; in Go they are a CloseError. DialPersistent connects again unless its RetryIf says no.
//
// Any other code is 403. Package kkhttp, which has no WebSocket, answers a close code with 403.
func Reject(code int, msg string) error { return admission.ByUser(code, msg) }
