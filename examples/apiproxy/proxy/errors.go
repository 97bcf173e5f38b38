package proxy

import (
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

// NotFoundError says that the upstream has no such resource.
type NotFoundError struct {
	Path string // such as "users/11"
}

func (e *NotFoundError) Error() string { return "there is no " + e.Path }

func (e *NotFoundError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "NotFoundError", Message: e.Error(), Fields: map[string]any{"path": e.Path}}
}

// UpstreamError is a status of the upstream that is no success. It is 404 only for a list.
type UpstreamError struct {
	Path   string
	Status int
}

func (e *UpstreamError) Error() string {
	return fmt.Sprintf("the upstream answered %s with status %d", e.Path, e.Status)
}

func (e *UpstreamError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "UpstreamError", Message: e.Error(), Fields: map[string]any{"path": e.Path, "status": e.Status}}
}

// TimeoutError says that the upstream has not answered in time.
type TimeoutError struct {
	Path  string
	After time.Duration // in milliseconds for clients
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the upstream did not answer %s within %v", e.Path, e.After)
}

func (e *TimeoutError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "TimeoutError", Message: e.Error(), Fields: map[string]any{"path": e.Path, "milliseconds": e.After.Milliseconds()}}
}

// UnavailableError says that there is no connection to the upstream, or that it broke. Clients do not get the reason,
// which names the network behind this server.
type UnavailableError struct {
	Path   string
	Reason error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the upstream of %s cannot be reached: %v", e.Path, e.Reason)
}

func (e *UnavailableError) Unwrap() error { return e.Reason }

func (e *UnavailableError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "UnavailableError", Message: "the upstream cannot be reached", Fields: map[string]any{"path": e.Path}}
}

// ResponseError says that the upstream has sent something else than what was asked for.
type ResponseError struct {
	Path   string
	Reason string // such as "it is not JSON"
}

func (e *ResponseError) Error() string {
	return fmt.Sprintf("the upstream's response to %s is unusable: %s", e.Path, e.Reason)
}

func (e *ResponseError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "ResponseError", Message: e.Error(), Fields: map[string]any{"path": e.Path, "reason": e.Reason}}
}

// QueryError says that a field of a PostQuery is out of its range.
type QueryError struct {
	Field string
	Most  int
}

func (e *QueryError) Error() string {
	return fmt.Sprintf("%s must be from 0 to %d", e.Field, e.Most)
}

func (e *QueryError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "QueryError", Message: e.Error(), Fields: map[string]any{"field": e.Field, "most": e.Most}}
}
