package kkrpc

import (
	"bytes"
	"context"
	"maps"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// Members of the metadata that have a meaning of their own.
const (
	metaTimeout     = "timeout"     // milliseconds that the caller goes on waiting
	metaTraceParent = "traceparent" // W3C trace context
	metaTraceState  = "tracestate"
)

type metadataKey struct{}

// WithMetadata returns a ctx whose calls carry metadata beside the arguments, such as a request id or a tenant. It adds
// to the metadata of ctx and of Options.Metadata, and replaces values with equal keys. Values are encoded like
// arguments, but cannot have references in them. The map is copied, its values are not. Only compact peers (kkrpc 2.x)
// get metadata. Others get the call without it.
func WithMetadata(ctx context.Context, metadata map[string]any) context.Context {
	if len(metadata) == 0 {
		return ctx
	}
	merged := maps.Clone(metadataOf(ctx))
	if merged == nil {
		merged = make(map[string]any, len(metadata))
	}
	maps.Copy(merged, metadata)
	return context.WithValue(ctx, metadataKey{}, merged)
}

// metadataOf returns the metadata that WithMetadata has put into ctx.
func metadataOf(ctx context.Context) map[string]any {
	given, _ := ctx.Value(metadataKey{}).(map[string]any)
	return given
}

// outgoingMetadata is the metadata of a request of this side.
type outgoingMetadata struct {
	values  map[string]any // with the timeout; nil if there is nothing else
	timeout int64          // milliseconds; 0 for none
	bounded bool           // the ctx of the call has a deadline
}

// newOutgoingMetadata gathers the metadata of a call with ctx. By rising priority: the trace of the request that is
// handled with ctx, Options.Metadata, WithMetadata.
func newOutgoingMetadata(ctx context.Context, options func(context.Context) map[string]any, handled *metadata) (m outgoingMetadata) {
	given := metadataOf(ctx)
	var own map[string]any
	if options != nil {
		own = options(ctx)
	}
	parent, state := handled.trace()
	if deadline, ok := ctx.Deadline(); ok {
		m.bounded = true
		if left := time.Until(deadline); left < maxTimeout {
			m.timeout = max(1, (left + time.Millisecond - 1).Milliseconds()) // rounded up: the caller is to give up first
		}
	}
	if len(given) == 0 && len(own) == 0 && parent == "" {
		return m
	}
	m.values = make(map[string]any, len(given)+len(own)+3)
	maps.Copy(m.values, own)
	maps.Copy(m.values, given)
	if _, traced := m.values[metaTraceParent]; parent != "" && !traced {
		m.values[metaTraceParent] = parent
		if _, set := m.values[metaTraceState]; state != "" && !set {
			m.values[metaTraceState] = state
		}
	}
	if _, set := m.values[metaTimeout]; m.timeout > 0 && !set {
		m.values[metaTimeout] = m.timeout
	}
	return m
}

// appendTimeout writes metadata with nothing but a timeout.
func appendTimeout(dst []byte, milliseconds int64) []byte {
	dst = append(dst, `{"`+metaTimeout+`":`...)
	return append(strconv.AppendInt(dst, milliseconds, 10), '}')
}

// metadata is the metadata of a request of the peer. It is decoded on demand. A nil one is empty.
type metadata struct {
	raw         []byte // a copy; nil if nobody can ask
	mode        superjson.Mode
	annotations *superjson.Meta

	deadline time.Time   // when the caller gives up; zero if it has not said so
	timer    *time.Timer // ends the context then; nil until somebody waits for that. Guarded by Channel.mu

	once          sync.Once
	values        map[string]any
	parent, state string // of the trace
}

// receiveMetadata copies the part of m's metadata that outlives the message. keep: somebody may ask for its values.
func receiveMetadata(m *wire.Message, keep bool) *metadata {
	if len(m.Meta) == 0 || m.Meta[0] != '{' {
		return nil
	}
	var r metadata
	if timeout := timeoutIn(m.Meta); timeout > 0 {
		r.deadline = time.Now().Add(timeout)
	}
	if keep {
		r.raw, r.mode, r.annotations = bytes.Clone(m.Meta), m.Dialect.Mode(), m.Annotations().Sub("meta").Unshared()
	} else if r.deadline.IsZero() {
		return nil
	}
	return &r
}

// maxTimeout is the longest timeout. Longer ones are neither sent nor heeded.
const maxTimeout = 365 * 24 * time.Hour

// timeoutIn returns the timeout in raw, a JSON object; 0 if it has none that makes sense.
func timeoutIn(raw []byte) (timeout time.Duration) {
	var s wire.Scanner
	if s.Init(raw, 0) != nil || s.Open('{') != nil {
		return 0
	}
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if !ok || err != nil {
			return timeout
		}
		isTimeout := string(key) == metaTimeout
		value, err := s.Value()
		if err != nil {
			return timeout
		}
		if isTimeout {
			timeout = milliseconds(value)
		}
	}
}

func milliseconds(raw []byte) time.Duration {
	ms, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(ms > 0) || ms > float64(maxTimeout/time.Millisecond) {
		return 0
	}
	return time.Duration(math.Ceil(ms * float64(time.Millisecond)))
}

func (r *metadata) decoded() map[string]any {
	if r == nil || r.raw == nil {
		return nil
	}
	r.once.Do(func() {
		if superjson.Decode(r.mode, r.raw, r.annotations, &r.values) != nil {
			r.values = nil
		}
		r.parent, _ = r.values[metaTraceParent].(string)
		r.state, _ = r.values[metaTraceState].(string)
		if !isTraceParent(r.parent) {
			r.parent = ""
		}
		if !isTraceState(r.state) {
			r.state = ""
		}
	})
	return r.values
}

// trace returns the W3C trace context, empty where it is missing or malformed.
func (r *metadata) trace() (parent, state string) {
	if r.decoded() == nil {
		return "", ""
	}
	return r.parent, r.state
}

// isTraceParent checks the form that https://www.w3.org/TR/trace-context gives: version, trace, parent, flags. Later
// versions may append more.
func isTraceParent(s string) bool {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	switch {
	case len(s) < length, len(s) > maxTraceState, s[2] != '-', s[35] != '-', s[52] != '-':
		return false
	case len(s) > length && (s[:2] == "00" || s[length] != '-' || !isTraceState(s[length:])):
		return false
	}
	return s[:2] != "ff" && isHex(s[:2]) && isHex(s[53:55]) &&
		isHex(s[3:35]) && s[3:35] != "00000000000000000000000000000000" &&
		isHex(s[36:52]) && s[36:52] != "0000000000000000"
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// maxTraceState is how many bytes of a trace are passed on, as the W3C requires.
const maxTraceState = 512

// isTraceState wants no more than that it is short and printable, so that it can stand in a header.
func isTraceState(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(s) <= maxTraceState
}
