package fetch

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Redirect says what Do does with a redirect.
type Redirect int

const (
	RedirectFollow Redirect = iota // follows up to 20 of them, in Bun 126
	RedirectManual                 // returns the response with its status of 3xx and its Location
	RedirectError                  // fails with ErrRedirect
)

// Request is an HTTP request. Do changes nothing in it, and needs it no more when it returns, apart from Body.
type Request struct {
	Method string // "" means GET
	URL    string
	Header Header // may be nil

	// Body is what is sent; nil sends nothing. The package documentation says which readers are sent as a whole. Any other
	// one may be read until the body of the response is closed. Do closes Body if it is an io.Closer, when the end of
	// the body has been sent or the request has ended.
	Body io.Reader

	Redirect Redirect
}

// Response is an HTTP response.
type Response struct {
	Status     int    // such as 200
	StatusText string // such as "OK"; "" in HTTP/2
	Header     Header

	// URL is that of the last request, after redirects.
	URL        string
	Redirected bool // a redirect was followed

	// Uncompressed tells that the runtime has decoded the body. Content-Encoding and Content-Length are gone from Header.
	Uncompressed bool

	// Body is never nil. The caller has to close it, which aborts what has not been read. Read returns io.EOF at the end, and an
	// *Error if the connection breaks before that or ctx ends.
	Body io.ReadCloser
}

// Get sends a GET request.
func Get(ctx context.Context, url string) (*Response, error) {
	return Do(ctx, &Request{URL: url})
}

// Post sends a POST request with a body of this content type.
func Post(ctx context.Context, url, contentType string, body io.Reader) (*Response, error) {
	return Do(ctx, &Request{Method: "POST", URL: url, Header: Header{"content-type": {contentType}}, Body: body})
}

// Do sends a request and returns when the header of the response has come. ctx governs the body of the response too. The error
// is an [*Error]. Outside of a program that `kkrpc build hono` has built, every request fails.
func Do(ctx context.Context, r *Request) (*Response, error) { return inside.do(ctx, r) }

// newExchange checks r and prepares the request, without starting it. The error lacks the request's name.
func newExchange(r *Request) (x *exchange, err error) {
	x = &exchange{
		method: r.Method, redirect: r.Redirect, kind: bodyNone, stream: r.Body,
		head: make(chan []byte, 1), readable: make(chan struct{}, 1), wanted: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if x.method == "" {
		x.method = "GET"
	}
	if !isToken(x.method) {
		x.method = strconv.Quote(x.method)
		return x, errors.New("the method is malformed: want one such as GET")
	}
	target, err := url.Parse(r.URL)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return x, fmt.Errorf("malformed URL: %w", failed.Err) // url.Error has the whole URL
	} else if err != nil {
		return x, fmt.Errorf("malformed URL: %w", err)
	}
	if target.Scheme != "http" && target.Scheme != "https" || target.Host == "" {
		return x, errors.New("the URL does not begin with http:// or https:// and a host")
	}
	x.url = (&url.URL{Scheme: target.Scheme, Host: target.Host, Path: target.Path, RawPath: target.RawPath}).String()
	if err := r.Header.check(); err != nil {
		return x, err
	}
	redirect := "manual"
	switch r.Redirect {
	case RedirectFollow:
		redirect = "follow"
	case RedirectManual, RedirectError: // workerd has no "error"
	default:
		return x, fmt.Errorf("Redirect is %d: want RedirectFollow, RedirectManual or RedirectError", r.Redirect)
	}

	user := target.User
	target.User, target.Fragment, target.RawFragment = nil, "", ""
	words := []string{x.method, target.String(), redirect}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			words = append(words, name, value)
		}
	}
	if user != nil && len(r.Header.Values("authorization")) == 0 {
		password, _ := user.Password()
		words = append(words, "authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if len(r.Header.Values("accept-encoding")) == 0 {
		words = append(words, "accept-encoding", "gzip, br") // what each runtime decodes
	}
	x.request = strings.Join(words, "\x00")

	switch r.Body.(type) {
	case nil:
	case *bytes.Reader, *bytes.Buffer, *strings.Reader:
		x.kind, x.stream = bodyBytes, nil
		x.body, _ = io.ReadAll(r.Body) // from memory
	default:
		x.kind = bodyStream
	}
	return x, nil
}

// response reads what the host says of a response.
func (x *exchange) response(head []byte) (*Response, error) {
	words := strings.Split(string(head), "\x00")
	if len(words) < 5 {
		return nil, errors.New("fetch.mjs of another version of kkrpc: build the program and its server with one command")
	}
	status, err := strconv.Atoi(words[0])
	if err != nil {
		return nil, fmt.Errorf("the status of the response: %w", err)
	}
	r := &Response{Status: status, StatusText: words[1], Header: Header{}, URL: words[2], Redirected: words[3] != "", Body: &body{x}}
	for fields := words[5:]; len(fields) >= 2; fields = fields[2:] {
		name := strings.ToLower(fields[0])
		r.Header[name] = append(r.Header[name], fields[1])
	}
	if x.redirect == RedirectError && slices.Contains([]int{301, 302, 303, 307, 308}, status) {
		return nil, fmt.Errorf("status %d: %w", status, ErrRedirect)
	}
	if words[4] == "" { // as of HEAD and 304
		x.end(io.EOF)
		return r, nil
	}
	switch strings.ToLower(r.Header.Get("content-encoding")) {
	case "gzip", "br":
		r.Uncompressed = true
		r.Header.Del("content-encoding")
		r.Header.Del("content-length")
	}
	return r, nil
}
