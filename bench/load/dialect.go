package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Dialect is how a kind of peer is spoken to. Calls have numbers that count up from 1 on each connection.
type Dialect interface {
	// Hello appends the messages that open a connection, and says how many answers they have.
	Hello(out *Out) (answers int)
	// Call appends the messages of one call.
	Call(out *Out, w *Work, id uint64)
	// Parse takes an answer apart; the id and the value are parts of msg.
	Parse(msg []byte) (id, value []byte, err error)
	// ID is the number of a call whose id is text, as it stands in the answer between what surrounds it.
	ID(text []byte) (uint64, bool)
	// Lines tells whether one frame may hold several messages, each on a line.
	Lines() bool
}

// Dialects are those of the peers, by name.
var Dialects = map[string]Dialect{
	"compact-json":      compact{},
	"compact-superjson": compact{superjson: true},
	"classic-json":      classic{},
	"classic-superjson": classic{superjson: true},
	"compact-session":   session{},
	"compact-bytes":     blobs{},
	"echo":              echo{},
	"echo-bytes":        echoedBlobs{},
	"capnweb":           capnweb{},
	"centrifuge":        centrifuge{},
}

// The ids of kkrpc's clients are random; ours have the same length, and the number at the end.
const (
	compactID = "dcd7065b-6b28-49ee-8b34-"
	classicID = "12c24d9a44080f-156df44c2f0136-d721b494e1d93-"
	idDigits  = 12
)

