//go:build !js

package ws

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wstest"
)

// exceptions are what both ends of this package do otherwise than the cases of package wstest say.
var exceptions = []wstest.Exception{
	{
		Reason:    "several pings that have arrived get one pong, as RFC 6455 allows in section 5.5.3",
		Cases:     []string{"2.10", "2.11"},
		Change:    wstest.MergedPongs,
		Sometimes: true,
	},
	{
		Reason: "messages are JSON: they are sent as text, and binary ones are taken for text",
		Cases:  []string{"1.2.1", "9.4.", "9.8.1", "12.3."},
		Change: wstest.TextEchoes,
	},
	{
		Reason: "a binary message that is not UTF-8 is no JSON, and refused with 1003, unsupported data",
		Cases: []string{"1.2.2", "1.2.3", "1.2.4", "1.2.5", "1.2.6", "1.2.7", "1.2.8", "9.2.", "9.6.",
			"9.8.2", "9.8.3", "9.8.4", "9.8.5", "9.8.6", "12.2.", "12.5."},
		Change: wstest.Fails(1003),
	},
	{
		Reason: "text is checked once its message is complete: RFC 6455 asks in section 8.1 for no more",
		Cases:  []string{"6.4.1", "6.4.2"},
		Change: wstest.LateUTF8,
	},
}

// serverExceptions are what servers do otherwise beside that.
var serverExceptions = []wstest.Exception{{
	Reason: "compress/flate has one size of window, so that offers that ask for one are declined",
	Cases:  []string{"13.3.", "13.4.", "13.5.", "13.6."},
	Change: wstest.Plain,
}}

// clientExceptions are what clients do otherwise beside that.
var clientExceptions = []wstest.Exception{{
	Reason: "compress/flate has one size of window, so that clients do not offer to use a smaller one",
	Cases:  []string{"13.3.", "13.4.", "13.5.", "13.6."},
	Change: wstest.Plain,
}}

const conformanceLimit = 16 << 20

func echoBack(c *conn) {
	for {
		msg, _, err := c.ReadFrame(nil)
		if err == nil {
			err = c.WriteFrames([][]byte{msg})
		}
		if err != nil {
			_ = c.Close(1000, "")
			return
		}
	}
}

// echoServer sends back what arrives, on connections that a Server has upgraded.
func echoServer(t *testing.T) *httptest.Server {
	s := Handler(nil, &Options{Compression: true, Logger: slog.New(slog.DiscardHandler)})
	return httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, rejected := s.check(r); rejected != nil {
			answer(w, rejected)
			return
		}
		nc, early, hs, err := s.upgrade(w, r)
		if err != nil {
			return
		}
		go echoBack(newConn(nc, early, config{limit: conformanceLimit, deflate: len(hs.Extensions) > 0}))
	}))
}

func TestServerConformance(t *testing.T) {
	t.Log(wstest.Summary())
	for _, octets := range []bool{false, true} {
		t.Run(map[bool]string{false: "as listed", true: "by octet"}[octets], func(t *testing.T) {
			server := echoServer(t)
			server.Start()
			defer server.Close()
			wstest.TestServer(t, wstest.Server{
				Dial:       func() (net.Conn, error) { return net.Dial("tcp", server.Listener.Addr().String()) },
				Exceptions: append(serverExceptions, exceptions...),
				Octets:     octets,
			})
		})
	}
}

func TestClientConformance(t *testing.T) {
	for _, octets := range []bool{false, true} {
		t.Run(map[bool]string{false: "as listed", true: "by octet"}[octets], func(t *testing.T) {
			wstest.TestClient(t, wstest.Client{
				Connect: func(url string, compress bool) error {
					u, _, err := parseURL(url)
					if err != nil {
						return err
					}
					go func() {
						nc, early, agreed, err := connect(context.Background(), u, &DialOptions{Compression: compress})
						if err == nil {
							echoBack(newConn(nc, early, config{client: true, limit: conformanceLimit, deflate: agreed.deflate}))
						}
					}()
					return nil
				},
				Exceptions: append(clientExceptions, exceptions...),
				Octets:     octets,
			})
		})
	}
}
