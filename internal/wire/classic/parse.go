package classic

import (
	"bytes"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

const (
	superJSONPrefix = `{"json":`
	callbackPrefix  = `__callback__`
)

// Parse implements wire.Codec. m.Dialect says how the line was written, whichever codec parses it.
func (c codec) Parse(text []byte, m *wire.Message, maxDepth int) error {
	dialect := wire.Classic
	if bytes.HasPrefix(text, []byte(superJSONPrefix)) {
		dialect = wire.ClassicSuperJSON
	}
	m.Reset(dialect)
	var s wire.Scanner
	if err := m.Scan(&s, text, maxDepth); err != nil {
		return err
	}
	var meta []byte
	var err error
	var e envelope
	if dialect == wire.ClassicSuperJSON {
		meta, err = s.Wrapped(func() error {
			e = envelope{}
			m.Reset(m.Dialect)
			return e.scan(&s, m)
		})
	} else {
		err = e.scan(&s, m)
	}
	if err == nil {
		err = s.End()
	}
	if err == nil {
		err = e.finish(m)
	}
	return m.Complete(&s, meta, err)
}

// envelope collects the members of a message whose meaning depends on its type, as raw JSON.
type envelope struct {
	kind, method          []byte
	result, failure, item []byte // members of args when that is an object
	value                 []byte
	path                  []byte // between the brackets; nil when missing or wrong
	args                  bool   // args is there and not null
	transferSlots         bool   // the key is there
}

// scan reads the message itself. What is no object leaves e without a type.
func (e *envelope) scan(s *wire.Scanner, m *wire.Message) error {
	if s.Peek() != '{' {
		_, err := s.Value()
		return err
	}
	first, err := e.scanStart(s, m)
	if err != nil {
		return err
	}
	for ; ; first = false {
		key, ok, err := s.Key(first)
		if !ok {
			return err
		}
		switch string(key) {
		case "id":
			m.ID, err = s.Value()
		case "method":
			e.method, err = s.Value()
		case "args":
			err = e.scanArgs(s, m)
		case "type":
			e.kind, err = s.Value()
		case "path":
			e.path, _, err = wire.ScanPath(s)
		case "value":
			e.value, err = s.Value()
		case "transferSlots":
			e.transferSlots = true
			_, err = s.Value()
		default:
			_, err = s.Value()
		}
		if err != nil {
			return err
		}
	}
}

var rawRequest, rawResponse = []byte(`"request"`), []byte(`"response"`)

// scanStart steps into the object and reads as many members as it can recognise at once, in the order in which every
// known peer writes those of requests and responses. first says that there were none.
func (e *envelope) scanStart(s *wire.Scanner, m *wire.Message) (first bool, err error) {
	if !s.OpenWith(`{"id":`) {
		return true, s.Open('{')
	}
	if m.ID, err = s.Value(); err != nil || !s.Literal(`,"method":`) {
		return false, err
	}
	if e.method, err = s.Value(); err != nil || !s.Literal(`,"args":`) {
		return false, err
	}
	if err = e.scanArgs(s, m); err != nil {
		return false, err
	}
	switch {
	case s.Literal(`,"type":"request"`):
		e.kind = rawRequest
		if s.Literal(`,"callbackIds":null,"transferSlots":null`) {
			e.transferSlots = true
		}
	case s.Literal(`,"type":"response"`):
		e.kind = rawResponse
		if s.Literal(`,"transferSlots":null`) {
			e.transferSlots = true
		}
	}
	if !s.Literal(`,"version":"superjson"`) {
		s.Literal(`,"version":"json"`)
	}
	return false, nil
}

// scanArgs reads args, an array in requests and callbacks, an object elsewhere.
func (e *envelope) scanArgs(s *wire.Scanner, m *wire.Message) error {
	m.DropArgs()
	e.result, e.failure, e.item = nil, nil, nil
	e.args = true
	switch s.Peek() {
	case '[':
		return scanList(s, m)
	case '{':
		return e.scanOutcome(s)
	}
	raw, err := s.Value()
	e.args = string(raw) != "null"
	return err
}

func scanList(s *wire.Scanner, m *wire.Message) error {
	if err := s.Open('['); err != nil {
		return err
	}
	for first := true; ; first = false {
		ok, err := s.Element(first)
		if !ok {
			return err
		}
		raw, err := s.Value()
		if err != nil {
			return err
		}
		m.AddArg(argOf(raw))
	}
}

// argOf tells a callback from a value: any string with the prefix is one.
func argOf(raw []byte) wire.Arg {
	if !wire.IsString(raw) {
		return wire.Arg{JSON: raw}
	}
	body := raw[1 : len(raw)-1]
	if id, ok := bytes.CutPrefix(body, []byte(callbackPrefix)); ok {
		return wire.Arg{Kind: wire.ArgCallback, ID: id}
	}
	// The prefix may be written with escapes: "\u005f_callback__".
	if i := bytes.IndexByte(body, '\\'); i >= 0 && i < len(callbackPrefix) {
		if id, ok := bytes.CutPrefix(wire.Unescape(nil, body), []byte(callbackPrefix)); ok {
			return wire.Arg{Kind: wire.ArgCallback, ID: wire.AppendStringBody(nil, string(id))}
		}
	}
	return wire.Arg{JSON: raw}
}

func (e *envelope) scanOutcome(s *wire.Scanner) error {
	if err := s.Open('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if !ok {
			return err
		}
		raw, err := s.Value()
		if err != nil {
			return err
		}
		switch string(key) {
		case "result":
			e.result = raw
		case "error":
			e.failure = raw
		case "value":
			e.item = raw
		}
	}
}

// finish makes what was collected the message that it is.
func (e *envelope) finish(m *wire.Message) error {
	args := m.Args
	m.Args = args[:0]
	ok := true
	switch string(wire.StringBody(e.kind)) {
	case "request":
		m.Kind, m.Args = wire.Call, args
		m.Path, ok = methodPath(e.method)
		m.TextErrors = m.Dialect == wire.ClassicSuperJSON && !e.transferSlots
	case "construct":
		m.Kind, m.Args = wire.New, args
		m.Path, ok = methodPath(e.method)
	case "get":
		m.Kind, m.Path = wire.Get, wire.Path{Raw: e.path}
	case "set":
		m.Kind, m.Path, m.Value = wire.Set, wire.Path{Raw: e.path}, e.value
	case "response":
		m.Kind, ok = wire.Response, e.args
		m.SetOutcome(e.result, e.failure)
	case "callback":
		m.Kind, m.Args, m.ID = wire.Callback, args, e.method
		ok = wire.IsString(e.method)
	case "stream-chunk":
		m.Kind, m.Value, ok = wire.StreamData, e.item, e.args
	case "stream-end":
		m.Kind, m.Done = wire.StreamData, true
	case "stream-error":
		m.Kind, m.Err = wire.StreamData, e.failure
		if m.Err == nil {
			m.Err = []byte("null")
		}
	case "stream-cancel":
		m.Kind = wire.StreamReturn
	default:
		ok = false
	}
	if !ok {
		return wire.ErrNotMessage
	}
	return nil
}

func methodPath(method []byte) (wire.Path, bool) {
	if !wire.IsString(method) {
		return wire.Path{}, false
	}
	return wire.Path{Raw: method[1 : len(method)-1], Dotted: true}, true
}
