// Package sqlite keeps the messages of rooms in a SQLite database, through database/sql.
//
//	store, err := sqlite.Open("chat.db", nil)
//	backplane := rooms.Local(store)
//
// The database belongs to one process. A second one that opens it gets an error. Package rooms tells members about messages
// that its own process stores, and others would stay unseen. For several processes there is package adapter/kknats.
package sqlite

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/kkrpc-go/kkrpc/examples/chat/sqlite/internal/db"
	"github.com/kkrpc-go/kkrpc/rooms"
)

//go:generate go run github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1 generate

//go:embed schema.sql
var schema string

// remembered is how long the ids of messages are.
const remembered = time.Hour

// Options bounds what a Store keeps. Nil and the zero value mean the defaults.
type Options struct {
	// History is how many messages of each log are kept at least; 0 means 10,000. Up to a quarter more are kept.
	History int
	// Message is the largest message in bytes; 0 means 1 MiB. A larger one is refused with rooms.ErrTooLarge.
	Message int
}

// Store is a rooms.Store. A message is written to the disk when Append returns.
type Store struct {
	db               *sql.DB // of one connection, which has the database for itself
	queries          *db.Queries
	epoch            string
	history, message int
}

// Open opens the database in a file, and makes it if there is none. The caller closes it, after all that uses it.
func Open(file string, opts *Options) (*Store, error) {
	given := Options{}
	if opts != nil {
		given = *opts
	}
	s := &Store{history: cmp.Or(given.History, 10_000), message: cmp.Or(given.Message, 1<<20)}
	if s.history < 0 || s.message < 0 {
		return nil, fmt.Errorf("sqlite: Options.History is %d and Options.Message %d: neither may be negative", s.history, s.message)
	}
	source := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(file), RawQuery: url.Values{
		"_pragma": {"locking_mode(exclusive)", "journal_mode(wal)", "synchronous(full)"},
		"_txlock": {"immediate"},
	}.Encode()}
	opened, err := sql.Open("sqlite3", source.String())
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", file, err)
	}
	opened.SetMaxOpenConns(1)
	s.db, s.queries = opened, db.New(opened)
	if err := s.begin(); err != nil {
		_ = opened.Close() // of no use
		return nil, fmt.Errorf("sqlite: open %s: %w", file, err)
	}
	return s, nil
}

// begin makes the tables of a new database, and reads its epoch.
func (s *Store) begin() error {
	ctx := context.Background()
	if _, err := s.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	return s.change(ctx, func(q *db.Queries) (err error) {
		s.epoch, err = q.Epoch(ctx)
		if errors.Is(err, sql.ErrNoRows) {
			s.epoch = rand.Text()
			err = q.SetEpoch(ctx, s.epoch)
		}
		return err
	})
}

// change has f change the database, wholly or not at all.
func (s *Store) change(ctx context.Context, f func(*db.Queries) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(s.queries.WithTx(tx)); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Append implements rooms.Store.
func (s *Store) Append(ctx context.Context, log, id string, data []byte) (seq uint64, err error) {
	if err := rooms.CheckName(log); err != nil {
		return 0, err
	}
	if len(data) > s.message {
		return 0, fmt.Errorf("%w: it has %d bytes, and at most %d are taken (sqlite.Options.Message)", rooms.ErrTooLarge, len(data), s.message)
	}
	if data == nil {
		data = []byte{} // nil is NULL
	}
	err = s.change(ctx, func(q *db.Queries) error {
		seq, err = s.add(ctx, q, log, id, data)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sqlite: append: %w", err)
	}
	return seq, nil
}

// add adds a message, unless it is there.
func (s *Store) add(ctx context.Context, q *db.Queries, name, id string, data []byte) (uint64, error) {
	log, err := q.Log(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		log, err = q.AddLog(ctx, name)
	}
	if err != nil {
		return 0, err
	}
	if id != "" {
		seq, err := q.MessageOfID(ctx, db.MessageOfIDParams{Log: log.ID, ID: id})
		if !errors.Is(err, sql.ErrNoRows) {
			return uint64(seq), err
		}
	}
	log.Last, err = q.AddMessage(ctx, db.AddMessageParams{Log: log.ID, Data: data})
	if err != nil {
		return 0, err
	}
	if id != "" {
		now := time.Now()
		if err := q.ForgetIDs(ctx, now.Add(-remembered).Unix()); err != nil {
			return 0, err
		}
		if err := q.AddID(ctx, db.AddIDParams{Log: log.ID, ID: id, Seq: log.Last, Stored: now.Unix()}); err != nil {
			return 0, err
		}
	}
	log.Kept++
	if most := int64(s.history + s.history/4); log.Kept > most { // not for each message, since it counts through the log
		if err := s.prune(ctx, q, &log); err != nil {
			return 0, err
		}
	}
	return uint64(log.Last), q.SetLog(ctx, db.SetLogParams{Last: log.Last, Gone: log.Gone, Kept: log.Kept, ID: log.ID})
}

// prune deletes the oldest messages of a log.
func (s *Store) prune(ctx context.Context, q *db.Queries, log *db.Log) error {
	gone, err := q.NewestBut(ctx, db.NewestButParams{Log: log.ID, Offset: int64(s.history)})
	if err != nil {
		return err
	}
	deleted, err := q.DeleteUpTo(ctx, db.DeleteUpToParams{Log: log.ID, Seq: gone})
	log.Gone, log.Kept = gone, log.Kept-deleted
	return err
}

// After implements rooms.Store.
func (s *Store) After(ctx context.Context, log string, seq uint64, limit int) ([]rooms.Entry, error) {
	rows, err := s.queries.MessagesAfter(ctx, db.MessagesAfterParams{Name: log, Seq: number(seq), Limit: int64(limit)})
	if err != nil {
		return nil, fmt.Errorf("sqlite: read: %w", err)
	}
	var entries []rooms.Entry
	for _, r := range rows {
		entries = append(entries, rooms.Entry{Seq: uint64(r.Seq), Data: r.Data})
	}
	return entries, nil
}

// Before implements rooms.Store.
func (s *Store) Before(ctx context.Context, log string, seq uint64, limit int) ([]rooms.Entry, error) {
	if seq == 0 {
		seq = math.MaxInt64
	}
	rows, err := s.queries.MessagesBefore(ctx, db.MessagesBeforeParams{Name: log, Seq: number(seq), Limit: int64(limit)})
	if err != nil {
		return nil, fmt.Errorf("sqlite: read: %w", err)
	}
	var entries []rooms.Entry
	for _, r := range slices.Backward(rows) {
		entries = append(entries, rooms.Entry{Seq: uint64(r.Seq), Data: r.Data})
	}
	return entries, nil
}

// number is seq in SQL. Clients name any number, and those of messages are not beyond it.
func number(seq uint64) int64 { return int64(min(seq, math.MaxInt64)) }

// Bounds implements rooms.Store.
func (s *Store) Bounds(ctx context.Context, log string) (rooms.Bounds, error) {
	l, err := s.queries.Log(ctx, log)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return rooms.Bounds{}, fmt.Errorf("sqlite: read: %w", err)
	}
	return rooms.Bounds{Epoch: s.epoch, Last: uint64(l.Last), Gone: uint64(l.Gone)}, nil
}
