package superjson

import "strings"

// appendEscaped appends one path segment as superjson writes it: a backslash before each backslash and dot.
func appendEscaped(dst []byte, key string) []byte {
	if strings.IndexByte(key, '.') < 0 && strings.IndexByte(key, '\\') < 0 {
		return append(dst, key...)
	}
	for i := range len(key) {
		if key[i] == '.' || key[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, key[i])
	}
	return dst
}

// parsePath splits an escaped path. Under legacy rules a backslash escapes nothing but a dot.
func parsePath(path string, legacy bool) ([]string, error) {
	var segments []string
	if strings.IndexByte(path, '\\') < 0 {
		segments = strings.Split(path, ".")
	} else {
		segment := make([]byte, 0, len(path))
		for i := 0; i < len(path); i++ {
			c := path[i]
			if c == '.' {
				segments = append(segments, string(segment))
				segment = segment[:0]
				continue
			}
			if c == '\\' {
				next := byte(0)
				if i+1 < len(path) {
					next = path[i+1]
				}
				if next == '.' || next == '\\' && !legacy {
					c = next
					i++
				} else if !legacy {
					return nil, &DataError{Reason: "metadata: invalid escape in a path"}
				}
			}
			segment = append(segment, c)
		}
		segments = append(segments, string(segment))
	}
	for _, s := range segments {
		if forbiddenKey(s) {
			return nil, &DataError{Reason: "metadata: a path runs through " + s}
		}
	}
	return segments, nil
}

// forbiddenKey reports the names through which a path could reach a JavaScript prototype.
func forbiddenKey(key string) bool {
	return key == "__proto__" || key == "constructor" || key == "prototype"
}

// arrayIndex returns the array index that key stands for in JavaScript, or -1. Objects list such keys first, in
// ascending order.
func arrayIndex(key string) int64 {
	if key == "" || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return -1
	}
	n := int64(0)
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return -1
		}
		n = n*10 + int64(key[i]-'0')
	}
	if n >= 1<<32-1 {
		return -1
	}
	return n
}
