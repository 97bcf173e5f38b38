package kkrpc

// Stats counts the work of a channel so far and its load now; see [Channel.Stats]. Fields of type uint64 never fall over
// the life of a channel. Fields of type int rise and fall, and are 0 once the channel has closed.
type Stats struct {
	// Served is the number of calls of the peer that ran a function of this side, including those under way.
	Served uint64
	// Refused is the number of requests that got an error before a function ran. Reasons are an unknown name, wrong
	// arguments, a limit, or a shutdown.
	Refused uint64
	// Running is the number of requests that have begun and are not answered. It includes handlers that wait for the peer.
	Running int
	// Queued is the number of requests that wait because of Limits.Running.
	Queued int

	// Made is the number of calls that this side made, including those under way.
	Made uint64
	// Pending is the number of calls of this side without an answer yet.
	Pending int

	// BytesIn is the number of bytes from the peer that wait. They are requests that Limits.Running holds back,
	// invocations of callbacks, and items of streams.
	BytesIn int
	// BytesOut is the number of bytes that wait to be sent to the peer.
	BytesOut int

	// StreamsOut and StreamsIn are the numbers of open streams from this side and from the peer.
	StreamsOut, StreamsIn int
	// CallbacksOut is the number of this side's functions that the peer holds. CallbacksIn is the reverse.
	CallbacksOut, CallbacksIn int
	// ReferencesOut is the number of this side's values that the peer holds by reference. ReferencesIn is the reverse.
	ReferencesOut, ReferencesIn int

	// Dropped is the number of ignored messages, as Channel.Dropped returns it.
	Dropped uint64
	// Skipped is the number of one-way messages that Options.SlowConsumer Drop kept from a slow consumer.
	Skipped uint64
}

// Add adds o to s, field by field.
func (s *Stats) Add(o Stats) {
	s.Served += o.Served
	s.Refused += o.Refused
	s.Running += o.Running
	s.Queued += o.Queued
	s.Made += o.Made
	s.Pending += o.Pending
	s.BytesIn += o.BytesIn
	s.BytesOut += o.BytesOut
	s.StreamsOut += o.StreamsOut
	s.StreamsIn += o.StreamsIn
	s.CallbacksOut += o.CallbacksOut
	s.CallbacksIn += o.CallbacksIn
	s.ReferencesOut += o.ReferencesOut
	s.ReferencesIn += o.ReferencesIn
	s.Dropped += o.Dropped
	s.Skipped += o.Skipped
}

// Stats returns the counters of the channel. It takes about a microsecond. Fields may differ by a few calls that happen
// meanwhile. A nil Channel has the zero Stats.
func (ch *Channel) Stats() Stats {
	if ch == nil {
		return Stats{}
	}
	ch.mu.Lock()
	role := ch.role.Load()
	running := role & 1 // the leader runs a handler
	if running == 1 && !ch.draining.Load() {
		ch.told = role
	}
	s := Stats{
		Served:  role/2 + ch.begun,
		Refused: ch.refused.Load(),
		Queued:  len(ch.serving.queue),
		Made:    ch.pending.made,
		Pending: ch.pending.table.n,
		BytesIn: ch.serving.queued,
		Dropped: ch.dropped.Load(),
		Skipped: ch.skipped.Load(),
	}
	if ch.told == role { // else the leader may see that the channel drains, and not run it
		s.Served += running
	}
	closed := ch.err != nil
	if s.Running = max(0, int(ch.open.Load())-s.Queued); s.Running == 0 {
		s.Running = int(running) // the leader has not counted it as open
	}
	ch.mu.Unlock()
	if closed {
		return Stats{Served: s.Served, Refused: s.Refused, Made: s.Made, Dropped: s.Dropped, Skipped: s.Skipped}
	}
	s.BytesOut = ch.out.Waiting()
	if k := ch.kindsMade.Load(); k != nil {
		k.count(&s)
	}
	return s
}

// count adds the streams, callbacks and references.
func (k *kinds) count(s *Stats) {
	if callbacks, ok := k.list[callbackIndex].(*callbackKind); ok {
		s.CallbacksOut, s.CallbacksIn = callbacks.own.size(), callbacks.held.size()
		callbacks.ch.mu.Lock()
		s.BytesIn += callbacks.lane.queued
		callbacks.ch.mu.Unlock()
	}
	if streams, ok := k.list[streamIndex].(*streamKind); ok {
		s.StreamsOut, s.StreamsIn = streams.out.size(), streams.in.size()
		s.BytesIn += int(streams.in.buffered.Load())
	}
	if references, ok := k.list[refIndex].(*referenceKind); ok {
		s.ReferencesOut, s.ReferencesIn = references.own.size(), references.held.size()
	}
}
