package ws

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// originPattern is one entry of Options.Origins.
type originPattern struct {
	any     bool
	literal string // such as null
	scheme  string
	host    string // lower case; a leading "." stands for every subdomain
	port    string // "*" for any
}

// parseOrigins panics for a pattern that could never be meant.
func parseOrigins(patterns []string) []originPattern {
	parsed := make([]originPattern, 0, len(patterns))
	for _, s := range patterns {
		p, err := parseOriginPattern(s)
		if err != nil {
			panic(fmt.Sprintf("ws: Options.Origins: %q: %v", s, err))
		}
		parsed = append(parsed, p)
	}
	return parsed
}

func parseOriginPattern(s string) (originPattern, error) {
	switch s {
	case "*":
		return originPattern{any: true}, nil
	case "null":
		return originPattern{literal: s}, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" {
		return originPattern{}, fmt.Errorf(`want scheme://host, such as "http://localhost:*" or "https://*.example.com"`)
	}
	p := originPattern{scheme: strings.ToLower(scheme)}
	if strings.HasSuffix(rest, ":*") {
		p.port, rest = "*", strings.TrimSuffix(rest, ":*")
	}
	sub := strings.HasPrefix(rest, "*.")
	u, err := url.Parse(p.scheme + "://" + strings.TrimPrefix(rest, "*."))
	switch {
	case err != nil:
		return p, err
	case u.Hostname() == "" || strings.Contains(u.Hostname(), "*"):
		return p, fmt.Errorf(`a wildcard stands for a whole host ("*"), all subdomains ("*." in front) or all ports (":*" behind)`)
	case u.Path != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "":
		return p, fmt.Errorf("an origin is scheme, host and port, without a path")
	}
	p.host = strings.ToLower(u.Hostname())
	if sub {
		p.host = "." + p.host
	}
	if p.port == "" {
		p.port = portOf(u)
	}
	return p, nil
}

// portOf is the port of u, also where its scheme implies it.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	switch u.Scheme {
	case "https", "wss":
		return "443"
	case "http", "ws":
		return "80"
	}
	return ""
}

func (p originPattern) matches(origin string, u *url.URL) bool {
	switch {
	case p.any:
		return true
	case p.literal != "":
		return p.literal == origin
	case u == nil || p.scheme != u.Scheme || p.port != "*" && p.port != portOf(u):
		return false
	case p.host[0] == '.':
		host := strings.ToLower(u.Hostname())
		return len(host) > len(p.host) && strings.HasSuffix(host, p.host)
	default:
		return p.host == strings.ToLower(u.Hostname())
	}
}

// originAllowed reports whether the page that r comes from may connect; a request without Origin is from no page.
func originAllowed(r *http.Request, patterns []originPattern) bool {
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	origin := origins[0]
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		u = nil
	}
	if len(origins) == 1 && u != nil && sameHost(u, r.Host) && (r.TLS == nil || u.Scheme == "https") {
		return true
	}
	for _, p := range patterns {
		if p.matches(origin, u) && (len(origins) == 1 || p.any) {
			return true
		}
	}
	return false
}

// sameHost compares an origin with a Host header. The scheme does not count, since behind a proxy it is not known; where
// this process ends TLS, originAllowed wants https, or whoever can alter a plain page of the host could use it.
func sameHost(origin *url.URL, host string) bool {
	h := &url.URL{Scheme: origin.Scheme, Host: host}
	return strings.EqualFold(origin.Hostname(), h.Hostname()) && portOf(origin) == portOf(h)
}
