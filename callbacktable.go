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
	dirty     atomic.Bool // collected is not empty
	janitor   *time.Timer // set while callbacks of the peer are held
}

// localCallback is a function of this side that the peer holds.
type localCallback struct {
	id     string
	fn     any // keeps key from being used again
	key    uintptr
	method *bind.Method

	// Guarded by Channel.mu.
	sends      int             // messages that carried it
	carried    int             // pending calls that carry it
	unfinished []uint64        // numbers of its invocations that are queued or running, rising
	held       []*heldResponse // that wait for some of them
}

// local returns the entry for fn, a func or *Callback, and makes it if needed. p is the call that carries it, or nil.
func (t *callbackTable) local(d wire.Dialect, fn any, p *pendingCall) (*localCallback, error) {
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
		cb = &localCallback{id: fmt.Sprintf("f%d", t.last), fn: fn, key: key, method: m}
		t.byID[cb.id] = cb
		if p != nil {
			t.byFunc[key] = cb
		}
	}
	t.ch.mu.Lock() // while t.mu is held: a release must not come between
	defer t.ch.mu.Unlock()
	if p == nil {
		cb.sends++
	} else if !slices.Contains(p.callbacks, cb) {
		cb.sends++
		cb.carried++
		p.callbacks = append(p.callbacks, cb)
	}
	return cb, nil
}

// unsent forgets those of callbacks that no message has brought to the peer: the one that carried them was not sent.
func (t *callbackTable) unsent(callbacks []*localCallback) {
	if len(callbacks) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ch.mu.Lock()
	defer t.ch.mu.Unlock()
	for _, cb := range callbacks {
		if cb.sends--; cb.sends == 0 {
			t.dropLocked(cb)
		}
	}
}

// unsentIDs is unsent for a one-way message, whose functions are known by their ids.
func (t *callbackTable) unsentIDs(ids []string) {
	var callbacks []*localCallback
	for _, id := range ids {
		if cb := t.find(id); cb != nil {
			callbacks = append(callbacks, cb)
		}
	}
	t.unsent(callbacks)
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
			if cb.carried == 0 || cb.sends == 1 {
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
	if t.janitor == nil {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
	}
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
	for i, c := range t.collected {
		if c == id {
			t.collected = append(t.collected[:i], t.collected[i+1:]...)
			return
		}
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
	t.tell()
	t.ch.out.FlushSoon()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.janitor = nil; len(t.remote) > 0 {
		t.janitor = time.AfterFunc(janitorInterval, t.sweep)
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
