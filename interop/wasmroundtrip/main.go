// Command wasmroundtrip sends requests by net/http from inside Hono, as its tests ask for.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/fetch/roundtrip"
)

// whole tells of a response in one line.
func whole(response *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("in the body: %w", err)
	}
	return fmt.Sprintf("%s, %d bytes, Content-Length %d, uncompressed %v, at %s: %.100s",
		response.Status, len(body), response.ContentLength, response.Uncompressed, response.Request.URL.Path, body), nil
}

// requests are functions that send requests by a transport.
func requests(transport http.RoundTripper) kkrpc.Object {
	client := &http.Client{Transport: transport}
	return kkrpc.Object{
		"get": func(ctx context.Context, url string) (string, error) {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return "", err
			}
			return whole(client.Do(r))
		},
		// post sends so many bytes, of known length or not.
		"post": func(ctx context.Context, url string, n int, known bool) (string, error) {
			var body io.Reader = strings.NewReader(strings.Repeat("a", n))
			if !known {
				body = io.MultiReader(body)
			}
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
			if err != nil {
				return "", err
			}
			return whole(client.Do(r))
		},
		// stop refuses redirects by CheckRedirect.
		"stop": func(url string) (string, error) {
			stops := &http.Client{Transport: transport, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
				return errors.New("not to " + r.URL.Path)
			}}
			return whole(stops.Get(url))
		},
		// within has a Timeout of so many milliseconds.
		"within": func(url string, ms int) (string, error) {
			hasty := &http.Client{Transport: transport, Timeout: time.Duration(ms) * time.Millisecond}
			return whole(hasty.Get(url))
		},
	}
}

func main() {
	api := requests(roundtrip.Transport{})
	api["usual"] = requests(http.DefaultTransport)
	log.Fatal(wasm.Serve(api, nil))
}
