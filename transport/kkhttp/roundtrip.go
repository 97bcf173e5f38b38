package kkhttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	kkrpc "github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/internal/wire"
	"github.com/kkrpc-go/kkrpc/internal/wire/codecs"
)

// textBytes is the number of bytes that an error shows of an answer without a response.
const textBytes = 300

// exchange posts request and returns the response to it.
func (c *Client) exchange(ctx context.Context, request []byte) ([]byte, error) {
	req, err := c.request(ctx, request)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ue := (*url.Error)(nil); errors.As(err, &ue) {
			err = ue.Err // its text has the whole URL
		}
		return nil, fmt.Errorf("POST %s: %w", c.where, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(c.frame)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("POST %s: the answer broke off: %w", c.where, err)
	case len(body) > c.frame && resp.StatusCode >= 300:
		return nil, c.noResponse(wire.Begins(request), resp, body)
	case len(body) > c.frame:
		return nil, fmt.Errorf("POST %s: %w: the answer is longer than %d bytes (Limits.Frame)", c.where, kkrpc.ErrLimit, c.frame)
	}
	return c.response(request, resp, body)
}

func (c *Client) request(ctx context.Context, request []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	if c.header != nil {
		header, err := c.ask(ctx)
		if err != nil {
			return nil, err
		}
		for name, values := range header {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
		if host := req.Header.Get("Host"); host != "" {
			req.Host = host
			req.Header.Del("Host")
		}
	}
	req.Header.Set("Content-Type", jsonType)
	req.Header.Set("Accept", jsonType)
	return req, nil
}

// ask asks the user for headers. A panic in that is an error of this call: nobody else could recover from it.
func (c *Client) ask(ctx context.Context) (header http.Header, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic in ClientOptions.Header: %v\n%s", value, debug.Stack())
		}
	}()
	if header, err = c.header(ctx); err != nil {
		return nil, fmt.Errorf("ClientOptions.Header: %w", err)
	}
	return header, nil
}

// response returns the message in body, whatever the status, as kkrpc 2 does: its timeouts come with 504.
func (c *Client) response(request []byte, resp *http.Response, body []byte) ([]byte, error) {
	text := bytes.TrimSpace(body)
	own := wire.Begins(request)
	if !isResponse(codecs.Of(own), request, text, c.depth) {
		return nil, c.noResponse(own, resp, text)
	}
	return text, nil
}

// noResponse is the error for text that is no response to a request in the dialect own.
func (c *Client) noResponse(own wire.Dialect, resp *http.Response, text []byte) error {
	e := &StatusError{Code: resp.StatusCode, Location: resp.Header.Get("Location")}
	e.Text = strings.ToValidUTF8(string(text[:min(len(text), textBytes)]), "")
	if d, other := speaks(text, own, c.depth); other {
		return fmt.Errorf("POST %s: the server speaks %v and the client %v (Options.Dialect): %w", c.where, d, kkrpc.Dialect(own), e)
	}
	return fmt.Errorf("POST %s: %w", c.where, e)
}
