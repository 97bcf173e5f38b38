package kkrpc

import (
	"maps"
	"slices"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
)

// A connection may outlive its channel: a Durable Object sleeps, its program is gone, and the next one makes another
// channel for the same connection. The hibernate.Keeper of the transport keeps what that needs. It has calls repeated,
// whose answers the peer has already.

// sleeper is a Channel as its Keeper sees it.
type sleeper struct{ ch *Channel }

// Start implements hibernate.Channel.
func (s sleeper) Start(from hibernate.Start) {
	ch := s.ch
	ch.pending.table.last = from.First
	if from.Held {
		ch.onHold.Store(true)
		ch.serving.stalled++
	}
	if from.Prefix != "" {
		ch.refsOn.Store(true)
	}
}

// StartKinds implements hibernate.Channel.
func (s sleeper) StartKinds(made any, from hibernate.Start) {
	k := made.(*kinds)
	streams, refs := k.list[streamIndex].(*streamKind), k.list[refIndex].(*referenceKind)
	streams.in.last, streams.out.last, refs.own.last = from.First, from.First, from.First
	k.list[callbackIndex].(*callbackKind).own.last = from.First
	if from.Prefix != "" {
		refs.own.prefix = from.Prefix
	}
	k.news.quiet = true
}

// Issued implements hibernate.Channel.
func (s sleeper) Issued(answer any) (ids []string) {
	for _, v := range answer.(*call).carried {
		if e, ok := v.(*export[*Ref]); ok {
			ids = append(ids, e.id)
		}
	}
	return ids
}

// Withhold implements hibernate.Channel.
func (s sleeper) Withhold(answer any, ids []string) {
	c := answer.(*call)
	for _, v := range c.carried {
		e, ok := v.(*export[*Ref])
		switch {
		case !ok:
			v.unsent() // a stream, of whose end the peer is told
		case len(ids) > 0:
			e.reissue(ids[0])
			ids = ids[1:]
		}
	}
	c.carried = nil
}

// reissue gives e the id that the peer knows it by, unless another value has it.
func (e *export[L]) reissue(id string) {
	e.table.mu.Lock()
	defer e.table.mu.Unlock()
	if e.table.byID[e.id] == e && e.table.byID[id] == nil {
		delete(e.table.byID, e.id)
		e.id = id
		e.table.byID[id] = e
	}
}

// Release implements hibernate.Channel.
func (s sleeper) Release() {
	if s.ch.onHold.CompareAndSwap(true, false) {
		s.ch.resume(&s.ch.serving)
	}
}

// Busy implements hibernate.Channel.
func (s sleeper) Busy() bool {
	ch := s.ch
	ch.mu.Lock()
	busy := ch.err == nil && (ch.role.Load()&1 == 1 || ch.open.Load() > 0 || ch.pending.table.n > 0)
	for g := ch.gates; g != nil && !busy; g = g.next {
		busy = g.running+g.away+len(g.queue) > 0
	}
	ch.mu.Unlock()
	if k := ch.kindsMade.Load(); k != nil && !busy {
		streams := k.list[streamIndex].(*streamKind)
		busy = streams.in.size()+streams.out.size() > 0
	}
	return busy || ch.out.Waiting() > 0
}

