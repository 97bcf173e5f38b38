package admission

import (
	"net/http"
	"net/url"

	"github.com/kkrpc-go/kkrpc/internal/origin"
)

// Origins are the pages that may use a server beside its own: what the Options.Origins of the transports list.
type Origins origin.Patterns

// ParseOrigins is origin.Parse.
func ParseOrigins(patterns []string) (Origins, error) {
	parsed, err := origin.Parse(patterns)
	return Origins(parsed), err
}

// Allow reports whether the page that r comes from may use the server; a request without Origin is from no page.
func (o Origins) Allow(r *http.Request) bool {
	return origin.Patterns(o).Allow(r.Header.Values("Origin"), r.Host, r.TLS != nil)
}

// Port is the port of u, also where its scheme implies it.
func Port(u *url.URL) string { return origin.Port(u) }
