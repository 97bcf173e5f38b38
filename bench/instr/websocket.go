package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"

	gobwas "github.com/gobwas/ws"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// serveWS answers a request that comes over a socket, in bursts, each sent when the one before it has been answered.
func serveWS(request string, api kkrpc.Object, want string) func(int) error {
	return func(n int) error {
		server := httptest.NewServer(ws.Handler(api, nil))
		defer server.Close()
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			return err
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		if err := upgrade(conn, r); err != nil {
			return err
		}
		frame := gobwas.MustCompileFrame(gobwas.MaskFrameWith(gobwas.NewTextFrame([]byte(request)), [4]byte{1, 2, 3, 4}))
		all := []byte(strings.Repeat(string(frame), burst))
		if _, err := conn.Write(frame); err != nil {
			return err
		}
		header, err := gobwas.ReadHeader(r)
		if err != nil {
			return err
		}
		answer := make([]byte, min(header.Length, 1<<20))
		if _, err := io.ReadFull(r, answer); err != nil {
			return err
		}
		if !strings.Contains(string(answer), want) {
			return fmt.Errorf("the answer is %.500s", answer)
		}
		answers := make([]byte, burst*(gobwas.HeaderSize(header)+len(answer)))
		for range n / burst {
			if _, err := conn.Write(all); err != nil {
				return err
			}
			if _, err := io.ReadFull(conn, answers); err != nil {
				return err
			}
		}
		return nil
	}
}

func upgrade(conn net.Conn, r *bufio.Reader) error {
	_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+conn.RemoteAddr().String()+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(r, nil)
	if err == nil && response.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("the server answered %s", response.Status)
	}
	return err
}