// hexID reads the number at the end of an id of kkrpc.
func hexID(text []byte, prefix string) (uint64, bool) {
	if len(text) != len(prefix)+idDigits || string(text[:len(prefix)]) != prefix {
		return 0, false
	}
	var id uint64
	for _, c := range text[len(prefix):] {
		switch {
		case '0' <= c && c <= '9':
			id = id<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			id = id<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return id, true
}

// compact is kkrpc 2.
type compact struct{ superjson bool }

func (compact) Hello(*Out) int                { return 0 }
func (compact) Lines() bool                   { return false }
func (compact) ID(text []byte) (uint64, bool) { return hexID(text, compactID) }

func (d compact) Call(out *Out, w *Work, id uint64) {
	b := out.begin()
	if d.superjson {
		b = append(b, `{"json":`...)
	}
	b = append(b, `{"t":"q","id":"`+compactID...)
	b = appendHex(b, id, idDigits)
	b = append(b, `","op":"call","p":[`...)
	b = appendPath(b, w.Method)
	b = append(b, `],"a":`...)
	b = compactArgs(b, w, id)
	b = append(b, '}')
	if d.superjson {
		b = append(b, '}')
	}
	out.end(b)
}

func compactArgs(b []byte, w *Work, id uint64) []byte {
	b = append(b, '[')
	for i := range w.Args {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"__kkrpc_next_arg__":"value","v":`...)
		b = w.Arg(b, i, id)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendPath(b []byte, method string) []byte {
	for {
		first, rest, more := strings.Cut(method, ".")
		b = append(b, '"')
		b = append(b, first...)
		b = append(b, '"')
		if !more {
			return b
		}
		b = append(b, ',')
		method = rest
	}
}

func (d compact) Parse(msg []byte) (id, value []byte, err error) {
	msg, err = unwrap(msg, d.superjson)
	if err != nil {
		return nil, nil, err
	}
	var r struct {
		T     string
		ID    json.RawMessage
		V     json.RawMessage
		Error json.RawMessage `json:"e"`
	}
	if err := json.Unmarshal(msg, &r); err != nil {
		return nil, nil, err
	}
	if r.T != "r" || r.Error != nil {
		return nil, nil, errAnswer(msg)
	}
	return unquote(r.ID), r.V, nil
}

// classic is kkrpc 0.x. Only 0.7 sends transferSlots; 0.2 ignores it.
type classic struct{ superjson bool }

func (classic) Hello(*Out) int                { return 0 }
func (classic) Lines() bool                   { return true }
func (classic) ID(text []byte) (uint64, bool) { return hexID(text, classicID) }

func (d classic) Call(out *Out, w *Work, id uint64) {
	b := out.begin()
	if d.superjson {
		b = append(b, `{"json":`...)
	}
	b = append(b, `{"id":"`+classicID...)
	b = appendHex(b, id, idDigits)
	b = append(b, `","method":"`...)
	b = append(b, w.Method...)
	b = append(b, `","args":`...)
	b = plainArgs(b, w, id)
	if d.superjson {
		b = append(b, `,"type":"request","callbackIds":null,"transferSlots":null,"version":"superjson"},"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}`+"\n"...)
	} else {
		b = append(b, `,"type":"request","version":"json"}`+"\n"...)
	}
	out.end(b)
}

func plainArgs(b []byte, w *Work, id uint64) []byte {
	b = append(b, '[')
	for i := range w.Args {
		if i > 0 {
			b = append(b, ',')
		}
		b = w.Arg(b, i, id)
	}
	return append(b, ']')
}

func (d classic) Parse(msg []byte) (id, value []byte, err error) {
	msg, err = unwrap(msg, d.superjson)
	if err != nil {
		return nil, nil, err
	}
	var r struct {
		ID   json.RawMessage
		Type string
		Args struct{ Result, Error json.RawMessage }
	}
	if err := json.Unmarshal(msg, &r); err != nil {
		return nil, nil, err
	}
	if r.Type != "response" || r.Args.Error != nil && string(r.Args.Error) != "null" {
		return nil, nil, errAnswer(msg)
	}
	return unquote(r.ID), r.Args.Result, nil
}

// echo sends requests of kkrpc 2 and wants them back as they are. The arguments are the value.
type echo struct{ compact }

func (echo) Parse(msg []byte) (id, value []byte, err error) {
	var q struct{ ID, A json.RawMessage }
	if err := json.Unmarshal(msg, &q); err != nil {
		return nil, nil, err
	}
	return unquote(q.ID), q.A, nil
}

// echoed is w for a peer that gives back what it got.
func echoed(w Work) Work {
	call := w
	w.Result = func(dst []byte, id uint64) []byte { return compactArgs(dst, &call, id) }
	w.Verify, w.Kinds = nil, 0
	return w
}

// capnweb is Cap'n Web: the nth push of a connection makes its nth export, which is pulled and then released.
type capnweb struct{}

func (capnweb) Hello(*Out) int                { return 0 }
func (capnweb) Lines() bool                   { return false }
func (capnweb) ID(text []byte) (uint64, bool) { return decimalID(text) }

func (capnweb) Call(out *Out, w *Work, id uint64) {
	b := out.begin()
	b = append(b, `["push",["pipeline",0,[`...)
	b = appendPath(b, w.Method)
	b = append(b, `],`...)
	b = plainArgs(b, w, id)
	b = append(b, `]]`...)
	out.end(b)
	b = out.begin()
	b = append(b, `["pull",`...)
	b = strconv.AppendUint(b, id, 10)
	b = append(b, ']')
	out.end(b)
}

// answered is sent for each result that has arrived.
func (capnweb) answered(out *Out, id uint64) {
	b := out.begin()
	b = append(b, `["release",`...)
	b = strconv.AppendUint(b, id, 10)
	b = append(b, `,1]`...)
	out.end(b)
}

func (capnweb) Parse(msg []byte) (id, value []byte, err error) {
	var r []json.RawMessage
	if err := json.Unmarshal(msg, &r); err != nil {
		return nil, nil, err
	}
	if len(r) != 3 || string(r[0]) != `"resolve"` {
		return nil, nil, errAnswer(msg)
	}
	return r[1], r[2], nil
}

func decimalID(text []byte) (id uint64, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		id = id*10 + uint64(c-'0')
	}
	return id, len(text) > 0
}

// centrifuge is the JSON protocol of Centrifugo's library, where a connection introduces itself first.
type centrifuge struct{}

func (centrifuge) Lines() bool { return true }

func (centrifuge) Hello(out *Out) int {
	out.end(append(out.begin(), `{"id":1,"connect":{}}`...))
	return 1
}

// Number 1 was the greeting.
func (centrifuge) ID(text []byte) (uint64, bool) {
	id, ok := decimalID(text)
	return id - 1, ok && id > 1
}

func (centrifuge) Call(out *Out, w *Work, id uint64) {
	b := out.begin()
	b = append(b, `{"id":`...)
	b = strconv.AppendUint(b, id+1, 10)
	b = append(b, `,"rpc":{"method":"`...)
	b = append(b, w.Method...)
	b = append(b, `","data":`...)
	b = plainArgs(b, w, id)
	b = append(b, `}}`...)
	out.end(b)
}

func (centrifuge) Parse(msg []byte) (id, value []byte, err error) {
	var r struct {
		ID    json.RawMessage
		Error json.RawMessage
		RPC   *struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal(msg, &r); err != nil {
		return nil, nil, err
	}
	if r.Error != nil || r.RPC == nil {
		return nil, nil, errAnswer(msg)
	}
	return r.ID, r.RPC.Data, nil
}

func errAnswer(msg []byte) error {
	return fmt.Errorf("not the answer to a call: %.300s", msg)
}

// unwrap returns the message in an envelope of SuperJSON.
func unwrap(msg []byte, superjson bool) ([]byte, error) {
	if !superjson {
		return msg, nil
	}
	var envelope struct{ JSON json.RawMessage }
	if err := json.Unmarshal(msg, &envelope); err != nil {
		return nil, err
	}
	if envelope.JSON == nil {
		return nil, errors.New("the answer is not SuperJSON")
	}
	return envelope.JSON, nil
}

// unquote is for ids, which have nothing to unescape.
func unquote(raw []byte) []byte {
	if len(raw) >= 2 && raw[0] == '"' {
		return raw[1 : len(raw)-1]
	}
	return raw
}
