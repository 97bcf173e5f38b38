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
	Text   string // the body
}

// Reject returns a Rejection.
func Reject(status int, text string) *Rejection { return &Rejection{status, text} }

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

// ByUser returns the error with which the user's own code answers a request: a status that is no failure becomes 403.
func ByUser(status int, text string) error {
	if status < 400 || status > 599 {
		status = http.StatusForbidden
	}
	return Reject(status, text)
}
