package interop_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"os"
	"testing"

	"github.com/kkrpc-go/kkrpc/internal/wstest"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// The cases that the tests of transport/ws run are run against package ws, as a second opinion on their outcomes.

// wsExceptions are what package ws does otherwise. RFC 6455 and 7692 say what is right.
var wsExceptions = []wstest.Exception{
	{
		Reason: "text is checked once its message is complete",
		Cases:  []string{"6.4.1", "6.4.2"},
		Change: wstest.LateUTF8,
	},
	{
		Reason: "lengths need not be in their shortest form, which RFC 6455 demands of senders in section 5.2",
		Cases:  []string{"14.1", "14.2", "14.3", "14.4"},
		Change: wstest.Takes,
	},
	{
		Reason: "a compressed message that ends inside of a block is as much as zlib makes of it",
		Cases:  []string{"14.42"},
		Change: wstest.Answers("Heh"),
	},
}

// wsServerExceptions are what servers do otherwise beside that.
var wsServerExceptions = []wstest.Exception{{
	Reason: "an offer with an unknown parameter is refused with 400, where RFC 7692 has it declined in section 7.1",
	Cases:  []string{"0.1.13"},
}, {
	Reason: "numbers may begin with a zero or a sign",
	Cases:  []string{"0.1.22", "0.1.23"},
}}

// wsEcho starts echo.mjs and returns its standard input and output.
func wsEcho(t *testing.T, side string) (io.Writer, *bufio.Scanner) {
	cmd := js.Node.Command(t, "js/echo.mjs", side)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return in, bufio.NewScanner(out)
}

func TestWsServerConformance(t *testing.T) {
	_, out := wsEcho(t, "server")
	var ready struct{ URL string }
	if !out.Scan() || json.Unmarshal(out.Bytes(), &ready) != nil {
		t.Fatalf("the server said %q", out.Text())
	}
	u, err := url.Parse(ready.URL)
	if err != nil {
		t.Fatal(err)
	}
	wstest.TestServer(t, wstest.Server{
		Dial:       func() (net.Conn, error) { return net.Dial("tcp", u.Host) },
		Exceptions: append(wsServerExceptions, wsExceptions...),
	})
}

func TestWsClientConformance(t *testing.T) {
	in, _ := wsEcho(t, "client")
	lines := json.NewEncoder(in)
	wstest.TestClient(t, wstest.Client{
		Connect: func(url string, compress bool) error {
			return lines.Encode(map[string]any{"url": url, "compress": compress})
		},
		Exceptions: wsExceptions,
	})
}
