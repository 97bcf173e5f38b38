package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"time"

	"github.com/kkrpc-go/kkrpc"
)

func streamChecks() []check {
	checks := []check{
		{name: "streams/countTo", run: streamsTo(3, "countTo", 3)},
		{name: "streams/none", run: streamsTo(0, "countTo", 0)},
		// More than what may be under way, several times over.
		{name: "streams/thousand", run: streamsTo(1000, "countTo", 1000)},
		{name: "streams/slow-producer", run: streamsTo(5, "countSlow", 5, 5)},
		{name: "streams/again", run: func(ctx context.Context, t *target) error {
			stream := kkrpc.Stream[int](ctx, t.ch, "countTo", 2) // a call for each range
			return errors.Join(yields(stream, 2), yields(stream, 2))
		}},
		{name: "streams/call", run: func(ctx context.Context, t *target) error {
			stream, err := kkrpc.Call[iter.Seq2[int, error]](ctx, t.ch, "countTo", 40)
			if err != nil {
				return err
			}
			return yields(stream, 40)
		}},
		{name: "streams/remote", run: func(ctx context.Context, t *target) error {
			api := kkrpc.Remote[struct {
				CountTo func(ctx context.Context, n int) iter.Seq2[int, error]
			}](t.ch)
			return yields(api.CountTo(ctx, 40), 40)
		}},
		{name: "streams/slow-consumer", run: func(ctx context.Context, t *target) error {
			want := 1
			for v, err := range kkrpc.Stream[int](ctx, t.ch, "countTo", 100) {
				if err := errors.Join(err, same(v, want)); err != nil {
					return err
				}
				want++
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			return same(want, 101)
		}},
		{name: "streams/slow-consumer-holds-the-producer", needs: streamCredit, run: func(ctx context.Context, t *target) error {
			if _, err := settled(ctx, t); err != nil {
				return err
			}
			for v, err := range kkrpc.Stream[int](ctx, t.ch, "countTo", 100000) {
				if err != nil {
					return err
				}
				stats, err := statsOf(ctx, t)
				if err != nil {
					return err
				}
				if stats.Started-stats.Finished != 1 {
					return fmt.Errorf("the producer is at its end, the consumer at %d", v)
				}
				if v == 20 {
					break
				}
			}
			_, err := settled(ctx, t)
			return err
		}},
		{name: "streams/what-runs-ahead-is-bounded", unless: streamCredit, run: func(ctx context.Context, t *target) error {
			ch, err := t.dial(ctx, kkrpc.Options{Limits: kkrpc.Limits{StreamBuffer: 64 << 10}})
			if err != nil {
				return err
			}
			defer ch.Close()
			var last error
			for v, err := range kkrpc.Stream[int](ctx, ch, "countTo", 20000) {
				if last = err; err == nil && v == 1 {
					last = pause(ctx, 5*shortly)
				}
			}
			if !errors.Is(last, kkrpc.ErrLimit) {
				return fmt.Errorf("the stream ended with %v, want %v", last, kkrpc.ErrLimit)
			}
			greeting, err := kkrpc.Call[string](ctx, ch, "greet", "after")
			_, unsettled := settled(ctx, t)
			return errors.Join(err, same(greeting, "Hello, after!"), unsettled)
		}},
		{name: "streams/break-stops-the-producer", run: func(ctx context.Context, t *target) error {
			before, err := settled(ctx, t)
			if err != nil {
				return err
			}
			for v, err := range kkrpc.Stream[int](ctx, t.ch, "countSlow", 1000, 5) {
				if err != nil {
					return err
				}
				if v == 3 {
					break
				}
			}
			after, err := settled(ctx, t)
			return errors.Join(err, same(after, before+1))
		}},
		{name: "streams/cancel-stops-the-producer", run: func(ctx context.Context, t *target) error {
			short, cancel := context.WithCancel(ctx)
			defer cancel()
			var last error
			for v, err := range kkrpc.Stream[int](short, t.ch, "countSlow", 1000, 5) {
				last = err
				if err == nil && v == 2 {
					cancel()
				}
			}
			if !errors.Is(last, context.Canceled) {
				return fmt.Errorf("the stream ended with %v, want %v", last, context.Canceled)
			}
			_, err := settled(ctx, t)
			return err
		}},
		{name: "streams/readBytes", run: readsBytes("readBytes")},
		{name: "streams/writeBytes", run: readsBytes("writeBytes")},
		{name: "streams/readBytes-close-stops-the-producer", needs: streamCredit, run: closesBytes("readBytes")},
		{name: "streams/writeBytes-close-stops-the-producer", needs: streamCredit, run: closesBytes("writeBytes")},
		{name: "streams/failAfter", run: streamFails(2)},
		{name: "streams/failAfter-many", run: streamFails(40)},
		{name: "streams/failAfter-none", run: streamFails(0)},
		{name: "streams/failAfter-code", needs: streamErrors, run: func(ctx context.Context, t *target) error {
			for _, err := range kkrpc.Stream[int](ctx, t.ch, "failAfter", 0) {
				if e, ok := errors.AsType[*kkrpc.Error](err); ok {
					return same(e.Fields["code"], "E_STREAM")
				}
			}
			return errors.New("the stream has not failed")
		}},
		{name: "streams/concurrent", run: func(ctx context.Context, t *target) error {
			return parallel(100, func(i int) error {
				switch i % 4 {
				case 0:
					return returns("Hello, streams!", "greet", "streams")(ctx, t)
				case 1:
					return streamsTo(5, "countSlow", 5, 3)(ctx, t)
				default:
					return streamsTo(i, "countTo", i)(ctx, t)
				}
			})
		}},
		{name: "streams/close-ends-it", needs: streamCleanup, run: func(ctx context.Context, t *target) error {
			ch, err := t.dial(ctx, kkrpc.Options{})
			if err != nil {
				return err
			}
			var last error
			for v, err := range kkrpc.Stream[int](ctx, ch, "countSlow", 1000, 5) {
				last = err
				if err == nil && v == 2 {
					ch.Close()
				}
			}
			if !errors.Is(last, kkrpc.ErrClosed) {
				return fmt.Errorf("the stream ended with %v, want %v", last, kkrpc.ErrClosed)
			}
			_, err = settled(ctx, t)
			return err
		}},
	}
	for i := range checks {
		checks[i].needs |= streams
	}
	return append(checks, streamArgumentChecks()...)
}

// streamsTo wants the numbers from 1 to n.
func streamsTo(n int, path string, args ...any) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		return yields(kkrpc.Stream[int](ctx, t.ch, path, args...), n)
	}
}

