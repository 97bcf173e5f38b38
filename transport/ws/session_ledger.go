//go:build !js

package ws

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

const (
	// sessionIDSize is how many characters the id of a session has: 32 bytes in base64url.
	sessionIDSize = 43
	// controlMark begins each frame of the layer. Messages of kkrpc begin with {.
	controlMark = '#'
	// maxControl is how long a frame of the layer may be, in bytes.
	maxControl = 1 << 10
	// maxNumber is the largest number that a control frame may hold.
	maxNumber = 1<<53 - 1
	// ackMessages and ackBytes are what may be received until it is acknowledged at once.
	ackMessages = 64
	ackBytes    = 64 << 10
	// keptOverhead is what a kept message takes beside its bytes.
	keptOverhead = 4
)

// controlKind is the first word of a control frame.
type controlKind string

const (
	controlOpen    controlKind = "#open"
	controlResume  controlKind = "#resume"
	controlSession controlKind = "#session"
	controlResumed controlKind = "#resumed"
	controlRefused controlKind = "#refused"
	controlAck     controlKind = "#ack"
	controlPing    controlKind = "#ping"
)

// controlFrame is a frame of the layer; see the section Sessions of docs/protocol.md.
type controlFrame struct {
	kind   controlKind
	id     string // of resume and session
	n      uint64 // of resume, resumed and ack: messages that have arrived
	keep   uint64 // of session, in milliseconds
	buffer uint64 // of session, in bytes
	reason string // of refused
	text   string // of refused, for people
}

// errControl is what parseControl finds wrong.
var errControl = errors.New("malformed control frame")

// parseControl reads a frame of the layer, all of it.
func parseControl(p []byte) (f controlFrame, err error) {
	if digits, ok := bytes.CutPrefix(p, []byte("#ack ")); ok {
		f.kind = controlAck
		f.n, err = parseNumber(digits)
		return f, err
	}
	if len(p) > maxControl {
		return f, errControl
	}
	word, rest, more := strings.Cut(string(p), " ")
	f.kind = controlKind(word)
	if bare := f.kind == controlOpen || f.kind == controlPing; bare || !more {
		if !bare || more {
			return f, errControl
		}
		return f, nil
	}
	switch f.kind {
	case controlResume:
		var n string
		f.id, n, _ = strings.Cut(rest, " ")
		f.n, err = parseNumber([]byte(n))
	case controlResumed:
		f.n, err = parseNumber([]byte(rest))
	case controlSession:
		var keep, buffer string
		f.id, rest, _ = strings.Cut(rest, " ")
		keep, buffer, _ = strings.Cut(rest, " ")
		if f.keep, err = parseNumber([]byte(keep)); err == nil {
			f.buffer, err = parseNumber([]byte(buffer))
		}
	case controlRefused:
		if f.reason, f.text, more = strings.Cut(rest, " "); !more || f.reason == "" {
			return f, errControl
		}
		return f, nil
	default:
		return f, errControl
	}
	if err == nil && f.kind != controlResumed && !isSessionID(f.id) {
		err = errControl
	}
	return f, err
}

// append appends the frame in the form that parseControl reads.
func (f controlFrame) append(dst []byte) []byte {
	dst = append(dst, f.kind...)
	switch f.kind {
	case controlResume:
		dst = append(append(dst, ' '), f.id...)
		return appendNumber(dst, f.n)
	case controlResumed, controlAck:
		return appendNumber(dst, f.n)
	case controlSession:
		dst = append(append(dst, ' '), f.id...)
		return appendNumber(appendNumber(dst, f.keep), f.buffer)
	case controlRefused:
		dst = append(append(dst, ' '), f.reason...)
		return append(append(dst, ' '), f.text...)
	}
	return dst
}

func appendNumber(dst []byte, n uint64) []byte { return strconv.AppendUint(append(dst, ' '), n, 10) }

// parseNumber reads decimal digits without a sign and without leading zeros.
func parseNumber(p []byte) (n uint64, err error) {
	if len(p) == 0 || len(p) > 16 || p[0] == '0' && len(p) > 1 {
		return 0, errControl
	}
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, errControl
		}
		n = n*10 + uint64(c-'0')
	}
	if n > maxNumber {
		return 0, errControl
	}
	return n, nil
}

