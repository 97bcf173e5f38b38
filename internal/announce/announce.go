// Package announce has the two ways in which a client names its dialect when it opens a WebSocket: a parameter of the
// URL and a subprotocol. A server that knows neither ignores both. Package ws and package wasm read them. The parameter can also
// say that both sides send binary frames, which a server that selects no subprotocol cannot agree to otherwise.
package announce

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc"
)

const (
	parameter = "kkrpc"
	prefix    = "kkrpc."   // of subprotocols
	withBytes = ",bytes.1" // behind the dialect in the parameter, if bytes travel in binary frames
)

// Protocol is the subprotocol that names d.
func Protocol(d kkrpc.Dialect) string { return prefix + d.String() }

// IsProtocol reports whether a subprotocol names a dialect.
func IsProtocol(protocol string) bool {
	_, ok := ofProtocol(protocol)
	return ok
}

// Accepted reports whether a server that accepts the dialects of list agrees to a subprotocol that names one. An empty list
// has all.
func Accepted(protocol string, list []kkrpc.Dialect) bool {
	d, ok := ofProtocol(protocol)
	return ok && accepts(list, d)
}

func accepts(list []kkrpc.Dialect, d kkrpc.Dialect) bool {
	return d == 0 || len(list) == 0 || slices.Contains(list, d)
}

func notAccepted(list []kkrpc.Dialect, d kkrpc.Dialect) error {
	return fmt.Errorf("the dialect %v is not accepted here, only %s", d, strings.Trim(fmt.Sprint(list), "[]"))
}

// In reports whether the parameters of a URL name a dialect.
func In(query url.Values) bool { return query.Has(parameter) }

// AddTo adds a parameter that names d to an encoded query.
func AddTo(rawQuery string, d kkrpc.Dialect) string {
	if rawQuery != "" && !strings.HasSuffix(rawQuery, "&") {
		rawQuery += "&"
	}
	return rawQuery + parameter + "=" + d.String()
}

// Dialect returns the dialect that a request names, and whether it names one. The URL counts more than the subprotocols.
// protocols are the lines of the header Sec-WebSocket-Protocol. list are the dialects that the server accepts; an empty list
// has all. An error is for the client: its URL names no dialect, or it names none that is accepted.
func Dialect(query url.Values, protocols []string, list []kkrpc.Dialect) (d kkrpc.Dialect, ok bool, err error) {
	if values, ok := query[parameter]; ok {
		name := strings.TrimSuffix(values[0], withBytes)
		if err = d.UnmarshalText([]byte(name[:min(len(name), 100)])); err == nil && !accepts(list, d) { // no name is that long
			err = notAccepted(list, d)
		}
		if err != nil {
			return 0, false, fmt.Errorf("parameter %s: %w", parameter, err)
		}
		return d, true, nil
	}
	for _, line := range protocols {
		for protocol := range strings.SplitSeq(line, ",") {
			d, named := ofProtocol(strings.TrimSpace(protocol))
			switch {
			case named && accepts(list, d):
				return d, true, nil
			case named && err == nil:
				err = notAccepted(list, d)
			}
		}
	}
	return 0, false, err
}

// Bytes reports whether the parameters of a URL have client and server send binary frames.
func Bytes(query url.Values) bool { return strings.HasSuffix(query.Get(parameter), withBytes) }

func ofProtocol(protocol string) (d kkrpc.Dialect, ok bool) {
	name, ok := strings.CutPrefix(protocol, prefix)
	if !ok || d.UnmarshalText([]byte(name)) != nil {
		return 0, false
	}
	return d, true
}
