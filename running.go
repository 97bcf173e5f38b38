package kkrpc

import (
	"context"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
)

// scope is the place of a running handler or callback in a gate, and its context. Channel.mu guards its fields, except
// where a comment says otherwise.
type scope struct {
	ch   *Channel  // immutable
	gate *gate     // immutable: where it has its place
	seq  uint64    // immutable: value of Channel.role while the leader runs it; 0 if it never does
	meta *metadata // immutable: of the request; nil: none

	request *[]byte  // raw JSON id of the request that is served, until its function has returned; nil in a callback
	place   standing // also owned by the leader before it has published the scope
	waits   int32    // goroutines of the function that wait for the peer
	kept    int32    // streams that it has returned and that live
	listed  bool     // in ch.active

	textErrors bool // immutable: the peer reads no other form, see wire.Message

	done  chan struct{}
	err   error                // why the context has ended
	after map[*func()]struct{} // to be called when the context ends

	prev, next *scope // in ch.active
}

var _ context.Context = (*scope)(nil)

// standing is where a function is in its life. It is away while it waits for the peer, and its place in the gate is free.
type standing uint8

const (
	unplaced standing = iota // only the leader knows it, which runs no other
	placed
	away
	over // it has returned
)

// maxAhead is how many scopes are made at a time: about 1 KiB of memory.
const maxAhead = 8

// spareScopes are scopes for the next calls. Several are made together, which costs a fraction of making each. A busy
// channel makes more of them at a time than a quiet one. A scope that is kept keeps them all. So no scope may refer to
// anything of its call after the end of the call.
type spareScopes struct {
	left []scope
	made int // at the last time
}

// take returns a scope that nobody has used.
func (s *spareScopes) take() *scope {
	if len(s.left) == 0 {
		s.made = min(2*s.made+1, maxAhead)
		s.left = make([]scope, s.made)
	}
	one := &s.left[0]
	s.left = s.left[1:]
	return one
}

// newGateLocked returns a gate for tasks that are no requests. The channel clears it when it closes.
func (ch *Channel) newGateLocked(limit int) *gate {
	ch.gates = &gate{limit: limit, maxAway: ch.limits.Open, next: ch.gates}
	return ch.gates
}

// takeTask takes the next task of g that may begin, for a caller that runs it at once.
func (ch *Channel) takeTask(g *gate) task {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	t := g.takeLocked()
	ch.settleLocked(g)
	return t
}

// runQueue runs tasks of g until none may begin.
func (ch *Channel) runQueue(g *gate) { runTasks(ch.takeTask(g)) }

// settleLocked starts a timer if tasks wait for nothing but that an earlier one reaches its function.
func (ch *Channel) settleLocked(g *gate) {
	if g.settles || !g.heldUpLocked() {
		return
	}
	g.settles = true
	fresh := g.fresh
	time.AfterFunc(slowInterval, func() {
		ch.mu.Lock()
		g.settles = false
		if g.fresh == fresh {
			g.fresh = nil
		}
		ch.mu.Unlock()
		ch.runQueue(g)
	})
}

type (
	channelKey struct{}
	scopeKey   struct{}
)

// FromContext returns the channel on which the running handler or callback was called. It is nil if ctx comes from
// neither, and in a handler of a single request, as over HTTP. Calls on a nil *Channel fail with ErrUnsupported.
func FromContext(ctx context.Context) *Channel {
	ch, _ := ctx.Value(channelKey{}).(*Channel)
	return ch
}

// DialectFrom returns the dialect of the peer whose request or callback is handled with ctx. It is zero if ctx comes from
// neither. It says which values can cross: superjson.Map needs a SuperJSON dialect. In a handler whose request came by
// itself, as over HTTP, FromContext is nil and DialectFrom is not zero.
func DialectFrom(ctx context.Context) Dialect {
	if s := scopeOf(ctx); s != nil {
		return s.ch.Dialect()
	}
	return 0
}

func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// Deadline, Done, Err, Value and AfterFunc make a scope the context of its function. It ends when the function has
// returned, or later, with a stream that the function returned. Before the function returns, a cancel or the timeout of
// the caller ends it. The end of the channel always ends it.

