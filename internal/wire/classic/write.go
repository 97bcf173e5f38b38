package classic

import (
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/superjson"
)

// slots are the members that kkrpc 0.7 always leaves undefined, which JSON drops and SuperJSON annotates.
type slots uint8

const (
	noSlots       slots = iota
	transferSlots       // messages that carry a value
	callSlots           // requests, when no callback is among their arguments: callbackIds too
)

func (c codec) open(dst []byte) []byte {
	if c.superJSON() {
		dst = append(dst, `{"json":`...)
	}
	return append(dst, '{')
}

// openID starts a message with the raw JSON id of what it answers. A missing id is left out: under either codec that
// is undefined at the receiver.
func (c codec) openID(dst, id []byte) []byte {
	dst = c.open(dst)
	if len(id) == 0 {
		return append(dst, `"method":"","args":{`...)
	}
	dst = append(dst, `"id":`...)
	dst = append(dst, id...)
	return append(dst, `,"method":"","args":{`...)
}

// close ends a message behind its type, path or value.
func (c codec) close(dst []byte, values *superjson.Encoder, s slots) []byte {
	if !c.superJSON() {
		return append(dst, `,"version":"json"}`+"\n"...)
	}
	if s == callSlots {
		dst = append(dst, `,"callbackIds":null`...)
	}
	if s != noSlots {
		dst = append(dst, `,"transferSlots":null`...)
	}
	dst = append(dst, `,"version":"superjson"}`...)
	if values == nil || !values.HasMeta() {
		return append(dst, slotsMeta[s]...)
	}
	if s == callSlots {
		values.Annotate("callbackIds", "undefined")
	}
	if s != noSlots {
		values.Annotate("transferSlots", "undefined")
	}
	return append(wire.AppendMeta(dst, values), '\n')
}

// slotsMeta is the end of the envelope when nothing else is annotated.
var slotsMeta = [...]string{
	noSlots:       "}\n",
	transferSlots: `,"meta":{"values":{"transferSlots":["undefined"]},"v":1}}` + "\n",
	callSlots:     `,"meta":{"values":{"callbackIds":["undefined"],"transferSlots":["undefined"]},"v":1}}` + "\n",
}

func valuesOf(tail *wire.Tail) *superjson.Encoder {
	if tail == nil {
		return nil
	}
	return tail.Values
}

func (c codec) openMethod(dst []byte, id, method string) []byte {
	dst = append(c.open(dst), `"id":"`...)
	dst = append(dst, id...)
	return wire.AppendString(append(dst, `","method":`...), method)
}

// BeginCall implements wire.Codec.
func (c codec) BeginCall(dst []byte, _ wire.Kind, id string, path []string) []byte {
	return append(c.openMethod(dst, id, strings.Join(path, ".")), `,"args":[`...)
}

// BeginCallback implements wire.Codec. The id of a callback message is of no use to its receiver, which only asks
// that there is one: it is that of the callback.
func (c codec) BeginCallback(dst []byte, callbackID string) []byte {
	return append(c.openMethod(dst, callbackID, callbackID), `,"args":[`...)
}

// BeginArg implements wire.Codec.
func (c codec) BeginArg(dst []byte, i int) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// EndArg implements wire.Codec.
func (c codec) EndArg(dst []byte) []byte { return dst }

// BeginBareArg implements wire.Codec.
func (c codec) BeginBareArg(dst []byte, i int) []byte { return c.BeginArg(dst, i) }

// AppendUndefinedArg implements wire.Codec. JSON has no undefined in arrays: null arrives.
func (c codec) AppendUndefinedArg(dst []byte, i int, tail *wire.Tail) []byte {
	if c.superJSON() {
		tail.Undefined(c.ArgPath(i))
	}
	return append(c.BeginArg(dst, i), `null`...)
}

// AppendCallbackArg implements wire.Codec.
func (c codec) AppendCallbackArg(dst []byte, i int, callbackID string) []byte {
	dst = append(c.BeginArg(dst, i), `"`+callbackPrefix...)
	dst = append(dst, callbackID...)
	return append(dst, '"')
}

// EndCall implements wire.Codec.
func (c codec) EndCall(dst []byte, kind wire.Kind, tail *wire.Tail) []byte {
	if kind == wire.New {
		dst = append(dst, `],"type":"construct"`...)
	} else {
		dst = append(dst, `],"type":"request"`...)
	}
	if tail == nil || len(tail.CallbackIDs) == 0 {
		return c.close(dst, valuesOf(tail), callSlots)
	}
	dst = wire.AppendStrings(append(dst, `,"callbackIds":`...), tail.CallbackIDs)
	return c.close(dst, tail.Values, transferSlots)
}

