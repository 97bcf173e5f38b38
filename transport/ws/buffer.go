//go:build !js

package ws

import "sync"

// Buffers are borrowed while there is data and given back before a connection waits, so that idle connections hold
// none. The three sizes are a burst of small messages, a large message and a very large one.
const (
	smallBuffer = 16 << 10
	largeBuffer = 128 << 10
	hugeBuffer  = 1<<20 + 64<<10 // 1 MiB of bytes, and the message around them
)

var (
	smallPool = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largePool = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
	hugePool  = sync.Pool{New: func() any { return new([hugeBuffer]byte) }}
)

// getBuffer returns a buffer of at least n bytes. Above hugeBuffer it is of exactly n bytes and not pooled.
func getBuffer(n int) []byte {
	switch {
	case n <= smallBuffer:
		return smallPool.Get().(*[smallBuffer]byte)[:]
	case n <= largeBuffer:
		return largePool.Get().(*[largeBuffer]byte)[:]
	case n <= hugeBuffer:
		return hugePool.Get().(*[hugeBuffer]byte)[:]
	default:
		return make([]byte, n)
	}
}

// putBuffer gives back what getBuffer returned, or any slice that begins where that began.
func putBuffer(b []byte) {
	switch cap(b) {
	case smallBuffer:
		smallPool.Put((*[smallBuffer]byte)(b[:smallBuffer]))
	case largeBuffer:
		largePool.Put((*[largeBuffer]byte)(b[:largeBuffer]))
	case hugeBuffer:
		hugePool.Put((*[hugeBuffer]byte)(b[:hugeBuffer]))
	}
}

// grown moves b to a larger buffer, which is at most need bytes or one size class larger: what a peer announces is
// allocated only as it arrives.
func grown(b []byte, need int) []byte {
	next := need
	switch size := cap(b); {
	case size < smallBuffer:
		next = min(need, smallBuffer)
	case size < largeBuffer:
		next = min(need, largeBuffer)
	case size < hugeBuffer:
		next = min(need, hugeBuffer)
	default:
		next = min(need, 4*size)
	}
	nb := getBuffer(next)
	n := copy(nb, b)
	if cap(b) < hugeBuffer { // else the pool would hold as many as there are messages that arrive in part
		putBuffer(b)
	}
	return nb[:n]
}

// appendGrown is append for buffers of getBuffer that will hold at most limit bytes; more than need is
// asked for only up to there.
func appendGrown(b, p []byte, limit int) []byte { return append(withRoom(b, len(p), limit), p...) }

// withRoom is b with room for n more bytes, see appendGrown.
func withRoom(b []byte, n, limit int) []byte {
	for need := len(b) + n; cap(b) < need; {
		if cap(b) >= hugeBuffer {
			need = max(need, min(2*cap(b), limit)) // many small pieces must not mean many copies
		}
		b = grown(b, need)
	}
	return b
}
