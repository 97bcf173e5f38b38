package kknats

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
)

const hex = "0123456789ABCDEF"

// plain tells whether a byte of a name stands for itself in a subject. The others have a meaning for NATS, are forbidden, or
// are the percent sign that escapes them.
func plain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// encode returns a token of a subject for a name. No two names have the same.
func encode(name string) string {
	i := 0
	for i < len(name) && plain(name[i]) {
		i++
	}
	if i == len(name) {
		return name
	}
	token := make([]byte, i, i+3*(len(name)-i))
	copy(token, name)
	for ; i < len(name); i++ {
		if c := name[i]; plain(c) {
			token = append(token, c)
		} else {
			token = append(token, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(token)
}

// decode returns the name of which encode made the token.
func decode(token string) (name string, ok bool) {
	if !strings.Contains(token, "%") {
		return token, true
	}
	out := make([]byte, 0, len(token))
	for i := 0; i < len(token); i++ {
		c := token[i]
		if c == '%' {
			if i+2 >= len(token) {
				return "", false
			}
			high, low := strings.IndexByte(hex, token[i+1]), strings.IndexByte(hex, token[i+2])
			if high < 0 || low < 0 {
				return "", false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		out = append(out, c)
	}
	return string(out), true
}

// messageID returns what JetStream deduplicates by. It knows one set of ids for all logs, so that the log is part of it. The
// hash allows any text as id.
func messageID(subject, id string) string {
	h := sha256.New()
	h.Write(binary.AppendUvarint(nil, uint64(len(subject)))) // where the id begins
	h.Write([]byte(subject))
	h.Write([]byte(id))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}
