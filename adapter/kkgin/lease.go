package kkgin

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"sync"

	"github.com/gin-gonic/gin"
)

// lease is the Writer of the context that a function of HandlerFor gets and may keep. It is the request's own until the
// function returns, and accepts nothing afterwards. Functions of the API may call it concurrently.
type lease struct {
	mu       sync.Mutex
	w        gin.ResponseWriter // nil once the function has returned
	answered bool               // by the function; w may keep what it is given, so that its Written does not tell
}

var errEnded = errors.New("kkgin: the request has been answered: its connection is a WebSocket")

// end tells whether the function has answered.
func (l *lease) end() (answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w = nil
	return l.answered
}

// writer is the Writer to use.
func (l *lease) writer() gin.ResponseWriter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return ended{}
	}
	return l.w
}

// answer is the Writer to answer by.
func (l *lease) answer() gin.ResponseWriter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return ended{}
	}
	l.answered = true
	return l.w
}

func (l *lease) Header() http.Header                          { return l.writer().Header() }
func (l *lease) WriteHeader(status int)                       { l.answer().WriteHeader(status) }
func (l *lease) WriteHeaderNow()                              { l.answer().WriteHeaderNow() }
func (l *lease) Write(p []byte) (int, error)                  { return l.answer().Write(p) }
func (l *lease) WriteString(s string) (int, error)            { return l.answer().WriteString(s) }
func (l *lease) Flush()                                       { l.answer().Flush() }
func (l *lease) CloseNotify() <-chan bool                     { return l.writer().CloseNotify() }
func (l *lease) Hijack() (net.Conn, *bufio.ReadWriter, error) { return l.answer().Hijack() }
func (l *lease) Pusher() http.Pusher                          { return l.writer().Pusher() }
func (l *lease) Written() bool                                { return l.writer().Written() }
func (l *lease) Size() int                                    { return l.writer().Size() }
func (l *lease) Status() int                                  { return l.writer().Status() }

// ended is the Writer of a request whose connection has become a WebSocket.
type ended struct{}

func (ended) Header() http.Header                          { return http.Header{} }
func (ended) WriteHeader(int)                              {}
func (ended) WriteHeaderNow()                              {}
func (ended) Write([]byte) (int, error)                    { return 0, errEnded }
func (ended) WriteString(string) (int, error)              { return 0, errEnded }
func (ended) Flush()                                       {}
func (ended) CloseNotify() <-chan bool                     { return nil }
func (ended) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, errEnded }
func (ended) Pusher() http.Pusher                          { return nil }
func (ended) Written() bool                                { return true }
func (ended) Size() int                                    { return 0 }
func (ended) Status() int                                  { return http.StatusSwitchingProtocols }
