package compact

import (
	"strconv"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// open starts a message of kind t.
func (c codec) open(dst []byte, t string) []byte {
	if c.superJSON() {
		dst = append(dst, `{"json":`...)
	}
	dst = append(dst, `{"t":"`...)
	dst = append(dst, t...)
	return append(dst, '"')
}

// close ends it.
func (c codec) close(dst []byte, values *superjson.Encoder) []byte {
	dst = append(dst, '}')
	if c.superJSON() {
		dst = wire.AppendMeta(dst, values)
	}
	return dst
}

// closeUndefined ends a message whose v is undefined: absent under JSON, annotated under SuperJSON.
func (c codec) closeUndefined(dst []byte) []byte {
	if c.superJSON() {
		return append(dst, `,"v":null},"meta":{"values":{"v":["undefined"]},"v":1}}`...)
	}
	return append(dst, '}')
}

func appendID(dst []byte, id string) []byte {
	dst = append(dst, `,"id":"`...)
	dst = append(dst, id...)
	return append(dst, '"')
}

func appendRaw(dst []byte, member string, raw []byte) []byte {
	dst = append(dst, member...)
	if raw == nil {
		return append(dst, `null`...)
	}
	return append(dst, raw...)
}

func (c codec) openRequest(dst []byte, id, op string, path []string) []byte {
	dst = appendID(c.open(dst, "q"), id)
	dst = append(dst, `,"op":"`...)
	dst = append(dst, op...)
	dst = append(dst, `","p":`...)
	return wire.AppendStrings(dst, path)
}

func (c codec) closeRequest(dst []byte, tail *wire.Tail) []byte {
	if tail == nil {
		return c.close(dst, nil)
	}
	if tail.Metadata != nil {
		dst = append(dst, `,"meta":`...)
		dst = append(dst, tail.Metadata...)
	}
	return c.close(dst, tail.Values)
}

// BeginCall implements wire.Codec.
func (c codec) BeginCall(dst []byte, kind wire.Kind, id string, path []string) []byte {
	op := "call"
	switch kind {
	case wire.New:
		op = "new"
	case wire.Ref:
		op = "ref"
	}
	return append(c.openRequest(dst, id, op, path), `,"a":[`...)
}

// BeginCallback implements wire.Codec.
func (c codec) BeginCallback(dst []byte, callbackID string) []byte {
	return append(appendID(c.open(dst, "cb"), callbackID), `,"a":[`...)
}

// BeginArg implements wire.Codec.
func (c codec) BeginArg(dst []byte, i int) []byte {
	return append(c.BeginBareArg(dst, i), valuePrefix...)
}

// EndArg implements wire.Codec.
func (c codec) EndArg(dst []byte) []byte { return append(dst, '}') }

// BeginBareArg implements wire.Codec.
func (c codec) BeginBareArg(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// AppendUndefinedArg implements wire.Codec.
func (c codec) AppendUndefinedArg(dst []byte, i int, tail *wire.Tail) []byte {
	if c.superJSON() {
		tail.Undefined(c.ArgPath(i))
		return append(c.BeginArg(dst, i), `null}`...)
	}
	return append(c.BeginBareArg(dst, i), `{"__kkrpc_next_arg__":"value"}`...)
}

// AppendCallbackArg implements wire.Codec.
func (c codec) AppendCallbackArg(dst []byte, i int, callbackID string) []byte {
	dst = append(c.BeginBareArg(dst, i), `{"__kkrpc_next_arg__":"callback"`...)
	return append(appendID(dst, callbackID), '}')
}

// EndCall implements wire.Codec.
func (c codec) EndCall(dst []byte, _ wire.Kind, tail *wire.Tail) []byte {
	return c.closeRequest(append(dst, ']'), tail)
}

// EndCallback implements wire.Codec.
func (c codec) EndCallback(dst []byte, tail *wire.Tail) []byte {
	return c.closeValue(append(dst, ']'), tail)
}

// closeValue ends a message that has no metadata.
func (c codec) closeValue(dst []byte, tail *wire.Tail) []byte {
	if tail == nil {
		return c.close(dst, nil)
	}
	return c.close(dst, tail.Values)
}

// ArgPath implements wire.Codec.
func (c codec) ArgPath(i int) string {
	if i < len(argPaths) {
		return argPaths[i]
	}
	return "a." + strconv.Itoa(i) + ".v"
}

// argPaths spares most arguments the making of their path.
var argPaths = [...]string{"a.0.v", "a.1.v", "a.2.v", "a.3.v"}

// BareArgPath implements wire.Codec.
func (c codec) BareArgPath(i int) string { return "a." + strconv.Itoa(i) }

// AppendGet implements wire.Codec.
func (c codec) AppendGet(dst []byte, id string, path []string, tail *wire.Tail) []byte {
	return c.closeRequest(c.openRequest(dst, id, "get", path), tail)
}

// BeginSet implements wire.Codec.
func (c codec) BeginSet(dst []byte, id string, path []string) []byte {
	return append(c.openRequest(dst, id, "set", path), `,"v":`...)
}

// EndSet implements wire.Codec.
func (c codec) EndSet(dst []byte, _ []string, tail *wire.Tail) []byte {
	return c.closeRequest(dst, tail)
}

// AppendUndefinedSet implements wire.Codec. An absent v is undefined under SuperJSON too.
func (c codec) AppendUndefinedSet(dst []byte, id string, path []string, tail *wire.Tail) []byte {
	return c.closeRequest(c.openRequest(dst, id, "set", path), tail)
}

// SetPath implements wire.Codec.
func (c codec) SetPath() string { return "v" }

// AppendRef implements wire.Codec.
func (c codec) AppendRef(dst []byte, id string, path []string, tail *wire.Tail) []byte {
	return c.closeRequest(c.openRequest(dst, id, "ref", path), tail)
}

// BeginRefSet implements wire.Codec.
func (c codec) BeginRefSet(dst []byte, id string, path []string) []byte {
	return append(c.openRequest(dst, id, "ref", path), `,"v":`...)
}

// BeginResult implements wire.Codec.
func (c codec) BeginResult(dst, id []byte) []byte {
	return append(appendRaw(c.open(dst, "r"), `,"id":`, id), `,"v":`...)
}

// EndResult implements wire.Codec.
func (c codec) EndResult(dst []byte, tail *wire.Tail) []byte { return c.closeValue(dst, tail) }

// AppendNoResult implements wire.Codec.
func (c codec) AppendNoResult(dst, id []byte) []byte {
	return c.closeUndefined(appendRaw(c.open(dst, "r"), `,"id":`, id))
}

// ResultPath implements wire.Codec.
func (c codec) ResultPath() string { return "v" }

// AppendError implements wire.Codec.
func (c codec) AppendError(dst, id []byte, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	return c.appendError(dst, appendRaw(c.open(dst, "r"), `,"id":`, id), e, values)
}

// appendError adds e to the message begun in out; whole is what to return when that fails.
func (c codec) appendError(whole, out []byte, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	out = wire.AppendString(append(out, `,"e":{"n":`...), e.Name)
	out = wire.AppendString(append(out, `,"m":`...), e.Message)
	out, err := e.AppendDetails(out, "e", c.dialect.Mode(), values, isShortName)
	if err != nil {
		return whole, err
	}
	return c.close(append(out, '}'), values), nil
}

func isShortName(name string) bool { return name == "n" || name == "m" || name == "s" }

// AppendRelease implements wire.Codec.
func (c codec) AppendRelease(dst []byte, callbackIDs []string) []byte {
	dst = append(c.open(dst, "cbr"), `,"ids":`...)
	return c.close(wire.AppendStrings(dst, callbackIDs), nil)
}

// AppendCancel implements wire.Codec.
func (c codec) AppendCancel(dst []byte, id string) []byte {
	return c.close(appendID(c.open(dst, "qc"), id), nil)
}
