package kkrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/bind"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// types compiles everything that is exposed or accepted.
var types *bind.Types

// request is the message that the leader decodes. It implements bind.Peer.
type request struct {
	bind.Request
	ch   *Channel
	on   any        // see insider.find; nil: the API
	came []received // with its arguments or value
}

// reset makes r the request m.
func (r *request) reset(ch *Channel, m *wire.Message) {
	*r = request{ch: ch}
	r.Request = bind.Request{Peer: r, Message: m, Meter: superjson.Meter{Limit: ch.limits.Decoded, Spent: m.Annotations().Cost(), Watch: r, RequireMembers: ch.strict}}
}

// size is about what the decoded message takes while it waits or runs, in bytes.
func (r *request) size() int { return messageOverhead + max(r.Message.Size, r.Meter.Spent) }

// messageOverhead is what a message costs beside its values.
const messageOverhead = 256

// end ends the streams that came with a request that is not served.
func (r *request) end() {
	came := r.came
	r.came = nil
	endAll(came)
}

func (r *request) Function(id []byte) (bind.Handle, error) { return r.ch.kinds().called.function(id) }

func (r *request) References(raw []byte) superjson.ReferenceDecoder {
	return r.ch.references(r.Message.Dialect, raw, nil)
}

func (r *request) Stream(raw []byte) (bind.Source, error) {
	t := text{Arg: wire.Arg{JSON: raw}, dialect: r.Message.Dialect}
	if len(raw) > maxHandle || !t.marked() {
		return nil, nil
	}
	v, err := r.ch.kinds().result.open(t)
	switch {
	case errors.Is(err, ErrLimit):
		return nil, &Error{Name: limitError, Message: err.Error()}
	case err != nil || v == nil:
		return nil, err
	}
	r.came = append(r.came, v)
	return v, nil
}

// references returns the decoder of the references in a value of the peer; nil if there are none.
func (ch *Channel) references(d wire.Dialect, raw []byte, pins any) superjson.ReferenceDecoder {
	if d.IsClassic() || !bytes.Contains(raw, []byte(handleMark)) {
		return nil
	}
	return ch.kinds().inside.decoder(d, raw, pins)
}

// decode stores the value where v points to. use says whether its type can have references.
func (k *kept) decode(ch *Channel, v any, use bind.RefUse) error {
	return k.decodeMetered(ch, v, use, ch.meter(k.raw, k.meta))
}

// decodeMetered is decode that counts in m, unless m is nil.
func (k *kept) decodeMetered(ch *Channel, v any, use bind.RefUse, m *superjson.Meter) error {
	if k.raw == nil {
		return decodeUndefined(v)
	}
	err := types.DecodeData(k.dialect, k.raw, k.meta, v, use, ch.references(k.dialect, k.raw, k.pins), m)
	if errors.Is(err, superjson.ErrMemory) {
		err = fmt.Errorf("%w: the value takes more than %d bytes when decoded (Limits.Decoded)", ErrLimit, ch.limits.Decoded)
	}
	return err
}

// meter returns a meter for the decoding of raw outside of requests, or nil where none is needed.
func (ch *Channel) meter(raw []byte, meta *superjson.Meta) *superjson.Meter {
	if len(raw) <= unmetered && meta == nil {
		return nil
	}
	return &superjson.Meter{Limit: ch.limits.Decoded}
}

// unmetered is up to what size in bytes a value cannot take much memory.
const unmetered = 16 << 10

// readsRefs reports whether a value that is decoded into result, the pointer of a call, can have references in it.
func readsRefs(result any) bool {
	return result != nil && types.RefUseOf(reflect.TypeOf(result).Elem()) != bind.RefNever
}

// takesHandle reports whether result, the pointer of a call, takes a stream. only: it takes nothing else.
func takesHandle(result any) (takes, only bool) {
	if _, only = result.(handleResult); only {
		return true, true
	}
	_, isAny := result.(*any)
	takes = bind.TakesStream(result)
	return takes, takes && !isAny
}

