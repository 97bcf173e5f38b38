package kkrpc

import (
	"context"
	"fmt"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/hibernate"
	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Options says what a channel exposes and how it behaves. Nil and the zero value mean the defaults.
type Options struct {
	// Expose is what the peer may call: an *API from Expose, or whatever Expose accepts. Nil exposes nothing.
	Expose any

	// Dialect is the dialect of this side's messages. For New, zero means the dialect of the peer's first message, for
	// which calls wait. A client that must speak first sets it, or Negotiate.
	Dialect Dialect

	// Negotiate, if positive, has New ask the peer for its dialect if Dialect is zero. It is for a client that speaks first.
	// The first question is one of kkrpc 0.x. If the peer is silent for this time, one of kkrpc 2 follows. After ten times
	// as long this side speaks Compact, or another one of Dialects. Calls wait for the answer, as Channel.AwaitDialect
	// does. A peer in Go answers as kkrpc 2. ws.Dial sets 100 ms, and stdio.Start 1 s.
	Negotiate time.Duration

	// Dialects are the dialects in which the peer's messages may be; nil means all. A message in another dialect closes the
	// channel with code 1008. A server that knows its clients lists their dialects, since a client chooses the codec.
	// Package transport/ws also refuses a client that asks for another dialect.
	Dialects []Dialect

	// ErrorText makes errors to classic JSON peers plain strings, the only form that kkrpc 0.2 understands. kkrpc 0.7
	// takes both forms, but gets name and fields only without ErrorText. With SuperJSON, peers of 0.2 and 0.7 are
	// distinguished automatically.
	ErrorText bool

	// References makes this side a channel of kkrpc/remote-refs from the start. An object of the peer that looks like a
	// reference then becomes a *Ref, also in an any. The peer may use its references. Without the option this begins
	// when this side sends a *Ref or decodes into one. It begins at once if a *Ref stands in the types of the API. Until
	// then such objects are data, as on the other channels of kkrpc.
	References bool

	// RequireMembers refuses requests of the peer in which a required member of an object is missing or undefined, with a
	// TypeError that names it. Without it the field stays zero. A member of a struct is required unless its tag has omitempty
	// or omitzero, its field is a pointer, an any, a superjson.Value or a json.RawMessage, or it stands in an embedded pointer.
	// Members of types with their own UnmarshalJSON are up to these. [API.RequireMembers] is for one API.
	RequireMembers bool

	// CallTimeout bounds the calls of this side whose ctx has no deadline. 0 means 30 s, a negative value no bound besides
	// ctx. It ends with the answer, also if that is a stream. A deadline of ctx replaces it, be it earlier or later.
	CallTimeout time.Duration

	// Metadata returns metadata for a call of this side, beside that of WithMetadata. It is called on the goroutine of
	// each call, with its ctx, and only on a compact channel. The map is not kept. Nil adds nothing.
	Metadata func(ctx context.Context) map[string]any

	// Inbound and Outbound run around the operations of the peer and of this side, the first outermost.
	Inbound  []Interceptor
	Outbound []Interceptor

	// Limits bounds what the channel may cost.
	Limits Limits

	// SlowConsumer says what happens to one-way messages that come faster than the peer reads, beyond Limits.Backlog or
	// Limits.SendWait. Zero means Disconnect.
	SlowConsumer SlowConsumer

	// Group is shared by the channels of one server, so that they share timers, goroutines and a bound of memory. Nil means
	// that all channels of one *API are a group. Package transport/ws sets it.
	Group *Group

	// OnError gets errors that no caller gets. These are panics, errors of callbacks, and errors that the peer answers to
	// Notify. It also gets results and items of streams that cannot be encoded, and messages of the peer that are dropped.
	// Nil drops them. A peer can cause as many as it likes. OnError is called from any goroutine and must not block.
	OnError func(err error)

	// OnClose is called once when the channel has closed, with the error of Err. Nil does nothing. It must not block.
	OnClose func(ch *Channel, err error)
}

func (o *Options) settings() settings {
	return settings{o.ErrorText, o.CallTimeout, o.Metadata, o.SlowConsumer, o.OnError, o.OnClose}
}

// New starts a channel over t, which it owns from then on, and returns at once. The channel lives until Close, until
// the peer closes, or until ctx ends. Every handler's context carries the values of ctx. The error is that of
// opts.Expose, or names an interceptor that is nil or a dialect that is not in opts.Dialects. After an error, t belongs to
// the caller.
func New(ctx context.Context, t Transport, opts *Options) (*Channel, error) {
	if opts == nil {
		opts = &Options{}
	}
	api, err := Expose(opts.Expose)
	if err != nil {
		return nil, err
	}
	ch := &Channel{id: lastID.Add(1), transport: t, api: &api.bound, opts: opts.settings(), limits: opts.Limits.withDefaults().share(), base: ctx, done: make(chan struct{}),
		strict: opts.RequireMembers || api.bound.IsStrict()}
	ch.parker, _ = t.(Parker)
	if c, ok := t.(ByteCarrier); ok && c.ByteMark() != "" {
		ch.byteMark = c.ByteMark
	}
	ch.wake, ch.next = ch.unpark, ch.lead
	ch.makeKinds = makeKinds
	if ch.inbound, err = compose("Inbound", opts.Inbound); err != nil {
		return nil, err
	}
	if ch.outbound, err = compose("Outbound", opts.Outbound); err != nil {
		return nil, err
	}
	if ch.accepts, err = opts.accepted(); err != nil {
		return nil, err
	}
	ch.serving.limit = ch.limits.Running
	ch.serving.maxAway = ch.limits.Open
	if ch.group = opts.Group; ch.group == nil {
		ch.group = api.ownGroup()
	}
	ch.account.Open(ch.group.memory(), accountOwner{ch})
	if t, ok := t.(accounted); ok {
		t.SetAccount(&ch.account)
	}
	ch.out.Init(outbox.Config{Writer: t, Owner: outboxOwner{ch}, Account: &ch.account, Batcher: &ch.group.batcher, Reader: &ch.role, Closed: ch.done,
		Limit: ch.limits.Outbound, Drain: ch.limits.Write})
	ch.refsOn.Store(opts.References || api.bound.HasReferences())
	if opts.Dialect != 0 {
		ch.setCodec(wire.Dialect(opts.Dialect))
	}
	if t, ok := t.(hibernate.Transport); ok {
		if ch.keeper = t.Keeper(); ch.keeper != nil {
			ch.keeper.Attach(sleeper{ch})
		}
	}
	ch.leading = ch.newLeading(wire.Dialect(opts.Dialect))
	if ctx.Done() != nil {
		ch.mu.Lock() // the function may run at once
		ch.stopBase = context.AfterFunc(ctx, func() { ch.fail(errClosed(context.Cause(ctx)), closeNormal, "") })
		ch.mu.Unlock()
	}
	go ch.lead() // ends when the channel closes or when another goroutine takes over reading
	if opts.Dialect == 0 && opts.Negotiate > 0 {
		go ch.negotiate(opts.Negotiate) // ends when the dialect is known, or the channel closes
	}
	return ch, nil
}

// accepted returns the set of o.Dialects.
func (o *Options) accepted() (s wire.DialectSet, err error) {
	for _, d := range o.Dialects {
		if d < Compact || d > ClassicSuperJSON {
			return 0, fmt.Errorf("kkrpc: Options.Dialects: %v is no dialect", d)
		}
		s = s.With(wire.Dialect(d))
	}
	if o.Dialect != 0 && !s.Has(wire.Dialect(o.Dialect)) {
		return 0, fmt.Errorf("kkrpc: Options.Dialect: %v is not in Options.Dialects", o.Dialect)
	}
	return s, nil
}

// makeKinds is called with Channel.mu.
func makeKinds(ch *Channel, k *kinds) {
	callbacks, streams, refs := newCallbacksLocked(ch, &k.news), newStreams(ch, &k.news), newReferences(ch, &k.news)
	k.list = [...]kind{callbackIndex: callbacks, streamIndex: streams, refIndex: refs}
	k.called, k.result, k.inside = callbacks, streams, refs
	if ch.keeper != nil {
		ch.keeper.Kinds(k)
	}
}
