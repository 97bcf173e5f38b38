package kkhttp

import (
	"bytes"
	"errors"
	"fmt"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
	"github.com/kkrpc-go/kkrpc/superjson"
)

const jsonType = "application/json"

// parseRequest reads the one request in body, which ends with a newline. m aliases body. A request that nests too deep
// is returned without its arguments, and the channel refuses it.
func parseRequest(body []byte, limits kkrpc.Limits, fixed kkrpc.Dialect, m *wire.Message) (kkrpc.Dialect, error) {
	in := wire.NewInbound(codecs.Of, wire.Dialect(fixed), len(body), orDefault(limits.Depth, defaultDepth))
	if err := in.Push(body); err != nil {
		return 0, err
	}
	ok, err := in.Next(m)
	switch {
	case err != nil && !ok:
		return 0, err
	case !ok:
		return 0, errors.New("the body is no whole message")
	}
	switch m.Kind {
	case wire.Call, wire.Get, wire.Set, wire.New, wire.Ref:
	default:
		return 0, errors.New("the body is a message, but no request")
	}
	var second wire.Message
	if more, err := in.Next(&second); more || err != nil {
		return 0, errors.New("the body has more than one message")
	}
	return kkrpc.Dialect(in.Dialect()), nil
}

// isResponse reports whether body is the response to the request with this id, raw JSON. m aliases body. The channel
// handles ErrDepth.
func isResponse(codec wire.Codec, body, id []byte, depth int, m *wire.Message) bool {
	err := codec.Parse(body, m, depth)
	return (err == nil || errors.Is(err, wire.ErrDepth)) && m.Kind == wire.Response && bytes.Equal(m.ID, id)
}

// appendFailure writes the response to a request that failed.
func appendFailure(codec wire.Codec, id []byte, name, text string, asText bool) []byte {
	e := &wire.Error{Name: name, Message: text, Text: asText}
	b, err := codec.AppendError(nil, id, e, superjson.NewEncoder(codec.Dialect().Mode()))
	if err != nil {
		panic(fmt.Sprintf("kkhttp: %v", err)) // an error without fields can be encoded
	}
	return b
}