// decode stores the result of an answered call.
func (p *pendingCall) decode(ctx context.Context, ch *Channel, result any) error {
	if p.came != nil {
		ch.kinds().result.store(ctx, p.came, result)
		return nil
	}
	if _, only := takesHandle(result); only {
		return fmt.Errorf("result: expected stream, got %s", bind.JSONKind(p.raw))
	}
	err := p.kept.decode(ch, result, types.RefUseOf(reflect.TypeOf(result).Elem()))
	if err != nil {
		p.answer.discard(ch, true)
	}
	return resultError(err)
}

// resultError says that it is the result that could not be decoded.
func resultError(err error) error {
	if err == nil {
		return nil
	}
	if mismatch, ok := errors.AsType[*superjson.TypeError](err); ok {
		return fmt.Errorf("result%s: expected %s, got %s", at(mismatch.Path), mismatch.Expected, mismatch.Got)
	}
	if refused, ok := errors.AsType[*Error](err); ok { // in the words for a peer, but it is this side's
		switch refused.Name {
		case limitError:
			return fmt.Errorf("%w: result: %s", ErrLimit, refused.Message)
		case releasedError:
			return fmt.Errorf("%w: result: %s", ErrReleased, refused.Message)
		}
		return errors.New("result: " + refused.Message)
	}
	return err
}

// at writes a path relative to a value behind that value's name.
func at(path string) string {
	if path == "" || path[0] == '[' {
		return path
	}
	return "." + path
}

func decodeUndefined(result any) error {
	if v, ok := result.(*superjson.Value); ok {
		*v = superjson.Value{}
		return nil
	}
	v := reflect.ValueOf(result).Elem()
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		v.SetZero()
		return nil
	}
	if v.Type() == reflect.TypeOf(superjson.Undefined) {
		return nil
	}
	return fmt.Errorf("result: expected %s, got undefined", v.Type())
}

// answered takes a response.
func (ch *Channel) answered(m *wire.Message) {
	id, ok := parseID(m.ID)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	if !ok || p == nil || p.state != awaited {
		made := ok && id <= ch.pending.table.last
		ch.mu.Unlock()
		if ch.notified(m) {
			return
		}
		if unquote(m.ID) != unawaited {
			ch.dropped.Add(1)
			if !made { // else its call has ended, and said so
				ch.report(fmt.Errorf("kkrpc: message dropped: it answers request %s, which this side has not made", shortID(m.ID)))
			}
		}
		ch.discard(m, false)
		return
	}
	delays := 0
	for _, d := range p.delayers {
		delays += d.delaysLocked(id, p.since)
	}
	if delays > 0 {
		p.state, p.delays = answering, delays+1 // this goroutine delays it too
		result := p.result
		ch.mu.Unlock()
		ch.answerDelayed(id, m, result)
		return
	}
	ch.pending.takeLocked(id)
	ch.mu.Unlock()
	ch.fill(&p.answer, m, p.result)
	p.finish(p.err)
}

// notified takes the answer to a notification, and reports whether m is one.
func (ch *Channel) notified(m *wire.Message) bool {
	path, is := strings.CutPrefix(unquote(m.ID), unawaited)
	if !is || path == "" || !ch.notifies.Load() {
		return false
	}
	var a answer
	ch.fill(&a, m, nil)
	if a.err != nil {
		ch.report(fmt.Errorf("kkrpc: notify %s: %w", shortID([]byte(path)), a.err))
	}
	return true
}

// answerDelayed stores m, the answer to a call that has to wait for callbacks. The call may be given up at any time, and
// its pendingCall serve another call: only the id is sure.
func (ch *Channel) answerDelayed(id uint64, m *wire.Message, result any) {
	var a answer
	ch.fill(&a, m, result)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	if p != nil {
		p.answer, p.state = a, delayed
		p = ch.pending.undelayLocked(id)
	} else {
		defer a.discard(ch, false)
	}
	ch.mu.Unlock()
	if p != nil {
		p.finish(p.err)
	}
}

