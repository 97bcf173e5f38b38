// Command rawecho gives back every WebSocket message as it came, on the frames library that transport/ws uses and with
// the same coalescing: what was answered while more was in the read buffer goes out in one write. It is what a server in
// Go costs at least.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gobwas/ws"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "listen on `HOST:PORT`")
	child := flag.Bool("child", false, "end when standard input does")
	flag.Parse()
	if err := serve(*addr, *child); err != nil {
		fmt.Fprintln(os.Stderr, "rawecho:", err)
		os.Exit(1)
	}
}

func serve(addr string, child bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if child {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			stop()
		}()
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
		conn, _, _, err := ws.UpgradeHTTP(r, w)
		if err != nil {
			return
		}
		go func() {
			_ = echo(conn) // the peer has gone
			conn.Close()
		}()
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	fmt.Printf("{\"addr\":%q}\n", listener.Addr())
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

const (
	readSize = 128 << 10
	flushAt  = 64 << 10
	maxFrame = 16 << 20
)

// echo answers until the connection ends.
func echo(conn net.Conn) error {
	in, out := make([]byte, 0, readSize), make([]byte, 0, readSize)
	from := 0
	for {
		f, ok := parse(in[from:])
		if ok && f.length > maxFrame {
			return fmt.Errorf("a frame of %d bytes", f.length)
		}
		if end := f.header + f.length; !ok || len(in)-from < end {
			if err := flush(conn, &out); err != nil {
				return err
			}
			if end > cap(in) {
				in = append(make([]byte, 0, end), in[from:]...)
			} else {
				in = in[:copy(in, in[from:])]
			}
			from = 0
			n, err := conn.Read(in[len(in):cap(in)])
			if in = in[:len(in)+n]; err != nil {
				return err
			}
			continue
		}
		payload := in[from+f.header:][:f.length]
		from += f.header + f.length
		if f.op == ws.OpClose {
			return nil
		}
		ws.Cipher(payload, f.mask, 0)
		out = append(appendHeader(out, f.op, f.length), payload...)
		if len(out) >= flushAt {
			if err := flush(conn, &out); err != nil {
				return err
			}
		}
	}
}

func flush(conn net.Conn, out *[]byte) error {
	if len(*out) == 0 {
		return nil
	}
	_, err := conn.Write(*out)
	*out = (*out)[:0]
	return err
}

// frame is a masked frame, which clients send.
type frame struct {
	op             ws.OpCode
	header, length int
	mask           [4]byte
}

// parse reads the header of a frame; ok false if it is not there completely.
func parse(b []byte) (f frame, ok bool) {
	if len(b) < 14 && (len(b) < 6 || len(b) < headerSize(b[1]&127)) {
		return f, false
	}
	n := b[1] & 127
	f.op, f.header, f.length = ws.OpCode(b[0]&15), headerSize(n), int(n)
	switch n {
	case 126:
		f.length = int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		f.length = int(min(binary.BigEndian.Uint64(b[2:]), maxFrame+1))
	}
	copy(f.mask[:], b[f.header-4:])
	return f, true
}

func headerSize(n byte) int {
	switch n {
	case 126:
		return 8
	case 127:
		return 14
	default:
		return 6
	}
}

func appendHeader(b []byte, op ws.OpCode, n int) []byte {
	b = append(b, 0x80|byte(op))
	switch {
	case n < 126:
		return append(b, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
}