func yields(stream iter.Seq2[int, error], n int) error {
	next := 1
	for v, err := range stream {
		if err := errors.Join(err, same(v, next)); err != nil {
			return fmt.Errorf("item %d: %w", next, err)
		}
		next++
	}
	return same(next, n+1)
}

func streamFails(after int) func(context.Context, *target) error {
	// kkrpc 2 sends the text of a stream's error, with its name in front.
	want := regexp.MustCompile(fmt.Sprintf("failed after %d$", after))
	return func(ctx context.Context, t *target) error {
		items, failure := 0, error(nil)
		for _, err := range kkrpc.Stream[int](ctx, t.ch, "failAfter", after) {
			if failure != nil {
				return errors.New("the stream went on after its error")
			}
			if failure = err; err == nil {
				items++
			}
		}
		var thrown *kkrpc.Error
		if !errors.As(failure, &thrown) || !want.MatchString(thrown.Message) {
			return fmt.Errorf("the stream ended with %v, want an error that matches %s", failure, want)
		}
		return same(items, after)
	}
}

// stats counts the producers of the server.
type stats struct {
	Started  int `json:"started"`
	Finished int `json:"finished"`
}

func statsOf(ctx context.Context, t *target) (stats, error) {
	return kkrpc.Call[stats](ctx, t.ch, "streamStats")
}

// settled waits until every producer that the server has started is at its end, and returns their number.
func settled(ctx context.Context, t *target) (int, error) {
	soon, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for {
		s, err := statsOf(ctx, t)
		if err != nil || s.Started == s.Finished {
			return s.Started, err
		}
		if err := pause(soon, 10*time.Millisecond); err != nil {
			return 0, fmt.Errorf("a producer of the server goes on: %+v", s)
		}
	}
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readsBytes reads what the function at path sends, whose bytes tell their places.
func readsBytes(path string) func(ctx context.Context, t *target) error {
	return func(ctx context.Context, t *target) error {
		for _, n := range []int{0, 1, 32768, 32769, 200_000} {
			r, err := kkrpc.Call[io.Reader](ctx, t.ch, path, n)
			if err != nil {
				return err
			}
			all, err := io.ReadAll(r)
			if err != nil || len(all) != n {
				return fmt.Errorf("%d bytes of %d, %v", len(all), n, err)
			}
			for at, b := range all {
				if b != byte(at%251) {
					return fmt.Errorf("byte %d is %d", at, b)
				}
			}
		}
		_, err := settled(ctx, t)
		return err
	}
}

// closesBytes reads a part of what the function at path sends, and closes it.
func closesBytes(path string) func(ctx context.Context, t *target) error {
	return func(ctx context.Context, t *target) error {
		before, err := settled(ctx, t)
		if err != nil {
			return err
		}
		r, err := kkrpc.Call[io.ReadCloser](ctx, t.ch, path, 1_000_000_000)
		if err != nil {
			return err
		}
		if _, err := io.ReadFull(r, make([]byte, 100_000)); err != nil {
			return err
		}
		stats, err := statsOf(ctx, t)
		if err == nil && stats.Started-stats.Finished != 1 {
			err = errors.New("the producer is at its end")
		}
		r.Close()
		after, unsettled := settled(ctx, t)
		return errors.Join(err, unsettled, same(after, before+1))
	}
}
