package load

import (
	"math/bits"
	"time"
)

// Histogram counts durations to within 3 percent.
type Histogram struct {
	counts [64 * sub]uint32
	n      int64
}

const (
	sub     = 32
	subBits = 5
)

// Add counts n durations.
func (h *Histogram) Add(d time.Duration, n uint32) {
	h.counts[bucket(uint64(max(d, 0)))] += n
	h.n += int64(n)
}

func bucket(v uint64) int {
	if v < sub {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)*sub + int(v>>shift)&(sub-1)
}

// lowest is the smallest value of a bucket.
func lowest(i int) uint64 {
	if i < sub {
		return uint64(i)
	}
	return uint64(sub+i%sub) << (i/sub - 1)
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.n += other.n
}

// Quantile is the duration that the fraction q of all does not exceed.
func (h *Histogram) Quantile(q float64) time.Duration {
	want := int64(q * float64(h.n))
	var seen int64
	for i, n := range h.counts {
		if seen += int64(n); n > 0 && seen > want {
			return time.Duration(lowest(i))
		}
	}
	return 0
}