func (s *scope) Deadline() (time.Time, bool) {
	d := s.deadline()
	return d, !d.IsZero()
}

// deadline is when the caller of the request gives up; zero if it has not said so.
func (s *scope) deadline() time.Time {
	if s.meta == nil {
		return time.Time{}
	}
	return s.meta.deadline
}

func (s *scope) Done() <-chan struct{} {
	s.ch.mu.Lock()
	after := s.expireLocked()
	if s.done == nil {
		s.done = make(chan struct{})
		switch ended := s.endedLocked(); {
		case ended == nil:
			s.ch.active.addLocked(s)
			s.watchDeadlineLocked()
		case s.err == nil:
			after = s.endLocked(ended)
		default:
			close(s.done)
		}
	}
	s.ch.mu.Unlock()
	startAll(after)
	return s.done
}

func (s *scope) Err() error {
	s.ch.mu.Lock()
	after := s.expireLocked()
	err := s.endedLocked()
	s.ch.mu.Unlock()
	startAll(after)
	return err
}

// expireLocked ends the context if its deadline has passed. The timer that does it alone is only there if somebody waits.
func (s *scope) expireLocked() (after map[*func()]struct{}) {
	if d := s.deadline(); d.IsZero() || s.place == over || time.Now().Before(d) {
		return nil
	}
	return s.endLocked(context.DeadlineExceeded)
}

func (s *scope) watchDeadlineLocked() {
	d := s.deadline()
	if d.IsZero() || s.place == over || s.meta.timer != nil {
		return
	}
	s.meta.timer = time.AfterFunc(time.Until(d), func() {
		s.ch.mu.Lock()
		after := s.expireLocked()
		s.ch.mu.Unlock()
		startAll(after)
	})
}

func (s *scope) endedLocked() error {
	switch {
	case s.err != nil:
		return s.err
	case s.place == over && s.kept == 0 || s.ch.err != nil:
		return context.Canceled
	}
	return nil
}

func (s *scope) Value(key any) any {
	switch key.(type) {
	case channelKey:
		return s.ch.public()
	case scopeKey:
		return s
	case hibernate.CallKey:
		if k := s.ch.keeper; k != nil {
			return k.Call(s)
		}
		return nil
	}
	return s.ch.base.Value(key)
}

// AfterFunc spares contexts that are derived from this one a goroutine.
func (s *scope) AfterFunc(f func()) (stop func() bool) {
	s.ch.mu.Lock()
	defer s.ch.mu.Unlock()
	after := s.expireLocked()
	defer startAll(after)
	if s.endedLocked() != nil {
		go f()
		return func() bool { return false }
	}
	if s.after == nil {
		s.after = make(map[*func()]struct{})
	}
	s.ch.active.addLocked(s)
	s.watchDeadlineLocked()
	key := &f
	s.after[key] = struct{}{}
	return func() bool {
		s.ch.mu.Lock()
		defer s.ch.mu.Unlock()
		_, waiting := s.after[key]
		delete(s.after, key)
		return waiting
	}
}

// endLocked ends the context. The functions it returns are called without the lock.
func (s *scope) endLocked(why error) (after map[*func()]struct{}) {
	if s.err != nil {
		return nil
	}
	s.err = why
	s.stopDeadlineLocked()
	if s.done != nil {
		close(s.done)
	}
	after, s.after = s.after, nil
	return after
}

func (s *scope) stopDeadlineLocked() {
	if s.meta != nil && s.meta.timer != nil {
		s.meta.timer.Stop()
	}
}

func startAll(after map[*func()]struct{}) {
	for f := range after {
		go (*f)()
	}
}

// cancel ends the context from outside its function.
func (s *scope) cancel() {
	s.ch.mu.Lock()
	after := s.endLocked(context.Canceled)
	s.ch.mu.Unlock()
	startAll(after)
}

// retireLocked is called once, after the function has returned. Its caller starts after, without the lock. If ready is
// true, it also runs the next task of the gate.
func (s *scope) retireLocked() (ready bool, after map[*func()]struct{}) {
	wasAway := s.place == away
	after = s.overLocked()
	if wasAway {
		s.gate.away--
		s.gate.tellMovedLocked()
		return false, after
	}
	ready = s.gate.leaveLocked(s)
	s.ch.settleLocked(s.gate)
	return ready, after
}

