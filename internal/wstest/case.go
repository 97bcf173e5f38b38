package wstest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Case is what a peer sends and what it has to see.
type Case struct {
	ID   string
	Name string

	// Compress is what the peer asks for, nil for no compression.
	Compress []Params
	// Outcome is what has to be seen.
	Outcome Outcome

	steps []step
	octet bool
}

// step is what a peer does next: it sends, then waits for the events that are due.
type step struct {
	frames []Frame
	cut    cut
	wait   int // for that many events of the outcome, or the end
	// message is compressed, if that was agreed, and sent in fragments.
	message  []byte
	op       byte
	fragment int // bytes, 0 for one frame
}

// cut says how octets become writes: all at once, by frame, or in pieces of that many octets.
type cut int

const (
	whole   cut = 0
	byFrame cut = -1
	octets  cut = 1
)

// event is what a peer has received.
type event struct {
	op      byte
	payload []byte
}

func (e event) String() string {
	name := map[byte]string{opText: "text", opBinary: "binary", opPong: "pong", opPing: "ping"}[e.op]
	if len(e.payload) > 40 {
		return fmt.Sprintf("%s of %d bytes", name, len(e.payload))
	}
	return fmt.Sprintf("%s %q", name, e.payload)
}

// Outcome is what a peer has to see.
type Outcome struct {
	events []event
	ends   bool  // the peer sends a close frame with code 1000 when it has seen the events
	codes  []int // one of them closes the connection; none: it may end without a close frame

	merged bool // see MergedPongs
	texts  bool // see TextEchoes
	plain  bool // see Plain
}

// record is what a peer has seen.
type record struct {
	events  []event
	closed  bool
	code    int // if closed
	problem error
	plain   bool // compression was declined
}

// arrived reports whether the first n events have been received.
func (o Outcome) arrived(got []event, n int) bool { return o.match(got, o.events[:n]) == nil }

// match compares what was received with events.
func (o Outcome) match(got, events []event) error {
	i := 0
	for j, want := range events {
		if o.texts && want.op == opBinary {
			want.op = opText
		}
		if i < len(got) && got[i].op == want.op && bytes.Equal(got[i].payload, want.payload) {
			i++
			continue
		}
		if o.merged && want.op == opPong && j+1 < len(events) && events[j+1].op == opPong {
			continue
		}
		if i == len(got) {
			return fmt.Errorf("%v is missing after %v", want, got)
		}
		return fmt.Errorf("%v instead of %v", got[i], want)
	}
	if i < len(got) {
		return fmt.Errorf("%v is too much", got[i])
	}
	return nil
}

// check says what is wrong with what was seen.
func (o Outcome) check(seen record) error {
	if seen.problem != nil {
		return seen.problem
	}
	if seen.plain && !o.plain {
		return errors.New("compression was declined")
	}
	if !seen.plain && o.plain {
		return errors.New("compression was not declined")
	}
	if err := o.match(seen.events, o.events); err != nil {
		return err
	}
	switch {
	case !seen.closed:
		return fmt.Errorf("ended without a close frame instead of one with %v", o.codes)
	case !slices.Contains(o.codes, seen.code):
		return fmt.Errorf("closed with %d, not %v", seen.code, o.codes)
	}
	return nil
}

// build returns a case. It takes a description, frames, steps and outcomes in their order.
func build(id, name string, parts ...any) Case {
	c := Case{ID: id, Name: name}
	for _, part := range parts {
		switch p := part.(type) {
		case Frame:
			c.steps = append(c.steps, step{frames: []Frame{p}})
		case []Frame:
			c.steps = append(c.steps, step{frames: p})
		case step:
			c.steps = append(c.steps, p)
		case event:
			c.Outcome.events = append(c.Outcome.events, p)
		case pause:
			c.steps[len(c.steps)-1].wait = len(c.Outcome.events)
		case cut:
			for i := range c.steps {
				c.steps[i].cut = p
			}
		case Params:
			c.Compress = append(c.Compress, p)
		case clean:
			c.Outcome.ends, c.Outcome.codes = true, []int{1000}
		case closes:
			c.Outcome.codes = p
		default:
			panic(fmt.Sprintf("wstest: case %s: %T", id, part))
		}
	}
	return c
}

// pause waits for the events so far, as a peer does that answers.
type pause struct{}

// clean ends a case: the peer closes, and the endpoint answers.
type clean struct{}

// closes ends a case: the endpoint closes with one of these codes, for what the case has sent.
type closes []int

// fails is for what breaks the protocol.
func fails(code int) closes { return closes{code} }

func text(payload string) Frame { return Frame{op: opText, payload: []byte(payload), form: -1} }
func bin(payload string) Frame  { return Frame{op: opBinary, payload: []byte(payload), form: -1} }
func ping(payload string) Frame { return Frame{op: opPing, payload: []byte(payload), form: -1} }
func pong(payload string) Frame { return Frame{op: opPong, payload: []byte(payload), form: -1} }
func rest(payload string) Frame { return Frame{op: opContinuation, payload: []byte(payload), form: -1} }
func other(op byte, payload string) Frame {
	return Frame{op: op, payload: []byte(payload), form: -1}
}
func closing(code int, reason string) Frame {
	return Frame{op: opClose, payload: closePayload(code, reason), form: -1}
}

// unfinished is f without FIN.
func (f Frame) unfinished() Frame { f.more = true; return f }

// reserved is f with reserved bits.
func (f Frame) reserved(bits byte) Frame { f.rsv = bits; return f }

// echoes is the event for a message or a ping.
func echoes(op byte, payload string) event {
	if op == opPing {
		op = opPong
	}
	return event{op, []byte(payload)}
}

// fragments cuts payload into frames of size octets.
func fragments(op byte, payload string, size int) []Frame {
	var frames []Frame
	for first := true; first || payload != ""; first = false {
		n := min(size, len(payload))
		f := Frame{op: op, payload: []byte(payload[:n]), more: n < len(payload), form: -1}
		frames = append(frames, f)
		payload, op = payload[n:], opContinuation
	}
	return frames
}

// size is how many octets a case sends, roughly.
func (c Case) size() (n int) {
	for _, s := range c.steps {
		n += len(s.message)
		for _, f := range s.frames {
			n += len(f.payload) + 14
		}
	}
	return n
}

func (c Case) large() bool { return c.size() > 4<<10 }

// inOctets is c with each octet in a write of its own.
func (c Case) inOctets() Case {
	c.octet = true
	return c
}

// Section is the cases about one subject.
type section struct {
	name  string
	cases []Case
}

// sections lists all cases. Those about size are smaller in short mode.
func sections(short bool) []section {
	return []section{
		{"1 framing", framing()},
		{"2 pings", pings()},
		{"3 reserved bits", reservedBits()},
		{"4 opcodes", opcodes()},
		{"5 fragmentation", fragmentation()},
		{"6 UTF-8", slices.Concat(unicode(), sequences())},
		{"7 closing", closings()},
		{"9 size", sizes(short)},
		{"10 automatic fragments", automatic()},
		{"12 compression, payloads", compressedPayloads(short)},
		{"13 compression, parameters", compressedParameters(short)},
		{"14 lengths, masks, blocks", slices.Concat(lengths(), masks(), blocks())},
	}
}

// repeat is a payload of n octets.
func repeat(s string, n int) string { return strings.Repeat(s, n/len(s)+1)[:n] }