// unreadable ends the call whose response cannot be read. It reports false if no call waits for that response.
func (ch *Channel) unreadable(rawID []byte, why error) bool {
	id, _ := parseID(rawID)
	ch.mu.Lock()
	p := ch.pending.table.find(id)
	awaits := p != nil && p.state == awaited // else it has been answered before
	if awaits {
		ch.pending.takeLocked(id)
	}
	ch.mu.Unlock()
	if awaits {
		p.finish(why)
	}
	return awaits
}

// fill stores m in a, as the answer to a call with this result.
func (ch *Channel) fill(a *answer, m *wire.Message, result any) {
	if m.Err != nil {
		e, _ := ch.parseError(m, ch.references(m.Dialect, m.Err, nil))
		if a.err = e; e.Name == unavailableError || e.Name == interruptedError {
			ch.mu.Lock()
			ch.leaveLocked()
			ch.mu.Unlock()
		}
		return
	}
	a.dialect, a.meta = m.Dialect, m.ValueMeta()
	if v := valueText(m); v.marked() {
		ch.fillHandles(a, v, result)
	}
	if m.Value != nil {
		a.raw = append(a.raw[:0], m.Value...)
	} else {
		a.raw = nil
	}
}

// parseError returns the failure in m, and about how many bytes it takes.
func (ch *Channel) parseError(m *wire.Message, references superjson.ReferenceDecoder) (e *Error, size int) {
	meter := ch.meter(m.Err, m.Annotations())
	if meter == nil {
		return fromWire(wire.ParseError(m, references, nil)), len(m.Err)
	}
	meter.Spent = m.Annotations().Cost()
	if ch.transport != nil { // else it is not the leader that decodes
		meter.Watch = &request{ch: ch}
	}
	return fromWire(wire.ParseError(m, references, meter)), meter.Spent
}

// fillHandles takes the handles in v that a call with this result can take, and gives back all others.
func (ch *Channel) fillHandles(a *answer, v text, result any) {
	k := ch.kinds()
	if takes, _ := takesHandle(result); takes {
		a.came, a.err = k.result.open(v)
	}
	reads := readsRefs(result)
	if a.refs = reads && a.came == nil; a.refs {
		a.pins = k.inside.pin(v)
	}
	for i, one := range k.list {
		if i == streamIndex && a.came != nil || i == refIndex && reads {
			continue
		}
		one.discard(v, false)
	}
}

// discard gives back the handles in an answer that nobody reads. seen: a part of it may have been read.
func (a *answer) discard(ch *Channel, seen bool) {
	if a.came != nil {
		a.came.end()
	} else if a.refs {
		ch.kinds().list[refIndex].discard(text{Arg: wire.Arg{JSON: a.raw}, dialect: a.dialect}, seen)
	}
}

// shortID is an id of the peer for a text to people.
func shortID(raw []byte) string {
	const most = 40
	if len(raw) > most {
		return string(raw[:most]) + "…"
	}
	return string(raw)
}

// parseID reads one of this side's ids.
func parseID(raw []byte) (uint64, bool) {
	if len(raw) < 3 || raw[0] != '"' {
		return 0, false
	}
	id, err := strconv.ParseUint(string(raw[1:len(raw)-1]), 10, 64)
	return id, err == nil
}

// discard gives back the handles in m, which nobody will read. seen: a part of m may have been read.
func (ch *Channel) discard(m *wire.Message, seen bool) {
	for i := range m.Args {
		ch.discardText(argText(m, i), seen)
	}
	ch.discardText(valueText(m), seen)
	ch.discardText(errorText(m), seen)
}

func (ch *Channel) discardText(t text, seen bool) {
	if t.Kind != wire.ArgCallback && !t.marked() {
		return
	}
	for _, one := range ch.kinds().list {
		one.discard(t, seen)
	}
}
