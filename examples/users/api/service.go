package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/adapter/kkvalidator"
	"github.com/kkrpc-go/kkrpc/rooms"
)

// Options configures a Service. Nil and the zero value mean the defaults.
type Options struct {
	// MaxUsers is the number of users beyond which CreateUser fails with a FullError; 0 means 1000.
	MaxUsers int

	// Backplane connects the servers of one database, so that each tells its clients of the changes of all. Nil means that
	// there is one server. The caller closes it after the Service.
	Backplane rooms.Backplane

	// OnError gets errors of the Store and of telling clients, which no client gets. Nil drops them. It must not block.
	OnError func(err error)
}

// Service is the ServerAPI on a Store. Its methods may be called from any goroutine.
type Service struct {
	store    Store
	maxUsers int
	onError  func(err error)

	updated *rooms.Hub[User]
	deleted *rooms.Hub[string]

	// mu is held while a change is stored and told, so that clients are told in the order of the changes.
	mu sync.Mutex
}

var _ ServerAPI = (*Service)(nil)

// New returns a Service on a store, which the caller closes after it.
func New(store Store, opts *Options) (*Service, error) {
	if opts == nil {
		opts = &Options{}
	}
	if opts.MaxUsers < 0 {
		return nil, errors.New("users: Options.MaxUsers is negative")
	}
	s := &Service{store: store, maxUsers: cmp.Or(opts.MaxUsers, 1000), onError: opts.OnError}
	if s.onError == nil {
		s.onError = func(error) {}
	}
	var err error
	if s.updated, err = rooms.NewHub(&rooms.Options[User]{Name: "updated", Backplane: opts.Backplane, OnError: s.onError}); err != nil {
		return nil, err
	}
	if s.deleted, err = rooms.NewHub(&rooms.Options[string]{Name: "deleted", Backplane: opts.Backplane, OnError: s.onError}); err != nil {
		s.updated.Close()
		return nil, err
	}
	return s, nil
}

// Close ends telling clients. It closes neither their connections nor the Store.
func (s *Service) Close() {
	s.updated.Close()
	s.deleted.Close()
}

// room is the room of all clients, in both hubs.
const room = "users"

// Inbound returns the interceptors of a server of the API, in their order. asked is that of [TextErrors]. Those in more see
// each call before it is validated, and its error as it is.
func (s *Service) Inbound(asked func(ctx context.Context) bool, more ...kkrpc.Interceptor) []kkrpc.Interceptor {
	return slices.Concat([]kkrpc.Interceptor{s.follow, TextErrors(asked)}, more, []kkrpc.Interceptor{s.conceal, kkvalidator.New(nil, nil)})
}

// follow is an interceptor that has the client told of all changes from now on. The client has said something, so that its
// dialect is known, and the server may call it.
func (s *Service) follow(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	if r.Channel != nil && !s.deleted.Room(room).Has(r.Channel) {
		if _, err := s.updated.Room(room).JoinMethod(ctx, "onUserUpdate", &rooms.JoinOptions{Channel: r.Channel}); err != nil {
			return nil, err
		}
		if _, err := s.deleted.Room(room).JoinMethod(ctx, "onUserDelete", &rooms.JoinOptions{Channel: r.Channel}); err != nil {
			return nil, err
		}
	}
	return next(ctx, r)
}

// conceal is an interceptor that reports errors of the store. The client learns that there was one, but not the text, which
// may say much about the database.
func (s *Service) conceal(ctx context.Context, r *kkrpc.Request, next kkrpc.Handler) (any, error) {
	result, err := next(ctx, r)
	if err == nil || ctx.Err() != nil {
		return result, err
	}
	if _, ok := thrownBy(err); ok {
		return nil, err
	}
	s.onError(fmt.Errorf("users: %s: %w", r.Path, err))
	return nil, errInternal
}

var errInternal = &kkrpc.Error{Name: "InternalError", Message: "internal error"}

// tell has the result of a room reported.
func (s *Service) tell(err error) {
	if err != nil {
		s.onError(fmt.Errorf("users: clients miss a change: %w", err))
	}
}

// AddExamples adds three users if there is none.
func (s *Service) AddExamples(ctx context.Context) error {
	users, err := s.GetUsers(ctx)
	if err != nil || len(users) > 0 {
		return err
	}
	for _, user := range []NewUser{
		{Name: "Ada Lovelace", Email: "ada@example.com", Role: Admin, Note: new("writes notes")},
		{Name: "Grace Hopper", Email: "grace@example.com", Role: Editor},
		{Name: "Katherine Johnson", Email: "katherine@example.com", Role: Viewer},
	} {
		if _, err := s.CreateUser(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

// GetUsers implements ServerAPI.
func (s *Service) GetUsers(ctx context.Context) ([]User, error) { return s.store.Users(ctx) }

// CreateUser implements ServerAPI.
func (s *Service) CreateUser(ctx context.Context, user NewUser) (User, error) {
	created := User{
		ID: rand.Text(), Name: user.Name, Email: strings.ToLower(user.Email), Role: user.Role, Note: user.Note,
		Version: 1, UpdatedAt: now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.Create(ctx, created, s.maxUsers); err != nil {
		return User{}, err
	}
	s.tell(s.updated.Room(room).Signal(created))
	return created, nil
}

// UpdateUser implements ServerAPI.
func (s *Service) UpdateUser(ctx context.Context, id string, changes Changes) (User, error) {
	if changes.Email != nil {
		email := strings.ToLower(*changes.Email)
		changes.Email = &email
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	user, err := s.store.Update(ctx, id, changes, now())
	if err != nil {
		return User{}, err
	}
	s.tell(s.updated.Room(room).Signal(user))
	return user, nil
}

// DeleteUser implements ServerAPI.
func (s *Service) DeleteUser(ctx context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.store.Delete(ctx, id); err != nil {
		return err
	}
	s.tell(s.deleted.Room(room).Signal(id))
	return nil
}

// now is the time as a Date of JavaScript can hold it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
