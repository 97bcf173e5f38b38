package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm/durable"
)

type Message struct {
	From string `json:"from"`
	Text string `json:"text"`
}

const (
	longest    = time.Hour // how far ahead a reminder may be
	maxPlanned = 100       // reminders that may wait for their time
)

// reminder is a message in the storage of the object. Its key begins with its time, so that they are listed in order.
type reminder struct {
	At      time.Time `json:"at"`
	Message Message   `json:"message"`
}

const prefix = "reminder:"

// addReminder stores a reminder, and sets the alarm for the first one.
func addReminder(ctx context.Context, milliseconds int, message Message) error {
	if milliseconds < 0 || milliseconds > int(longest.Milliseconds()) {
		return &kkrpc.Error{Name: "RangeError", Message: "a reminder is at most an hour ahead", Fields: map[string]any{"milliseconds": milliseconds}}
	}
	return durable.Transaction(ctx, func(ctx context.Context) error {
		planned, err := durable.List[reminder](ctx, &durable.ListOptions{Prefix: prefix})
		switch {
		case err != nil:
			return err
		case len(planned) >= maxPlanned:
			return &kkrpc.Error{Name: "TooMany", Message: "too many reminders are waiting"}
		}
		at := time.Now().Add(time.Duration(milliseconds) * time.Millisecond)
		key := fmt.Sprintf("%s%d:%d", prefix, at.UnixNano(), len(planned))
		if err := durable.Put(ctx, key, reminder{at, message}); err != nil {
			return err
		}
		return setAlarm(ctx)
	})
}

// setAlarm sets the alarm for the first reminder.
func setAlarm(ctx context.Context) error {
	first, err := durable.List[reminder](ctx, &durable.ListOptions{Prefix: prefix, Limit: 1})
	if err != nil || len(first) == 0 {
		return err
	}
	return durable.SetAlarm(ctx, first[0].Value.At)
}

// sayReminders says those whose time has come.
func sayReminders(ctx context.Context, say func(Message) error) error {
	planned, err := durable.List[reminder](ctx, &durable.ListOptions{Prefix: prefix})
	if err != nil {
		return err
	}
	for _, r := range planned {
		if time.Now().Before(r.Value.At.Truncate(time.Millisecond)) { // alarms count milliseconds
			break
		}
		if err := say(r.Value.Message); err != nil {
			return err
		}
		if _, err := durable.Delete(ctx, r.Key); err != nil {
			return err
		}
	}
	return setAlarm(ctx)
}
