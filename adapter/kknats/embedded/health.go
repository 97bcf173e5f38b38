package embedded

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Health returns nil once the server has all that its cluster has, and otherwise says what is missing. Whoever restarts the
// nodes of a cluster one after the other waits for it before the next: a cluster of three goes on without one node, but not
// without one and with another that has not caught up. After a restart that takes seconds, and after the network was cut it
// took up to two minutes.
func (s *Server) Health() error {
	// NATS has this for HTTP only.
	answer := &answer{header: http.Header{}, status: http.StatusOK}
	s.ns.HandleHealthz(answer, &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/healthz"}})
	if answer.status != http.StatusOK {
		return fmt.Errorf("embedded: the server has not caught up: %s", strings.TrimSpace(answer.body.String()))
	}
	return nil
}

type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
