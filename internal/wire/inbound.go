package wire

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kkrpc-go/kkrpc/superjson"
)

var (
	// ErrTooLong: a frame, or a classic message over several frames, is longer than allowed. The connection should end.
	ErrTooLong = errors.New("message too long")
	// ErrDropped: what was received is no message for us. It is dropped and counted, and the next one read.
	ErrDropped = errors.New("dropped")
	// ErrDialect: a message in a dialect that is not accepted; Message.Dialect says which. The connection should end.
	ErrDialect = errors.New("dialect not accepted")
)

const (
	destroySignal = "__DESTROY__"
	keptBuffer    = 64 << 10 // a larger line buffer is not kept once its line is done
)

// Inbound turns the frames of one connection into messages: it finds out the dialect if it was not told, joins and
// splits the lines of classic, and drops what is not for us. It has no locks: one goroutine at a time.
type Inbound struct {
	codecs   func(Dialect) Codec
	dialect  Dialect // Unknown until detected
	maxFrame int
	maxDepth int
	checked  bool // frames are UTF-8
	binary   bool // frames may be binary
	accepts  DialectSet

	whole   []byte           // a frame that is a message; borrowed
	pending bool             // whole is to be read
	parts   *superjson.Parts // beside whole
	lines   []byte           // what is left of a classic frame; borrowed
	partial []byte           // the beginning of a classic line; own
	current int              // capacity of the long line that Next read last
	destroy bool
	dropped error // says why the frame that was pushed is none
}

// NewInbound returns an Inbound for a connection. fixed is Unknown for detection by the first message. codecs returns
// the codec of a dialect. maxFrame bounds a message in bytes and maxDepth its nesting; both must be positive.
func NewInbound(codecs func(Dialect) Codec, fixed Dialect, maxFrame, maxDepth int) *Inbound {
	return &Inbound{codecs: codecs, dialect: fixed, maxFrame: maxFrame, maxDepth: maxDepth}
}

// Trust says whether all frames are known to be UTF-8. Otherwise each message is checked.
func (in *Inbound) Trust(checked bool) { in.checked = checked }

// AllowBinary says that the peer may send binary frames.
func (in *Inbound) AllowBinary() { in.binary = true }

// Accept says in which dialects messages may be. Messages in others are dropped with ErrDialect.
func (in *Inbound) Accept(s DialectSet) { in.accepts = s }

// Dialect is how to write to the peer: the fixed dialect, or the one of the first message; Unknown before it.
// A classic peer may mix codecs in what it sends, see Message.Dialect.
func (in *Inbound) Dialect() Dialect { return in.dialect }

// Fix sets the dialect before the first message.
func (in *Inbound) Fix(d Dialect) { in.dialect = d }

// Push gives in the next frame, which stays borrowed until Next says that there is no more; only then may Push be
// called again. ErrTooLong is the only error, and the end.
func (in *Inbound) Push(frame []byte) error {
	in.pending, in.parts, in.lines, in.destroy, in.dropped = false, nil, nil, false, nil
	switch {
	case len(frame) > in.maxFrame:
		return ErrTooLong
	case in.binary && len(frame) > 0 && frame[0] == BinaryFrame:
		in.whole, in.parts, in.dropped = OpenBinary(frame)
		in.pending = in.dropped == nil
		return nil
	case in.dialect != Unknown && !in.dialect.IsClassic():
		in.whole, in.pending = frame, true
		return nil
	case string(frame) == destroySignal:
		in.destroy = true
		return nil
	case len(bytes.TrimSpace(frame)) == 0: // before buffering, so that "\n" alone ends no line
		return nil
	case in.dialect == Unknown && in.detectWhole(frame):
		return nil
	}
	return in.pushLines(frame)
}

// detectWhole deals with a frame that may be compact, and reports whether it did.
func (in *Inbound) detectWhole(frame []byte) bool {
	d, cut, err := Detect(frame, in.maxDepth)
	if d == Compact || d == CompactSuperJSON {
		in.dialect, in.partial = d, nil
		in.whole, in.pending = frame, true
		return true
	}
	if bytes.IndexByte(frame, '\n') >= 0 || len(in.partial) > 0 || d != Unknown {
		return false
	}
	// Without a newline only the beginning of a message is worth keeping. Anything else would spoil the next frame.
	if cut && bytes.TrimSpace(frame)[0] == '{' {
		return false
	}
	if err == nil {
		err = ErrNotMessage
	}
	in.dropped = err
	return true
}

func (in *Inbound) pushLines(frame []byte) error {
	first := bytes.IndexByte(frame, '\n')
	if first < 0 {
		first = len(frame)
	}
	if len(in.partial)+first > in.maxFrame {
		return ErrTooLong
	}
	if first == len(frame) {
		in.appendPartial(frame)
		return nil
	}
	in.lines = frame
	if len(in.partial) > 0 {
		in.appendPartial(frame[:first])
		in.lines = frame[first:]
	}
	return nil
}

