package ws

import (
	"fmt"
	"time"
)

// Phase is what a Persistent is doing.
type Phase int

const (
	Connecting Phase = iota // an attempt is under way, OnConnect and OnReconnect included
	Connected               // calls go through
	Waiting                 // for the next attempt
	Closed                  // for good
)

func (p Phase) String() string {
	switch p {
	case Connecting:
		return "connecting"
	case Connected:
		return "connected"
	case Waiting:
		return "waiting"
	case Closed:
		return "closed"
	default:
		return fmt.Sprintf("Phase(%d)", int(p))
	}
}

// State is what a Persistent is doing and why.
type State struct {
	Phase Phase
	// Err is why the last attempt failed or the last connection ended; nil while Connected and before the first
	// attempt has ended. When Closed it is what Persistent.Err returns.
	Err error
	// Failures is how many attempts in a row have led to no connection, or to none that lasted Backoff.Steady.
	Failures int
	// Next is when the next attempt begins; zero unless Waiting.
	Next time.Time
}
