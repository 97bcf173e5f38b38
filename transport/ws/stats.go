package ws

import (
	kkrpc "github.com/kkrpc-go/kkrpc"
)

// Stats counts the work of a Server so far and its connections now; see Server.Stats. Fields of type uint64 never fall.
type Stats struct {
	// Open is the number of connections now, including those that are being opened or closed. A session is one of them, also
	// while it is paused.
	Open int
	// Opened is the number of connections that were opened.
	Opened uint64
	// Refused counts requests that did not become a connection, by reason.
	Refused Refusals
	// Closed counts connections that have ended, by reason.
	Closed Closings
	// Sessions counts sessions; see Options.Session.
	Sessions SessionStats
	// Channels is the sum over the channels. Its fields of type uint64 include channels that have closed.
	Channels kkrpc.Stats
}

// Refusals counts requests that did not become a connection.
type Refusals struct {
	Forbidden uint64 // by Options.Origins and Options.Hosts; status 403
	Malformed uint64 // no handshake of a WebSocket that the server takes
	Full      uint64 // beyond Options.MaxConns; status 503
	Draining  uint64 // after Shutdown; status 503
	API       uint64 // the function of HandlerFor returned an error
	Failed    uint64 // the upgrade failed, or the channel could not be made, because Options.RPC is wrong
}

// SessionStats counts what becomes of sessions whose sockets break.
type SessionStats struct {
	Paused  int    // sessions without a socket now; they are in Stats.Open too
	Resumed uint64 // times that a session went on over a new socket
	Refused uint64 // sockets that wanted to resume a session and could not
	Expired uint64 // sessions whose client did not come back within SessionOptions.Keep
}

// Closings counts connections that have ended. The reason in the log is the name of the field in lower case.
type Closings struct {
	Peer     uint64 // the peer closed it
	Lost     uint64 // the network failed, or the peer went without a close frame
	Self     uint64 // this program closed the channel
	Shutdown uint64 // Shutdown or Close of the server
	Ping     uint64 // the peer did not answer a ping; see Options.Ping
	Slow     uint64 // the peer read too slowly: Limits.Write, SendTime, or kkrpc.ErrSlowConsumer
	Limit    uint64 // the peer exceeded any other limit
	Protocol uint64 // the peer broke the WebSocket protocol, or spoke a dialect that is not in RPC.Dialects
	Evicted  uint64 // it held the most memory when all connections together were over Options.Memory
}