// EndCallback implements wire.Codec.
func (c codec) EndCallback(dst []byte, tail *wire.Tail) []byte {
	return c.close(append(dst, `],"type":"callback"`...), valuesOf(tail), transferSlots)
}

// ArgPath implements wire.Codec.
func (c codec) ArgPath(i int) string {
	if i < len(argPaths) {
		return argPaths[i]
	}
	return "args." + strconv.Itoa(i)
}

// argPaths spares most arguments the making of their path.
var argPaths = [...]string{"args.0", "args.1", "args.2", "args.3"}

// BareArgPath implements wire.Codec.
func (c codec) BareArgPath(i int) string { return c.ArgPath(i) }

func (c codec) openProperty(dst []byte, id, kind string, path []string) []byte {
	dst = append(c.openMethod(dst, id, ""), `,"args":{},"type":"`...)
	dst = append(dst, kind...)
	return wire.AppendStrings(append(dst, `","path":`...), path)
}

// AppendGet implements wire.Codec.
func (c codec) AppendGet(dst []byte, id string, path []string, _ *wire.Tail) []byte {
	return c.close(c.openProperty(dst, id, "get", path), nil, noSlots)
}

// BeginSet implements wire.Codec.
func (c codec) BeginSet(dst []byte, id string, path []string) []byte {
	return append(c.openProperty(dst, id, "set", path), `,"value":`...)
}

// EndSet implements wire.Codec.
func (c codec) EndSet(dst []byte, _ []string, tail *wire.Tail) []byte {
	return c.close(dst, valuesOf(tail), transferSlots)
}

// AppendUndefinedSet implements wire.Codec. An absent value is undefined under SuperJSON too.
func (c codec) AppendUndefinedSet(dst []byte, id string, path []string, _ *wire.Tail) []byte {
	return c.close(c.openProperty(dst, id, "set", path), nil, transferSlots)
}

// SetPath implements wire.Codec.
func (c codec) SetPath() string { return "value" }

// AppendRef implements wire.Codec.
func (c codec) AppendRef(dst []byte, _ string, _ []string, _ *wire.Tail) []byte { return dst }

// BeginRefSet implements wire.Codec.
func (c codec) BeginRefSet(dst []byte, _ string, _ []string) []byte { return dst }

// BeginResult implements wire.Codec.
func (c codec) BeginResult(dst, id []byte) []byte {
	return append(c.openID(dst, id), `"result":`...)
}

// EndResult implements wire.Codec.
func (c codec) EndResult(dst []byte, tail *wire.Tail) []byte {
	return c.close(append(dst, `},"type":"response"`...), valuesOf(tail), transferSlots)
}

// AppendNoResult implements wire.Codec.
func (c codec) AppendNoResult(dst, id []byte) []byte {
	dst = c.openID(dst, id)
	if !c.superJSON() {
		return c.close(append(dst, `},"type":"response"`...), nil, noSlots)
	}
	dst = append(dst, `"result":null},"type":"response","transferSlots":null,"version":"superjson"}`...)
	return append(dst, `,"meta":{"values":{"args.result":["undefined"],"transferSlots":["undefined"]},"v":1}}`+"\n"...)
}

// ResultPath implements wire.Codec.
func (c codec) ResultPath() string { return "args.result" }

// AppendError implements wire.Codec.
func (c codec) AppendError(dst, id []byte, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	return c.appendError(dst, id, "response", e, values)
}

func (c codec) appendError(dst, id []byte, kind string, e *wire.Error, values *superjson.Encoder) ([]byte, error) {
	out := append(c.openID(dst, id), `"error":`...)
	if e.Text {
		out = wire.AppendString(out, e.Message)
	} else {
		var err error
		out = wire.AppendString(append(out, `{"name":`...), e.Name)
		out = wire.AppendString(append(out, `,"message":`...), e.Message)
		out, err = e.AppendDetails(out, "args.error", c.dialect.Mode(), values, func(string) bool { return false })
		if err != nil {
			return dst, err
		}
		out = append(out, '}')
	}
	out = append(out, `},"type":"`...)
	out = append(out, kind...)
	return c.close(append(out, '"'), values, noSlots), nil
}

// AppendRelease implements wire.Codec.
func (c codec) AppendRelease(dst []byte, _ []string) []byte { return dst }

// AppendCancel implements wire.Codec.
func (c codec) AppendCancel(dst []byte, _ string) []byte { return dst }
