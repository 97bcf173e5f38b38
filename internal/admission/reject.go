// Package admission is what the HTTP sides of the transports share: which pages may use a server and by which
// names, and how a request is refused.
package admission

import (
	"fmt"
	"net/http"
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

// ByUser returns the error with which the user's own code answers a request: a status that is no failure becomes 403.
func ByUser(status int, text string) error {
	if status < 400 || status > 599 {
		status = http.StatusForbidden
	}
	return Reject(status, text)
}
