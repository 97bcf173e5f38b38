package kknats

import (
	"cmp"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
)

// Options says where the servers are and what they keep. For every field zero means the default.
//
// History, Bytes, MaxAge, TableBytes, Deleted, Duplicates and Replicas are properties of the streams. Connect applies them
// when it makes the streams. It changes streams that exist only by fields that are set, so that one node with other options
// than the rest changes them for all.
type Options struct {
	// URL names the servers, such as "nats://a:4222,nats://b:4222"; "" means nats://127.0.0.1:4222.
	URL string
	// NATS has further options of the connection, such as credentials and TLS. They override those that Connect sets:
	// endless reconnection, Ping, and no buffer for messages while the connection is lost.
	NATS []nats.Option
	// Conn is a connection to use instead of URL and NATS. Close leaves it open. It should be made with
	// nats.ReconnectBufSize(-1): otherwise it may send messages later whose Publish or Append has returned an error.
	Conn *nats.Conn

	// Prefix begins the names of the streams and of all subjects, so that several programs can share servers; "" means
	// "kkrpc". It has 1 to 32 letters, digits, hyphens and underscores.
	Prefix string
	// Replicas is how many servers keep each message; 0 means 3 in a cluster, and 1 on a single server. With three, the
	// rooms work on while one server is down. With two, both are needed.
	Replicas int
	// History is how many messages of each log are kept; 0 means 1000.
	History int
	// Bytes is how many bytes all logs have together; 0 means 1 GiB. Beyond that, the oldest messages of all logs are discarded.
	Bytes int64
	// MaxAge is how long messages of logs are kept; 0 means without end.
	MaxAge time.Duration
	// TableBytes is how many bytes all tables have together; 0 means 256 MiB. Beyond that, Put fails,
	// in a cluster also for keys that exist. Keys can be deleted.
	TableBytes int64
	// Deleted is how long the tables remember that a key was deleted; 0 means an hour. A node that was cut off for half of
	// that time reads the tables anew.
	Deleted time.Duration
	// Duplicates is how long the ids of messages are remembered; 0 means two minutes, which is also the minimum.
	Duplicates time.Duration

	// Start is how long Connect waits for the servers if its ctx has no deadline; 0 means a minute.
	Start time.Duration
	// Timeout is how long a method waits, through elections and reconnection, if its ctx has no deadline; 0 means 15 s. No
	// method sends a message again after half of Duplicates, whatever its ctx says.
	Timeout time.Duration
	// Heartbeat is how often the server tells a node that waits for messages that it is alive; 0 means 1 s. After two
	// that are missing, the node asks another server. The minimum is 500 ms.
	Heartbeat time.Duration
	// Ping is how often an idle connection is checked; 0 means 5 s. After two checks without an answer it is closed and made anew.
	Ping time.Duration
}

const (
	minDuplicates = 2 * time.Minute // what rooms.Store asks for
	minHeartbeat  = 500 * time.Millisecond
	minDeleted    = time.Second // the unit of NATS for a TTL
)

var prefixForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// withDefaults returns the options with defaults for all that is no property of a stream, or says which is impossible.
func (o *Options) withDefaults() (Options, error) {
	given := Options{}
	if o != nil {
		given = *o
	}
	given.URL = cmp.Or(given.URL, nats.DefaultURL)
	given.Prefix = cmp.Or(given.Prefix, "kkrpc")
	given.Start = cmp.Or(given.Start, time.Minute)
	given.Timeout = cmp.Or(given.Timeout, 15*time.Second)
	given.Heartbeat = cmp.Or(given.Heartbeat, time.Second)
	given.Ping = cmp.Or(given.Ping, 5*time.Second)
	if !prefixForm.MatchString(given.Prefix) {
		return given, fmt.Errorf("kknats: Options.Prefix is %q: it has 1 to 32 letters, digits, hyphens and underscores", given.Prefix)
	}
	for _, o := range []struct {
		name       string
		value, min int64
		zero       bool // means the default
	}{
		{"Replicas", int64(given.Replicas), 0, true},
		{"History", int64(given.History), 0, true},
		{"Bytes", given.Bytes, 0, true},
		{"MaxAge", int64(given.MaxAge), int64(minDuplicates), true},
		{"TableBytes", given.TableBytes, 0, true},
		{"Deleted", int64(given.Deleted), int64(minDeleted), true},
		{"Duplicates", int64(given.Duplicates), int64(minDuplicates), true},
		{"Start", int64(given.Start), 0, false},
		{"Timeout", int64(given.Timeout), 0, false},
		{"Heartbeat", int64(given.Heartbeat), int64(minHeartbeat), false},
		{"Ping", int64(given.Ping), 0, false},
	} {
		if o.value < o.min && !(o.zero && o.value == 0) {
			min := fmt.Sprint(o.min)
			if o.min >= int64(time.Millisecond) {
				min = time.Duration(o.min).String()
			}
			return given, fmt.Errorf("kknats: Options.%s is too small: its minimum is %s", o.name, min)
		}
	}
	if given.Replicas > 5 {
		return given, fmt.Errorf("kknats: Options.Replicas is %d: JetStream keeps at most 5", given.Replicas)
	}
	return given, nil
}
