package interop_test

import (
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/gobwas/ws"
)

// relay passes WebSocket frames on between its clients and the server at target, and keeps what one side writes.
type relay struct {
	t      *testing.T
	target string
	of     side // whose messages are kept

	open  sync.WaitGroup // connections
	mu    sync.Mutex
	texts []string
}

type side int

const (
	clientSide side = iota
	serverSide
)

// kept waits until all connections are closed and returns the messages.
func (r *relay) kept() []string {
	r.open.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.texts)
}

func (r *relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.open.Add(1)
	defer r.open.Done()
	server, early, _, err := ws.Dial(req.Context(), r.target) // without the page's origin: that is not what is tested here
	if err != nil {
		r.t.Errorf("the relay: %v", err)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, buffered, _, err := ws.UpgradeHTTP(req, w)
	if err != nil {
		r.t.Errorf("the relay: %v", err)
		return
	}
	defer client.Close()
	var fromServer io.Reader = server
	if early != nil {
		fromServer = early
	}
	var pumping sync.WaitGroup
	pumping.Go(func() {
		r.pump(client, fromServer, serverSide)
		client.Close()
	})
	r.pump(server, buffered, clientSide)
	server.Close()
	pumping.Wait()
}

// pump ends with either connection.
func (r *relay) pump(to net.Conn, from io.Reader, of side) {
	var message []byte
	for {
		header, err := ws.ReadHeader(from)
		if err != nil || header.Length > 1<<24 { // more than any check sends
			return
		}
		frame := ws.Frame{Header: header, Payload: make([]byte, header.Length)}
		if _, err := io.ReadFull(from, frame.Payload); err != nil {
			return
		}
		if frame.Header.Masked {
			frame = ws.UnmaskFrameInPlace(frame)
		}
		if of == r.of && !frame.Header.OpCode.IsControl() {
			if frame.Header.OpCode == ws.OpBinary {
				r.t.Errorf("a binary frame of %d bytes", len(frame.Payload))
			}
			if message = append(message, frame.Payload...); frame.Header.Fin {
				r.mu.Lock()
				r.texts = append(r.texts, string(message))
				r.mu.Unlock()
				message = message[:0]
			}
		}
		if of == clientSide {
			frame = ws.MaskFrameInPlace(frame)
		}
		if ws.WriteFrame(to, frame) != nil {
			return
		}
	}
}
