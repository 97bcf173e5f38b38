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
)

// textBytes is the number of bytes that an error shows of an answer without a response.
const textBytes = 300

// exchange posts p and returns the response to it.
func (t *poster) exchange(p *post) ([]byte, error) {
	req, err := t.request(p)
	if err != nil {
		return nil, err
	}
	resp, err := t.http.Do(req)
	if err != nil {
		if ue := (*url.Error)(nil); errors.As(err, &ue) {
			err = ue.Err // its text has the whole URL
		}
		return nil, fmt.Errorf("POST %s: %w", t.where, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(t.frame)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("POST %s: the answer broke off: %w", t.where, err)
	case len(body) > t.frame && resp.StatusCode >= 300:
		return nil, t.noResponse(resp, body)
	case len(body) > t.frame:
		return nil, fmt.Errorf("POST %s: %w: the answer is longer than %d bytes (Limits.Frame)", t.where, kkrpc.ErrLimit, t.frame)
	}
	return t.response(p, resp, body)
}

func (t *poster) request(p *post) (*http.Request, error) {
	req, err := http.NewRequestWithContext(p.ctx, http.MethodPost, t.url, bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	if t.header != nil {
		header, err := t.ask(p.ctx)
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
func (t *poster) ask(ctx context.Context) (header http.Header, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic in ClientOptions.Header: %v\n%s", value, debug.Stack())
		}
	}()
	if header, err = t.header(ctx); err != nil {
		return nil, fmt.Errorf("ClientOptions.Header: %w", err)
	}
	return header, nil
}

// response returns the message in body, whatever the status, as kkrpc 2 does: its timeouts come with 504.
func (t *poster) response(p *post, resp *http.Response, body []byte) ([]byte, error) {
	var m wire.Message
	text := bytes.TrimSpace(body)
	if !isResponse(t.codec, text, p.rawID, t.depth, &m) {
		return nil, t.noResponse(resp, text)
	}
	if reason := impossible(&m); reason != "" {
		return nil, fmt.Errorf("the answer of %s: %w: %s", t.where, kkrpc.ErrUnsupported, reason)
	}
	if t.codec.Dialect().IsClassic() { // one line for the channel; in JSON a newline is white space: strings escape it
		text = append(bytes.ReplaceAll(text, []byte{'\n'}, []byte{' '}), '\n')
	}
	return text, nil
}

func (t *poster) noResponse(resp *http.Response, text []byte) error {
	e := &StatusError{Code: resp.StatusCode, Location: resp.Header.Get("Location")}
	e.Text = strings.ToValidUTF8(string(text[:min(len(text), textBytes)]), "")
	own := t.codec.Dialect()
	if d, _, err := wire.Detect(text, t.depth); err == nil && d != wire.Unknown && d != own && !(d.IsClassic() && own.IsClassic()) {
		return fmt.Errorf("POST %s: the server speaks %v and the client %v (Options.Dialect): %w",
			t.where, kkrpc.Dialect(d), kkrpc.Dialect(own), e)
	}
	return fmt.Errorf("POST %s: %w", t.where, e)
}
