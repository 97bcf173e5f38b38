package kkhttp

import (
	"bytes"
	"fmt"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
	"github.com/kkrpc-go/kkrpc/superjson"
)

const jsonType = "application/json"

// failure returns the response to the request in body that failed without an answer of the API. classic reports whether
// the request is one of kkrpc 0.
func (h *handler) failure(body []byte, name, text string) (response []byte, classic bool) {
	rpc := &h.opts.RPC
	in := wire.NewInbound(codecs.Of, wire.Dialect(rpc.Dialect), len(body), orDefault(rpc.Limits.Depth, defaultDepth))
	var m wire.Message
	if err := in.Push(body); err == nil {
		_, _ = in.Next(&m) // a request over a limit has an id too
	}
	codec := codecs.Of(in.Dialect())
	e := &wire.Error{Name: name, Message: text, Text: m.TextErrors || rpc.ErrorText && in.Dialect() == wire.Classic}
	response, err := codec.AppendError(nil, m.ID, e, superjson.NewEncoder(codec.Dialect().Mode()))
	if err != nil {
		panic(fmt.Sprintf("kkhttp: %v", err)) // an error without fields can be encoded
	}
	return response, in.Dialect().IsClassic()
}

// speaks returns another dialect that text is written in than own; false if there is none.
func speaks(text []byte, own wire.Dialect, depth int) (_ kkrpc.Dialect, other bool) {
	d, _, err := wire.Detect(text, depth)
	if err != nil || d == wire.Unknown || d == own || d.IsClassic() && own.IsClassic() {
		return 0, false
	}
	return kkrpc.Dialect(d), true
}

// isResponse reports whether text is a response to request. UnaryCaller looks at what is in it.
func isResponse(codec wire.Codec, request, text []byte, depth int) bool {
	var asked, m wire.Message
	if codec.Parse(request, &asked, 0) != nil {
		return false
	}
	err := codec.Parse(text, &m, depth)
	return (err == nil || wire.Answerable(err)) && m.Kind == wire.Response && bytes.Equal(m.ID, asked.ID)
}
