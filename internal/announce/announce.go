// Package announce has the two ways in which a client names its dialect when it opens a WebSocket: a parameter of the
// URL and a subprotocol. A server that knows neither ignores both. Package ws and package wasm read them.
package announce

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/kkrpc-go/kkrpc"
)

const (
	parameter = "kkrpc"
	prefix    = "kkrpc." // of subprotocols
)

// Protocol is the subprotocol that names d.
func Protocol(d kkrpc.Dialect) string { return prefix + d.String() }

// IsProtocol reports whether a subprotocol names a dialect.
func IsProtocol(protocol string) bool {
	_, ok := ofProtocol(protocol)
	return ok
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
// protocols are the lines of the header Sec-WebSocket-Protocol. An error is about the URL; unknown subprotocols are not
// ours.
func Dialect(query url.Values, protocols []string) (d kkrpc.Dialect, ok bool, err error) {
	if values, ok := query[parameter]; ok {
		name := values[0]
		if err := d.UnmarshalText([]byte(name[:min(len(name), 100)])); err != nil { // no name is that long
			return 0, false, fmt.Errorf("parameter %s: %w", parameter, err)
		}
		return d, true, nil
	}
	for _, line := range protocols {
		for protocol := range strings.SplitSeq(line, ",") {
			if d, ok := ofProtocol(strings.TrimSpace(protocol)); ok {
				return d, true, nil
			}
		}
	}
	return 0, false, nil
}

func ofProtocol(protocol string) (d kkrpc.Dialect, ok bool) {
	name, ok := strings.CutPrefix(protocol, prefix)
	if !ok || d.UnmarshalText([]byte(name)) != nil {
		return 0, false
	}
	return d, true
}
