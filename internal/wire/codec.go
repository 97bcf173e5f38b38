package wire

import "github.com/kkrpc-go/kkrpc/superjson"

// Codec writes and parses the messages of one dialect. There are two implementations, for the two generations of
// the protocol, behind one interface: a channel speaks whichever its peer does, and nothing above this package
// knows which.
//
// The Append methods extend dst and return it, like append. A message with values in it is written in stages, so
// that a value is encoded straight into the buffer that is sent: BeginCall, then for each argument BeginArg, the
// value, EndArg, then EndCall. The annotation path of a value to be written is what ArgPath and its like return.
type Codec interface {
	Dialect() Dialect

	// Parse reads one message: a whole frame in compact, one line in classic. It returns ErrNotMessage for JSON that
	// is no message of the protocol, ErrDepth, or a *SyntaxError.
	Parse(text []byte, m *Message, maxDepth int) error

	// BeginCall starts a Call or New request. id is a JSON string body that needs no escaping.
	BeginCall(dst []byte, kind Kind, id string, path []string) []byte
	BeginCallback(dst []byte, callbackID string) []byte
	BeginArg(dst []byte, i int) []byte
	EndArg(dst []byte) []byte
	AppendUndefinedArg(dst []byte, i int, tail *Tail) []byte
	AppendCallbackArg(dst []byte, i int, callbackID string) []byte
	EndCall(dst []byte, kind Kind, tail *Tail) []byte
	EndCallback(dst []byte, tail *Tail) []byte
	ArgPath(i int) string

	AppendGet(dst []byte, id string, path []string, tail *Tail) []byte
	BeginSet(dst []byte, id string, path []string) []byte
	EndSet(dst []byte, path []string, tail *Tail) []byte
	SetPath() string

	// A response. id is the raw JSON of the request's id, nil if it had none.
	BeginResult(dst []byte, id []byte) []byte
	EndResult(dst []byte, tail *Tail) []byte
	AppendNoResult(dst []byte, id []byte) []byte // the result is undefined
	ResultPath() string
	// AppendError writes a failed response. values is reset by the caller and holds the annotations of e's fields; it is
	// nil under JSON. The error is that of a field that cannot be encoded; dst is then returned as it was.
	AppendError(dst []byte, id []byte, e *Error, values *superjson.Encoder) ([]byte, error)

	// AppendRelease and AppendCancel return dst unchanged in classic, which has no such messages.
	AppendRelease(dst []byte, callbackIDs []string) []byte
	AppendCancel(dst []byte, id string) []byte
}

// Error is a failure as it crosses the wire, in the form both generations share.
type Error struct {
	Name, Message string         // never empty when written
	Fields        map[string]any // other enumerable fields, without name, message, stack and cause
	Cause         any            // *Error, or any value that was thrown as a cause; nil for none
	Text          bool           // written as its message alone, as kkrpc 0.2 does
}
