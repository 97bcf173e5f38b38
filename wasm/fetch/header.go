package fetch

import (
	"fmt"
	"slices"
	"strings"
)

// Header has the fields of a request or response by name. Its methods take names in any case. Names in the header of a
// response are in lower case, as in wasm.Request. The runtime joins several fields of one name with ", ", except
// set-cookie.
type Header map[string][]string

// Get returns the first value of the field, or "".
func (h Header) Get(name string) string {
	if values := h.Values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns all values of the field, which belong to h.
func (h Header) Values(name string) []string {
	if values, ok := h[strings.ToLower(name)]; ok {
		return values
	}
	for key, values := range h {
		if strings.EqualFold(key, name) {
			return values
		}
	}
	return nil
}

// Set replaces the values of the field by one.
func (h Header) Set(name, value string) {
	h.Del(name)
	h[strings.ToLower(name)] = []string{value}
}

// Add adds a value to those of the field.
func (h Header) Add(name, value string) {
	values := append(slices.Clone(h.Values(name)), value)
	h.Del(name)
	h[strings.ToLower(name)] = values
}

// Del removes the field.
func (h Header) Del(name string) {
	for key := range h {
		if strings.EqualFold(key, name) {
			delete(h, key)
		}
	}
}

// ofRuntime are fields that each runtime treats differently: refuses, ignores, or sends.
var ofRuntime = []string{
	"connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}

// check refuses what some runtime does not send. The error has no value, which may be a secret.
func (h Header) check() error {
	for name, values := range h {
		if !isToken(name) {
			return fmt.Errorf("header name %q: want letters, digits and dashes", name)
		}
		if slices.Contains(ofRuntime, strings.ToLower(name)) {
			return fmt.Errorf("header %s: the runtime sets it, take it out of Request.Header", name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }) {
				return fmt.Errorf("header %s: its value has characters that are not printable ASCII", name)
			}
		}
	}
	return nil
}

// isToken tells whether s may be a method or the name of a header field.
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
