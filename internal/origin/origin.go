// Package origin tells which pages may use a server, by the Origin header of their requests. It needs no net/http, which
// programs inside of a JavaScript server do not link.
package origin

import (
	"fmt"
	"net/url"
	"strings"
)

// Patterns are the pages that may use a server beside its own: what Options.Origins lists.
type Patterns []pattern

// pattern is one of them.
type pattern struct {
	any     bool
	literal string // such as null
	scheme  string
	host    string // lower case; a leading "." stands for every subdomain
	port    string // "*" for any
}

// Parse returns an error for a pattern that could never be meant. Patterns are "https://app.example.com",
// "https://*.example.com" for every subdomain but not example.com itself, "http://localhost:*" for every port, "null",
// and "*" for everyone.
func Parse(patterns []string) (Patterns, error) {
	parsed := make(Patterns, 0, len(patterns))
	for _, s := range patterns {
		p, err := parse(s)
		if err != nil {
			return nil, fmt.Errorf("Options.Origins: %q: %w", s, err)
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}

func parse(s string) (pattern, error) {
	switch s {
	case "*":
		return pattern{any: true}, nil
	case "null":
		return pattern{literal: s}, nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" {
		return pattern{}, fmt.Errorf(`want scheme://host, such as "http://localhost:*" or "https://*.example.com"`)
	}
	p := pattern{scheme: strings.ToLower(scheme)}
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
		p.port = Port(u)
	}
	return p, nil
}

// Port is the port of u, also where its scheme implies it.
func Port(u *url.URL) string {
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

func (p pattern) matches(origin string, u *url.URL) bool {
	switch {
	case p.any:
		return true
	case p.literal != "":
		return p.literal == origin
	case u == nil || p.scheme != u.Scheme || p.port != "*" && p.port != Port(u):
		return false
	case p.host[0] == '.':
		host := strings.ToLower(u.Hostname())
		return len(host) > len(p.host) && strings.HasSuffix(host, p.host)
	default:
		return p.host == strings.ToLower(u.Hostname())
	}
}

// Allow reports whether a page may use the server that host, a Host header, names. origins are the Origin headers of its
// request; without one it is from no page. secure tells that this process ended TLS.
func (p Patterns) Allow(origins []string, host string, secure bool) bool {
	if len(origins) == 0 {
		return true
	}
	origin := origins[0]
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" {
		u = nil
	}
	if len(origins) == 1 && u != nil && sameHost(u, host) && (!secure || u.Scheme == "https") {
		return true
	}
	for _, p := range p {
		if p.matches(origin, u) && (len(origins) == 1 || p.any) {
			return true
		}
	}
	return false
}

// sameHost compares an origin with a Host header. The scheme does not count, since behind a proxy it is not known; where
// this process ends TLS, Allow wants https, or whoever can alter a plain page of the host could use it.
func sameHost(origin *url.URL, host string) bool {
	h := &url.URL{Scheme: origin.Scheme, Host: host}
	return strings.EqualFold(origin.Hostname(), h.Hostname()) && Port(origin) == Port(h)
}
