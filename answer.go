package kkrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// A request can travel by itself and its response come back, as in HTTP. Then there is no connection that callbacks,
// streams or references could use. A lone channel has no transport, no reader and no kinds. It holds the options and
// limits for such requests.

// Answer serves the one request in message without a channel, and returns the response. Package transport/kkhttp is
// made with it. Answer runs the function on the goroutine of its caller and returns when the function does.
//
// The context of the function has the values of ctx and ends with it, and FromContext is nil there. Request.Channel of
// interceptors is nil. Of opts, Dialect, Dialects, ErrorText, RequireMembers, Inbound, OnError and the limits Depth, Decoded and Metadata have
// an effect. A Dialect is the only one that is accepted. Nil means the defaults.
//
// The response is an error if the arguments or the result have a function, a stream or a reference. The error of Answer
// says why message is not a whole request.
func (a *API) Answer(ctx context.Context, message []byte, opts *Options) (response []byte, err error) {
	ch, err := newLone(ctx, a, opts)
	if err != nil {
		return nil, err
	}
	m := &ch.leading.msg
	if err := ch.readLone(message, m); err != nil {
		return nil, err
	}
	return ch.answer(ctx, m), nil
}

// newLone returns a channel without a transport.
func newLone(ctx context.Context, api *API, opts *Options) (*Channel, error) {
	if opts == nil {
		opts = &Options{}
	}
	ch := &Channel{api: &api.bound, opts: opts.settings(), limits: opts.Limits.withDefaults().share(), base: ctx,
		strict: opts.RequireMembers || api.bound.IsStrict(), done: make(chan struct{}), leading: &leading{}, makeKinds: makeNoKinds}
	var err error
	if ch.inbound, err = compose("Inbound", opts.Inbound); err != nil {
		return nil, err
	}
	if ch.outbound, err = compose("Outbound", opts.Outbound); err != nil {
		return nil, err
	}
	if ch.accepts, err = opts.accepted(); err != nil {
		return nil, err
	}
	if opts.Dialect != 0 {
		ch.setCodec(wire.Dialect(opts.Dialect))
	}
	return ch, nil
}

// readLone parses message, which is to be one request. A request that is Answerable is stored too.
func (ch *Channel) readLone(message []byte, m *wire.Message) error {
	if n := len(message); n == 0 || message[n-1] != '\n' {
		message = append(bytes.Clone(message), '\n') // what ends a classic message
	}
	var fixed wire.Dialect
	if c := ch.codec.Load(); c != nil {
		fixed = (*c).Dialect()
	}
	in := wire.NewInbound(codecs.Of, fixed, len(message), ch.limits.Depth)
	in.Accept(ch.accepts)
	if ch.declinesClassic(message, fixed) {
		return errors.New("it asks for kkrpc 0.x, and this is kkrpc 2")
	}
	if err := in.Push(message); err != nil {
		return err
	}
	ok, err := in.Next(m)
	switch {
	case errors.Is(err, wire.ErrDialect):
		return fmt.Errorf("the dialect %v is not accepted here", Dialect(m.Dialect))
	case err != nil && !ok:
		return err
	case !ok:
		return errors.New("it is no whole message")
	}
	switch m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New, wire.Ref:
	default:
		return errors.New("it is a message, but no request")
	}
	var second wire.Message
	if more, err := in.Next(&second); more || err != nil {
		return errors.New("it has more than one message")
	}
	ch.setCodec(in.Dialect())
	ch.leading.unreadable = err
	return nil
}

// answer serves m.
func (ch *Channel) answer(ctx context.Context, m *wire.Message) []byte {
	codec := *ch.codec.Load()
	refuse := func(e *wire.Error) []byte { return ch.appendError(nil, codec, m.ID, e, m.TextErrors) }
	if err := ch.leading.unreadable; err != nil {
		return refuse(refusalOf(m, err))
	}
	if found := wire.FindHandle(m); found != wire.NoHandle {
		return refuse(&wire.Error{Name: "Error", Message: noHandle[found]})
	}
	ch.request.reset(ch, m)
	method, inv, refusal := ch.prepare(m)
	if refusal != nil {
		return refuse(refusal)
	}
	c := newCall(ch, method, inv, m)
	if c.known { // else nobody sees its context
		if ctx.Err() != nil {
			c.cancel()
		}
		defer context.AfterFunc(ctx, c.scope.cancel)()
	}
	b := c.response(c.invoke())
	response := bytes.Clone(b.Bytes)
	b.Free()
	c.end()
	if !bytes.Contains(response, []byte(handleMark)) && !bytes.Contains(response, []byte(`\u`)) {
		return response
	}
	// Data may look like a handle to the peer.
	var own wire.Message
	if codec.Parse(response, &own, 0) == nil {
		if found := wire.FindHandle(&own); found != wire.NoHandle {
			return refuse(&wire.Error{Name: "Error", Message: noHandle[found]})
		}
	}
	return response
}

