package kkrpc

// Transport carries whole messages of one connection: text in UTF-8, whose length the transport bounds. A Channel owns the
// Transport it was made with and closes it.
//
// Packages transport/ws and transport/stdio have some, and Pipe makes one. For one of your own over something that
// delivers by calling, an [Inbox] is the reading half; package transport/transporttest has the tests that each must pass.
type Transport interface {
	// ReadFrame blocks for the next whole message, appended to buf[:0]; msg is valid until buf is passed again.
	// more reports that another message is already buffered, so that a reply can wait to be sent together with
	// the next. It is called by one goroutine at a time, not always the same one. io.EOF means a clean close.
	ReadFrame(buf []byte) (msg []byte, more bool, err error)
	// WriteFrames sends all messages in order, keeps none of them, and uses as few system calls as it can, within
	// the transport's write timeout. It is called by one goroutine at a time, concurrently with ReadFrame.
	WriteFrames(msgs [][]byte) error
	// Close tells the peer the WebSocket close code and the reason where it can, and unblocks both other methods.
	// It may be called more than once and from any goroutine.
	Close(code int, reason string) error
}
