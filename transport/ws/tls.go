//go:build !js

package ws

import (
	"crypto/tls"
	"net"
)

// isTLS reports whether nc is crypto/tls itself, whose Read returns decrypted data before it looks at the deadline
// and stays usable after a timeout.
func isTLS(nc net.Conn) bool {
	_, ok := nc.(*tls.Conn)
	return ok
}
