package main

import (
	"sync/atomic"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

const (
	longest    = time.Hour // how far ahead a reminder may be: an object without connections is not kept running for one
	maxPlanned = 100       // reminders that may wait for their time
)

// reminders counts what waits for its time.
type reminders struct{ planned atomic.Int32 }

// add calls remind when so many milliseconds have passed.
func (r *reminders) add(milliseconds int, remind func()) error {
	if milliseconds < 0 || milliseconds > int(longest.Milliseconds()) {
		return &kkrpc.Error{Name: "RangeError", Message: "a reminder is at most an hour ahead", Fields: map[string]any{"milliseconds": milliseconds}}
	}
	if r.planned.Add(1) > maxPlanned {
		r.planned.Add(-1)
		return &kkrpc.Error{Name: "TooMany", Message: "too many reminders are waiting"}
	}
	time.AfterFunc(time.Duration(milliseconds)*time.Millisecond, func() {
		r.planned.Add(-1)
		remind()
	})
	return nil
}
