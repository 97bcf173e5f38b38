package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kkrpc-go/kkrpc/examples/users/api"
	"github.com/kkrpc-go/kkrpc/examples/users/api/storetest"
	"github.com/kkrpc-go/kkrpc/examples/users/sqlite"
)

func open(t *testing.T, file string) *sqlite.Store {
	t.Helper()
	store, err := sqlite.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestStore(t *testing.T) {
	storetest.Test(t, func(t *testing.T) api.Store { return open(t, filepath.Join(t.TempDir(), "users.db")) })
}

var ada = api.User{ID: "a", Name: "Ada", Email: "ada@example.com", Role: api.Admin, Version: 1, UpdatedAt: time.UnixMilli(1).UTC()}

// The users are there when the file is opened again, whatever its name.
func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "50% of a?b#c.db")
	store := open(t, file)
	if err := store.Create(t.Context(), ada, 1); err != nil {
		t.Fatal(err)
	}
	users, err := open(t, file).Users(t.Context()) // while the first is open
	if diff := cmp.Diff([]api.User{ada}, users); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := os.Stat(file + "-wal"); err != nil {
		t.Errorf("no WAL: %v", err)
	}
}

// A database of the first version keeps its users.
func TestMigrate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile("migrations/00001_users.sql")
	if err == nil {
		_, err = db.ExecContext(t.Context(), string(old)+`
			INSERT INTO users VALUES ('a', 'Ada', 'ada@example.com', 'admin', 1, 1);
			PRAGMA user_version = 1`)
	}
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	users, err := open(t, file).Users(t.Context())
	if diff := cmp.Diff([]api.User{ada}, users); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// Of several processes that open a new file at once, one makes the tables.
func TestOpenAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	var opening sync.WaitGroup
	for range 4 {
		opening.Go(func() {
			store, err := sqlite.Open(t.Context(), file)
			if err == nil {
				err = store.Close()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
}

// A change that waits for another one ends with its context, and has changed nothing.
func TestCancelWhileBusy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	store := open(t, file)
	db, err := sql.Open("sqlite3", "file:"+file+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil) // holds the write lock
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := store.Create(ctx, ada, 1); err == nil || time.Since(began) > 3*time.Second {
		t.Errorf("a change while another one runs: %v after %v", err, time.Since(began))
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if users, err := store.Users(t.Context()); err != nil || len(users) != 0 {
		t.Errorf("users %v, %v", users, err)
	}
	if err := store.Create(t.Context(), ada, 1); err != nil {
		t.Errorf("after the other change: %v", err)
	}
}

// A file that is no database is not touched, and the error names it.
func TestOpenNoDatabase(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.db")
	if err := os.WriteFile(file, []byte("this is no database, but a text that is long enough to be looked at"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("it was opened: %v", err)
	}
}
