package wstest

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	key   = "dGhlIHNhbXBsZSBub25jZQ=="
	magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// open sends a request with an offer of extensions, and returns the response.
func open(nc net.Conn, offer string) (*bufio.Reader, *http.Response, error) {
	_ = nc.SetDeadline(time.Now().Add(patience))
	request := "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n"
	if offer != "" {
		request += "Sec-WebSocket-Extensions: " + offer + "\r\n"
	}
	if _, err := nc.Write([]byte(request + "\r\n")); err != nil {
		return nil, nil, err
	}
	br := bufio.NewReader(nc)
	resp, err := http.ReadResponse(br, nil)
	return br, resp, err
}

// dialled opens a connection to a server for a case.
func dialled(nc net.Conn, c *Case) (*peer, error) {
	var offer offerList
	for _, p := range c.Compress {
		offer = append(offer, p.offer())
	}
	br, resp, err := open(nc, offer.String())
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Accept") != proof(key) {
		return nil, fmt.Errorf("answered %s", resp.Status)
	}
	p := newPeer(nc, br, true)
	agreed, err := parse(strings.Join(resp.Header.Values("Sec-WebSocket-Extensions"), ", "))
	if err != nil {
		return nil, err
	}
	if len(agreed) == 0 {
		return p, nil
	}
	if !offer.allow(agreed) {
		return nil, fmt.Errorf("to the offer %q the server agreed with %q", offer, agreed)
	}
	p.out = &compression{fresh: agreed[0].clientFresh, bits: agreed[0].clientBits}
	p.in = &compression{fresh: agreed[0].serverFresh, bits: agreed[0].serverBits}
	return p, nil
}

// requested reads a request of a client and returns its offer of extensions.
func requested(nc net.Conn) (*bufio.Reader, *http.Request, error) {
	_ = nc.SetDeadline(time.Now().Add(patience))
	br := bufio.NewReader(nc)
	r, err := http.ReadRequest(br)
	if err != nil {
		return nil, nil, err
	}
	if r.Method != http.MethodGet || !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Sec-WebSocket-Version") != "13" {
		return nil, nil, fmt.Errorf("a request that is no upgrade: %v", r.Header)
	}
	if k, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key")); err != nil || len(k) != 16 {
		return nil, nil, errors.New("a key that is not 16 octets")
	}
	return br, r, nil
}

// agree answers a request.
func agree(nc net.Conn, r *http.Request, extensions string) error {
	response := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + proof(r.Header.Get("Sec-WebSocket-Key")) + "\r\n"
	if extensions != "" {
		response += "Sec-WebSocket-Extensions: " + extensions + "\r\n"
	}
	_, err := nc.Write([]byte(response + "\r\n"))
	return err
}

// accepted answers a client for a case.
func accepted(nc net.Conn, c *Case) (*peer, error) {
	br, r, err := requested(nc)
	if err != nil {
		return nil, err
	}
	p := newPeer(nc, br, false)
	offer, err := parse(strings.Join(r.Header.Values("Sec-WebSocket-Extensions"), ", "))
	if err != nil {
		return nil, err
	}
	agreed, ok := offer.choose(c.Compress)
	if !ok {
		return p, agree(nc, r, "")
	}
	p.out = &compression{fresh: agreed.serverFresh, bits: agreed.serverBits}
	p.in = &compression{fresh: agreed.clientFresh, bits: agreed.clientBits}
	return p, agree(nc, r, agreed.String())
}

// proof is the answer to a key.
func proof(key string) string {
	sum := sha1.Sum([]byte(key + magic))
	return base64.StdEncoding.EncodeToString(sum[:])
}
