package kkrpc

// Stats is what a channel has done so far and what it holds now; see [Channel.Stats]. Fields of type uint64 only grow over
// the life of a channel. Fields of type int rise and fall, and are 0 once it has closed.
type Stats struct {
	// Served is how many functions of this side the peer has had run, those under way included.
	Served uint64
	// Refused is how many requests of the peer got an error without a function being run. Reasons are an unknown name, wrong
	// arguments, a limit, or a shutdown.
	Refused uint64
	// Running is how many requests of the peer have begun and are not answered. Those whose handler waits for the peer count.
	Running int
	// Queued is how many requests of the peer wait for others because of Limits.Running.
	Queued int

	// Made is how many calls of this side were made, those under way included.
	Made uint64
	// Pending is how many calls of this side have no answer yet.
	Pending int

	// BytesIn is how many bytes of the peer wait for this side. These are requests that wait because of Limits.Running,
	// invocations of callbacks, and items of streams.
	BytesIn int
	// BytesOut is how many bytes wait to be sent to the peer.
	BytesOut int

	// StreamsOut and StreamsIn are the open streams of this side and of the peer.
	StreamsOut, StreamsIn int
	// CallbacksOut is how many functions of this side the peer holds, and CallbacksIn how many of the peer this side holds.
	CallbacksOut, CallbacksIn int
	// ReferencesOut is how many values of this side the peer holds by reference, and ReferencesIn how many of the peer this
	// side holds.
	ReferencesOut, ReferencesIn int

	// Dropped is how many messages of the peer were ignored, as Channel.Dropped tells.
	Dropped uint64
	// Skipped is how many one-way messages of this side were not sent to a slow consumer, because Options.SlowConsumer is Drop.
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

// Stats returns what the channel has done and holds. It takes about a microsecond. Fields may be some calls apart from each
// other. A nil Channel has the zero Stats.
func (ch *Channel) Stats() Stats {
	if ch == nil {
		return Stats{}
	}
	ch.mu.Lock()
	role := ch.role.Load()
	s := Stats{
		Served:  (role+1)/2 + ch.begun,
		Refused: ch.refused.Load(),
		Queued:  len(ch.serving.queue),
		Made:    ch.pending.made,
		Pending: ch.pending.table.n,
		BytesIn: ch.serving.queued,
		Dropped: ch.dropped.Load(),
		Skipped: ch.skipped.Load(),
	}
	closed := ch.err != nil
	if s.Running = max(0, int(ch.open.Load())-s.Queued); s.Running == 0 {
		s.Running = int(role & 1) // the leader runs one, and has not counted it as open
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

// count adds what the kinds hold.
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
