package compact

import (
	"math"
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// maxCredit caps what a pull may ask for. The originals add credits up without bound.
const maxCredit = 1 << 30

// Parse implements wire.Codec.
func (c codec) Parse(text []byte, m *wire.Message, maxDepth int) error {
	m.Reset(c.dialect)
	var s wire.Scanner
	if err := m.Scan(&s, text, maxDepth); err != nil {
		return err
	}
	var meta []byte
	var err error
	var e envelope
	if c.superJSON() {
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
	if err == nil && m.Kind == wire.Invalid {
		err = e.finish(m)
	}
	return m.Complete(&s, meta, err)
}

// envelope collects the members of a message whose meaning depends on others, as raw JSON; the rest goes straight
// into the Message.
type envelope struct {
	t, op, e, d, n []byte
	path           bool // p is an array of strings
	args           argsForm
	ids            bool // ids is an array of strings
}

type argsForm uint8

const (
	argsAbsent argsForm = iota
	argsArray
	argsOther
)

// scan reads the message itself. What is no object leaves e without a kind.
func (e *envelope) scan(s *wire.Scanner, m *wire.Message) error {
	if s.Peek() != '{' {
		_, err := s.Value()
		return err
	}
	first, err := e.scanStart(s, m)
	if err != nil || m.Kind != wire.Invalid {
		return err
	}
	for ; ; first = false {
		key, ok, err := s.Key(first)
		if !ok {
			return err
		}
		switch string(key) {
		case "t":
			e.t, err = s.Value()
		case "id":
			m.ID, err = s.Value()
		case "op":
			e.op, err = s.Value()
		case "p":
			m.Path.Raw, e.path, err = wire.ScanPath(s)
		case "a":
			e.args, err = scanArgs(s, m)
		case "v":
			m.Value, err = s.Value()
		case "e":
			e.e, err = s.Value()
		case "meta":
			m.Meta, err = s.Value()
		case "ids":
			e.ids, err = scanIDs(s, m)
		case "sid":
			m.StreamID, err = s.Value()
		case "d":
			e.d, err = s.Value()
		case "n":
			e.n, err = s.Value()
		default:
			_, err = s.Value()
		}
		if err != nil {
			return err
		}
	}
}

var rawRequest, rawResponse, rawCall = []byte(`"q"`), []byte(`"r"`), []byte(`"call"`)

// scanStart steps into the object and reads as many members as it can recognise at once, in the order in which every
// known peer writes them. first says that there were none. If that was all of the object, and all is as it should be, m gets
// its Kind, and nothing is left to finish.
func (e *envelope) scanStart(s *wire.Scanner, m *wire.Message) (first bool, err error) {
	switch {
	case s.OpenWith(`{"t":"q","id":`):
		e.t = rawRequest
		if m.ID, err = s.Value(); err != nil || !s.Literal(`,"op":"call","p":`) {
			return false, err
		}
		e.op = rawCall
		if m.Path.Raw, e.path, err = wire.ScanPath(s); err != nil || !s.Literal(`,"a":`) {
			return false, err
		}
		if e.args, err = scanArgs(s, m); e.args == argsArray && e.path && wire.IsString(m.ID) && s.Close('}') {
			m.Kind = wire.Call
		}
		return false, err
	case s.OpenWith(`{"t":"r","id":`):
		e.t = rawResponse
		if m.ID, err = s.Value(); err != nil || !s.Literal(`,"v":`) {
			return false, err
		}
		if m.Value, err = s.Value(); err == nil && wire.IsString(m.ID) && s.Close('}') {
			m.Kind = wire.Response
		}
		return false, err
	}
	return true, s.Open('{')
}

// scanArgs reads a, replacing what an earlier member of that name held.
func scanArgs(s *wire.Scanner, m *wire.Message) (argsForm, error) {
	m.DropArgs()
	if s.Peek() != '[' {
		_, err := s.Value()
		return argsOther, err
	}
	if err := s.Open('['); err != nil {
		return argsOther, err
	}
	for first := true; ; first = false {
		ok, err := s.Element(first)
		if !ok {
			return argsArray, err
		}
		arg, err := scanArg(s)
		if err != nil {
			return argsOther, err
		}
		m.AddArg(arg)
	}
}

const valuePrefix = `{"__kkrpc_next_arg__":"value","v":`

func scanArg(s *wire.Scanner) (wire.Arg, error) {
	if s.Peek() != '{' {
		raw, err := s.Value()
		return wire.Arg{Bare: true, JSON: raw}, err
	}
	start := s.Mark()
	if s.OpenWith(valuePrefix) {
		raw, err := s.Value()
		if err != nil {
			return wire.Arg{}, err
		}
		if s.Close('}') {
			return wire.Arg{JSON: raw}, nil
		}
		s.Back(start)
	}
	if err := s.Open('{'); err != nil {
		return wire.Arg{}, err
	}
	var kind, value, id []byte
	for first := true; ; first = false {
		key, ok, err := s.Key(first)
		if err != nil {
			return wire.Arg{}, err
		}
		if !ok {
			break
		}
		raw, err := s.Value()
		if err != nil {
			return wire.Arg{}, err
		}
		switch string(key) {
		case "__kkrpc_next_arg__":
			kind = raw
		case "v":
			value = raw
		case "id":
			id = raw
		}
	}
	switch string(wire.StringBody(kind)) {
	case "value":
		return wire.Arg{JSON: value}, nil
	case "callback":
		return wire.Arg{Kind: wire.ArgCallback, ID: id}, nil
	}
	return wire.Arg{Bare: true, JSON: s.Since(start)}, nil
}

// scanIDs reads ids; ok says that they are an array of strings.
func scanIDs(s *wire.Scanner, m *wire.Message) (ok bool, err error) {
	m.DropIDs()
	if s.Peek() != '[' {
		_, err := s.Value()
		return false, err
	}
	if err := s.Open('['); err != nil {
		return false, err
	}
	ok = true
	for first := true; ; first = false {
		another, err := s.Element(first)
		if !another {
			return ok, err
		}
		raw, err := s.Value()
		if err != nil {
			return false, err
		}
		ok = ok && wire.IsString(raw)
		m.AddID(raw)
	}
}

// finish checks what was collected and makes it the message that it is, without the members that its kind has not.
func (e *envelope) finish(m *wire.Message) error {
	t := string(wire.StringBody(e.t))
	ok := t == "cbr" || wire.IsString(m.ID)
	if t != "q" {
		m.Path, m.Meta = wire.Path{}, nil
		if t != "cb" {
			m.Args = m.Args[:0]
		}
	}
	if t != "cbr" {
		m.IDs = m.IDs[:0]
	}
	if t != "sq" && t != "sr" {
		m.StreamID = nil
	} else {
		ok = ok && wire.IsString(m.StreamID)
	}
	switch t {
	case "q":
		m.Kind = requestKind(e.op)
		ok = ok && m.Kind != wire.Invalid && e.path && e.args != argsOther
		if m.Kind == wire.Get || m.Kind == wire.Set {
			m.Args = m.Args[:0]
		}
		if m.Kind != wire.Set && m.Kind != wire.Ref {
			m.Value = nil
		}
	case "r":
		m.Kind = wire.Response
		m.SetOutcome(m.Value, e.e)
	case "cb":
		m.Kind, m.Value = wire.Callback, nil
		ok = ok && e.args == argsArray
	case "cbr":
		m.Kind, m.ID, m.Value = wire.Release, nil, nil
		ok = e.ids
	case "sq":
		m.Kind = controlKind(e.op)
		ok = ok && m.Kind != wire.Invalid
		if m.Kind == wire.StreamPull {
			m.Credit, m.Value = credit(e.n), nil
		}
	case "sr":
		m.Kind = wire.StreamData
		m.Done = string(e.d) == "true"
		m.SetOutcome(m.Value, e.e)
	case "qc":
		m.Kind, m.Value = wire.Cancel, nil
	default:
		ok = false
	}
	if !ok {
		return wire.ErrNotMessage
	}
	return nil
}

func requestKind(op []byte) wire.Kind {
	switch string(wire.StringBody(op)) {
	case "call":
		return wire.Call
	case "get":
		return wire.Get
	case "set":
		return wire.Set
	case "new":
		return wire.New
	case "ref":
		return wire.Ref
	}
	return wire.Invalid
}

func controlKind(op []byte) wire.Kind {
	switch string(wire.StringBody(op)) {
	case "pull":
		return wire.StreamPull
	case "return":
		return wire.StreamReturn
	case "throw":
		return wire.StreamThrow
	}
	return wire.Invalid
}

// credit is how many items a pull asks for: what is no number of at least 1 asks for one.
func credit(raw []byte) int {
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || f < 1 {
		return 1
	}
	return int(math.Min(math.Floor(f), maxCredit))
}
