package kknats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/kkrpc-go/kkrpc/rooms"
)

// backplane is one node's part of the backplane.
type backplane struct {
	// Immutable.
	opts   Options
	nc     *nats.Conn
	js     jetstream.JetStream
	logs   *stream
	tables *stream
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	feeds  sync.WaitGroup // the goroutines of logs and tables, which end with ctx
}

// Connect connects this process to the servers, makes the streams if there are none, and returns the backplane. It waits
// until the servers have elected a leader, at most until ctx ends; without a deadline in ctx, for Options.Start. The caller
// closes the backplane.
func Connect(ctx context.Context, opts *Options) (rooms.Backplane, error) {
	given, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, given.Start)
	defer cancel()
	b := &backplane{opts: given, nc: given.Conn}
	if b.nc == nil {
		if b.nc, err = dial(ctx, &given); err != nil {
			return nil, err
		}
	}
	if b.js, err = jetstream.New(b.nc); err == nil {
		b.ctx, b.cancel = context.WithCancel(context.Background())
		b.logs = newStream(b, "logs", true)
		b.tables = newStream(b, "tables", false)
		err = errors.Join(b.logs.open(ctx), b.tables.open(ctx))
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	for _, s := range []*stream{b.logs, b.tables} {
		b.feeds.Go(func() { s.run(b.ctx) })
		b.feeds.Go(func() { s.checkLag(b.ctx) })
	}
	b.feeds.Go(func() { b.tables.checkAge(b.ctx) })
	return b, nil
}

// dial connects. Servers that are not there yet are tried again until ctx ends.
func dial(ctx context.Context, opts *Options) (*nats.Conn, error) {
	options := append([]nats.Option{
		nats.Name("kkrpc rooms"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, 100*time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(opts.Ping),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(2 * time.Second),
	}, opts.NATS...)
	for {
		nc, err := nats.Connect(opts.URL, options...)
		if err == nil {
			return nc, nil
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
			return nil, fmt.Errorf("kknats: connect to %s: %w", opts.URL, err)
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return nil, fmt.Errorf("%w: kknats: connect to %s: %v", rooms.ErrUnavailable, opts.URL, err)
		}
	}
}

func (b *backplane) Close() error {
	if b.cancel != nil {
		b.cancel()
	}
	b.feeds.Wait()
	if b.opts.Conn == nil {
		b.nc.Close()
	}
	return nil
}

// bounded returns ctx with a deadline, after most if it has none.
func bounded(ctx context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	if _, has := ctx.Deadline(); has {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, most)
}

// pause waits, or returns the error of ctx.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

const (
	firstTry = time.Second // how long the first try waits for an answer
	longTry  = 4 * time.Second
)

// retry tries until there is no error, or one that stays, or ctx ends. Servers without a leader do not answer at all, so
// that each try has a short time of its own. try must do no harm if it is done twice.
func (b *backplane) retry(ctx context.Context, what string, try func(context.Context) error) error {
	ctx, cancel := bounded(ctx, b.opts.Timeout)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	limit, wait := firstTry, 5*time.Millisecond
	for {
		one, done := context.WithTimeout(ctx, limit)
		err := try(one)
		done()
		if err == nil {
			return nil
		}
		if errors.Is(err, nats.ErrConnectionClosed) {
			return fmt.Errorf("%w: kknats: %s: %v", rooms.ErrUnavailable, what, errClosed)
		}
		if stays(err) {
			return fmt.Errorf("kknats: %s: %w", what, err)
		}
		if pause(ctx, wait) != nil {
			if b.ctx.Err() != nil {
				err = errClosed
			}
			return fmt.Errorf("%w: kknats: %s: %v", rooms.ErrUnavailable, what, err)
		}
		limit, wait = min(2*limit, longTry), min(2*wait, 250*time.Millisecond)
	}
}

var (
	errClosed  = errors.New("the backplane is closed")
	errRemade  = errors.New("the messages of rooms were lost: the stream was made anew")
	errMissed  = errors.New("messages were discarded before this node got them")
	errLagging = errors.New("a server lags behind")
)

// Codes of JetStream's errors.
const (
	codeDuplicateInProcess = 10158
	codeStreamNotFound     = 10059 // it is made anew
	codeNoPeers            = 10005 // too few servers, so far
	codeNoReplicas         = 10074 // a single server, and more than one replica
	codeNoStorage          = 10047
)

// stays tells whether an error would come again.
func stays(err error) bool {
	if api, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch api.ErrorCode {
		case codeDuplicateInProcess, codeStreamNotFound, codeNoPeers:
			return false
		case codeNoReplicas, codeNoStorage:
			return true
		}
		return api.Code < 500
	}
	return errors.Is(err, rooms.ErrTooLarge) || errors.Is(err, errFull) || errors.Is(err, nats.ErrPermissionViolation) || errors.Is(err, errBadRequest)
}
