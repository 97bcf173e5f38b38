package kkrpc

// tables know what crossed the channel and lives on: functions, streams and references, in both directions. Many
// channels only ever have calls, so they are made when one of these first crosses.
type tables struct {
	callbacks callbackTable
	streams   streams
	refs      refTable
	lane      *gate // of callbacks, one at a time
}

// tables makes them if they are not there yet. The caller must not hold ch.mu, unless something of them is
// known to have crossed.
func (ch *Channel) tables() *tables {
	if t := ch.tabled.Load(); t != nil {
		return t
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	t := ch.tabled.Load()
	if t == nil {
		t = &tables{callbackTable{ch: ch}, streams{inStreams{ch: ch}, outStreams{ch: ch}}, refTable{ch: ch}, ch.newGateLocked(1)}
		if ch.err != nil {
			t.clear(ch.err)
		}
		ch.tabled.Store(t)
	}
	return t
}

// clear forgets everything when the channel has closed with err.
func (t *tables) clear(err error) {
	t.callbacks.clear()
	t.streams.clear(err)
	t.refs.clear()
}
