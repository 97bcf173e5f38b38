package ws

import (
	"fmt"
	"unicode/utf8"
)

// CloseError is why a connection ended other than cleanly: what ReadFrame of the transport returns, and what the
// channel's Err wraps, after a close frame with a code other than 1000, 1001 and 1005.
type CloseError struct {
	Code   int    // WebSocket close code, such as 1008; RFC 6455, section 7.4
	Reason string // at most 123 bytes
	Sent   bool   // this side found fault and closed; otherwise the peer did
}

func (e *CloseError) Error() string {
	who := "closed by the peer"
	if e.Sent {
		who = "connection refused"
	}
	if e.Reason == "" {
		return fmt.Sprintf("ws: %s with code %d", who, e.Code)
	}
	return fmt.Sprintf("ws: %s with code %d: %s", who, e.Code, e.Reason)
}

// clip makes reason valid UTF-8 of at most 123 bytes, which is what a close frame holds.
func clip(reason string) string {
	const most = 123
	if len(reason) > most {
		n := most
		for n > 0 && !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	if !utf8.ValidString(reason) {
		return ""
	}
	return reason
}
