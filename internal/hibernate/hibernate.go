// Package hibernate is the seam between a channel and package wasm/durable. A connection to a Durable Object outlives the
// program that serves it. The next program makes a channel for the same connection.
package hibernate

// Open makes the Keeper of a connection to a Durable Object. Package wasm calls it, if package wasm/durable has set it. wakes is
// how many programs have served the connection before, and state is what the last of them has saved. push has the
// transport read a frame next.
var Open func(id int32, wakes int, state string, push func(frame []byte)) Connection

// Connection is a Keeper with what package wasm tells of the connection.
type Connection interface {
	Keeper
	Dialect() string   // of the earlier channel; "" if it had none
	Read(frame []byte) // is about to be handled; valid until the next Read
	Wrote()
	Gone() // the channel has closed, or there will be none
}

// Transport is a transport whose connection may outlive the channel.
type Transport interface {
	Keeper() Keeper // nil: it does not
}

// Keeper keeps of a channel what the next one for the same connection needs. The channel calls its methods.
type Keeper interface {
	// Attach is called once, before the channel reads. It may call Channel.Start.
	Attach(ch Channel)
	// Kinds is called once, when the channel has made what Channel.StartKinds takes.
	Kinds(made any)
	// Repeats reports whether the frame that was read last is a call from before. Requests that are none wait until
	// Channel.Release. The goroutine that reads calls Repeats, Refused and Begin.
	Repeats() bool
	// Refused is called for a request that does not run. silent: it was repeated, and gets no answer.
	Refused(why string) (silent bool)
	// Begin is called for a request that is going to run. call stands for it until End, or Drop if it does not run after all.
	Begin(call any)
	Drop(call any)
	// End is called when the function has ended with err, and the answer is encoded. silent: the call was repeated, and the
	// answer is not sent.
	End(call, answer any, err error) (silent bool)
	// Call returns what the contexts of a call have for CallKey.
	Call(call any) any
}

// CallKey is the key of Keeper.Call in the contexts of functions.
type CallKey struct{}

// Start is from where a channel goes on. The zero Start is a new connection.
type Start struct {
	First  uint64 // numbers in ids of this side are above
	Prefix string // of ids of references of this side; "" if there were none
	Held   bool   // requests wait until Channel.Release
}

// Channel is what a Keeper may do with its channel. It may be called from any goroutine.
type Channel interface {
	// Start has the channel go on where an earlier one has ended, and StartKinds its ids of callbacks, streams and references.
	Start(Start)
	StartKinds(made any, from Start)
	// Issued returns the ids of the references in an answer of Keeper.End.
	Issued(answer any) (ids []string)
	// Withhold has the references in an answer that is not sent have the ids instead.
	Withhold(answer any, ids []string)
	// Release lets the requests run that wait because of Start.Held.
	Release()
	// Busy reports whether there is work that the next channel could not finish.
	Busy() bool
	// Rest stops the timers that an idle channel does not need.
	Rest()
	// Pause stops the timers of calls and streams that are open, until Resume.
	Pause()
	Resume()
	// Work returns the ids of all that is open.
	Work() Work
	// Lost tells the peer what of the work of an earlier channel has ended, with this error.
	Lost(w Work, name, message string)
	// CloseWith closes the channel.
	CloseWith(code int, reason string) error
}

// Work is what is open on a channel. Ids are raw JSON, but for those of calls, callbacks and references.
type Work struct {
	Dialect    string    `json:"d,omitempty"`
	Prefix     string    `json:"p,omitempty"` // as in Start
	First      uint64    `json:"-"`           // likewise, for Lost
	Requests   []Request `json:"q,omitempty"` // of the peer, without an answer
	Calls      []uint64  `json:"m,omitempty"` // of this side, without an answer
	StreamsOut []string  `json:"o,omitempty"` // of this side
	StreamsIn  []string  `json:"i,omitempty"` // of the peer
	Callbacks  []string  `json:"c,omitempty"` // of the peer, held by this side
	References []string  `json:"r,omitempty"` // likewise
}

// Request is a request of the peer.
type Request struct {
	ID   string `json:"i"`
	Text bool   `json:"t,omitempty"` // errors are to be plain strings
}
