//go:build !js

package ws

// Values of conn.reader: who owns the fields of the reading side.
const (
	readerIdle    = iota // nobody
	readerBusy           // the caller of ReadFrame or Park
	readerParked         // nobody, until the socket has something; see Park
	readerClosed         // linger; the connection is closed
	readerLeaving        // the caller of ReadFrame or Park, who starts linger when it leaves; the connection is closed
)

// inboundState is what the peer has sent so far. Only stop changes it, and linger for a verdict from outside the reader.
type inboundState int8

const (
	inboundOpen   inboundState = iota // frames may follow
	inboundClosed                     // the peer's close frame was the last
	inboundBroken                     // the peer broke the protocol, so nothing tells where a frame begins
)

// outboundState is where the bytes end that were written last, or conn.rest if there is some.
type outboundState int8

const (
	outboundWhole  outboundState = iota // at the end of a frame
	outboundInside                      // inside a frame, whose rest has to follow
	outboundClosed                      // after the close frame
)

// restOwner is who sends conn.rest.
type restOwner int8

const (
	restForNext   restOwner = iota // the next to write
	restForWriter                  // the WriteFrames that follows a TryWriteFrames
	restForDrain                   // the goroutine in drain
)

// idleTimer is the read deadline with which Park notices that nothing arrives. To set a deadline costs as much as to
// handle a small message. So a message leaves the deadline set, and when it passes it is set once more.
type idleTimer int8

const (
	idleTimerOff      idleTimer = iota // no deadline is set
	idleTimerSet                       // no message has arrived since it was set
	idleTimerExtended                  // a message has arrived since
)

// Values of conn.life: what the heartbeat knows about the peer.
const (
	lifeQuiet  = iota // nothing was received since the last heartbeat
	lifeHeard         // something was
	lifePinged        // nothing was, and that heartbeat was a ping
)
