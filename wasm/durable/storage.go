package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/wasm"
)

// Get returns the value of a key in the storage of the object. The error wraps wasm.ErrNotSet if there is none.
func Get[T any](ctx context.Context, key string) (T, error) {
	var v T
	entries, err := here.do(ctx, nil, "get", key)
	switch {
	case err != nil:
	case len(entries) == 0:
		err = wasm.ErrNotSet
	default:
		err = entries[0].decode(&v)
	}
	if err != nil {
		var zero T // v may have a part
		return zero, failed("get", key, err)
	}
	return v, nil
}

// Put stores a value. It returns when the promise of storage.put is fulfilled.
func Put(ctx context.Context, key string, value any) error {
	blob, bytes := value.([]byte)
	if !bytes {
		var err error
		if blob, err = superjson.NewEncoder(superjson.ModeJSON).Append(nil, "", value); err != nil {
			return failed("put", key, err)
		}
	}
	_, err := here.do(ctx, blob, "put", key, bytes)
	return failed("put", key, err)
}

// Delete removes a key, and reports whether it was there.
func Delete(ctx context.Context, key string) (existed bool, err error) {
	entries, err := here.do(ctx, nil, "delete", key)
	return len(entries) > 0, failed("delete", key, err)
}

// DeleteAll removes all keys. In a Transaction it fails.
func DeleteAll(ctx context.Context) error {
	_, err := here.do(ctx, nil, "deleteAll")
	return failed("delete all keys", "", err)
}

// ListOptions chooses keys. The zero value chooses all.
type ListOptions struct {
	Prefix  string // of the keys
	Start   string // the first key
	End     string // the first key that is not in the list; "" for no end
	Limit   int    // the number of keys; 0 for all
	Reverse bool   // the last key first
}

// Entry is a key with its value.
type Entry[T any] struct {
	Key   string
	Value T
}

// List returns the values of many keys, in the order of their bytes. Nil options mean all. The whole list is bounded by
// Options.MaxValue: take Limit, and the last key as the next Start.
func List[T any](ctx context.Context, opts *ListOptions) ([]Entry[T], error) {
	if opts == nil {
		opts = &ListOptions{}
	}
	entries, err := here.do(ctx, nil, "list", opts.Prefix, opts.Start, opts.End, opts.Limit, opts.Reverse)
	if err != nil {
		return nil, failed("list", opts.Prefix, err)
	}
	list := make([]Entry[T], len(entries))
	for i, e := range entries {
		list[i].Key = e.key
		if err := e.decode(&list[i].Value); err != nil {
			return nil, failed("list", e.key, err)
		}
	}
	return list, nil
}

// SetAlarm has Options.OnAlarm called at t, in milliseconds, or soon if t has passed. It replaces the alarm that was set: an
// object has one. An alarm wakes the object, also without connections.
func SetAlarm(ctx context.Context, t time.Time) error {
	_, err := here.do(ctx, nil, "setAlarm", t.UnixMilli())
	return failed("set the alarm", "", err)
}

// Alarm returns when the alarm is due. It is the zero Time if none is set, and while OnAlarm runs.
func Alarm(ctx context.Context) (time.Time, error) {
	entries, err := here.do(ctx, nil, "getAlarm")
	if err != nil || len(entries) == 0 {
		return time.Time{}, failed("read the alarm", "", err)
	}
	var at int64
	if err := entries[0].decode(&at); err != nil {
		return time.Time{}, failed("read the alarm", "", err)
	}
	return time.UnixMilli(at), nil
}

// DeleteAlarm removes the alarm, if one is set.
func DeleteAlarm(ctx context.Context) error {
	_, err := here.do(ctx, nil, "deleteAlarm")
	return failed("delete the alarm", "", err)
}

// Transaction runs f. The operations of f with its ctx are done together if f returns nil. Otherwise none is done, and
// Transaction returns the error of f. A panic of f undoes them too.
//
// f must not wait for a peer or for another function, since the object may get no messages meanwhile. Transactions do not
// nest.
func Transaction(ctx context.Context, f func(ctx context.Context) error) (err error) {
	if ctx.Value(txKey{}) != nil {
		return failed("transaction", "", errors.New("transactions do not nest"))
	}
	here.mu.Lock()
	here.last = max(here.last+1, 1)
	tx := &transaction{id: here.last}
	here.mu.Unlock()
	in := context.WithValue(ctx, txKey{}, tx)
	end := context.WithoutCancel(in) // what has begun has to end, whatever happens to ctx
	if err := tx.begin(ctx, end); err != nil {
		return failed("transaction", "", err)
	}
	ended := false
	defer func() {
		if !ended { // f has panicked
			_, _ = here.do(end, nil, "rollback")
			tx.over = true
		}
	}()
	err = f(in)
	ended = true
	if err != nil {
		_, failure := here.do(end, nil, "rollback")
		tx.over = true
		return errors.Join(err, failed("roll back", "", failure))
	}
	_, err = here.do(end, nil, "commit")
	tx.over = true
	return failed("commit", "", err)
}

type txKey struct{}

type transaction struct {
	id   int32
	over bool
}

// begin begins the transaction, whose context is in. If ctx ends before, it is rolled back as soon as it has begun.
func (tx *transaction) begin(ctx, in context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	begun := make(chan error, 1)
	go func() { // ends when the host has begun
		_, err := here.do(in, nil, "begin")
		begun <- err
	}()
	select {
	case err := <-begun:
		return err
	case <-ctx.Done():
	}
	go func() { // likewise
		if <-begun == nil {
			_, _ = here.do(in, nil, "rollback")
		}
	}()
	return context.Cause(ctx)
}

// transactionOf returns the id of the transaction of ctx, 0 for none.
func transactionOf(ctx context.Context) (id int32, err error) {
	tx, _ := ctx.Value(txKey{}).(*transaction)
	switch {
	case tx == nil:
		return 0, nil
	case tx.over:
		return 0, errors.New("the transaction of this context has ended")
	}
	return tx.id, nil
}

// failed is err with the operation and the key, nil for nil.
func failed(operation, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case key == "":
		return fmt.Errorf("durable: %s: %w", operation, err)
	}
	return fmt.Errorf("durable: %s %q: %w", operation, key, err)
}
