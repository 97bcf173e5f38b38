package superjson

import (
	"net/url"
	"strings"
)

// parseURL accepts what could be the href of a JavaScript URL, which is always absolute. The String of the result is
// that href. Package url refuses some of them and would write others in another form, such as http://x/100% and
// http://x/a|b. Their Opaque holds the text.
func parseURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err == nil && (u.String() == s || !isHref(s)) {
		return u, absoluteURL(u)
	}
	scheme, rest, _ := strings.Cut(s, ":")
	if err != nil {
		if !isHref(s) || !isScheme(scheme) {
			return nil, false
		}
		if u, err = url.Parse(escapePercents(s)); err != nil {
			u = &url.URL{Scheme: scheme}
		}
	}
	verbatim := *u
	var before string
	before, _, _ = strings.Cut(rest, "#")
	verbatim.Opaque, verbatim.RawQuery, verbatim.ForceQuery = before, "", false
	if specific, query, found := strings.Cut(before, "?"); found {
		verbatim.Opaque, verbatim.RawQuery, verbatim.ForceQuery = specific, query, query == ""
	}
	if verbatim.String() != s { // the fragment differs too, so Opaque must hold all of it
		verbatim.Opaque, verbatim.RawQuery, verbatim.ForceQuery, verbatim.Fragment, verbatim.RawFragment = rest, "", false, "", ""
	}
	if verbatim.String() == s {
		u = &verbatim
	}
	return u, absoluteURL(u)
}

// isHref reports whether a JavaScript URL writes its href in such characters.
func isHref(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c <= ' ' || c >= 0x7f }) < 0
}

func isScheme(s string) bool {
	for i, c := range s {
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return s != ""
}

// escapePercents escapes each % that does not begin an escape.
func escapePercents(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		if s[i] == '%' && !(i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2])) {
			b.WriteString("25")
		}
	}
	return b.String()
}

func isHex(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'f' }

func absoluteURL(u *url.URL) bool {
	switch u.Scheme {
	case "":
		return false
	case "http", "https", "ws", "wss", "ftp":
		authority, found := strings.CutPrefix(u.Opaque, "//")
		return u.Host != "" || found && strings.Trim(authority, "/") != ""
	}
	return true
}
