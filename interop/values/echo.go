package values

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"

	"github.com/kkrpc-go/kkrpc/superjson"
)

// message is a text of superjson or of kkrpc's JSON, of which only the parts around the values are read here.
type message struct {
	JSON json.RawMessage
	Meta json.RawMessage
	Args []json.RawMessage
}

// Echo decodes the text of a value under SuperJSON into a new target of type t, and encodes that. With argument the
// value is that of a call in a message.
func Echo(text []byte, argument bool, t reflect.Type) ([]byte, error) {
	target := reflect.New(t)
	if !argument {
		if err := superjson.Unmarshal(text, target.Interface()); err != nil {
			return nil, err
		}
		return checked(superjson.Marshal(target.Elem().Interface()))
	}
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	meta, err := superjson.ParseMeta(m.Meta)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(m.JSON, &m); err != nil {
		return nil, err
	}
	if err := superjson.Decode(superjson.ModeSuperJSON, m.Args[0], meta.Sub("args", "0"), target.Interface()); err != nil {
		return nil, err
	}
	e := superjson.NewEncoder(superjson.ModeSuperJSON)
	out, err := e.Append([]byte(`{"json":{"args":[`), "args.0", target.Elem().Interface())
	if err != nil {
		return nil, err
	}
	out = append(out, "]}"...)
	if e.HasMeta() {
		out = e.AppendMeta(append(out, `,"meta":`...))
	}
	return checked(append(out, '}'), nil)
}

// EchoJSON does the same with the argument of a message in one of the JSON modes.
func EchoJSON(mode superjson.Mode, text []byte, t reflect.Type) ([]byte, error) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	target := reflect.New(t)
	if err := superjson.Decode(mode, m.Args[0], nil, target.Interface()); err != nil {
		return nil, err
	}
	out, err := superjson.NewEncoder(mode).Append([]byte(`{"args":[`), "", target.Elem().Interface())
	return checked(append(out, "]}"...), err)
}

// checked refuses what would be more than a line.
func checked(out []byte, err error) ([]byte, error) {
	if err == nil && bytes.ContainsAny(out, "\r\n") {
		err = errors.New("a line break in the output")
	}
	return out, err
}
