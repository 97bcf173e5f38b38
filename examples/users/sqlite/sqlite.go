// Package sqlite keeps the users of package api in an SQLite database.
//
// The database is a file in WAL mode, so that reading does not wait for writing. The embedded files in migrations make its
// tables, and bring those of an older program up to date. The pragma user_version of the database is the number of the last
// file that has run. Package query is written by sqlc from queries.sql.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/examples/users/sqlite/query"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	// busyTime is how long a statement waits while another connection or process writes.
	busyTime = 5 * time.Second
	// connections bounds those to the database. One writes at a time.
	connections = 4
)

// Store is an api.Store in a database.
type Store struct{ db *sql.DB }

var _ api.Store = (*Store)(nil)

// Open opens the database in the file, makes it if there is none, and migrates it. Several processes may open one file.
func Open(ctx context.Context, file string) (*Store, error) {
	// A transaction takes the write lock when it begins. If it took it at its first write, it could fail with SQLITE_BUSY at once
	// because of what it has read before.
	query := url.Values{"_txlock": {"immediate"}, "_pragma": {
		fmt.Sprintf("busy_timeout(%d)", busyTime.Milliseconds()), "journal_mode(wal)", "synchronous(normal)",
	}}
	db, err := sql.Open("sqlite3", "file:"+(&url.URL{Path: filepath.ToSlash(file)}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", file, err)
	}
	db.SetMaxOpenConns(connections)
	if err = connect(ctx, db); err == nil {
		err = migrate(ctx, db)
	}
	if err != nil {
		_ = db.Close() // the first error says more
		return nil, fmt.Errorf("sqlite: migrate %s: %w", file, err)
	}
	return &Store{db}, nil
}

// connect makes the first connection, which turns the WAL on. SQLite does not wait with that for another connection that is
// about to do it too.
func connect(ctx context.Context, db *sql.DB) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; {
		err := db.PingContext(ctx)
		if !errors.Is(err, sqlite3.BUSY) || time.Since(began) > busyTime {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// migrate runs the migrations that the database does not have.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Glob(migrations, "migrations/*.sql") // in the order of their names
	if err != nil {
		return err
	}
	for i, file := range files {
		if err := migrateTo(ctx, db, i+1, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// migrateTo runs a file unless the database has its version. The transaction holds the write lock from the beginning, so
// that of two processes one does it.
func migrateTo(ctx context.Context, db *sql.DB, version int, file string) error {
	statements, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after a commit
	var has int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&has); err != nil || has >= version {
		return err
	}
	if _, err := tx.ExecContext(ctx, string(statements)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Users implements api.Store.
func (s *Store) Users(ctx context.Context) ([]api.User, error) {
	rows, err := query.New(s.db).ListUsers(ctx)
	if err != nil {
		return nil, err
	}
	users := make([]api.User, len(rows))
	for i, row := range rows {
		users[i] = userOf(row)
	}
	return users, nil
}

// Create implements api.Store.
func (s *Store) Create(ctx context.Context, user api.User, most int) error {
	return s.inTransaction(ctx, func(q *query.Queries) error {
		err := q.CreateUser(ctx, query.CreateUserParams{
			ID: user.ID, Name: user.Name, Email: user.Email, Role: string(user.Role), Note: user.Note,
			Version: user.Version, UpdatedAt: user.UpdatedAt.UnixMilli(),
		})
		if err != nil {
			return taken(err, user.Email)
		}
		if n, err := q.CountUsers(ctx); err != nil {
			return err
		} else if n > int64(most) {
			return &api.FullError{Max: most}
		}
		return nil
	})
}

// Update implements api.Store. The statement changes the version that the client has seen, or nothing.
func (s *Store) Update(ctx context.Context, id string, changes api.Changes, at time.Time) (user api.User, err error) {
	err = s.inTransaction(ctx, func(q *query.Queries) error {
		row, err := q.UpdateUser(ctx, query.UpdateUserParams{
			Name: changes.Name, Email: changes.Email, Role: (*string)(changes.Role),
			ChangeNote: changes.Note.Present, Note: changes.Note.Note,
			ID: id, Version: changes.Version, UpdatedAt: at.UnixMilli(),
		})
		if err == nil {
			user = userOf(row)
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return taken(err, deref(changes.Email))
		}
		switch row, err = q.GetUser(ctx, id); {
		case errors.Is(err, sql.ErrNoRows):
			return &api.NotFoundError{ID: id}
		case err != nil:
			return err
		}
		return &api.ConflictError{Current: userOf(row)}
	})
	return user, err
}

// Delete implements api.Store.
func (s *Store) Delete(ctx context.Context, id string) error {
	n, err := query.New(s.db).DeleteUser(ctx, id)
	if err == nil && n == 0 {
		return &api.NotFoundError{ID: id}
	}
	return err
}

// inTransaction commits what f does, unless f fails.
func (s *Store) inTransaction(ctx context.Context, f func(q *query.Queries) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after a commit
	if err := f(query.New(tx)); err != nil {
		return err
	}
	return tx.Commit()
}

// taken is err, or what it means if another user has the email.
func taken(err error, email string) error {
	if errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) {
		return &api.EmailTakenError{Email: email}
	}
	return err
}

func userOf(row query.User) api.User {
	return api.User{
		ID: row.ID, Name: row.Name, Email: row.Email, Role: api.Role(row.Role), Note: row.Note,
		Version: row.Version, UpdatedAt: time.UnixMilli(row.UpdatedAt).UTC(),
	}
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
