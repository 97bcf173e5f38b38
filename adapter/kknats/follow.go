package kknats

import (
	"context"
	"strings"
	"sync"

	"github.com/kkrpc-go/kkrpc/rooms"
)

// follower is one Follow or Watch. At first it reads what there is, in the goroutine of Follow or Watch. Meanwhile the reader
// of the stream offers it what is new. Once it has read up to that, it gets what the reader offers.
type follower struct {
	entry func(message)
	lost  func(error)
	began uint64 // number of the stream's last message before f read anything; set before entry is called

	mu      sync.Mutex // guards what follows; taken when functions are called
	ended   bool
	live    bool
	cursor  uint64    // number of the last message that it has got
	waiting []message // that the reader has offered before it is live, none before missed
	size    int       // bytes of their data
	missed  uint64    // number of the last that was offered and is not in waiting
}

// Beyond this many messages or bytes, what waits is dropped and read later.
const (
	mostWaiting      = 256
	mostWaitingBytes = 1 << 20
)

func (f *follower) offer(m message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ended:
	case f.live:
		f.getLocked(m)
	case len(f.waiting) < mostWaiting && f.size < mostWaitingBytes:
		f.waiting = append(f.waiting, m)
		f.size += len(m.data)
	default:
		f.waiting, f.size, f.missed = nil, 0, m.seq
	}
}

func (f *follower) getLocked(m message) {
	if m.seq > f.cursor {
		f.cursor = m.seq
		f.entry(m)
	}
}

// get passes messages that were read.
func (f *follower) get(read []message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range read {
		if f.ended {
			return
		}
		f.getLocked(m)
	}
}

// goLive ends the time of reading, unless there is more to read.
func (f *follower) goLive(ready func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return true
	}
	if f.missed > f.cursor {
		return false
	}
	ready()
	for _, m := range f.waiting {
		f.getLocked(m)
	}
	f.live, f.waiting = true, nil
	return true
}

func (f *follower) lose(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.ended = true
		f.lost(err)
	}
}

func (f *follower) hasEnded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}

// follow has f follow what matches subject, of the group with that token.
func (s *stream) follow(ctx context.Context, what, token, subject string, f *follower, ready func()) (stop func(), err error) {
	life := s.add(token, f)
	stop = sync.OnceFunc(func() {
		s.remove(token, f)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ended, f.waiting = true, nil
	})
	begun := false
	err = s.retry(ctx, what, func(ctx context.Context) error {
		if !begun {
			info, gone, err := s.gone(ctx, subject)
			if err != nil {
				return err
			}
			if s.ahead(info) {
				return errLagging
			}
			switch {
			case !life.Equal(info.Created), f.cursor > info.State.LastSeq:
				f.lose(errRemade)
			case s.isLogs && f.cursor > 0 && f.cursor < gone:
				f.lose(errMissed)
			}
			f.began = info.State.LastSeq
			begun = true
		}
		return s.catchUp(ctx, subject, f, ready)
	})
	if err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// catchUp has f read until it is live.
func (s *stream) catchUp(ctx context.Context, subject string, f *follower, ready func()) error {
	for !f.hasEnded() {
		last, err := s.edge(ctx, leaderRequest{LastFor: subject})
		if err != nil {
			return err
		}
		cursor := f.cursor // only this goroutine changes it before f is live
		if cursor < last {
			got, left, err := s.batch(ctx, subject, cursor+1, pageMessages)
			if err != nil {
				return err
			}
			if len(got) == 0 || left == 0 && got[len(got)-1].seq < last {
				return errLagging
			}
			if s.isLogs && cursor > 0 { // a batch has no gap, but there may be one before it
				_, gone, err := s.gone(ctx, subject)
				if err != nil {
					return err
				}
				if cursor < gone {
					f.lose(errMissed)
				}
			}
			f.get(got)
		}
		if f.cursor >= last && f.goLive(ready) {
			return nil
		}
	}
	return nil
}

func (b *backplane) Follow(ctx context.Context, log string, after uint64, to rooms.Follower) (stop func(), err error) {
	if err := rooms.CheckName(log); err != nil {
		return nil, err
	}
	f := &follower{
		entry:  func(m message) { to.Entry(rooms.Entry{Seq: m.seq, Data: m.data}) },
		lost:   to.Lost,
		cursor: after,
	}
	return b.logs.follow(ctx, "follow a log", encode(log), b.logs.subject(log), f, func() {})
}

func (b *backplane) Watch(ctx context.Context, table string, to rooms.Watcher) (stop func(), err error) {
	if err := rooms.CheckName(table); err != nil {
		return nil, err
	}
	prefix := b.tables.subject(table) + "."
	f := &follower{lost: to.Lost}
	f.entry = func(m message) {
		key, ok := decode(strings.TrimPrefix(m.subject, prefix))
		if !ok {
			return // not from this package
		}
		change := rooms.Change{Key: key, Value: m.data}
		if m.deleted {
			if m.seq <= f.began {
				return // the watcher has not got its value
			}
			change.Value = nil
		}
		to.Change(change)
	}
	return b.tables.follow(ctx, "watch a table", encode(table), prefix+"*", f, to.Ready)
}