// appendPartial is append that doubles the buffer, up to the largest message. A line in many frames must not mean many copies.
func (in *Inbound) appendPartial(piece []byte) {
	if need := len(in.partial) + len(piece); need > cap(in.partial) {
		larger := make([]byte, len(in.partial), max(need, min(2*cap(in.partial), in.maxFrame)))
		copy(larger, in.partial)
		in.partial = larger
	}
	in.partial = append(in.partial, piece...)
}

// Incomplete reports whether a classic line has begun, and its end has not been pushed.
func (in *Inbound) Incomplete() bool { return len(in.partial) > 0 && len(in.lines) == 0 }

// Held is how many bytes are kept of a classic line until its end is pushed, and of the one that Next read last.
func (in *Inbound) Held() int { return cap(in.partial) + in.current }

// Grows reports whether Push of the frame needs a larger buffer for an incomplete line.
func (in *Inbound) Grows(frame []byte) bool {
	return in.Incomplete() && len(in.partial)+len(frame) > cap(in.partial)
}

// Forget lets go of the frame that was pushed, after Next has said that there is no more.
func (in *Inbound) Forget() { in.whole, in.lines = nil, nil }

// Next reads the next message of the frame that was pushed into m, which is valid until the next call of Next or Push.
// ok is false and err nil when there is no more. An error that wraps ErrDropped is about one message: go on. With ok
// it is Answerable too, and m has a Kind and an ID, so that a request can be answered.
func (in *Inbound) Next(m *Message) (ok bool, err error) {
	in.current = 0
	switch {
	case in.dropped != nil:
		err, in.dropped = in.dropped, nil
		return false, drop(err)
	case in.destroy:
		in.destroy = false
		m.Reset(in.dialect)
		m.Kind = Destroy
		return true, nil
	case in.parts != nil:
		return in.parseBinary(m)
	case in.pending:
		in.pending = false
		return in.parse(in.whole, in.dialect, in.checked, m)
	}
	for {
		line, more := in.nextLine()
		if !more {
			return false, nil
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		return in.parseLine(line, m)
	}
}

// nextLine returns the next whole line, and keeps what begins one.
func (in *Inbound) nextLine() (line []byte, more bool) {
	if len(in.lines) == 0 {
		return nil, false
	}
	if in.lines[0] == '\n' && len(in.partial) > 0 { // Push has completed the first line
		line, in.lines = in.partial, in.lines[1:]
		in.partial = in.partial[:0]
		if cap(line) > keptBuffer {
			in.partial, in.current = nil, cap(line)
		}
		return line, true
	}
	end := bytes.IndexByte(in.lines, '\n')
	if end < 0 {
		in.partial = append(in.partial[:0], in.lines...)
		in.lines = nil
		return nil, false
	}
	line, in.lines = in.lines[:end], in.lines[end+1:]
	return line, true
}

func (in *Inbound) parseLine(line []byte, m *Message) (bool, error) {
	dialect := in.dialect
	if line[0] != '{' {
		return false, drop(ErrNotMessage)
	}
	if dialect == Unknown {
		d, _, err := Detect(line, in.maxDepth)
		if err == nil && !d.IsClassic() {
			err = ErrNotMessage
		}
		if err != nil {
			return false, drop(err)
		}
		dialect = d
		in.dialect = d
	}
	return in.parse(line, dialect, in.checked, m)
}

// parseBinary parses the message of a binary frame, which is whole in classic too.
func (in *Inbound) parseBinary(m *Message) (bool, error) {
	text := bytes.TrimSpace(in.whole)
	m.Parts, in.parts, in.pending = in.parts, nil, false
	defer func() { m.Parts = nil }()
	if in.dialect == Unknown {
		d, _, err := Detect(text, in.maxDepth)
		if err == nil && d == Unknown {
			err = ErrNotMessage
		}
		if err != nil {
			return false, drop(err)
		}
		in.dialect = d
	}
	return in.parse(text, in.dialect, false, m)
}

func (in *Inbound) parse(text []byte, d Dialect, checked bool, m *Message) (bool, error) {
	m.Checked = checked
	err := in.codecs(d).Parse(text, m, in.maxDepth)
	m.Size = len(text)
	if (err == nil || Answerable(err)) && !in.accepts.Has(m.Dialect) { // else it is no message, and in no dialect
		m.Reset(m.Dialect)
		err = ErrDialect
	}
	if err == nil {
		return true, nil
	}
	return Answerable(err) && m.ID != nil, drop(err)
}

func drop(reason error) error { return fmt.Errorf("%w: %w", ErrDropped, reason) }
