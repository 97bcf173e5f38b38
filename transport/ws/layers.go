//go:build !js

package ws

import (
	"iter"
	"net/http"
	"strings"

	"github.com/kkrpc-go/kkrpc/internal/announce"
)

// layers are what client and server put between the socket and their channels. A subprotocol names them.
type layers struct{ session, bytes bool }

const layersPrefix = "kkrpc."

// protocol is the subprotocol that names l, which is not empty.
func (l layers) protocol() string {
	var names []string
	if l.session {
		names = append(names, "session.1")
	}
	if l.bytes {
		names = append(names, "bytes.1")
	}
	return layersPrefix + strings.Join(names, "+")
}

// allLayers are the layers that a subprotocol can name, the best first.
var allLayers = []layers{{session: true, bytes: true}, {session: true}, {bytes: true}}

// layersOf returns what a subprotocol names; nothing if it is of another kind.
func layersOf(protocol string) layers {
	for _, l := range allLayers {
		if l.protocol() == protocol {
			return l
		}
	}
	return layers{}
}

// within reports whether there is nothing in l that is not in has.
func (l layers) within(has layers) bool {
	return (!l.session || has.session) && (!l.bytes || has.bytes)
}

// offers are the subprotocols of a client that wants l, and can do without a part of it.
func (l layers) offers() (protocols []string) {
	for _, some := range allLayers {
		if some.within(l) {
			protocols = append(protocols, some.protocol())
		}
	}
	return protocols
}

// agreedLayers returns the first layers that a client offers and a server has.
func agreedLayers(r *http.Request, has layers) layers {
	for protocol := range offered(r) {
		if l := layersOf(protocol); l != (layers{}) && l.within(has) {
			return l
		}
	}
	return layers{}
}

// offers reports whether a client offers a subprotocol.
func offers(r *http.Request, protocol string) bool {
	for other := range offered(r) {
		if other == protocol {
			return true
		}
	}
	return false
}

// offered are the subprotocols that a client offers.
func offered(r *http.Request) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, line := range r.Header["Sec-Websocket-Protocol"] {
			for protocol := range strings.SplitSeq(line, ",") {
				if !yield(strings.TrimSpace(protocol)) {
					return
				}
			}
		}
	}
}

// ByteMark implements kkrpc.ByteCarrier.
func (c *conn) ByteMark() string {
	if !c.bytes {
		return ""
	}
	return announce.Mark()
}

// ByteMark implements kkrpc.ByteCarrier.
func (l *link) ByteMark() string {
	if !l.bytes {
		return ""
	}
	return announce.Mark()
}
