package kkrpc

import (
	"bytes"
	"time"

	"github.com/kkrpc-go/kkrpc/internal/outbox"
	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// A client that does not know the generation of its peer asks for a function that nobody has. The dialect of the answer is
// that of the peer. kkrpc 0.x is asked first: kkrpc 2 ignores the question, while kkrpc 0.x would log one of kkrpc 2. A peer
// in Go knows the question, and answers as kkrpc 2.

const (
	// questionPath is the function that is asked for.
	questionPath = "kkrpc:dialect"
	// patience is how many times as long as the first silence the second one may be.
	patience = 10
)

// The questions have the id unawaited, so that nobody misses their answers. Each ends with a newline: without one, kkrpc 0.2
// would join the message to the next.
var (
	classicQuestion  = []byte(`{"id":"` + unawaited + `","method":"` + questionPath + `","args":[],"type":"request","callbackIds":[],"version":"json"}` + "\n")
	compactQuestions = [...][]byte{
		[]byte(`{"t":"q","id":"` + unawaited + `","op":"call","p":["` + questionPath + `"],"a":[]}` + "\n"),
		[]byte(`{"json":{"t":"q","id":"` + unawaited + `","op":"call","p":["` + questionPath + `"],"a":[]}}` + "\n"),
	}
)

// negotiate asks the peer for its dialect, unless a message of the peer tells it. silence is Options.Negotiate. The leader
// fixes the dialect when it reads the first message.
func (ch *Channel) negotiate(silence time.Duration) {
	known := ch.codecKnown()
	timer := time.NewTimer(silence)
	defer timer.Stop()
	answered := func() bool {
		select {
		case <-known:
		case <-ch.done:
		case <-timer.C:
			return false
		}
		return true
	}
	ch.out.Send(questionBuffer(classicQuestion))
	if answered() {
		return
	}
	for _, question := range compactQuestions {
		ch.out.Send(questionBuffer(question))
	}
	timer.Reset(patience * silence)
	if answered() {
		return
	}
	for _, d := range []wire.Dialect{wire.Compact, wire.CompactSuperJSON, wire.Classic, wire.ClassicSuperJSON} {
		if ch.accepts.Has(d) {
			ch.guessCodec(d)
			return
		}
	}
}

func questionBuffer(text []byte) *outbox.Buffer {
	b := outbox.NewBuffer()
	b.Bytes = append(b.Bytes, text...)
	return b
}

// questioned answers a client in Go that asks for the dialect of this side, as its first message. It reports whether frame
// is that question.
func (ch *Channel) questioned(frame []byte) bool {
	if !bytes.Equal(bytes.TrimSuffix(frame, []byte("\n")), classicQuestion[:len(classicQuestion)-1]) {
		return false
	}
	d := wire.Compact
	if codec := ch.codec.Load(); codec != nil {
		d = (*codec).Dialect()
	} else if !ch.accepts.Has(d) {
		d = wire.CompactSuperJSON
	}
	if d.IsClassic() || !ch.accepts.Has(d) {
		return false // as kkrpc 0.x does
	}
	ch.in.Fix(d)
	ch.setCodec(d)
	b := outbox.NewBuffer()
	b.Bytes = ch.appendError(b.Bytes, *ch.codec.Load(), []byte(`"`+unawaited+`"`), &wire.Error{Name: "Error", Message: "the dialect is " + Dialect(d).String()}, false)
	ch.out.Send(b)
	return true
}
