package api

import (
	"fmt"

	"github.com/kkrpc-go/kkrpc"
)

// NotFoundError says that there is no user with the id, perhaps because somebody has deleted it.
type NotFoundError struct{ ID string }

func (e *NotFoundError) Error() string { return fmt.Sprintf("there is no user %q", e.ID) }

func (e *NotFoundError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "NotFoundError", Message: e.Error(), Fields: map[string]any{"id": e.ID}}
}

// ConflictError says that somebody else has changed the user meanwhile. Nothing was changed.
type ConflictError struct{ Current User }

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s was changed by somebody else; this is version %d now", e.Current.Name, e.Current.Version)
}

func (e *ConflictError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "ConflictError", Message: e.Error(), Fields: map[string]any{"current": e.Current}}
}

// EmailTakenError says that another user has the email.
type EmailTakenError struct{ Email string }

func (e *EmailTakenError) Error() string {
	return fmt.Sprintf("another user has the email %q", e.Email)
}

func (e *EmailTakenError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "EmailTakenError", Message: e.Error(), Fields: map[string]any{"email": e.Email}}
}

// FullError says that there are as many users as Options.MaxUsers allows.
type FullError struct{ Max int }

func (e *FullError) Error() string {
	return fmt.Sprintf("there are %d users, which is the most", e.Max)
}

func (e *FullError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "FullError", Message: e.Error(), Fields: map[string]any{"max": e.Max}}
}

// ValidationError is the error of kkvalidator as //kkrpc:throws needs it. No other code makes one.
type ValidationError struct {
	Phase, Method string
	Issues        []Issue
}

// Issue is a rule that a field breaks.
type Issue struct {
	Message string `json:"message"`
	Path    []any  `json:"path"` // the index of the argument, then the name of the field
}

func (e *ValidationError) Error() string { return "validation failed for " + e.Method }

func (e *ValidationError) RPCError() *kkrpc.Error {
	return &kkrpc.Error{Name: "RPCValidationError", Message: e.Error(), Fields: map[string]any{
		"phase": e.Phase, "method": e.Method, "issues": e.Issues,
	}}
}
