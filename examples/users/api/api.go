// Package api keeps a list of users that many pages show and change at the same time.
//
//	service, err := api.New(api.NewMemory(), nil)
//	server := ws.Handler(kkrpc.As[api.ServerAPI](service), &ws.Options{
//		RPC: kkrpc.Options{Inbound: service.Inbound(nil)},
//	})
//
// The package knows neither the database nor the server. A [Store] keeps the users: [Memory] here, and package sqlite.
//
// # Telling clients
//
// A client that exposes onUserUpdate and onUserDelete is told of every change, its own too, from its first call on. It joins a
// room before that call runs. A client that calls getUsers therefore misses nothing after the list. It may get a change before
// the list: User.Version tells which of two is newer.
//
// # Errors
//
// Errors that a client can act upon are types of this package, which TypeScript knows by name: [NotFoundError],
// [ConflictError], [EmailTakenError], [FullError] and [ValidationError].
//
// # Limits
//
// getUsers sends all users. Options.MaxUsers bounds them.
package api

import (
	"context"
	"encoding/json"
	"time"
)

// ServerAPI is what a page may call.
type ServerAPI interface {
	// GetUsers returns all users, in the order of their names.
	GetUsers(ctx context.Context) ([]User, error)
	// CreateUser adds a user and tells all pages by onUserUpdate.
	//
	//kkrpc:throws ValidationError EmailTakenError FullError
	CreateUser(ctx context.Context, user NewUser) (User, error)
	// UpdateUser changes the fields that are present and tells all pages by onUserUpdate.
	//
	//kkrpc:throws ValidationError NotFoundError ConflictError EmailTakenError
	UpdateUser(ctx context.Context, id string, changes Changes) (User, error)
	// DeleteUser deletes a user and tells all pages by onUserDelete.
	//
	//kkrpc:throws NotFoundError
	DeleteUser(ctx context.Context, id string) error
}

// User is a user as pages see it.
type User struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Email     string    `json:"email"` // in lower case; no two users have the same
	Role      Role      `json:"role"`
	Note      *string   `json:"note"`    // null for none
	Version   int64     `json:"version"` // 1, and one more for each change
	UpdatedAt time.Time `json:"updatedAt"`
}

// Role says what a user may do.
type Role string

const (
	Admin  Role = "admin"
	Editor Role = "editor"
	Viewer Role = "viewer"
)

// NewUser is Omit<User, "id" | "version" | "updatedAt">.
type NewUser struct {
	Name  string  `json:"name" validate:"required,max=80"`
	Email string  `json:"email" validate:"required,max=254,email"`
	Role  Role    `json:"role" validate:"oneof=admin editor viewer"`
	Note  *string `json:"note,omitzero" validate:"omitempty,max=200"` // null or absent for none
}

// Changes is Partial<NewUser> with the version that was changed.
type Changes struct {
	Name  *string    `json:"name,omitzero" validate:"omitempty,min=1,max=80"`
	Email *string    `json:"email,omitzero" validate:"omitempty,max=254,email"`
	Role  *Role      `json:"role,omitzero" validate:"omitempty,oneof=admin editor viewer"`
	Note  NoteChange `json:"note,omitzero" validate:"omitempty,max=200"`

	// Version is the version that the page has shown. The change fails with a ConflictError if the user has another one. Null
	// or absent changes whatever version there is.
	Version *int64 `json:"version,omitzero"`
}

// NoteChange is a new note, or null to remove the note. Unlike a pointer, it tells null from a field that is absent.
//
//kkrpc:ts string | null
type NoteChange struct {
	Present bool    // false leaves the note as it is
	Note    *string // nil removes it
}

func (c NoteChange) MarshalJSON() ([]byte, error) { return json.Marshal(c.Note) }

// UnmarshalJSON is called for a field that is present.
func (c *NoteChange) UnmarshalJSON(text []byte) error {
	c.Present = true
	return json.Unmarshal(text, &c.Note)
}

// ValidatorValue is what kkvalidator checks.
func (c NoteChange) ValidatorValue() any { return c.Note }

// apply makes the changes to u at a time.
func (c *Changes) apply(u *User, at time.Time) {
	if c.Name != nil {
		u.Name = *c.Name
	}
	if c.Email != nil {
		u.Email = *c.Email
	}
	if c.Role != nil {
		u.Role = *c.Role
	}
	if c.Note.Present {
		u.Note = c.Note.Note
	}
	u.Version++
	u.UpdatedAt = at
}
