package wire

import "github.com/kkrpc-go/kkrpc/superjson"

// Codec writes and parses the messages of one dialect. There are two implementations, for the two generations of
// the protocol, behind one interface: a channel speaks whichever its peer does, and nothing above this package
// knows which. A Codec has no state and may be used by any number of goroutines.
//
// The Append methods extend dst and return it, like append. A message with values in it is written in stages, so
// that a value is encoded straight into the buffer that is sent: BeginCall, then for each argument BeginArg, the
// value, EndArg, then EndCall. The annotation path of a value to be written is what ArgPath and its like return.
//
// Ids given as strings are the bodies of JSON strings that need no escaping; ids given as bytes are raw JSON as it
// was received. A *Tail may be nil. Under SuperJSON, where undefined is an annotation, AppendUndefinedArg needs
// tail.Values to note it in; EndCall then writes it.
type Codec interface {
	Dialect() Dialect

	// Parse reads one message: a whole frame in compact, one line in classic. It returns ErrNotMessage for JSON that
	// is no message of the protocol, ErrDepth, ErrArgs, ErrID, an *AnnotationError or a *SyntaxError. If the error is
	// Answerable, and only then, m is a message too: its Kind and ID may be used for an answer. Otherwise m.Kind is
	// Invalid.
	Parse(text []byte, m *Message, maxDepth int) error

	// BeginCall starts a Call, New or Ref request.
	BeginCall(dst []byte, kind Kind, id string, path []string) []byte
	BeginCallback(dst []byte, callbackID string) []byte
	BeginArg(dst []byte, i int) []byte
	EndArg(dst []byte) []byte
	AppendUndefinedArg(dst []byte, i int, tail *Tail) []byte
	AppendCallbackArg(dst []byte, i int, callbackID string) []byte
	EndCall(dst []byte, kind Kind, tail *Tail) []byte
	EndCallback(dst []byte, tail *Tail) []byte
	ArgPath(i int) string

	// BeginBareArg starts an argument without envelope, as those of a Ref request are; nothing ends it.
	BeginBareArg(dst []byte, i int) []byte
	BareArgPath(i int) string

	AppendGet(dst []byte, id string, path []string, tail *Tail) []byte
	BeginSet(dst []byte, id string, path []string) []byte
	EndSet(dst []byte, path []string, tail *Tail) []byte
	AppendUndefinedSet(dst []byte, id string, path []string, tail *Tail) []byte
	SetPath() string

	// AppendRef writes a Ref request that carries neither arguments nor a value; BeginRefSet starts one that carries a
	// value, and EndSet ends it. Classic has no references: dst is returned unchanged.
	AppendRef(dst []byte, id string, path []string, tail *Tail) []byte
	BeginRefSet(dst []byte, id string, path []string) []byte

	// A response. id is the raw JSON of the request's id, nil if it had none.
	BeginResult(dst []byte, id []byte) []byte
	EndResult(dst []byte, tail *Tail) []byte
	AppendNoResult(dst []byte, id []byte) []byte // the result is undefined
	ResultPath() string
	// AppendError writes a failed response. values is reset by the caller and holds the annotations of e's fields; it is
	// nil under JSON. The error is that of a field that cannot be encoded; dst is then returned as it was.
	AppendError(dst []byte, id []byte, e *Error, values *superjson.Encoder) ([]byte, error)

	// AppendPull asks for n more items of a stream. Classic has no credit: dst is returned unchanged.
	AppendPull(dst []byte, id, streamID string, n int) []byte
	// AppendControl writes a StreamReturn or StreamThrow without a value. In classic a StreamReturn cancels the stream,
	// whose id is that of its request, and a StreamThrow does not exist: dst is returned unchanged.
	AppendControl(dst []byte, kind Kind, id, streamID string) []byte

	// BeginItem starts an item of a stream. id is that of the message, or of the control it answers; classic has
	// none, there streamID is the id of the stream's request. done marks the end and a return value; classic has no
	// return values: there the end is written with AppendItem.
	BeginItem(dst, id, streamID []byte, done bool) []byte
	EndItem(dst []byte, tail *Tail) []byte
	// AppendItem writes an undefined item, or the end without a return value.
	AppendItem(dst, id, streamID []byte, done bool) []byte
	ItemPath() string
	// AppendStreamError writes the failure of a stream, or of a control; see AppendError.
	AppendStreamError(dst, id, streamID []byte, e *Error, values *superjson.Encoder) ([]byte, error)

	// AppendRelease and AppendCancel return dst unchanged in classic, which has no such messages.
	AppendRelease(dst []byte, callbackIDs []string) []byte
	AppendCancel(dst []byte, id string) []byte
}

// Undefined notes that the value at path is undefined. Without an encoder to note it in, as under JSON, it does nothing.
func (t *Tail) Undefined(path string) {
	if t != nil && t.Values != nil {
		t.Values.Annotate(path, "undefined")
	}
}

// AppendMeta ends a SuperJSON envelope: the meta, if values has any, and the closing brace.
func AppendMeta(dst []byte, values *superjson.Encoder) []byte {
	if values != nil && values.HasMeta() {
		dst = append(dst, `,"meta":`...)
		dst = values.AppendMeta(dst)
	}
	return append(dst, '}')
}

// AppendStrings appends a JSON array of strings.
func AppendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendString(dst, s)
	}
	return append(dst, ']')
}
