// Package roundtrip lets net/http send its requests by package wasm/fetch. It is for programs inside a JavaScript server
// that use a package which needs an [http.Client].
//
//	client := &http.Client{Transport: roundtrip.Transport{}}
//
// net/http adds 1.3 MB to the gzipped size of a program. Package wasm/fetch alone adds 16 KB.
//
// net/http has a transport of its own in WebAssembly. That one has no network in Node.js if it was started as `node`. It
// forgets ctx and Client.Timeout after the header of a response, never calls CheckRedirect, and buffers request bodies.
// This one has none of these limits. http.Client wraps its errors in a *url.Error, which has the whole URL with its query.
package roundtrip

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/kkrpc-go/kkrpc/wasm/fetch"
)

// Transport is an [http.RoundTripper]. Its zero value is ready. It follows no redirect, because http.Client does. The limits of
// package fetch apply: a Request.Host beside that of the URL is refused, for example.
type Transport struct{}

// whole is the size in bytes of a body of known length that is sent as a whole, with a Content-Length.
const whole = 1 << 20

// RoundTrip implements [http.RoundTripper]. Its errors are those of package fetch.
func (Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Host != "" && r.Host != r.URL.Host {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read
		}
		return nil, fmt.Errorf("roundtrip: Request.Host is %q, and the URL has %q: the runtime sets Host by the URL", r.Host, r.URL.Host)
	}
	body, err := bodyOf(r)
	if err != nil {
		return nil, err
	}
	header := make(fetch.Header, len(r.Header))
	for name, values := range r.Header {
		header[name] = values
	}
	response, err := fetch.Do(r.Context(), &fetch.Request{
		Method: r.Method, URL: r.URL.String(), Header: header, Body: body, Redirect: fetch.RedirectManual,
	})
	if err != nil {
		return nil, err
	}
	result := &http.Response{
		Status: fmt.Sprint(response.Status, " ", http.StatusText(response.Status)), StatusCode: response.Status,
		Header: make(http.Header, len(response.Header)), Body: response.Body, ContentLength: -1, Uncompressed: response.Uncompressed, Request: r,
	}
	for name, values := range response.Header {
		result.Header[http.CanonicalHeaderKey(name)] = values
	}
	if n, err := strconv.ParseInt(response.Header.Get("content-length"), 10, 64); err == nil && n >= 0 {
		result.ContentLength = n
	}
	return result, nil
}

// bodyOf returns the body to send. It closes that of r unless fetch.Do will.
func bodyOf(r *http.Request) (io.Reader, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	if r.ContentLength <= 0 || r.ContentLength > whole {
		return r.Body, nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, r.ContentLength+1))
	if err = errors.Join(err, r.Body.Close()); err != nil {
		return nil, fmt.Errorf("roundtrip: read the request body: %w", err)
	}
	if int64(len(data)) != r.ContentLength {
		return nil, fmt.Errorf("roundtrip: the request body does not have the %d bytes of ContentLength", r.ContentLength)
	}
	return bytes.NewReader(data), nil
}