func isSessionID(id string) bool {
	return len(id) == sessionIDSize && strings.IndexFunc(id, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	}) < 0
}

// ledger is what one side of a session knows of its messages. It does no I/O, and needs a lock.
type ledger struct {
	sent     uint64 // messages of this side
	known    uint64 // of these, the first ones that the peer has acknowledged
	received uint64 // messages of the peer
	acked    uint64 // of these, the first ones that this side has acknowledged
	unacked  int    // bytes of the others
	owed     bool   // the peer waits for an acknowledgement, even of nothing new

	bound int    // of kept bytes, or one larger message
	log   []byte // a length and the message, for each; borrowed
	head  int    // where in log message known+1 begins
	lent  bool   // somebody reads log, which must not move
}

// fits reports whether there is room for a message of n bytes.
func (g *ledger) fits(n int) bool {
	held := len(g.log) - g.head
	return held == 0 || held+keptOverhead+n <= g.bound
}

// keep numbers a message and keeps a copy. log must not be lent.
func (g *ledger) keep(msg []byte) {
	g.sent++
	need := keptOverhead + len(msg)
	if held := len(g.log) - g.head; len(g.log)+need > cap(g.log) && g.head >= held {
		copy(g.log, g.log[g.head:])
		g.log, g.head = g.log[:held], 0
	}
	if g.log == nil && need <= len(*new(tinyBuffer)) {
		g.log = tinyPool.Get().(*tinyBuffer)[:0]
	}
	g.log = withRoom(g.log, need, 2*g.bound+need)
	g.log = append(binary.LittleEndian.AppendUint32(g.log, uint32(len(msg))), msg...)
}

// checkKnown is what is wrong with a peer's claim that n messages have arrived.
func (g *ledger) checkKnown(n uint64) error {
	if n < g.known || n > g.sent {
		return fmt.Errorf("%d messages acknowledged, of %d that were sent and %d that were acknowledged before", n, g.sent, g.known)
	}
	return nil
}

// acknowledge drops the first n messages of this side.
func (g *ledger) acknowledge(n uint64) error {
	if err := g.checkKnown(n); err != nil {
		return err
	}
	for ; g.known < n; g.known++ {
		g.head += keptOverhead + int(binary.LittleEndian.Uint32(g.log[g.head:]))
	}
	g.trim()
	return nil
}

// trim gives log back once nothing is in it.
func (g *ledger) trim() {
	if g.head == len(g.log) && !g.lent {
		g.drop()
	}
}

// drop gives log back.
func (g *ledger) drop() {
	if cap(g.log) == len(*new(tinyBuffer)) {
		tinyPool.Put((*tinyBuffer)(g.log[:cap(g.log)]))
	} else {
		putBuffer(g.log)
	}
	g.log, g.head = nil, 0
}

// tinyBuffer is what a few small messages are kept in: thousands of sessions may wait for the acknowledgement of one.
type tinyBuffer [512]byte

var tinyPool = sync.Pool{New: func() any { return new(tinyBuffer) }}

// lend returns the kept messages, which stay where they are until giveBack.
func (g *ledger) lend() (msgs [][]byte) {
	g.lent = true
	for at := g.head; at < len(g.log); {
		n := int(binary.LittleEndian.Uint32(g.log[at:]))
		at += keptOverhead
		msgs = append(msgs, g.log[at:at+n])
		at += n
	}
	return msgs
}

func (g *ledger) giveBack() {
	g.lent = false
	g.trim()
}

// forget drops all messages. Somebody may still read what was lent.
func (g *ledger) forget() {
	if g.lent {
		g.log, g.head = nil, 0
		return
	}
	g.drop()
}

// receive counts a message of n bytes. It reports whether it is time to acknowledge.
func (g *ledger) receive(n int) (due bool) {
	g.received++
	g.unacked += n
	return g.received-g.acked >= ackMessages || g.unacked >= ackBytes
}

// appendAck appends an acknowledgement if there is something to acknowledge, or the peer waits for one.
func (g *ledger) appendAck(dst []byte) []byte {
	if g.received == g.acked && !g.owed {
		return dst
	}
	g.acknowledged()
	return controlFrame{kind: controlAck, n: g.received}.append(dst)
}

// acknowledged notes that the peer is told of all messages that have been received.
func (g *ledger) acknowledged() { g.acked, g.unacked, g.owed = g.received, 0, false }
