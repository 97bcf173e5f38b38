//go:build !js

package ws

import (
	"crypto/tls"
	"net"
	"testing"

	"net/http/httptest"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/transporttest"
)

// tcpPair returns both ends of a loopback connection.
func tcpPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		server.Close()
	})
	return client, server
}

// tlsPair is tcpPair under TLS.
func tlsPair(t testing.TB) (client, server net.Conn) {
	t.Helper()
	certs := httptest.NewUnstartedServer(nil)
	certs.StartTLS()
	certs.Close()
	c, s := tcpPair(t)
	sc := tls.Server(s, &tls.Config{Certificates: certs.TLS.Certificates})
	done := make(chan error, 1)
	go func() { done <- sc.Handshake() }()
	cc := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := cc.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return cc, sc
}

// wrapped hides that a connection is TCP or TLS, as a proxy's or a test's would.
type wrapped struct{ net.Conn }

func wrappedPair(t testing.TB) (client, server net.Conn) {
	c, s := tcpPair(t)
	return wrapped{c}, wrapped{s}
}

var networks = []struct {
	name string
	pair func(t testing.TB) (client, server net.Conn)
}{
	{"tcp", tcpPair},
	{"tls", tlsPair},
	{"other", wrappedPair},
}

func TestTransport(t *testing.T) {
	for _, network := range networks {
		for _, deflate := range []bool{false, true} {
			if deflate && network.name != "tcp" {
				continue // compression is above the network
			}
			name := network.name
			if deflate {
				name += ", compressed"
			}
			t.Run(name, func(t *testing.T) {
				transporttest.Run(t, func(t *testing.T) (a, b kkrpc.Transport) {
					c, s := network.pair(t)
					return newConn(c, nil, config{client: true, deflate: deflate}), newConn(s, nil, config{deflate: deflate})
				})
			})
		}
	}
}
