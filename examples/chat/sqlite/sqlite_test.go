package sqlite_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/kkrpc-go/kkrpc/examples/chat/sqlite"
	"github.com/kkrpc-go/kkrpc/rooms"
	"github.com/kkrpc-go/kkrpc/rooms/roomstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, file string, opts *sqlite.Options) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(file, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // some tests have closed it
	return s
}

func TestBackplane(t *testing.T) {
	roomstest.Backplane(t, func(t *testing.T, n, history int) []rooms.Backplane {
		b := rooms.Local(open(t, filepath.Join(t.TempDir(), "a?b#c%20.db"), &sqlite.Options{History: history}))
		nodes := make([]rooms.Backplane, n)
		for i := range nodes {
			nodes[i] = b
		}
		return nodes
	})
}

// TestRestart has a client resume where it was: the life of the log, its numbers and ids outlive the process.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "chat.db")
	s := open(t, file, nil)
	first, err := s.Append(t.Context(), "room", "id", []byte("one"))
	if err != nil {
		t.Fatal(err)
	}
	before, err := s.Bounds(t.Context(), "room")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, file, nil)
	if after, err := s.Bounds(t.Context(), "room"); err != nil || after != before {
		t.Errorf("the bounds were %+v, and after a restart %+v, %v", before, after, err)
	}
	if again, err := s.Append(t.Context(), "room", "id", []byte("one")); err != nil || again != first {
		t.Errorf("the message was stored as %d, and after a restart as %d, %v", first, again, err)
	}
	if next, err := s.Append(t.Context(), "room", "", []byte("two")); err != nil || next <= first {
		t.Errorf("the message after %d is %d, %v", first, next, err)
	}
	other := open(t, filepath.Join(t.TempDir(), "chat.db"), nil)
	if bounds, err := other.Bounds(t.Context(), "room"); err != nil || bounds.Epoch == before.Epoch {
		t.Errorf("another database has the epoch %q too, %v", bounds.Epoch, err)
	}
}

// TestSecondProcess refuses to open a database that is in use, since its user would not learn of the messages of the other.
func TestSecondProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "chat.db")
	open(t, file, nil)
	if s, err := sqlite.Open(file, nil); err == nil {
		_ = s.Close()
		t.Error("the database was opened twice")
	}
}
