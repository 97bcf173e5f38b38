//go:build !js

package ws

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/admission"
	"github.com/kkrpc-go/kkrpc/internal/announce"
)

// answer writes e as the response.
func answer(w http.ResponseWriter, e *admission.Rejection) {
	if e.Status == http.StatusUpgradeRequired {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Sec-WebSocket-Version", "13")
	}
	e.Answer(w)
}

// refusalPause is how long the log says nothing of refused pages after one, so that nobody can fill it.
const refusalPause = 10 * time.Second

// tell logs why a page or a host is refused: a browser shows nobody the text of the answer.
func (s *Server) tell(r *http.Request, e *admission.Rejection) {
	last, now := s.told.Load(), time.Now()
	if last != nil && now.Sub(*last) < refusalPause { // by the clock that nobody sets back
		return
	}
	if s.told.CompareAndSwap(last, &now) {
		s.log.Warn("ws: refused: "+e.Text, "remote", r.RemoteAddr)
	}
}

// check says why r cannot become a WebSocket, and the dialect that it fixes.
func (s *Server) check(r *http.Request) (kkrpc.Dialect, *admission.Rejection) {
	dialect := s.opts.RPC.Dialect
	switch {
	case !s.hosts.Allow(r):
		return 0, admission.Reject(http.StatusForbidden, fmt.Sprintf("Requests to the host %s are not served here: "+
			"add it to Hosts in ws.Options to allow them.", admission.Quote(r.Host)))
	case r.ProtoMajor > 1: // where the header Upgrade is not allowed, in no answer either
		return 0, admission.Reject(http.StatusBadRequest, fmt.Sprintf("This is a kkrpc endpoint: connect to it with a WebSocket client. "+
			"A WebSocket is opened with HTTP/1.1, not %s.", r.Proto))
	case !hasToken(r.Header, "Upgrade", "websocket") || !hasToken(r.Header, "Connection", "upgrade"):
		return 0, admission.Reject(http.StatusUpgradeRequired, "This is a kkrpc endpoint: connect to it with a WebSocket client. "+
			"Behind a proxy, make it forward the headers Upgrade and Connection.")
	case !r.ProtoAtLeast(1, 1):
		return 0, admission.Reject(http.StatusBadRequest, fmt.Sprintf("A WebSocket is opened with HTTP/1.1, not %s.", r.Proto))
	case r.Method != http.MethodGet:
		return 0, admission.Reject(http.StatusMethodNotAllowed, "A WebSocket is opened with GET.")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return 0, admission.Reject(http.StatusBadRequest, "A request that opens a WebSocket has no body.")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		return 0, admission.Reject(http.StatusUpgradeRequired, "Only WebSocket version 13 is spoken here.")
	case len(r.Header.Get("Sec-WebSocket-Key")) != 24:
		return 0, admission.Reject(http.StatusBadRequest, "Sec-WebSocket-Key is missing or malformed.")
	case !every(r.Header["Sec-Websocket-Protocol"], isTokens):
		return 0, admission.Reject(http.StatusBadRequest, "Sec-WebSocket-Protocol is malformed.")
	case s.opts.Compression && !every(r.Header["Sec-Websocket-Extensions"], isOptions):
		return 0, admission.Reject(http.StatusBadRequest, "Sec-WebSocket-Extensions is malformed.")
	case !s.origins.Allow(r):
		return 0, admission.Reject(http.StatusForbidden, fmt.Sprintf("Pages from the origin %s may not connect to %s: "+
			"add it to Origins in ws.Options to allow them.", admission.Quote(r.Header.Get("Origin")), admission.Quote(r.Host)))
	}
	announced, ok, err := announce.Dialect(r.URL.Query(), r.Header["Sec-Websocket-Protocol"], s.opts.RPC.Dialects)
	if err != nil {
		return 0, admission.Reject(http.StatusBadRequest, err.Error())
	}
	if ok {
		dialect = announced
	}
	return dialect, nil
}

// hasToken reports whether a comma-separated header has token.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// isTokens reports whether a header is a list of tokens.
func isTokens(line string) bool {
	return httphead.ScanTokens([]byte(line), func([]byte) bool { return true })
}

// isOptions reports whether a header is a list of tokens with parameters.
func isOptions(line string) bool {
	_, ok := httphead.ParseOptions([]byte(line), nil)
	return ok
}

func every(lines []string, is func(string) bool) bool {
	return !slices.ContainsFunc(lines, func(line string) bool { return !is(line) })
}

// upgrade makes r a WebSocket and returns its connection with what the client has sent already.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request) (nc net.Conn, early []byte, hs ws.Handshake, err error) {
	u := ws.HTTPUpgrader{
		Timeout:  handshakeTime(s.opts.RPC.Limits),
		Header:   responseHeader(w.Header()),
		Protocol: s.agrees,
	}
	if l := s.agreedLayers(r); l != (layers{}) { // wherever it stands: some servers select the first one unseen
		u.Protocol = func(protocol string) bool { return protocol == l.protocol() }
	}
	if s.opts.Compression {
		u.Negotiate = negotiateDeflate()
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || !strings.EqualFold(r.Header.Get("Connection"), "Upgrade") {
		// The upgrader looks for one word on the first line of each; check has looked for it on all.
		r = r.WithContext(r.Context())
		r.Header = r.Header.Clone()
		r.Header["Upgrade"], r.Header["Connection"] = []string{"websocket"}, []string{"Upgrade"}
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		answer(w, admission.Reject(http.StatusInternalServerError, "This request cannot become a WebSocket: something in front of "+
			"the handler, such as http.TimeoutHandler, keeps the connection. Mount the handler without it."))
		return nil, nil, hs, fmt.Errorf("taking the connection over from a %s: %w", innermost(w), err)
	}
	nc, rw, hs, err = u.Upgrade(r, hijacked{w, nc, rw})
	if err != nil {
		if nc != nil {
			_ = nc.Close()
		}
		return nil, nil, hs, err
	}
	early = make([]byte, rw.Reader.Buffered())
	if _, err := io.ReadFull(rw, early); err != nil {
		_ = nc.Close()
		return nil, nil, hs, err
	}
	return nc, early, hs, nil
}

// hijacked gives the upgrader a connection that has been taken over already.
type hijacked struct {
	http.ResponseWriter
	nc net.Conn
	rw *bufio.ReadWriter
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) { return h.nc, h.rw, nil }

// innermost names the type of the writer that all others wrap, as far as they say so.
func innermost(w http.ResponseWriter) string {
	for {
		u, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return fmt.Sprintf("%T", w)
		}
		w = u.Unwrap()
	}
}

// agreedLayers are those that the connection of r gets. A subprotocol of the program counts more than bytes alone.
func (s *Server) agreedLayers(r *http.Request) layers {
	l := agreedLayers(r, layers{session: s.opts.Session != nil, bytes: true})
	if l.session || !slices.ContainsFunc(s.opts.Subprotocols, func(own string) bool { return offers(r, own) }) {
		return l
	}
	return layers{}
}

// agrees reports whether the server speaks a subprotocol.
func (s *Server) agrees(protocol string) bool {
	return announce.Accepted(protocol, s.opts.RPC.Dialects) || slices.Contains(s.opts.Subprotocols, protocol)
}

// responseHeader is what middleware has set, cookies for instance, without what belongs to the handshake.
func responseHeader(h http.Header) http.Header {
	if len(h) == 0 {
		return nil
	}
	h = h.Clone()
	for _, name := range []string{"Connection", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Upgrade",
		"Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol"} {
		delete(h, name)
	}
	return h
}