// overLocked notes that the function has returned, which ends the context unless a stream still needs it.
func (s *scope) overLocked() (after map[*func()]struct{}) {
	s.place = over
	s.ch.active.answeredLocked(s)
	if s.kept > 0 {
		s.stopDeadlineLocked() // the caller's timeout was for the answer
		return nil
	}
	s.ch.active.removeLocked(s)
	return s.endLocked(context.Canceled)
}

// keep has the context live until release.
func (s *scope) keep() {
	s.ch.mu.Lock()
	defer s.ch.mu.Unlock()
	s.kept++
}

func (s *scope) release() {
	s.ch.mu.Lock()
	var after map[*func()]struct{}
	if s.kept--; s.place == over {
		after = s.overLocked()
	}
	s.ch.mu.Unlock()
	startAll(after)
}

// scopeList holds the scopes that an event on the channel may end.
type scopeList struct {
	first *scope
	count int
	byID  map[string]*scope              // of the request; nil until somebody looks in a long list
	more  map[string]map[*scope]struct{} // further ones of an id in byID
}

// longList is from how many scopes on a look through all of them costs more than an index.
const longList = 32

// takeLocked returns the scope of a request with an id that has not ended, or nil. The index forgets the scope, which its
// caller ends.
func (l *scopeList) takeLocked(id []byte) *scope {
	if l.byID == nil && l.count > longList {
		l.byID, l.more = make(map[string]*scope, l.count), map[string]map[*scope]struct{}{}
		for s := l.first; s != nil; s = s.next {
			l.indexLocked(s)
		}
	}
	if l.byID != nil {
		s := l.byID[string(id)]
		if s != nil {
			l.unindexLocked(s)
		}
		return s
	}
	for s := l.first; s != nil; s = s.next {
		if s.request != nil && s.err == nil && string(*s.request) == string(id) {
			return s
		}
	}
	return nil
}

func (l *scopeList) indexLocked(s *scope) {
	if s.request == nil || s.err != nil {
		return
	}
	id := string(*s.request)
	if l.byID[id] == nil {
		l.byID[id] = s
		return
	}
	if l.more[id] == nil {
		l.more[id] = map[*scope]struct{}{}
	}
	l.more[id][s] = struct{}{}
}

func (l *scopeList) unindexLocked(s *scope) {
	more := l.more[string(*s.request)]
	if l.byID[string(*s.request)] != s {
		delete(more, s)
	} else {
		delete(l.byID, string(*s.request))
		for other := range more {
			l.byID[string(*s.request)] = other
			delete(more, other)
			break
		}
	}
	if more != nil && len(more) == 0 {
		delete(l.more, string(*s.request))
	}
}

// answeredLocked notes that s is no longer the scope of its request.
func (l *scopeList) answeredLocked(s *scope) {
	if l.byID != nil && s.request != nil {
		l.unindexLocked(s)
	}
	s.request = nil
}

func (l *scopeList) addLocked(s *scope) {
	if s.listed {
		return
	}
	s.listed = true
	l.count++
	if l.byID != nil {
		l.indexLocked(s)
	}
	if s.next = l.first; s.next != nil {
		s.next.prev = s
	}
	l.first = s
}

func (l *scopeList) removeLocked(s *scope) {
	if !s.listed {
		return
	}
	s.listed = false
	if l.count--; l.count == 0 {
		l.byID, l.more = nil, nil
	}
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
}

// allLocked returns the scopes in the list, which stays as it is.
func (l *scopeList) allLocked() (all []*scope) {
	for s := l.first; s != nil; s = s.next {
		all = append(all, s)
	}
	return all
}

// MetadataFrom returns the metadata of the request that is handled with ctx, decoded like an any. It is nil without
// metadata, in a callback, and on a classic channel. It is nil if the peer sent something other than an object. All
// code that handles the request shares the map and must not change it. The peer may have put anything into it.
func MetadataFrom(ctx context.Context) map[string]any {
	if s := scopeOf(ctx); s != nil {
		return s.meta.decoded()
	}
	return nil
}