// noHandle says why a request that travels by itself has no such handle.
var noHandle = map[wire.Handle]string{
	wire.FunctionHandle:  "a single request, as over HTTP, carries no functions, since the server could not call them; use a WebSocket",
	wire.StreamHandle:    "a single request, as over HTTP, carries no streams, only one response to a request; use a WebSocket",
	wire.ReferenceHandle: "a single request, as over HTTP, carries no remote references, since none outlives its request; use a WebSocket",
}

// noKinds stands for all kinds where nothing can cross by identity. It refuses handles that this side would send.
// Messages of the peer have been searched before.
type noKinds struct{ ch *Channel }

func makeNoKinds(ch *Channel, k *kinds) {
	none := noKinds{ch}
	k.list = [...]kind{none, none, none}
	k.called, k.result, k.inside = none, none, none
}

func refuseHandle(h wire.Handle) error { return unsendable{noHandle[h]} }

func (k noKinds) write(out *values, dst []byte, at place, v any) (_ []byte, is bool, err error) {
	switch _, isHandle := v.(*Callback); {
	case isHandle && at.argument:
		return dst, true, refuseHandle(wire.FunctionHandle)
	case isHandle:
		return dst, false, nil
	case bind.IsStream(v):
		switch codec := *k.ch.codec.Load(); {
		case !bind.IsNil(v):
			if out.host != nil {
				closeReader(v)
			}
			return dst, true, refuseHandle(wire.StreamHandle)
		case at.argument:
			return codec.EndArg(append(codec.BeginArg(dst, at.index), "null"...)), true, nil
		}
		return append(dst, "null"...), true, nil
	case at.argument && reflect.TypeOf(v).Kind() == reflect.Func:
		return dst, true, refuseHandle(wire.FunctionHandle)
	}
	return dst, false, nil
}

func (noKinds) receive(*wire.Message) bool           { return false }
func (noKinds) unreadable(*wire.Message, error) bool { return false }
func (noKinds) discard(text, bool)                   {}
func (noKinds) tell(bool) bool                       { return false }
func (noKinds) clear(error)                          {}
func (noKinds) open(text) (received, error)          { return nil, nil }
func (noKinds) store(context.Context, received, any) {}
func (noKinds) forget(string, any)                   {}
func (noKinds) pin(text) any                         { return nil }
func (noKinds) function([]byte) (bind.Handle, error) { return nil, refuseHandle(wire.FunctionHandle) }
func (noKinds) append(_ *values, dst []byte, _ any) ([]byte, error) {
	return dst, refuseHandle(wire.ReferenceHandle)
}
func (noKinds) decoder(wire.Dialect, []byte, any) superjson.ReferenceDecoder { return nil }
func (noKinds) find(*wire.Message) (*bind.Method, bind.Invocation, any, *wire.Error) {
	return nil, nil, nil, &wire.Error{Name: "Error", Message: noHandle[wire.ReferenceHandle]}
}

// Relay serves the one request in message by the same operation on c, and returns the response. It is API.Answer for a
// program between the caller, which may be a [UnaryCaller], and the peer of c: the two may speak different dialects. Relay
// blocks until the operation ends. Its context is ctx, with the metadata of the request and within its timeout.
//
// The response is an error if the arguments or the result have a function, a stream or a reference, or if the request is on a
// reference. It is an RPCConnectionClosedError if the connection of c is closed before the answer comes. opts and the error
// of Relay are those of Answer, but interceptors belong to c: Options.Inbound is an error.
func Relay(ctx context.Context, c Caller, message []byte, opts *Options) (response []byte, err error) {
	if opts != nil && len(opts.Inbound) > 0 {
		return nil, errors.New("kkrpc: Relay: Options.Inbound: put interceptors around c instead")
	}
	ch, err := newLone(ctx, relays(), opts)
	if err != nil {
		return nil, err
	}
	m := &ch.leading.msg
	if err := ch.readLone(message, m); err != nil {
		return nil, err
	}
	if ch.leading.unreadable != nil || m.Kind == wire.Ref {
		return ch.answer(ctx, m), nil
	}
	r := relayed{to: c, op: outgoing{kind: m.Kind}}
	path, err := m.Path.Segments(nil)
	r.op.path = bind.JoinPath(path)
	if m.Kind == wire.Set {
		var value superjson.Value
		err = errors.Join(err, superjson.Decode(m.Dialect.Mode(), m.Value, m.ValueMeta(), &value))
		r.op.args, m.Value = []any{value}, nil
	}
	r.err = err
	m.Kind, m.Path = wire.Call, wire.Path{Raw: []byte(`"` + relayPath + `"`)}
	if m.Dialect.IsClassic() {
		m.Path = wire.Path{Raw: []byte(relayPath), Dotted: true}
	}
	ch.base = context.WithValue(ctx, relayKey{}, &r)
	return ch.answer(ctx, m), nil
}

