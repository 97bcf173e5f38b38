// Package errlog bounds what strangers can make a server log.
//
// A peer can cause an error with each message and each connection, and has a part in its text.
package errlog

import (
	"strings"
	"sync/atomic"

	"golang.org/x/time/rate"
)

const (
	// AtOnce is how many errors are logged without a pause.
	AtOnce    = 100
	perSecond = 1
	// Longest is up to what size in bytes the log gets the text of an error or a part of a request.
	Longest = 4 << 10
)

// Bound lets AtOnce errors into the log, and then one a second. All methods may be called from any goroutine.
type Bound struct {
	limiter *rate.Limiter
	leftOut atomic.Uint64 // errors since the last one in the log
}

// New returns a Bound that has let nothing pass.
func New() *Bound { return &Bound{limiter: rate.NewLimiter(perSecond, AtOnce)} }

// Allow reports whether an error is to be logged, and how many before it have been left out.
func (b *Bound) Allow() (leftOut uint64, ok bool) {
	if !b.limiter.Allow() {
		b.leftOut.Add(1)
		return 0, false
	}
	return b.leftOut.Swap(0), true
}

// Clipped returns err, or the beginning of a long text.
func Clipped(err error) any {
	if text := err.Error(); len(text) > Longest {
		return Shorten(text)
	}
	return err
}

// Shorten returns text, or its beginning if it is long.
func Shorten(text string) string {
	if len(text) > Longest {
		return strings.ToValidUTF8(text[:Longest], "") + "…"
	}
	return text
}
