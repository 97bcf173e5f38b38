package wire

import (
	"errors"
	"strconv"
)

const (
	// MaxArgs is how many arguments a message may have: an element of a list costs much more than its text, and
	// JavaScript engines refuse about as many.
	MaxArgs = 1 << 16
	// MaxID is how long the id of a message may be, in bytes of its JSON. A request's is kept until the answer.
	MaxID  = 1 << 10
	maxIDs = 1 << 20 // of a Release, which is sent for all that was collected at a time
	kept   = 256     // larger slices are not reused
)

// Reset makes m an empty message of dialect d and keeps its slices for reuse. Parse does it first.
func (m *Message) Reset(d Dialect) {
	args, ids := m.Args[:0], m.IDs[:0]
	if cap(args) > kept {
		args = nil
	}
	if cap(ids) > kept {
		ids = nil
	}
	*m = Message{Checked: m.Checked, Parts: m.Parts}
	m.Dialect, m.Args, m.IDs = d, args, ids
}

// Scan starts s on text, the text of m.
func (m *Message) Scan(s *Scanner, text []byte, maxDepth int) error {
	if m.Checked {
		s.initChecked(text, maxDepth)
		return nil
	}
	return s.Init(text, maxDepth)
}

// Forget is Reset that also lets go of the text, which the slices kept for reuse still refer to.
func (m *Message) Forget() {
	m.Parts = nil
	m.Reset(m.Dialect)
	clear(m.Args[:cap(m.Args)])
	clear(m.IDs[:cap(m.IDs)])
}

// AddArg is for a codec's Parse, as are the methods below: one more argument. DropArgs forgets all, since a repeated member
// replaces the one before.
func (m *Message) AddArg(a Arg) {
	if m.crowded = len(m.Args) == MaxArgs; !m.crowded {
		m.Args = append(m.Args, a)
	}
}

func (m *Message) DropArgs() { m.Args, m.crowded = m.Args[:0], false }

// AddID adds an id of a Release, as AddArg does.
func (m *Message) AddID(id []byte) {
	if m.crowded = len(m.IDs) == maxIDs; !m.crowded {
		m.IDs = append(m.IDs, id)
	}
}

func (m *Message) DropIDs() { m.IDs, m.crowded = m.IDs[:0], false }

// Complete is the last step of a Parse whose outcome so far is err: it applies the meta of a SuperJSON envelope, and says
// whether m is over a limit.
func (m *Message) Complete(s *Scanner, meta []byte, err error) error {
	switch {
	case err != nil:
		m.Reset(m.Dialect)
		return err
	case s.TooDeep():
		return ErrDepth
	case m.crowded && len(m.Args) == MaxArgs, m.crowded && len(m.IDs) == maxIDs:
		return ErrArgs
	case len(m.ID) > MaxID:
		return ErrID
	}
	return m.annotate(meta)
}

// Answerable reports whether err, of a Parse, is about a limit or an *AnnotationError: the message has its Kind and ID then,
// and can be answered.
func Answerable(err error) bool {
	if errors.Is(err, ErrDepth) || errors.Is(err, ErrArgs) || errors.Is(err, ErrID) {
		return true
	}
	_, ok := errors.AsType[*AnnotationError](err)
	return ok
}

// SetOutcome gives m its failure, or its value if the failure is falsy, which is as good as absent.
func (m *Message) SetOutcome(value, failure []byte) {
	m.Value, m.Err = value, nil
	if Truthy(failure) {
		m.Value, m.Err = nil, failure
	}
}

// Truthy reports whether raw, a valid JSON value or nil, is true in JavaScript's eyes.
func Truthy(raw []byte) bool {
	if len(raw) == 0 {
		return false
	}
	switch raw[0] {
	case 'n', 'f':
		return false
	case '"':
		return len(raw) > 2
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		f, _ := strconv.ParseFloat(string(raw), 64)
		return f != 0
	}
	return true
}
