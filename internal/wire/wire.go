// Package wire holds what crosses the network: the closed set of kkrpc messages, how each generation of the
// protocol writes them, and how a server finds out which one it was spoken to.
//
// Everything here is pure: bytes in, bytes out, no I/O, no locks, no logging. Parsers leave identifiers, paths,
// arguments and values as raw JSON text that aliases the input; who keeps any of it copies it.
package wire

import "github.com/kkrpc-go/kkrpc/superjson"

// Dialect names a generation of the protocol together with its codec.
type Dialect uint8

const (
	Unknown          Dialect = iota // not detected yet
	Compact                         // kkrpc 2.x, JSON
	CompactSuperJSON                // kkrpc 2.x, SuperJSON
	Classic                         // kkrpc 0.x, JSON
	ClassicSuperJSON                // kkrpc 0.x, SuperJSON
)

// DialectSet is a set of dialects. The zero set has all of them.
type DialectSet uint8

// With returns s and d.
func (s DialectSet) With(d Dialect) DialectSet { return s | 1<<d }

// Has reports whether d is in s.
func (s DialectSet) Has(d Dialect) bool { return s == 0 || s&(1<<d) != 0 }

// IsClassic reports whether d is of the newline-framed 0.x generation.
func (d Dialect) IsClassic() bool { return d == Classic || d == ClassicSuperJSON }

// Mode is the form in which values are written in d.
func (d Dialect) Mode() superjson.Mode {
	switch d {
	case CompactSuperJSON, ClassicSuperJSON:
		return superjson.ModeSuperJSON
	case Classic:
		return superjson.ModeTaggedJSON
	default:
		return superjson.ModeJSON
	}
}

// Kind is what a message is. Both generations map onto this one set.
type Kind uint8

const (
	Invalid      Kind = iota
	Call              // request: Path, Args
	Get               // request: Path
	Set               // request: Path, Value
	New               // request: Path, Args
	Ref               // request on a remote reference: Path, Args or Value (compact)
	Response          // answer: Value or Err
	Callback          // one way: ID is the callback's id, Args
	Release           // one way: IDs of callbacks that the peer dropped (compact)
	StreamPull        // ID, StreamID, Credit (compact)
	StreamReturn      // ID, StreamID, Value (compact); classic stream-cancel: ID, that of the request, alone
	StreamThrow       // ID, StreamID, Value (compact)
	StreamData        // one item (Value), the end (Done) or a failure (Err) of a stream
	Cancel            // the caller of ID has given up (compact, ours: old peers ignore it)
	Destroy           // classic: the peer asks to close the connection
)

// Message is one parsed message. Its byte slices alias the text that was parsed, and its own slices are reused
// by the next Parse into the same Message.
type Message struct {
	Kind     Kind
	Dialect  Dialect  // the form this message was written in
	ID       []byte   // raw JSON, quotes included; nil when a classic message has none
	Path     Path     // of a request
	Args     []Arg    // of Call, New, Ref and Callback
	Value    []byte   // raw JSON; nil when absent, which means undefined
	Err      []byte   // raw JSON of a failure; nil when there is none (a falsy error is none, but in a classic stream-error)
	IDs      [][]byte // of Release: raw JSON strings
	StreamID []byte   // raw JSON string; nil in classic, where streams have the id of their request
	Credit   int      // of StreamPull: at least 1
	Done     bool     // of StreamData: the stream has ended
	Meta     []byte   // metadata object of a compact request, raw JSON; nil when absent

	// Checked: the text is known to be UTF-8. It is set before a Parse, and stays.
	Checked bool

	// Size is how long the text of the message was in bytes; Inbound sets it.
	Size int

	// TextErrors: a classic SuperJSON request without the key transferSlots, which only kkrpc 0.2 writes. Its
	// errors are message strings.
	TextErrors bool

	// Parts are the bytes beside the text, nil for none. They are set before a Parse, and stay.
	Parts *superjson.Parts

	annotations *superjson.Meta // of the envelope and Parts, nil when it has none that matter
	crowded     bool            // an argument or id has been left out
}

// Path is where a request goes, as it was written.
type Path struct {
	// Raw is, in compact, the text between the brackets of p (`"math","multiply"`), in classic call and new the
	// text between the quotes of method (`math.multiply`), in classic get and set the text between the brackets of
	// path. It is the key of the fast lookup; two texts for one path are possible, see Segments. It is nil, not
	// empty, in a classic get or set whose path is missing or no array of strings, which is to be answered.
	Raw    []byte
	Dotted bool // Raw is a dotted method string
}

// ArgKind says what an argument carries.
type ArgKind uint8

const (
	ArgValue    ArgKind = iota // JSON
	ArgCallback                // ID
)

// Arg is one argument of a request or callback.
type Arg struct {
	Kind ArgKind
	Bare bool   // compact: written without its envelope
	JSON []byte // raw JSON of the value; nil means undefined
	ID   []byte // of a callback: raw JSON (compact: any value, nil when absent), classic: the raw text behind the prefix
}

// Tail is what follows the arguments or the value of a message being written.
type Tail struct {
	Metadata    []byte             // JSON object for the compact meta field; nil for none
	CallbackIDs []string           // classic: ids of the callbacks among the arguments
	Values      *superjson.Encoder // SuperJSON: holds the annotations of the values that were written; nil for none
}
