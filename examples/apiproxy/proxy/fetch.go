package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// get returns what the upstream has at a path. Calls for the same URL that wait at the same time share one fetch.
func get[T any](ctx context.Context, a *API, path string, query url.Values) (value T, err error) {
	u := a.base.JoinPath(path)
	u.RawQuery = query.Encode()
	body, _, err := a.flights.Do(ctx, u.String(), func(ctx context.Context) ([]byte, error) { return a.fetch(ctx, u, path) })
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(body, &value); err != nil {
		return value, &ResponseError{path, err.Error()}
	}
	return value, nil
}

// one is get for a resource that may not exist.
func one[T any](ctx context.Context, a *API, path string) (T, error) {
	value, err := get[T](ctx, a, path, nil)
	var status *UpstreamError
	if errors.As(err, &status) && status.Status == http.StatusNotFound {
		err = &NotFoundError{path}
	}
	return value, err
}

// fetch returns the JSON at a URL, from the cache if that may answer. ctx ends when no caller waits any more.
func (a *API) fetch(ctx context.Context, u *url.URL, path string) ([]byte, error) {
	stored := a.cache.get(u.String())
	if stored != nil && time.Now().Before(stored.fresh) {
		return stored.body, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	select {
	case a.turns <- struct{}{}:
		defer func() { <-a.turns }()
	case <-ctx.Done():
		return nil, a.failure(ctx, path, ctx.Err())
	}
	body, err := a.ask(ctx, u, path, stored)
	if err != nil && stored != nil && time.Now().Before(stored.onFailure) && passing(err) {
		return stored.body, nil
	}
	return body, err
}

// passing tells an upstream that is out of order from one that has answered.
func passing(err error) bool {
	var (
		status      *UpstreamError
		timeout     *TimeoutError
		unavailable *UnavailableError
	)
	return errors.As(err, &status) && status.Status >= 500 || errors.As(err, &timeout) || errors.As(err, &unavailable)
}

// ask sends one request, with the validators of what is stored, and keeps the response if it may.
func (a *API) ask(ctx context.Context, u *url.URL, path string, stored *entry) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "application/json")
	if a.user != nil {
		password, _ := a.user.Password()
		request.SetBasicAuth(a.user.Username(), password)
	}
	stored.validate(request)
	response, err := a.client.Do(request)
	if err != nil {
		return nil, a.failure(ctx, path, err)
	}
	body, err := a.read(response)
	switch {
	case err != nil:
		return nil, a.failure(ctx, path, err)
	case response.StatusCode == http.StatusNotModified && stored != nil:
		a.cache.refresh(request, stored, response.Header)
		return stored.body, nil
	case response.StatusCode != http.StatusOK:
		if response.StatusCode == http.StatusNotFound {
			a.cache.remove(u.String())
		}
		return nil, &UpstreamError{path, response.StatusCode}
	case int64(len(body)) > a.maxBody:
		return nil, &ResponseError{path, fmt.Sprintf("it has more than %d bytes", a.maxBody)}
	case !json.Valid(body):
		return nil, &ResponseError{path, "it is not JSON"}
	}
	if final := response.Request; final != nil && final.URL.String() != u.String() {
		a.cache.remove(u.String()) // a redirect led there, whose own headers net/http does not tell
	} else {
		a.cache.store(request, response.Header, body)
	}
	return body, nil
}

// read returns the body, or a byte more than MaxBody, and closes it.
func (a *API) read(response *http.Response) ([]byte, error) {
	defer response.Body.Close()
	return io.ReadAll(io.LimitReader(response.Body, a.maxBody+1))
}

// failure is the error of callers when there is no response. ctx has ended by the timeout, or else nobody gets the error.
func (a *API) failure(ctx context.Context, path string, err error) error {
	if ctx.Err() != nil {
		return &TimeoutError{path, a.timeout}
	}
	return &UnavailableError{path, err}
}
