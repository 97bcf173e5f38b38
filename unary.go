package kkrpc

// unary is what a transport may have over which each request travels by itself and its response comes back, as in HTTP.
// Like nonblocking it is found by its methods and is no part of the API: what a Transport must have is all that
// others need.
type unary interface {
	// CheckRequest returns why a request of this side cannot be sent. The call then fails with that error, and what its
	// arguments hold is released. msg is borrowed.
	CheckRequest(msg []byte) error
	// CancelRequest says that nobody waits for the answer to the request any more. It takes the place of the cancel
	// message and overtakes the request if that is still queued.
	CancelRequest(id string)
	// RequestFailure returns, once, the reason if the transport itself answered the request with an error. The call
	// returns it in place of that answer.
	RequestFailure(id string) error
	// Undelivered is given each message that was dropped because the channel had closed before: a handler that has
	// been answered so has returned. msg is borrowed.
	Undelivered(msg []byte)
}
