package bind

import (
	"fmt"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/wire"
)

// Paths as programs write them: names with dots between, and a backslash before a dot or backslash in a name.

// JoinPath is the inverse of SplitPath. It may change segments.
func JoinPath(segments []string) string {
	for i, s := range segments {
		segments[i] = wire.EscapeSegment(s)
	}
	return join(segments)
}

// SplitPath appends the segments of path to segments. It splits path at dots that are not behind a backslash.
func SplitPath(segments []string, path string) ([]string, error) {
	if path == "" {
		return segments, nil
	}
	if strings.IndexByte(path, '\\') < 0 {
		for {
			segment, rest, more := strings.Cut(path, ".")
			segments = append(segments, segment)
			if !more {
				return segments, nil
			}
			path = rest
		}
	}
	var segment []byte
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '.':
			segments = append(segments, string(segment))
			segment = segment[:0]
		case c == '\\' && i+1 < len(path) && (path[i+1] == '.' || path[i+1] == '\\'):
			i++
			segment = append(segment, path[i])
		case c == '\\':
			return segments, fmt.Errorf(`path %q: a backslash must stand before a dot or a backslash`, path)
		default:
			segment = append(segment, c)
		}
	}
	return append(segments, string(segment)), nil
}

// join is how a path is written for people.
func join(path []string) string { return strings.Join(path, ".") }
