package kknats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kkrpc-go/kkrpc/rooms"
)

// stream is a JetStream stream with the logs or the tables, and this node's reader of all that it gets. A group is a log or
// a table; its messages have subjects of their own.
type stream struct {
	// Immutable.
	*backplane
	name   string
	prefix string // of all its subjects
	isLogs bool

	handle jetstream.Stream // set by open

	config atomic.Pointer[jetstream.StreamConfig] // as the servers had it last

	mu     sync.Mutex        // guards what follows
	groups map[string]*group // those that are followed, by their token
	// cursor is the number of the last message that the reader has passed on, or before which it began.
	cursor uint64
	// life is when the stream was made. Another time means another stream, whose numbers begin again.
	life    time.Time
	abandon func() // ends the session of the reader
	// current is when this node had certainly got all that there was.
	current time.Time
}

// group has those who follow a log or a table, at least one.
type group struct {
	last      uint64 // number of the last message that the reader has passed on since the group is followed
	followers []*follower
}

func newStream(b *backplane, kind string, isLogs bool) *stream {
	return &stream{
		backplane: b,
		name:      b.opts.Prefix + "_" + kind,
		prefix:    b.opts.Prefix + "." + kind + ".",
		isLogs:    isLogs,
		groups:    map[string]*group{},
		abandon:   func() {},
	}
}

// subject returns the subject of a log, or what those of a table's keys begin with.
func (s *stream) subject(group string) string { return s.prefix + encode(group) }

// Properties that a stream carries for this package.
const (
	// leastHistory is the smallest History that a stream of logs ever had. Logs with fewer messages have lost none.
	leastHistory = "kkrpc-least-history"
	// deletedFor is the option Deleted of a stream of tables.
	deletedFor = "kkrpc-deleted"
)

// wanted returns how the stream is to be. have is nil if there is none.
func (s *stream) wanted(have *jetstream.StreamConfig) jetstream.StreamConfig {
	o := &s.opts
	want := jetstream.StreamConfig{
		Name:        s.name,
		Storage:     jetstream.FileStorage,
		Replicas:    3,
		Duplicates:  minDuplicates,
		AllowDirect: true,
	}
	if have != nil {
		want = *have
	} else if s.isLogs {
		want.Description = "logs of rooms"
		want.Subjects = []string{s.prefix + "*"}
		want.MaxMsgsPerSubject = 1000
		want.MaxBytes = 1 << 30
		want.Discard = jetstream.DiscardOld
	} else {
		want.Description = "tables of rooms"
		want.Subjects = []string{s.prefix + "*.*"}
		want.MaxMsgsPerSubject = 1
		want.MaxBytes = 256 << 20
		want.Discard = jetstream.DiscardNew
		want.AllowMsgTTL = true
	}
	want.Metadata = maps.Clone(want.Metadata)
	if want.Metadata == nil {
		want.Metadata = map[string]string{}
	}
	want.Replicas = cmp.Or(o.Replicas, want.Replicas)
	want.Duplicates = cmp.Or(o.Duplicates, want.Duplicates)
	if s.isLogs {
		want.MaxMsgsPerSubject = cmp.Or(int64(o.History), want.MaxMsgsPerSubject)
		want.MaxBytes = cmp.Or(o.Bytes, want.MaxBytes)
		want.MaxAge = cmp.Or(o.MaxAge, want.MaxAge)
		want.Metadata[leastHistory] = fmt.Sprint(min(historyOf(&want), want.MaxMsgsPerSubject))
	} else {
		want.MaxBytes = cmp.Or(o.TableBytes, want.MaxBytes)
		want.Metadata[deletedFor] = cmp.Or(o.Deleted, deletedOf(&want)).String()
	}
	return want
}

func changed(have, want *jetstream.StreamConfig) bool {
	return have.Replicas != want.Replicas || have.Duplicates != want.Duplicates || have.MaxBytes != want.MaxBytes || have.MaxAge != want.MaxAge ||
		have.MaxMsgsPerSubject != want.MaxMsgsPerSubject || !maps.Equal(have.Metadata, want.Metadata)
}

func historyOf(c *jetstream.StreamConfig) int64 {
	least, err := strconv.ParseInt(c.Metadata[leastHistory], 10, 64)
	if err != nil {
		return c.MaxMsgsPerSubject
	}
	return least
}

