package ws

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// hostPattern is one entry of Options.Hosts: a name in lower case, or "." and one for every subdomain.
type hostPattern string

// parseHosts panics for a pattern that could never be meant.
func parseHosts(patterns []string) []hostPattern {
	parsed := make([]hostPattern, 0, len(patterns))
	for _, s := range patterns {
		p, err := parseHostPattern(s)
		if err != nil {
			panic(fmt.Sprintf("ws: Options.Hosts: %q: %v", s, err))
		}
		parsed = append(parsed, p)
	}
	return parsed
}

func parseHostPattern(s string) (hostPattern, error) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return hostPattern(ip.String()), nil
	}
	name, sub := strings.CutPrefix(s, "*.")
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if name == "" || strings.ContainsAny(name, "*/:@?#[] \t") {
		return "", errors.New(`want a name or an IP address without scheme, port and path, such as "localhost", ` +
			`or "*.example.com" for every subdomain`)
	}
	if sub {
		name = "." + name
	}
	return hostPattern(name), nil
}

// hostAllowed reports whether r was sent to a host of the list; an empty list stands for all.
func hostAllowed(r *http.Request, patterns []hostPattern) bool {
	if len(patterns) == 0 {
		return true
	}
	host := hostName(r.Host)
	for _, p := range patterns {
		if p[0] != '.' && host == string(p) || p[0] == '.' && len(host) > len(p) && strings.HasSuffix(host, string(p)) {
			return true
		}
	}
	return false
}

// hostName is the name in a Host header, as hostPattern writes it.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
