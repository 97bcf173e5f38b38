package rooms

import (
	"cmp"
	"container/list"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

// MemoryOptions bounds what Memory keeps. For every field zero means the default.
type MemoryOptions struct {
	// History is how many messages of each room are kept; 0 means 1000.
	History int
	// Bytes is how many bytes of memory all rooms take together, roughly; 0 means 64 MiB. The room that was quiet for longest
	// is forgotten first.
	Bytes int
	// Message is the largest message in bytes; 0 means 1 MiB. A larger one is refused with ErrTooLarge.
	Message int
}

// Memory returns a Store in the memory of the process. Its messages are gone when the process ends.
func Memory(opts *MemoryOptions) Store {
	given := MemoryOptions{}
	if opts != nil {
		given = *opts
	}
	or := func(value, fallback int) int {
		if value > 0 {
			return value
		}
		return fallback
	}
	most := or(given.Bytes, 64<<20)
	return &memory{
		epoch:   rand.Text(),
		history: or(given.History, 1000),
		most:    most,
		message: max(0, min(or(given.Message, 1<<20), most-perEntry-perLog-MaxName)),
		logs:    map[string]*memoryLog{},
		ids:     map[messageID]uint64{},
	}
}

type memory struct {
	epoch                  string
	history, most, message int

	mu      sync.Mutex // guards what follows
	last    uint64     // number of the last message of all logs, which have one count
	logs    map[string]*memoryLog
	quiet   list.List // of *memoryLog, the one that was quiet for longest first
	bytes   int       // of all messages that are kept
	gone    uint64    // the highest number of a message in a log that was forgotten
	ids     map[messageID]uint64
	named   []namedMessage // those in ids, by age
	idBytes int            // of ids
}

// memoryLog has the messages that are kept of one log, at least one.
type memoryLog struct {
	name    string
	place   *list.Element // in quiet
	entries []Entry
	gone    uint64 // number of the last message that is not kept any more
}

type messageID struct{ log, id string }

type namedMessage struct {
	messageID
	stored time.Time
}

const (
	idsKept = 2 * time.Minute // how long ids are remembered
	// Bytes that something takes beside its texts, roughly.
	perEntry = 64
	perLog   = 300
	perID    = 150
)

func (m *memory) Append(_ context.Context, log, id string, data []byte) (uint64, error) {
	if err := CheckName(log); err != nil {
		return 0, err
	}
	if len(data) > m.message {
		return 0, fmt.Errorf("%w: it has %d bytes, and at most %d are taken (MemoryOptions.Message)", ErrTooLarge, len(data), m.message)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	name := messageID{log, id}
	if id != "" {
		m.forgetIDsLocked()
		if seq, known := m.ids[name]; known {
			return seq, nil
		}
	}
	m.last++
	l := m.logs[log]
	if l == nil {
		l = &memoryLog{name: log, gone: m.gone}
		m.bytes += len(log) + perLog
		l.place = m.quiet.PushBack(l)
		m.logs[log] = l
	}
	m.quiet.MoveToBack(l.place)
	l.entries = append(l.entries, Entry{m.last, data})
	m.bytes += len(data) + perEntry
	if len(l.entries) > m.history {
		m.dropFirstLocked(l)
	}
	for m.bytes > m.most {
		m.forgetLocked(l)
	}
	if id != "" {
		m.ids[name] = m.last
		m.named = append(m.named, namedMessage{name, time.Now()})
		m.idBytes += len(log) + len(id) + perID
	}
	return m.last, nil
}

// forgetLocked forgets the log that was quiet for longest. kept loses only its first message.
func (m *memory) forgetLocked(kept *memoryLog) {
	oldest := m.quiet.Front().Value.(*memoryLog)
	if oldest == kept {
		m.dropFirstLocked(kept)
		return
	}
	for _, e := range oldest.entries {
		m.bytes -= len(e.Data) + perEntry
	}
	m.gone = max(m.gone, oldest.entries[len(oldest.entries)-1].Seq)
	m.bytes -= len(oldest.name) + perLog
	m.quiet.Remove(oldest.place)
	delete(m.logs, oldest.name)
}

func (m *memory) dropFirstLocked(l *memoryLog) {
	first := &l.entries[0]
	m.bytes -= len(first.Data) + perEntry
	l.gone = first.Seq
	*first = Entry{}
	l.entries = l.entries[1:]
}

// forgetIDsLocked forgets the ids of old messages, and the oldest ones if they take more than a quarter of the memory.
func (m *memory) forgetIDsLocked() {
	for len(m.named) > 0 && (m.idBytes > m.most/4 || time.Since(m.named[0].stored) > idsKept) {
		oldest := m.named[0].messageID
		delete(m.ids, oldest)
		m.named = m.named[1:]
		m.idBytes -= len(oldest.log) + len(oldest.id) + perID
	}
}

func (m *memory) After(_ context.Context, log string, seq uint64, limit int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := m.entriesLocked(log)
	from := search(entries, seq+1)
	return slices.Clone(entries[from : from+max(0, min(limit, len(entries)-from))]), nil
}

func (m *memory) Before(_ context.Context, log string, seq uint64, limit int) ([]Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	entries := m.entriesLocked(log)
	to := len(entries)
	if seq != 0 {
		to = search(entries, seq)
	}
	return slices.Clone(entries[to-max(0, min(limit, to)) : to]), nil
}

func (m *memory) entriesLocked(log string) []Entry {
	if l := m.logs[log]; l != nil {
		return l.entries
	}
	return nil
}

// search returns the index of the first message with at least the number seq.
func search(entries []Entry, seq uint64) int {
	i, _ := slices.BinarySearchFunc(entries, seq, func(e Entry, seq uint64) int { return cmp.Compare(e.Seq, seq) })
	return i
}

func (m *memory) Bounds(_ context.Context, log string) (Bounds, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l := m.logs[log]; l != nil {
		return Bounds{m.epoch, l.entries[len(l.entries)-1].Seq, l.gone}, nil
	}
	return Bounds{m.epoch, m.gone, m.gone}, nil
}
