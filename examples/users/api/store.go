package api

import (
	"context"
	"time"
)

// A Store keeps users. Its methods may be called from any goroutine. Each does all or nothing, also when ctx ends. Package
// storetest has the tests that each Store must pass.
type Store interface {
	// Users returns all users, in the order of their names without regard to case, then of their ids.
	Users(ctx context.Context) ([]User, error)

	// Create adds a user. The error is an *EmailTakenError if another user has the email, and a *FullError if there are
	// already as many users as most.
	Create(ctx context.Context, user User, most int) error

	// Update makes the changes at a time, counts the version up, and returns the user as it is then. The error is a
	// *NotFoundError, a *ConflictError if the user has not the version of changes, or an *EmailTakenError.
	Update(ctx context.Context, id string, changes Changes, at time.Time) (User, error)

	// Delete deletes a user. The error is a *NotFoundError if there is none.
	Delete(ctx context.Context, id string) error
}
