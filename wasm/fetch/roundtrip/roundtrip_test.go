package roundtrip

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error { c.closed = true; return nil }

// TestBodies is which bodies are sent as a whole. Those are closed before the request.
func TestBodies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		length int64
		body   string
		whole  bool
		err    string
	}{
		{"known length", 4, "text", true, ""},
		{"unknown length", -1, "text", false, ""},
		{"no length given", 0, "text", false, ""},
		{"large", whole + 1, "text", false, ""},
		{"shorter", 5, "text", false, "does not have the 5 bytes"},
		{"longer", 3, "text", false, "does not have the 3 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := &closer{Reader: strings.NewReader(tt.body)}
			got, err := bodyOf(&http.Request{Body: body, ContentLength: tt.length})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || !body.closed {
					t.Errorf("%v, closed: %v", err, body.closed)
				}
				return
			}
			if err != nil || (got != io.Reader(body)) != tt.whole || body.closed != tt.whole {
				t.Errorf("%v, %v, closed: %v", got, err, body.closed)
			}
		})
	}
	for _, body := range []io.ReadCloser{nil, http.NoBody} {
		if got, err := bodyOf(&http.Request{Body: body}); got != nil || err != nil {
			t.Errorf("%v: %v, %v", body, got, err)
		}
	}
	broken := errors.New("disk on fire")
	if _, err := bodyOf(&http.Request{Body: io.NopCloser(failing{broken}), ContentLength: 4}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestHost(t *testing.T) {
	body := &closer{Reader: strings.NewReader("text")}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://a.example/?token=SECRET", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "b.example"
	if _, err = (Transport{}).RoundTrip(r); err == nil || !strings.Contains(err.Error(), `Request.Host is "b.example", and the URL has "a.example"`) || strings.Contains(err.Error(), "SECRET") || !body.closed {
		t.Errorf("%v, closed: %v", err, body.closed)
	}
}
