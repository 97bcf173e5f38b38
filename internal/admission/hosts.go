package admission

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Hosts are the names that requests may be sent to: what the Options.Hosts of the transports list. Each is a name in lower
// case, or "." and one for every subdomain. An empty list stands for all.
type Hosts []string

// ParseHosts returns an error for a pattern that could never be meant. Patterns are "localhost", "127.0.0.1", "::1", and
// "*.example.com" for every subdomain but not example.com itself.
func ParseHosts(patterns []string) (Hosts, error) {
	parsed := make(Hosts, 0, len(patterns))
	for _, s := range patterns {
		p, err := parseHostPattern(s)
		if err != nil {
			return nil, fmt.Errorf("Options.Hosts: %q: %w", s, err)
		}
		parsed = append(parsed, p)
	}
	return parsed, nil
}

func parseHostPattern(s string) (string, error) {
	if ip, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return ip.String(), nil
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
	return name, nil
}

// Allow reports whether r was sent to a host of the list.
func (h Hosts) Allow(r *http.Request) bool {
	if len(h) == 0 {
		return true
	}
	host := hostName(r.Host)
	for _, p := range h {
		if p[0] != '.' && host == p || p[0] == '.' && len(host) > len(p) && strings.HasSuffix(host, p) {
			return true
		}
	}
	return false
}

// hostName is the name in a Host header, as Hosts has them.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return ip.String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
