package upstream

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// URL is where Client finds the API. The host does not exist.
const URL = "http://upstream.invalid"

// Client returns a client whose requests Handler answers in this process, whatever their host. It works where a program
// has no network, as in WebAssembly.
func Client() *http.Client {
	return &http.Client{Transport: inProcess{Handler()}}
}

type inProcess struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper]. The handler never waits, so only a request that has ended before fails.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(w, r)
	return &http.Response{
		Status: fmt.Sprint(w.status, " ", http.StatusText(w.status)), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header            { return w.header }
func (w *recorder) WriteHeader(status int)         { w.status = status }
func (w *recorder) Write(part []byte) (int, error) { return w.body.Write(part) }
