package kkrpc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
)

// refTable knows the references that crossed the channel, in both directions.
type refTable struct {
	ch *Channel

	mu      sync.Mutex
	closed  bool
	last    uint64
	prefix  string // of the ids of this side: both sides' must differ
	local   map[string]*localRef
	byKey   map[refKey]*localRef
	remote  map[string]remoteRef
	gone    map[string]int // the peer's that nobody holds any more and that was not told yet, by how often they had come
	dirty   atomic.Bool    // gone is not empty
	janitor *time.Timer    // set while references of the peer are held
}

// localRef is a value of this side that the peer may use.
type localRef struct {
	table *refTable
	id    string
	ref   *Ref // keeps key from being used again
	key   refKey
	sends int // times that it was sent and not given back
}

// remoteRef is a reference of the peer.
type remoteRef struct {
	ref      weak.Pointer[Ref]
	received int // times that it came
}

// export returns the entry of r, a reference of this side, and makes it if needed. It counts as sent.
func (t *refTable) export(r *Ref) (*localRef, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	key := r.key()
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byKey[key]
	if e == nil {
		switch {
		case t.closed:
			return nil, ErrClosed
		case len(t.local) >= t.ch.limits.References:
			return nil, fmt.Errorf("%w: the peer holds %d references of this channel (Limits.References)", ErrLimit, len(t.local))
		case t.local == nil:
			t.local, t.byKey = map[string]*localRef{}, map[refKey]*localRef{}
			t.prefix = newPrefix()
		}
		t.last++
		e = &localRef{table: t, id: t.prefix + "-" + strconv.FormatUint(t.last, 10), ref: r, key: key}
		t.local[e.id], t.byKey[key] = e, e
	}
	e.sends++
	return e, nil
}

// newPrefix has as many random bits as the original's UUIDs. math/rand/v2 takes them from the generator of the runtime, which
// the system has seeded; crypto/rand would do the same and link much more.
func newPrefix() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// sent implements carried.
func (e *localRef) sent() {}

// unsent implements carried. It takes back what export has done.
func (e *localRef) unsent() {
	t := e.table
	t.mu.Lock()
	defer t.mu.Unlock()
	if e.sends--; e.sends <= 0 && t.local[e.id] == e {
		t.dropLocked(e)
	}
}

func (t *refTable) dropLocked(e *localRef) {
	delete(t.local, e.id)
	delete(t.byKey, e.key)
}

// giveBack forgets the value that the peer releases. received is how often the peer had got it when it was garbage
// collected there; it is kept if it has been sent again since. 0: it was released on purpose.
func (t *refTable) giveBack(id string, received int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.local[id]
	if e == nil {
		return
	}
	if e.sends -= received; received > 0 && e.sends > 0 {
		return
	}
	t.dropLocked(e)
}

// own returns the entry of an id. The error is that of one which the peer has released; both are nil for an id that is not
// of this side.
func (t *refTable) own(id string) (*localRef, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.local[id]; e != nil {
		return e, nil
	}
	if t.issuedLocked(id) {
		return nil, &Error{Name: releasedError, Message: releasedText(id)}
	}
	return nil, nil
}

// issuedLocked reports whether id is or was one of this side's.
func (t *refTable) issuedLocked(id string) bool {
	number, ok := strings.CutPrefix(id, t.prefix+"-")
	n, err := strconv.ParseUint(number, 10, 64)
	return ok && err == nil && n > 0 && n <= t.last
}

// Names of the errors for a reference that was released, and for one too many.
const (
	releasedError = "RPCRemoteReferenceReleasedError"
	limitError    = "RPCLimitError"
)

func releasedText(id string) string { return "RPC remote reference " + id + " has been released" }

// accept returns the peer's reference with this id, the same one for as long as it is held.
func (t *refTable) accept(id string, kind refKind) (*Ref, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.remote[id]
	if known {
		e.received++
		if r := e.ref.Value(); r != nil && r.kind == kind && !r.released.Load() {
			t.remote[id] = e
			return r, nil
		}
	}
	switch {
	case t.closed:
		return nil, ErrClosed
	case !known && len(t.remote)+len(t.gone) >= t.ch.limits.References:
		return nil, &Error{Name: limitError,
			Message: fmt.Sprintf("this connection already holds %d references; release some", t.ch.limits.References)}
	case !known:
		e.received = t.gone[id] + 1
		delete(t.gone, id)
	}
	r := &Ref{ch: t.ch, id: id, kind: kind}
	e.ref = weak.Make(r)
	if t.remote == nil {
		t.remote = map[string]remoteRef{}
	}
	t.remote[id] = e
	t.watchLocked()
	runtime.AddCleanup(r, t.collect, collectedRef{id: id, ref: e.ref})
	return r, nil
}

// collectedRef is what is left of a reference of the peer after it was collected.
type collectedRef struct {
	id  string
	ref weak.Pointer[Ref]
}

// collect notes that a reference of the peer is gone; see callbackTable.collect.
func (t *refTable) collect(c collectedRef) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.remote[c.id]; e.ref == c.ref && !t.closed {
		delete(t.remote, c.id)
		t.goneLocked(c.id, e.received)
	}
}

func (t *refTable) goneLocked(id string, received int) {
	if t.gone == nil {
		t.gone = map[string]int{}
	}
	t.gone[id] += received
	t.dirty.Store(true)
}

// unread notes that a reference of the peer has come in a value that nobody decodes. counted: it may have been
// noted as one that came.
func (t *refTable) unread(id string, counted bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e, known := t.remote[id]
	switch {
	case known && !counted:
		e.received++
		t.remote[id] = e
	case known, t.closed, len(t.remote)+len(t.gone) >= t.ch.limits.References:
	default:
		t.goneLocked(id, 1)
		t.watchLocked()
	}
}

// watchLocked sees to it that a channel which has gone quiet tells too.
func (t *refTable) watchLocked() {
	if t.janitor == nil {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
}

// forget drops a reference of the peer that was released.
func (t *refTable) forget(r *Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.remote[r.id].ref == weak.Make(r) {
		delete(t.remote, r.id)
	}
}

func (t *refTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.local, t.byKey, t.remote, t.gone = nil, nil, nil, nil
	if t.janitor != nil {
		t.janitor.Stop()
	}
}

// sweep is what the janitor does.
func (t *refTable) sweep() {
	t.tell()
	t.ch.out.FlushSoon()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.janitor = nil; len(t.remote) > 0 {
		t.watchLocked()
	}
}

// unawaited is the id of requests whose answers are not waited for.
const unawaited = "-"

// tell queues the news of what nobody holds any more. Behind the action stands how often the reference had come, so that
// an owner in Go keeps one that it has just sent again; kkrpc passes over it.
func (t *refTable) tell() {
	if !t.dirty.Load() {
		return
	}
	t.mu.Lock()
	gone := t.gone
	t.gone = nil
	t.dirty.Store(false)
	t.mu.Unlock()
	codec := *t.ch.codec.Load()
	for id, received := range gone {
		b := outbox.NewBuffer()
		b.Bytes = codec.AppendRef(b.Bytes, unawaited, []string{id, "release", strconv.Itoa(received)}, nil)
		t.ch.out.Add(b)
	}
}
