package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// NewMemory returns a Store in the memory of the process. Its users are gone when the process ends.
func NewMemory() Store { return &memory{users: map[string]User{}} }

type memory struct {
	mu    sync.Mutex
	users map[string]User
}

func (m *memory) Users(ctx context.Context) ([]User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(maps.Values(m.users), func(a, b User) int {
		return cmp.Or(strings.Compare(fold(a.Name), fold(b.Name)), strings.Compare(a.ID, b.ID))
	}), ctx.Err()
}

// fold is strings.ToLower for ASCII alone, as SQLite has it.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, name)
}

func (m *memory) Create(ctx context.Context, user User, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case m.takenLocked(user):
		return &EmailTakenError{user.Email}
	case len(m.users) >= most:
		return &FullError{most}
	}
	m.users[user.ID] = user
	return nil
}

func (m *memory) Update(ctx context.Context, id string, changes Changes, at time.Time) (User, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	user, ok := m.users[id]
	switch {
	case ctx.Err() != nil:
		return User{}, ctx.Err()
	case !ok:
		return User{}, &NotFoundError{id}
	case changes.Version != nil && *changes.Version != user.Version:
		return User{}, &ConflictError{user}
	}
	changes.apply(&user, at)
	if m.takenLocked(user) {
		return User{}, &EmailTakenError{user.Email}
	}
	m.users[id] = user
	return user, nil
}

// takenLocked reports whether another user has the email of user.
func (m *memory) takenLocked(user User) bool {
	for _, other := range m.users {
		if other.Email == user.Email && other.ID != user.ID {
			return true
		}
	}
	return false
}

func (m *memory) Delete(ctx context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := m.users[id]; !ok {
		return &NotFoundError{id}
	}
	delete(m.users, id)
	return nil
}
