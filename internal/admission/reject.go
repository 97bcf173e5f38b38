// Package admission is what the HTTP sides of the transports share: which pages may use a server and by which
// names, and how a request is refused.
package admission

import (
	"fmt"
	"net/http"
	"strconv"
)

// Rejection is an error with which a request is answered.
type Rejection struct {
	Status int
	Text   string // the body, or the reason of the close frame
	Code   int    // of the close frame that a WebSocket gets instead of the status; 0 for none
}

// Reject returns a Rejection.
func Reject(status int, text string) *Rejection { return &Rejection{Status: status, Text: text} }

func (e *Rejection) Error() string { return fmt.Sprintf("rejected with %d: %s", e.Status, e.Text) }

// Answer writes e as the response.
func (e *Rejection) Answer(w http.ResponseWriter) {
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, e.Text, e.Status)
}

// quotedBytes is how much of what a client sent is told back to it.
const quotedBytes = 200

// Quote is what a client sent, for the text of a Rejection: quoted, and cut off, so that no answer is much longer than its
// request.
func Quote(s string) string {
	if len(s) > quotedBytes {
		return strconv.Quote(s[:quotedBytes]) + "…"
	}
	return strconv.Quote(s)
}

// ByUser returns the error with which the user's own code answers a request. code is an HTTP status or an application's close
// code, which is 403 where there is no WebSocket. Anything else, such as a status that is no failure, becomes 403 too.
func ByUser(code int, text string) error {
	switch {
	case 400 <= code && code <= 599:
		return Reject(code, text)
	case 3000 <= code && code <= 4999:
		return &Rejection{Status: http.StatusForbidden, Text: text, Code: code}
	}
	return Reject(http.StatusForbidden, text)
}
