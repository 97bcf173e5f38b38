package ws

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// parseURL returns raw with the scheme ws or wss, and what errors may show of it: no password and no parameters, which
// often hold tokens.
func parseURL(raw string) (u *url.URL, where string, err error) {
	u, err = url.Parse(raw)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, "", &urlError{fmt.Errorf("ws: dial: malformed URL: %w", err)}
	}
	where = u.Scheme + "://" + u.Host + u.Path
	switch strings.ToLower(u.Scheme) {
	case "ws", "http":
		u.Scheme = "ws"
	case "wss", "https":
		u.Scheme = "wss"
	default:
		return nil, "", &urlError{fmt.Errorf("ws: dial: the URL must begin with ws:// or wss://, got scheme %q", u.Scheme)}
	}
	if u.Hostname() == "" {
		return nil, "", &urlError{fmt.Errorf("ws: dial %s: the URL has no host", where)}
	}
	u.Fragment = ""
	return u, where, nil
}

// urlError is for a URL that nothing can be dialled with.
type urlError struct{ error }

func (e *urlError) Unwrap() error { return e.error }
