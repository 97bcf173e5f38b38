package kkrpc

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
	"weak"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// callbackTable knows the functions that crossed the channel, in both directions.
type callbackTable struct {
	ch *Channel

	mu        sync.Mutex
	last      uint64
	byID      map[string]*localCallback
	byFunc    map[uintptr]*localCallback // by funcIdentity, or by the address of a *Callback; byID keeps both alive
	remote    map[string]weak.Pointer[Callback]
	closed    bool
	collected []string    // ids of the peer's that were garbage collected and not reported yet
	discarded []string    // ids of the peer's that nobody has read; they become collected
	dirty     atomic.Bool // collected is not empty
	janitor   *time.Timer // set while callbacks of the peer are held
}

// localCallback is a function of this side that the peer holds.
type localCallback struct {
	table  *callbackTable
	id     string
	fn     any // keeps key from being used again
	key    uintptr
	method *bind.Method

	// Guarded by Channel.mu.
	sends      int             // messages that carried it
	pending    int             // calls under way that carry it
	unfinished []uint64        // numbers of its invocations that are queued or running, rising
	delayed    []delayedAnswer // that wait for some of them
}

// local returns the entry for fn, a func or *Callback, and makes it if needed. out carries it from now on.
func (t *callbackTable) local(d wire.Dialect, fn any, out *values) (*localCallback, error) {
	p := out.pending
	if p == nil && d.IsClassic() {
		return nil, fmt.Errorf("a function as an argument of a callback: %w", ErrUnsupported)
	}
	var m *bind.Method
	var key uintptr
	handle, ok := fn.(*Callback)
	if ok {
		switch {
		case handle == nil:
			return nil, errors.New("the *Callback is nil")
		case handle.fn == nil:
			return nil, errors.New("a function of the peer cannot be passed back")
		}
		m, key = handle.method, uintptr(unsafe.Pointer(handle))
	} else {
		key = funcIdentity(fn)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	cb := t.byFunc[key]
	// A one-way message is not answered, so that nothing tells whether the peer released an id before or after it arrived.
	if cb == nil || p == nil {
		if len(t.byID) >= t.ch.limits.Callbacks {
			return nil, t.tooMany(d)
		}
		if m == nil {
			var err error
			if m, err = types.Callback(fn); err != nil {
				return nil, err
			}
		}
		if t.byID == nil {
			t.byID, t.byFunc = map[string]*localCallback{}, map[uintptr]*localCallback{}
		}
		t.last++
		cb = &localCallback{table: t, id: fmt.Sprintf("f%d", t.last), fn: fn, key: key, method: m}
		t.byID[cb.id] = cb
		if p != nil {
			t.byFunc[key] = cb
		}
	}
	if slices.Contains(out.carried, carried(cb)) {
		return cb, nil
	}
	out.carried = append(out.carried, cb)
	t.ch.mu.Lock() // while t.mu is held: a release must not come between
	defer t.ch.mu.Unlock()
	cb.sends++
	if p != nil && t.ch.pending.table.find(p.id) == p { // else the call has ended already, as the channel has closed
		cb.pending++
		p.delayers = append(p.delayers, cb)
	}
	return cb, nil
}

// sent implements carried.
func (cb *localCallback) sent() {}

// unsent implements carried. A function that no message has brought to the peer is forgotten.
func (cb *localCallback) unsent() {
	t := cb.table
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ch.mu.Lock()
	defer t.ch.mu.Unlock()
	if cb.sends--; cb.sends == 0 {
		t.dropLocked(cb)
	}
}

func (t *callbackTable) dropLocked(cb *localCallback) {
	delete(t.byID, cb.id)
	if t.byFunc[cb.key] == cb {
		delete(t.byFunc, cb.key)
	}
}

func (t *callbackTable) tooMany(d wire.Dialect) error {
	if d.IsClassic() {
		return fmt.Errorf("%w: the peer holds %d functions of this channel and classic kkrpc never gives one back; pass one NewCallback again and again instead of new functions (Limits.Callbacks)", ErrLimit, t.ch.limits.Callbacks)
	}
	return fmt.Errorf("%w: the peer holds %d functions of this channel (Limits.Callbacks)", ErrLimit, t.ch.limits.Callbacks)
}

// released forgets functions that the peer no longer needs. One that a pending call carries is kept if it was sent
// before: the peer may have let go of it before it saw that call, and will then get hold of it again.
func (t *callbackTable) released(ids [][]byte) {
	for _, raw := range ids {
		id := unquote(raw)
		t.mu.Lock()
		cb := t.byID[id]
		if cb != nil {
			t.ch.mu.Lock()
			if cb.pending == 0 || cb.sends == 1 {
				t.dropLocked(cb)
			}
			t.ch.mu.Unlock()
		}
		t.mu.Unlock()
	}
}

// unquote reads an id. Ids of this side need no unescaping, and others are compared as they were written.
func unquote(raw []byte) string {
	if len(raw) >= 2 && raw[0] == '"' {
		return string(raw[1 : len(raw)-1])
	}
	return string(raw)
}

// remoteCallback returns the peer's callback with this id, as an argument carries it. A compact id yields the same
// Callback as long as that is held; classic peers never give an id up, so that nothing needs to be kept.
func (ch *Channel) remoteCallback(raw []byte) (*Callback, error) {
	if len(raw) > maxFunctionID {
		return nil, &Error{Name: "RPCLimitError", Message: fmt.Sprintf("the id of a callback is longer than %d bytes", maxFunctionID)}
	}
	id := unquote(raw)
	if (*ch.codec.Load()).Dialect().IsClassic() {
		return &Callback{ch: ch, id: id}, nil
	}
	t := &ch.tables().callbacks
	t.mu.Lock()
	defer t.mu.Unlock()
	w, known := t.remote[id]
	if known {
		if cb := w.Value(); cb != nil && !cb.released.Load() {
			return cb, nil
		}
	}
	switch {
	case t.closed:
		return nil, ErrClosed
	case !known && len(t.remote) >= ch.limits.Callbacks:
		return nil, &Error{Name: "RPCLimitError",
			Message: fmt.Sprintf("this connection already holds %d callbacks; release some", ch.limits.Callbacks)}
	}
	t.uncollectLocked(id)
	cb := &Callback{ch: ch, id: id}
	if t.remote == nil {
		t.remote = map[string]weak.Pointer[Callback]{}
	}
	t.remote[id] = weak.Make(cb)
	t.watchLocked()
	runtime.AddCleanup(cb, t.collect, remoteID{id: id, self: t.remote[id]})
	return cb, nil
}

// maxFunctionID bounds the ids of the peer's functions, which are kept as long as those.
const maxFunctionID = 256

// remoteID is what is left of a Callback of the peer after it was collected.
type remoteID struct {
	id   string
	self weak.Pointer[Callback]
}

// collect notes that a callback of the peer is gone. The peer is told together with the next message, or by janitor:
// a cleanup has no business in the channel's goroutines.
func (t *callbackTable) collect(r remoteID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.remote[r.id] == r.self {
		delete(t.remote, r.id)
		t.collected = append(t.collected, r.id)
		t.dirty.Store(true)
	}
}

// uncollectLocked takes back the news that id is gone, as long as it has not been told.
func (t *callbackTable) uncollectLocked(id string) {
	is := func(gone string) bool { return gone == id }
	t.collected = slices.DeleteFunc(t.collected, is)
	t.discarded = slices.DeleteFunc(t.discarded, is)
}

// discard notes that a function of the peer has come and nobody will call it, unless this side holds it from before. The
// janitor tells the peer, not the next message: a peer in JavaScript forgets a function at the first release, and may
// pass the same one in another attempt.
func (t *callbackTable) discard(v text) {
	if v.dialect.IsClassic() || !wire.IsString(v.ID) || len(v.ID) > maxFunctionID {
		return
	}
	id := unquote(v.ID)
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, held := t.remote[id]; held || t.closed || len(t.remote)+len(t.discarded) >= t.ch.limits.Callbacks || slices.Contains(t.discarded, id) {
		return
	}
	t.discarded = append(t.discarded, id)
	t.watchLocked()
}

// watchLocked sees to it that a channel which has gone quiet tells too.
func (t *callbackTable) watchLocked() {
	if t.janitor == nil {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
}

// forget drops a callback of the peer that was released explicitly, unless the peer has sent it again since.
func (t *callbackTable) forget(cb *Callback) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.remote[cb.id] == weak.Make(cb) {
		delete(t.remote, cb.id)
	}
}

func (t *callbackTable) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.byID, t.byFunc, t.remote, t.collected = nil, nil, nil, nil
	if t.janitor != nil {
		t.janitor.Stop()
	}
}

// janitorInterval is how long a quiet channel may take to tell the peer what was garbage collected.
const janitorInterval = 5 * time.Second

// sweep is what the janitor does.
func (t *callbackTable) sweep() {
	t.mu.Lock()
	if len(t.discarded) > 0 {
		t.collected, t.discarded = append(t.collected, t.discarded...), nil
		t.dirty.Store(true)
	}
	t.mu.Unlock()
	t.tell()
	t.ch.out.FlushSoon()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.janitor = nil; len(t.remote)+len(t.discarded) > 0 {
		t.watchLocked()
	}
}

// tell queues the ids of what was garbage collected.
func (t *callbackTable) tell() {
	if !t.dirty.Load() {
		return
	}
	t.mu.Lock()
	ids := t.collected
	t.collected = nil
	t.dirty.Store(false)
	t.mu.Unlock()
	if len(ids) == 0 {
		return
	}
	b := outbox.NewBuffer()
	b.Bytes = (*t.ch.codec.Load()).AppendRelease(b.Bytes, ids)
	t.ch.out.Add(b)
}

func (t *callbackTable) find(id string) *localCallback {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byID[id]
}