// Rest implements hibernate.Channel. Handles that this side no longer holds are given back now, instead of by the janitor.
func (s sleeper) Rest() {
	ch := s.ch
	if k := ch.kindsMade.Load(); k != nil {
		k.news.tellAll(true)
		ch.out.FlushSoon()
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if c := &ch.pending; c.table.n == 0 && c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// Pause implements hibernate.Channel.
func (s sleeper) Pause() {
	ch := s.ch
	ch.mu.Lock()
	if c := &ch.pending; c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	ch.mu.Unlock()
	if k := ch.kindsMade.Load(); k != nil {
		out := &k.list[streamIndex].(*streamKind).out
		out.mu.Lock()
		if out.idle != nil {
			out.idle.Stop()
			out.idle = nil
		}
		out.mu.Unlock()
	}
}

// Resume implements hibernate.Channel.
func (s sleeper) Resume() {
	s.ch.expire()
	if k := s.ch.kindsMade.Load(); k != nil {
		k.list[streamIndex].(*streamKind).out.expire()
	}
}

// Work implements hibernate.Channel.
func (s sleeper) Work() (w hibernate.Work) {
	ch := s.ch
	if c := ch.codec.Load(); c != nil {
		w.Dialect = Dialect((*c).Dialect()).String()
	}
	ch.handOver(ch.role.Load()) // counts what the leader runs
	ch.mu.Lock()
	for c := ch.active.first; c != nil; c = c.next {
		if c.request != nil {
			w.Requests = append(w.Requests, hibernate.Request{ID: string(*c.request), Text: c.textErrors})
		}
	}
	for p := range ch.pending.table.all() {
		w.Calls = append(w.Calls, p.id)
	}
	ch.mu.Unlock()
	k := ch.kindsMade.Load()
	if k == nil {
		return w
	}
	streams, refs := k.list[streamIndex].(*streamKind), k.list[refIndex].(*referenceKind)
	streams.in.mu.Lock()
	w.StreamsIn = slices.Sorted(maps.Keys(streams.in.open))
	streams.in.mu.Unlock()
	streams.out.mu.Lock()
	w.StreamsOut = slices.Sorted(maps.Keys(streams.out.open))
	streams.out.mu.Unlock()
	w.Callbacks = k.list[callbackIndex].(*callbackKind).held.ids()
	if ch.refsOn.Load() {
		w.Prefix, w.References = refs.own.prefix, refs.held.ids()
	}
	return w
}

// ids returns the ids of all that is held.
func (t *imports[R]) ids() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.held))
}

// Lost implements hibernate.Channel. Handles that have come back with a repeated call are kept.
func (s sleeper) Lost(w hibernate.Work, name, message string) {
	ch := s.ch
	c := ch.codec.Load()
	if c == nil {
		return // the peer has not said anything yet
	}
	codec := *c
	send := func(write func(dst []byte) []byte) {
		b := outbox.NewBuffer()
		b.Bytes = write(b.Bytes)
		b.Excuse()
		ch.out.Add(b)
	}
	for _, r := range w.Requests {
		send(func(dst []byte) []byte {
			return ch.appendError(dst, codec, []byte(r.ID), shutdownError(name, message, r.Text), r.Text)
		})
	}
	for _, id := range w.Calls {
		ch.tellCancelled(codec, id)
	}
	k := ch.kinds()
	streams := k.list[streamIndex].(*streamKind)
	e := shutdownError(name, message, true)
	if !codec.Dialect().IsClassic() {
		e.Name = "Error" // as behind the text of the originals, see outStream.last
	}
	for i, id := range w.StreamsOut {
		send(func(dst []byte) []byte {
			item := strconv.AppendQuote(nil, strconv.FormatUint(w.First+uint64(i), 10))
			dst, _ = codec.AppendStreamError(dst, item, []byte(id), e, nil)
			return dst
		})
	}
	for _, id := range w.StreamsIn {
		ch.out.Add(streams.in.cancelling([]byte(id)))
	}
	held := k.list[callbackIndex].(*callbackKind).held.ids()
	if gone := without(w.Callbacks, held); len(gone) > 0 {
		send(func(dst []byte) []byte { return codec.AppendRelease(dst, gone) })
	}
	for _, id := range without(w.References, k.list[refIndex].(*referenceKind).held.ids()) {
		send(func(dst []byte) []byte { return codec.AppendRef(dst, unawaited, []string{id, "release"}, nil) })
	}
	ch.out.FlushSoon()
}

// without returns the ids that are not among others.
func without(ids, others []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return slices.Contains(others, id) })
}

// CloseWith implements hibernate.Channel.
func (s sleeper) CloseWith(code int, reason string) error { return s.ch.CloseWith(code, reason) }
