package bind

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// irregular are words that the rule of ExportedName would split.
var irregular = [...]string{"OAuth", "OpenID", "IPv4", "IPv6"}

// ExportedName is the name under which the peer sees a method or field. The first word is in lower case; a leading
// initialism is one word. Greet is greet, GetURL getURL, ID id, IDs ids, HTTPServer httpServer, OAuth oauth.
func ExportedName(name string) string {
	for _, word := range irregular {
		if rest, ok := strings.CutPrefix(name, word); ok && !startsLower(rest) {
			return strings.ToLower(word) + rest
		}
	}
	upper := 0 // bytes of leading capitals
	last := 0  // where the last of them starts
	for upper < len(name) {
		r, n := utf8.DecodeRuneInString(name[upper:])
		if !unicode.IsUpper(r) {
			break
		}
		last, upper = upper, upper+n
	}
	rest := name[upper:]
	switch {
	case last == 0, !startsLower(rest):
		// One capital, or an initialism that ends here: ID, HTTP2Push.
	case rest[0] == 's' && !startsLower(rest[1:]):
		// The plural of an initialism: IDs, URLsOf.
	default:
		upper = last // the last capital starts the next word: HTTPServer
	}
	return strings.ToLower(name[:upper]) + name[upper:]
}

func startsLower(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return unicode.IsLower(r)
}
