package ws

import (
	"crypto/tls"
	"errors"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

const (
	defaultMinWait    = time.Second
	defaultMaxWait    = 30 * time.Second
	defaultWaitFactor = 2
	defaultSteady     = 10 * time.Second
)

// Backoff is how long a Persistent waits before it connects again: a random time between zero and a bound, so that
// clients which lost their connections together do not come back together. For every field zero means the default.
type Backoff struct {
	// Min is the bound of the first wait; 0 means 1 s.
	Min time.Duration
	// Max is what the bound grows to; 0 means 30 s, below Min it is Min. It caps the time that a server asks for
	// with Retry-After too, which is waited in addition. While a session is paused, Min and Max are at most a quarter of
	// the time that it is kept, so that it goes on after an outage of up to three quarters.
	Max time.Duration
	// Factor is by what each further wait multiplies the bound; 0 means 2, below 1 it is 1.
	Factor float64
	// Steady is how long a connection must last for the bound to be Min again and for MaxAttempts to count anew; 0
	// means 10 s.
	Steady time.Duration
}

// withDefaults returns b with every field in its range.
func (b Backoff) withDefaults() Backoff {
	if b.Min <= 0 {
		b.Min = defaultMinWait
	}
	if b.Max <= 0 {
		b.Max = defaultMaxWait
	}
	b.Max = max(b.Max, b.Min)
	if !(b.Factor > 0) {
		b.Factor = defaultWaitFactor
	}
	b.Factor = max(b.Factor, 1)
	if b.Steady <= 0 {
		b.Steady = defaultSteady
	}
	return b
}

// within returns b for attempts that have to succeed within limit.
func (b Backoff) within(limit time.Duration) Backoff {
	b.Max = min(b.Max, max(limit/4, 1))
	b.Min = min(b.Min, b.Max)
	return b
}

// wait is how long to wait before the next attempt, after n waits and because of err.
func (b Backoff) wait(n int, err error) time.Duration {
	bound := b.Max
	if f := float64(b.Min) * math.Pow(b.Factor, float64(n)); f < float64(b.Max) {
		bound = time.Duration(f)
	}
	wait := rand.N(bound) + 1
	if refused, ok := errors.AsType[*StatusError](err); ok {
		wait += min(refused.RetryAfter, b.Max, math.MaxInt64-wait)
	}
	return wait
}

// StatusError is a server's answer to the handshake other than an upgrade, or a proxy's refusal. Errors of Dial wrap it.
type StatusError struct {
	Status     int           // of HTTP, such as 401
	Text       string        // the status, where a redirection leads, and the first part of the body
	RetryAfter time.Duration // how long the answer asks to wait; 0 if not
	Proxy      bool          // the answer came from the proxy, not from the server
}

func (e *StatusError) Error() string {
	if e.Proxy {
		return "the proxy answered " + e.Text
	}
	return "the server answered " + e.Text
}

// permanent reports whether err is one that does not pass by waiting, as long as nobody changes something.
func permanent(err error) bool {
	if refused, ok := errors.AsType[*StatusError](err); ok {
		switch refused.Status {
		case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
			return false
		}
		return refused.Status >= 400 && refused.Status <= 499
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return unknown.IsNotFound && !unknown.IsTemporary
	}
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](err)
	_, plain := errors.AsType[tls.RecordHeaderError](err) // what answers does not speak TLS
	_, malformed := errors.AsType[*urlError](err)
	return untrusted || plain || malformed
}