// relayed is the operation that Relay does, in its context.
type relayed struct {
	to  Caller
	op  outgoing
	err error // why it cannot be done
}

type relayKey struct{}

// relayPath is the path of the function that Relay has all requests call.
const relayPath = "relay"

// relays is an API that consists of that function, which takes the arguments of any request.
var relays = sync.OnceValue(func() *API {
	api, err := Expose(Object{relayPath: func(ctx context.Context, args ...superjson.Value) (result superjson.Value, err error) {
		r := ctx.Value(relayKey{}).(*relayed)
		if r.err != nil {
			return result, r.err
		}
		if metadata := MetadataFrom(ctx); len(metadata) > 0 {
			ctx = WithMetadata(ctx, metadata)
		}
		for _, arg := range args {
			r.op.args = append(r.op.args, arg)
		}
		r.op.result = &result
		return result, lostOnTheWay(r.to.do(ctx, r.op))
	}})
	if err != nil {
		panic(err)
	}
	return api
})

// relayClosedError is the name of the error for a connection behind a Relay that is closed.
const relayClosedError = "RPCConnectionClosedError"

// lostOnTheWay is err with that name if it is one.
func lostOnTheWay(err error) error {
	_, unsent := errors.AsType[unsentError](err)
	switch {
	case !errors.Is(err, ErrClosed):
		return err
	case unsent:
		return &Error{Name: relayClosedError, Message: "the connection to the peer is closed; the request did not run"}
	}
	return &Error{Name: relayClosedError, Message: "the connection to the peer closed before the answer came; the request may have run"}
}

// UnaryCaller is a [Caller] whose requests travel by themselves; see [Unary].
type UnaryCaller struct {
	ch        *Channel
	last      atomic.Uint64 // number of the last id
	asking    chan struct{} // has room for one who asks for the dialect
	roundTrip func(ctx context.Context, request []byte) (response []byte, err error)
}

// Unary returns a Caller that makes a request of each operation. roundTrip sends the request and returns the response,
// like an HTTP client. Package transport/kkhttp is made with it.
//
// roundTrip is called on the goroutine of the caller, by any number of them at a time. Its ctx ends with that of the
// operation, or after Options.CallTimeout if the operation has no deadline. It may keep request, but not change response
// after its return. Its error is the error of the operation. A response that does not answer the request is an error. If
// the arguments have a function, a stream or a reference, the error wraps ErrUnsupported.
//
// Of opts, Dialect, CallTimeout, Metadata, Outbound and the limit Depth have an effect. A zero Dialect means Compact.
// With a positive Negotiate, whatever its length, the first operation asks for the dialect by one or two requests more.
// Request.Channel of interceptors is nil. The error says that Expose is not nil or that an interceptor is nil.
func Unary(roundTrip func(ctx context.Context, request []byte) (response []byte, err error), opts *Options) (*UnaryCaller, error) {
	given := Options{}
	if opts != nil {
		given = *opts
	}
	if given.Expose != nil {
		return nil, errors.New("kkrpc: Unary: Options.Expose: the peer cannot call this side")
	}
	if given.Dialect == 0 && given.Negotiate <= 0 {
		given.Dialect = Compact
	}
	ch, err := newLone(context.Background(), &API{}, &given)
	if err != nil {
		return nil, err
	}
	u := &UnaryCaller{ch: ch, asking: make(chan struct{}, 1), roundTrip: roundTrip}
	ch.alone = u.exchange
	return u, nil
}

// Call is like Channel.Call.
func (u *UnaryCaller) Call(ctx context.Context, result any, path string, args ...any) error {
	return u.do(ctx, outgoing{kind: wire.Call, path: path, args: args, result: result})
}

func (u *UnaryCaller) do(ctx context.Context, op outgoing) error { return u.ch.do(ctx, op) }

// unaryQuestions are those over HTTP, where kkrpc 0.2 takes SuperJSON alone. kkrpc 2 answers the first one with an HTTP status.
var unaryQuestions = [...][]byte{
	[]byte(`{"json":{"id":"` + unawaited + `","method":"` + questionPath + `","args":[],"type":"request","callbackIds":[],"version":"superjson"}}` + "\n"),
	[]byte(`{"t":"q","id":"` + unawaited + `","op":"call","p":["` + questionPath + `"],"a":[]}`),
}

