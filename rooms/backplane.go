package rooms

import (
	"context"
	"unicode/utf8"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// A Backplane carries what the nodes of one program tell each other, and keeps the messages of rooms. [Local] is the one for
// a single process. Package adapter/kknats has one for many. Package roomstest has the tests that each must pass.
//
// Logs, tables and topics are named by any text of 1 to [MaxName] bytes. The three kinds of names are apart from each other.
// All methods may be called from any goroutine. The functions that are passed are called one at a time for each Follow,
// Watch, Subscribe and Respond, and must not block or call the Backplane.
type Backplane interface {
	Store

	// Follow calls f.Entry with each message of the log after the number after, in order, without a gap, once. It goes on
	// until stop is called, after which no call begins. An interruption of the network is no gap: f.Entry is called later.
	// If messages may be missing after all, such as when the log was made anew, Follow calls f.Lost and ends.
	Follow(ctx context.Context, log string, after uint64, f Follower) (stop func(), err error)

	// Put sets the value of a key in a table, and deletes it if value is nil. It returns when the value is safe.
	Put(ctx context.Context, table, key string, value []byte) error

	// Watch calls w.Change for each key that the table has, then w.Ready, then w.Change for each change, in the order of
	// the changes, which is the same on all nodes. Of several changes to one key it may leave out all but the last. It goes
	// on until stop is called, or until it calls w.Lost like Follow.
	Watch(ctx context.Context, table string, w Watcher) (stop func(), err error)

	// Publish sends data to all who subscribe to the topic on any node, this one too. It does not wait and keeps nothing. A
	// node that cannot be reached misses it, and so may one that has subscribed a moment ago: it takes a while until the
	// other nodes know. Messages of one node arrive in their order.
	Publish(topic string, data []byte) error
	Subscribe(topic string, receive func(data []byte)) (stop func(), err error)

	// Request sends data to one that responds to the topic, on any node, and returns its answer. The error is ErrNoResponder,
	// at once, if nobody does or is known yet to do so. One that has just ended may get the request nevertheless and not
	// answer, so that ctx should have a deadline.
	Request(ctx context.Context, topic string, data []byte) ([]byte, error)
	Respond(topic string, answer func(data []byte) []byte) (stop func(), err error)

	// Close ends all that the Backplane does. The caller ends what it follows, watches and subscribes to before.
	Close() error
}

// A Store keeps the messages of rooms, each room in a log of its own. [Local] takes one, such as a database. Methods may be
// called from any goroutine.
type Store interface {
	// Append adds a message at the end of the log and returns its number. Numbers of a log grow from 1 on; they need not be
	// consecutive. Append returns when the message is safe. An error that wraps ErrTooLarge says that it never can be
	// stored. After any other error it may or may not have been.
	//
	// id names the message; empty names none. A message with the id of an earlier one of the log is not stored again, and the
	// number of the first is returned. A Store remembers ids for two minutes at least, unless they take too much memory. The
	// Store may keep data, which does not change.
	Append(ctx context.Context, log, id string, data []byte) (seq uint64, err error)

	// After returns the first messages after a number, at most limit, oldest first. It has all that Follow has passed on
	// this node.
	After(ctx context.Context, log string, seq uint64, limit int) ([]Entry, error)

	// Before returns the last messages before a number, at most limit, oldest first. The number 0 stands for the end.
	Before(ctx context.Context, log string, seq uint64, limit int) ([]Entry, error)

	// Bounds says what the log has.
	Bounds(ctx context.Context, log string) (Bounds, error)
}

// Entry is a message in a log.
type Entry struct {
	Seq  uint64
	Data []byte // not to be changed
}

// Bounds says which messages a log has.
type Bounds struct {
	// Epoch names the life of the log. It changes when the log is lost, so that numbers begin again.
	Epoch string
	// Last is at least the number of the newest message, kept or not. No message has a number between.
	Last uint64
	// Gone is a number up to which messages may have been discarded. All messages after it are kept.
	Gone uint64
}

// Follower is what Follow calls.
type Follower struct {
	Entry func(Entry)
	Lost  func(err error)
}

// Watcher is what Watch calls.
type Watcher struct {
	Change func(Change)
	Ready  func()
	Lost   func(err error)
}

// Change is the new value of a key in a table.
type Change struct {
	Key   string
	Value []byte // nil: the key is deleted; not to be changed
}

// MaxName is the length in bytes of the longest name of a log, a table, a topic or a key of a Backplane. A hub makes them of its
// own name and that of a room, which is therefore shorter.
const MaxName = 200

// Errors of backplanes. They reach TypeScript by their Name.
var (
	// ErrTooLarge means that a message is larger than the backplane can store.
	ErrTooLarge = &kkrpc.Error{Name: "MessageTooLargeError", Message: "the message is too large"}
	// ErrUnavailable means that the backplane cannot be reached. A message may have been stored nevertheless; repeat it with
	// PublishOnce.
	ErrUnavailable = &kkrpc.Error{Name: "UnavailableError", Message: "the rooms cannot be reached now; try again"}
	// ErrNoResponder means that nobody responds to a topic.
	ErrNoResponder = &kkrpc.Error{Name: "NoResponderError", Message: "nobody responds"}
	// ErrName means that a name is empty, longer than MaxName bytes, or no valid UTF-8.
	ErrName = &kkrpc.Error{Name: "RangeError", Message: "a name is empty, too long, or no UTF-8"}
)

// toJSON and fromJSON are for what has no annotations. They are those of package superjson, so that a program for
// WebAssembly needs no other encoder.
func toJSON(v any) ([]byte, error) {
	return superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", v)
}

func fromJSON(data []byte, v any) error { return superjson.Decode(superjson.ModeJSON, data, nil, v) }

// CheckName returns ErrName for a text that is no name, for a Backplane or a Store.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || !utf8.ValidString(name) {
		return ErrName
	}
	return nil
}
