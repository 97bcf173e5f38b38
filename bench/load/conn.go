package load

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gobwas/ws"
)

// Target is a server.
type Target struct {
	Addr string // host:port
	Path string
	TLS  bool
	// Protocol is the WebSocket subprotocol to ask for, or "".
	Protocol string
}

// conn is a WebSocket on which the frames are ours.
type conn struct {
	net.Conn
	in       []byte // read and not yet handed out
	from     int
	partial  []byte // of a message in several frames
	pongs    Out
	received int64
}

const dialTime = 20 * time.Second

// dial connects and upgrades.
func (t Target) dial() (*conn, error) {
	plain, err := net.DialTimeout("tcp", t.Addr, dialTime)
	if err != nil {
		return nil, err
	}
	c := plain
	// Reset when closed: thousands of connections would leave as many ports waiting.
	if tcp, ok := plain.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	if t.TLS {
		c = tls.Client(plain, &tls.Config{InsecureSkipVerify: true}) // the certificate is the benchmark's own
	}
	conn, err := t.upgrade(c)
	if err != nil {
		plain.Close()
		return nil, fmt.Errorf("connecting to %s%s: %w", t.Addr, t.Path, err)
	}
	return conn, nil
}

func (t Target) upgrade(c net.Conn) (*conn, error) {
	if err := c.SetDeadline(time.Now().Add(dialTime)); err != nil {
		return nil, err
	}
	request := "GET " + t.Path + " HTTP/1.1\r\nHost: " + t.Addr +
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	if t.Protocol != "" {
		request += "Sec-WebSocket-Protocol: " + t.Protocol + "\r\n"
	}
	if _, err := c.Write([]byte(request + "\r\n")); err != nil {
		return nil, err
	}
	// Small: what it reads beyond the answer is kept, the rest of it is garbage.
	r := bufio.NewReaderSize(c, 512)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the server answered %s", response.Status)
	}
	if response.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		return nil, errors.New("the server's Sec-WebSocket-Accept is wrong")
	}
	early, err := r.Peek(r.Buffered())
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bytes.Clone(early)}, c.SetDeadline(time.Time{})
}

// next returns the next message that has been read, or ok false if none is complete. msg is valid until fill.
func (c *conn) next() (msg []byte, ok bool, err error) {
	for {
		b := c.in[c.from:]
		if len(b) < 2 {
			return nil, false, nil
		}
		header, n := 2, uint64(b[1]&127)
		switch n {
		case 126:
			if header = 4; len(b) >= header {
				n = uint64(binary.BigEndian.Uint16(b[2:]))
			}
		case 127:
			if header = 10; len(b) >= header {
				n = binary.BigEndian.Uint64(b[2:])
			}
		}
		if b[1]&0x80 != 0 || b[0]&0x70 != 0 {
			return nil, false, fmt.Errorf("a frame that a server may not send: % x", b[:2])
		}
		if len(b) < header || uint64(len(b)-header) < n {
			return nil, false, nil
		}
		payload := b[header : header+int(n)]
		c.from += header + int(n)
		c.received++
		fin := b[0]&0x80 != 0
		switch op := ws.OpCode(b[0] & 15); op {
		case ws.OpPing:
			c.pongs.frame(append(c.pongs.begin(), payload...), ws.OpPong)
			if _, err := c.Write(c.pongs.take()); err != nil {
				return nil, false, err
			}
		case ws.OpPong:
		case ws.OpClose:
			if len(payload) < 2 {
				return nil, false, errors.New("the server closed the connection")
			}
			return nil, false, fmt.Errorf("the server closed the connection with %d %q", binary.BigEndian.Uint16(payload), payload[2:])
		case ws.OpText, ws.OpBinary, ws.OpContinuation:
			if fin && op != ws.OpContinuation {
				return payload, true, nil
			}
			c.partial = append(c.partial, payload...)
			if fin {
				msg, c.partial = c.partial, nil
				return msg, true, nil
			}
		default:
			return nil, false, fmt.Errorf("a frame of unknown kind %d", op)
		}
	}
}

const readSize = 64 << 10

// fill reads what is there, waiting for something.
func (c *conn) fill() error {
	switch {
	case c.from == len(c.in):
		c.in, c.from = c.in[:0], 0
	case c.from > 0 && cap(c.in)-len(c.in) < min(cap(c.in), readSize)/2:
		c.in, c.from = c.in[:copy(c.in, c.in[c.from:])], 0
	}
	if free := cap(c.in) - len(c.in); free < min(cap(c.in), readSize)/4 || free == 0 {
		c.in = append(make([]byte, 0, 2*cap(c.in)+readSize), c.in...)
	}
	n, err := c.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if n > 0 {
		return nil
	}
	return err
}

// message waits for the next message.
func (c *conn) message() ([]byte, error) {
	for {
		msg, ok, err := c.next()
		if ok || err != nil {
			return msg, err
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}