// dialect returns the codec of the peer. The first caller asks for it, while the others wait.
func (u *UnaryCaller) dialect(ctx context.Context) (wire.Codec, error) {
	known := u.ch.codec.Load()
	if known != nil {
		return *known, nil
	}
	select {
	case u.asking <- struct{}{}:
		defer func() { <-u.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if known = u.ch.codec.Load(); known != nil {
		return *known, nil
	}
	var err error
	for _, question := range unaryQuestions {
		var response []byte
		if response, err = u.roundTrip(ctx, question); err == nil {
			d, _, _ := wire.Detect(bytes.TrimSpace(response), u.ch.limits.Depth)
			if d == wire.Unknown {
				d = wire.Compact
			}
			u.ch.setCodec(d)
			return *u.ch.codec.Load(), nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	return nil, err
}

// declinesClassic reports whether message asks for kkrpc 0.x, while this side speaks kkrpc 2 too. fixed is the only dialect
// that it accepts, if there is one.
func (ch *Channel) declinesClassic(message []byte, fixed wire.Dialect) bool {
	return bytes.Equal(bytes.TrimSpace(message), bytes.TrimSpace(unaryQuestions[0])) && !fixed.IsClassic() && ch.accepts.Has(wire.Compact)
}

// exchange does op, through the interceptors already.
func (u *UnaryCaller) exchange(ctx context.Context, op outgoing) error {
	if handler := scopeOf(ctx); handler != nil && ctx.Err() == nil {
		handler.stepOut()
		defer handler.stepIn()
	}
	if ctx.Err() != nil {
		return unsentError{context.Cause(ctx)}
	}
	trip := ctx
	if timeout := u.ch.opts.callTimeout; timeout >= 0 && !isBounded(ctx) {
		timeout = or(timeout, defaultCallTimeout)
		var cancel context.CancelFunc
		trip, cancel = context.WithTimeoutCause(ctx, timeout, timeoutError(timeout, ""))
		defer cancel()
	}
	codec, err := u.dialect(trip)
	if err != nil {
		if ended := endOf(ctx, true); ended != nil {
			err = ended
		}
		return unsentError{err}
	}
	id := strconv.FormatUint(u.last.Add(1), 10)
	request, err := u.encode(ctx, codec, id, op)
	if err != nil {
		return unsentError{err}
	}
	response, err := u.roundTrip(trip, request)
	if err == nil {
		err = u.decode(ctx, codec, id, response, op.result)
	}
	switch ended := endOf(ctx, err != nil); {
	case ended != nil:
		return ended
	case err != nil && trip.Err() != nil:
		return context.Cause(trip)
	}
	return err
}

// encode writes the request for op.
func (u *UnaryCaller) encode(ctx context.Context, codec wire.Codec, id string, op outgoing) (request []byte, err error) {
	out := newValues(u.ch, codec)
	defer out.free()
	out.tail.Values = out.annotations()
	if !codec.Dialect().IsClassic() {
		var handled *metadata
		if handler := scopeOf(ctx); handler != nil {
			handled = handler.meta
		}
		op.meta = newOutgoingMetadata(ctx, u.ch.opts.metadata, handled)
	}
	if request, err = u.ch.appendRequest(nil, codec, out, id, &op); err == nil {
		var m wire.Message
		if err = codec.Parse(request, &m, 0); err == nil { // data may look like a handle to the peer
			if found := wire.FindHandle(&m); found != wire.NoHandle {
				err = refuseHandle(found)
			}
		}
	}
	if refused, ok := errors.AsType[unsendable](err); ok {
		err = fmt.Errorf("%w: %s", ErrUnsupported, refused.reason)
	}
	return request, err
}

// decode stores the result in response, which is to answer the request id.
func (u *UnaryCaller) decode(ctx context.Context, codec wire.Codec, id string, response []byte, result any) error {
	var m wire.Message
	err := codec.Parse(bytes.TrimSpace(response), &m, u.ch.limits.Depth)
	switch {
	case m.Kind != wire.Response || unquote(m.ID) != id, err != nil && !wire.Answerable(err):
		return errors.New("the answer is no response to the request")
	case err != nil:
		return unreadableError("the answer", err)
	}
	if found := wire.FindHandle(&m); found != wire.NoHandle {
		return fmt.Errorf("the answer: %w: %s", ErrUnsupported, noHandle[found])
	}
	var p pendingCall
	u.ch.fill(&p.answer, &m, result)
	if p.err != nil || result == nil {
		return p.err
	}
	return p.decode(ctx, u.ch, result)
}

var _ Caller = (*UnaryCaller)(nil)
