package outbox

import (
	"math/bits"
	"sync"
)

// Buffer holds the bytes of one message, or of several that were posted together. It comes from a pool: whoever has it
// either hands it to an Outbox or calls Free.
type Buffer struct {
	Bytes []byte // the message; the holder appends to it

	ends []int // where each posted message ends in Bytes; empty for a single message
	room room
}

// room says how a message takes its part of Config.Limit.
type room uint8

const (
	roomForced   room = iota // without waiting: a peer that does not read answers for it
	roomExcused              // without waiting, and not held against the peer
	roomReserved             // after waiting; it has been counted already
	roomBacklog              // without waiting, within the bound of PostNow
)

var buffers = sync.Pool{New: func() any { return &Buffer{Bytes: make([]byte, 0, 512)} }}

// maxPooled is the capacity in bytes up to which a Buffer returns to the pool.
const maxPooled = 128 << 10

// NewBuffer returns an empty Buffer.
func NewBuffer() *Buffer { return buffers.Get().(*Buffer) }

// Large returns memory for n bytes, for a Buffer whose message is larger than usual. A new allocation for each such message
// would have the garbage collector run all the time.
func Large(n int) []byte {
	if n <= maxPooled || n > maxLarge {
		return make([]byte, 0, n)
	}
	class := bits.Len(uint(n - 1))
	if p, ok := larges[class].Get().(*[]byte); ok {
		return (*p)[:0]
	}
	return make([]byte, 0, 1<<class)
}

// maxLarge is up to what size in bytes such memory is reused.
const maxLarge = 8 << 20

// larges have memory of 1<<i bytes. A message takes at least half of it, so that what waits is about what is counted.
var larges [24]sync.Pool

// Free returns b to the pool. b must not be used afterwards.
func (b *Buffer) Free() {
	if n := cap(b.Bytes); n > maxPooled {
		if n <= maxLarge && n&(n-1) == 0 {
			larges[bits.Len(uint(n-1))].Put(&b.Bytes)
		}
		return
	}
	*b = Buffer{Bytes: b.Bytes[:0], ends: b.ends[:0]}
	buffers.Put(b)
}

// Excuse lets b take room without waiting although the peer does not read. It is for responses whose sender stops
// reading requests while the Outbox is Crowded.
func (b *Buffer) Excuse() { b.room = roomExcused }