func deletedOf(c *jetstream.StreamConfig) time.Duration {
	d, err := time.ParseDuration(c.Metadata[deletedFor])
	if err != nil {
		return time.Hour
	}
	return max(d, minDeleted)
}

// deleted is how long the tables remember that a key was deleted.
func (s *stream) deleted() time.Duration { return deletedOf(s.config.Load()) }

func (s *stream) duplicates() time.Duration { return max(s.config.Load().Duplicates, minDuplicates) }

// open makes the stream, or changes it to what the options say, and begins at its end.
func (s *stream) open(ctx context.Context) error {
	made, err := s.make(ctx)
	if err != nil {
		return err
	}
	s.handle = made
	info := made.CachedInfo()
	s.config.Store(&info.Config)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life, s.cursor, s.current = info.Created, info.State.LastSeq, time.Now()
	return nil
}

// make returns the stream, which it makes or changes if need be.
func (s *stream) make(ctx context.Context) (jetstream.Stream, error) {
	var stream jetstream.Stream
	err := s.retry(ctx, "make the stream "+s.name, func(ctx context.Context) error {
		var have *jetstream.StreamConfig
		made, err := s.js.Stream(ctx, s.name)
		if err == nil {
			have = &made.CachedInfo().Config
		} else if !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
		want := s.wanted(have)
		switch {
		case have == nil:
			made, err = s.js.CreateStream(ctx, want)
			if api, ok := errors.AsType[*jetstream.APIError](err); ok && api.ErrorCode == codeNoReplicas && s.opts.Replicas == 0 {
				want.Replicas = 1
				made, err = s.js.CreateStream(ctx, want)
			}
			if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
				return errors.Join(errLagging, nats.ErrTimeout) // another node was quicker
			}
		case changed(have, &want):
			made, err = s.js.UpdateStream(ctx, want)
		}
		stream = made
		return err
	})
	return stream, err
}

// info asks the leader of the stream for its state.
func (s *stream) info(ctx context.Context, opts ...jetstream.StreamInfoOpt) (*jetstream.StreamInfo, error) {
	info, err := s.handle.Info(ctx, opts...)
	if err == nil {
		s.config.Store(&info.Config)
	}
	return info, err
}

// ahead tells whether this node has passed on messages that the one who has answered does not have: it was the leader once.
func (s *stream) ahead(info *jetstream.StreamInfo) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.life.Equal(info.Created) && s.cursor > info.State.LastSeq
}

// epoch names the life of a stream that was made at a time.
func epoch(life time.Time) string { return strconv.FormatInt(life.UnixNano(), 36) }

func (b *backplane) Bounds(ctx context.Context, log string) (rooms.Bounds, error) {
	if err := rooms.CheckName(log); err != nil {
		return rooms.Bounds{}, err
	}
	var bounds rooms.Bounds
	err := b.retry(ctx, "read the bounds of a log", func(ctx context.Context) error {
		info, gone, err := b.logs.gone(ctx, b.logs.subject(log))
		if err != nil {
			return err
		}
		if b.logs.ahead(info) {
			return errLagging
		}
		bounds = rooms.Bounds{Epoch: epoch(info.Created), Last: max(info.State.LastSeq, gone), Gone: gone}
		return nil
	})
	return bounds, err
}

// gone returns a number up to which messages of a log may have been discarded, and the state of the stream before. The oldest
// messages of the stream are discarded because of MaxAge and Bytes. Those of a log, too, once it has as many as History says.
func (s *stream) gone(ctx context.Context, subject string) (*jetstream.StreamInfo, uint64, error) {
	info, err := s.info(ctx, jetstream.WithSubjectFilter(subject))
	if err != nil {
		return nil, 0, err
	}
	gone := max(info.State.FirstSeq, 1) - 1
	if int64(info.State.Subjects[subject]) >= historyOf(&info.Config) {
		first, err := s.edge(ctx, leaderRequest{Seq: 1, NextFor: subject})
		if err != nil {
			return nil, 0, err
		}
		if first > 0 {
			gone = max(gone, first-1)
		}
	}
	return info, gone, nil
}
