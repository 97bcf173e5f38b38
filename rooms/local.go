package rooms

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// Local returns the Backplane of a single process: what one node publishes, only that node gets. The messages are kept in
// store. Nil means Memory(nil).
func Local(store Store) Backplane {
	if store == nil {
		store = Memory(nil)
	}
	return &local{Store: store, logs: map[string]*localLog{}, tables: map[string]*localTable{}, topics: map[string]*localTopic{}}
}

// local is the backplane of one process. Functions that were passed are called with the lock of their log, table or topic.
type local struct {
	Store

	mu     sync.Mutex           // guards the maps; taken before the others
	logs   map[string]*localLog // those that are appended to or followed
	tables map[string]*localTable
	topics map[string]*localTopic
}

// localLog orders the messages of one log for those who follow it.
type localLog struct {
	users int // guarded by local.mu: Appends under way and followers

	mu        sync.Mutex // guards what follows
	followers []*localFollower
}

type localFollower struct {
	Follower
	after uint64 // number of the last message that it has got
}

func (l *local) log(name string) *localLog {
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.logs[name]
	if log == nil {
		log = &localLog{}
		l.logs[name] = log
	}
	log.users++
	return log
}

// release ends one use of log.
func (l *local) release(name string, log *localLog) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if log.users--; log.users == 0 {
		delete(l.logs, name)
	}
}

func (l *local) Append(ctx context.Context, name, id string, data []byte) (uint64, error) {
	if err := CheckName(name); err != nil {
		return 0, err
	}
	log := l.log(name)
	defer l.release(name, log)
	log.mu.Lock() // so that messages reach all followers in the order in which they are stored
	defer log.mu.Unlock()
	seq, err := l.Store.Append(ctx, name, id, data)
	switch {
	case err == nil:
		for _, f := range log.followers {
			if f.after < seq {
				f.pass(Entry{seq, data})
			}
		}
	case !errors.Is(err, ErrTooLarge) && len(log.followers) > 0: // it may have been stored
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
		defer cancel()
		for _, f := range log.followers {
			if err := l.catchUp(ctx, name, f); err != nil {
				log.followers = without(log.followers, f)
				f.Lost(fmt.Errorf("the store cannot be read: %w", err))
			}
		}
	}
	return seq, err
}

// storeTime is how long a Store may take to say whether a message was stored, after it has failed to store it.
const storeTime = 10 * time.Second

func (f *localFollower) pass(e Entry) {
	f.after = e.Seq
	f.Entry(e)
}

// catchUp passes what f has not got from the store.
func (l *local) catchUp(ctx context.Context, name string, f *localFollower) error {
	const page = 64
	for {
		entries, err := l.Store.After(ctx, name, f.after, page)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			f.pass(e)
		}
	}
}

func (l *local) Follow(ctx context.Context, name string, after uint64, follower Follower) (stop func(), err error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	log, f := l.log(name), &localFollower{follower, after}
	log.mu.Lock()
	if err = l.catchUp(ctx, name, f); err == nil {
		log.followers = append(log.followers, f)
	}
	log.mu.Unlock()
	if err != nil {
		l.release(name, log)
		return nil, err
	}
	return sync.OnceFunc(func() {
		log.mu.Lock()
		log.followers = without(log.followers, f)
		log.mu.Unlock()
		l.release(name, log)
	}), nil
}

// localTable is a table with those who watch it.
type localTable struct {
	users int // guarded by local.mu: Puts and Watches that have it

	mu       sync.Mutex // guards what follows
	values   map[string][]byte
	watchers []*Watcher
}

// table calls use with a table, whose lock is held.
func (l *local) table(name string, use func(*localTable)) {
	l.mu.Lock()
	t := l.tables[name]
	if t == nil {
		t = &localTable{values: map[string][]byte{}}
		l.tables[name] = t
	}
	t.users++
	l.mu.Unlock()

	t.mu.Lock()
	use(t)
	empty := len(t.values) == 0 && len(t.watchers) == 0
	t.mu.Unlock()

	l.mu.Lock()
	defer l.mu.Unlock()
	if t.users--; t.users == 0 && empty {
		delete(l.tables, name)
	}
}

func (l *local) Put(_ context.Context, table, key string, value []byte) error {
	if err := errors.Join(CheckName(table), CheckName(key)); err != nil {
		return err
	}
	l.table(table, func(t *localTable) {
		if value != nil {
			t.values[key] = value
		} else {
			delete(t.values, key)
		}
		for _, w := range t.watchers {
			w.Change(Change{key, value})
		}
	})
	return nil
}

func (l *local) Watch(_ context.Context, table string, watcher Watcher) (stop func(), err error) {
	if err := CheckName(table); err != nil {
		return nil, err
	}
	w := &watcher
	l.table(table, func(t *localTable) {
		for _, key := range slices.Sorted(maps.Keys(t.values)) {
			w.Change(Change{key, t.values[key]})
		}
		w.Ready()
		t.watchers = append(t.watchers, w)
	})
	return func() {
		l.table(table, func(t *localTable) { t.watchers = without(t.watchers, w) })
	}, nil
}

// localTopic has those who subscribe and respond to a topic, at least one.
type localTopic struct {
	subscribers []*localSubscriber
	responders  []*func([]byte) []byte
}

type localSubscriber struct {
	mu      sync.Mutex
	receive func(data []byte) // nil: it has ended
}

// topic changes the topic of a name by edit.
func (l *local) topic(name string, edit func(*localTopic)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.topics[name]
	if t == nil {
		t = &localTopic{}
		l.topics[name] = t
	}
	if edit(t); len(t.subscribers) == 0 && len(t.responders) == 0 {
		delete(l.topics, name)
	}
}

func (l *local) Publish(topic string, data []byte) error {
	if err := CheckName(topic); err != nil {
		return err
	}
	var subscribers []*localSubscriber
	l.topic(topic, func(t *localTopic) { subscribers = slices.Clone(t.subscribers) })
	for _, s := range subscribers {
		s.mu.Lock()
		if s.receive != nil {
			s.receive(data)
		}
		s.mu.Unlock()
	}
	return nil
}

func (l *local) Subscribe(topic string, receive func(data []byte)) (stop func(), err error) {
	if err := CheckName(topic); err != nil {
		return nil, err
	}
	s := &localSubscriber{receive: receive}
	l.topic(topic, func(t *localTopic) { t.subscribers = append(t.subscribers, s) })
	return func() {
		l.topic(topic, func(t *localTopic) { t.subscribers = without(t.subscribers, s) })
		s.mu.Lock()
		defer s.mu.Unlock()
		s.receive = nil
	}, nil
}

func (l *local) Request(_ context.Context, topic string, data []byte) ([]byte, error) {
	if err := CheckName(topic); err != nil {
		return nil, err
	}
	var responder *func([]byte) []byte
	l.topic(topic, func(t *localTopic) {
		if len(t.responders) > 0 {
			responder = t.responders[0]
		}
	})
	if responder == nil {
		return nil, ErrNoResponder
	}
	return (*responder)(data), nil
}

func (l *local) Respond(topic string, answer func(data []byte) []byte) (stop func(), err error) {
	if err := CheckName(topic); err != nil {
		return nil, err
	}
	r := &answer
	l.topic(topic, func(t *localTopic) { t.responders = append(t.responders, r) })
	return func() { l.topic(topic, func(t *localTopic) { t.responders = without(t.responders, r) }) }, nil
}

func (l *local) Close() error { return nil }

// without returns a new list without one.
func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(t T) bool { return t == one })
}
