package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc/examples/apiproxy/proxy"
)

// TestCache asks for a user at some times, in seconds. A row says what the caller gets each time: "v" with the number of the
// response, or "failed". It also says how many requests the upstream gets, and how many of them are conditional.
func TestCache(t *testing.T) {
	for _, tt := range []struct {
		name        string
		at          []int
		header      string // of each response, lines
		first       string // of the first one, one more
		statuses    []int  // of the responses; 200 when there are no more
		want        string
		conditional int
		requests    int
	}{
		{name: "fresh", at: []int{0, 59}, header: "Cache-Control: max-age=60", want: "v1 v1", requests: 1},
		{name: "stale", at: []int{0, 60}, header: "Cache-Control: max-age=60", want: "v1 v2", requests: 2},
		{name: "nothing said", at: []int{0, 0}, header: "Etag: \"a\"", want: "v1 v2", conditional: 1, requests: 2},
		{name: "no guess from Last-Modified", at: []int{0, 1}, header: "Last-Modified: Fri, 01 Jan 1999 00:00:00 GMT", want: "v1 v2", conditional: 1, requests: 2},
		{name: "no-store", at: []int{0, 0}, header: "Cache-Control: no-store, max-age=60", want: "v1 v2", requests: 2},
		{name: "no-store with an ETag", at: []int{0, 0}, header: "Cache-Control: no-store\nEtag: \"a\"", want: "v1 v2", requests: 2},
		{name: "private", at: []int{0, 0}, header: "Cache-Control: private, max-age=60", want: "v1 v2", requests: 2},
		{name: "s-maxage counts", at: []int{0, 5}, header: "Cache-Control: max-age=60, s-maxage=5", want: "v1 v2", requests: 2},
		{name: "several lines", at: []int{0, 1}, header: "Cache-Control: max-age=60\nCache-Control: no-store", want: "v1 v2", requests: 2},
		{name: "invalid", at: []int{0, 0}, header: "Cache-Control: max-age=many", want: "v1 v2", requests: 2},
		{name: "no-cache", at: []int{0, 0}, header: "Cache-Control: no-cache, max-age=60\nEtag: \"a\"", statuses: []int{200, 304}, want: "v1 v1", conditional: 1, requests: 2},
		{name: "Age", at: []int{0, 19, 20}, header: "Cache-Control: max-age=60\nAge: 40", want: "v1 v1 v2", requests: 2},
		{name: "an old Date", at: []int{0, 19, 20}, header: "Cache-Control: max-age=60\nDate: Fri, 31 Dec 1999 23:59:20 GMT", want: "v1 v1 v2", requests: 2},
		{name: "Expires", at: []int{0, 29, 30}, header: "Date: Sat, 01 Jan 2000 00:00:00 GMT\nExpires: Sat, 01 Jan 2000 00:00:30 GMT", want: "v1 v1 v2", requests: 2},
		{name: "Expires: 0", at: []int{0, 0}, header: "Expires: 0\nLast-Modified: Fri, 01 Jan 1999 00:00:00 GMT", want: "v1 v2", conditional: 1, requests: 2},
		{name: "Vary with names", at: []int{0, 1}, header: "Cache-Control: max-age=60\nVary: Accept, Cookie", want: "v1 v1", requests: 1},
		{name: "Vary: *", at: []int{0, 1}, header: "Cache-Control: max-age=60\nVary: *", want: "v1 v2", requests: 2},
		{name: "revalidated", at: []int{0, 60, 119, 120}, header: "Cache-Control: max-age=60\nEtag: \"a\"", statuses: []int{200, 304}, want: "v1 v1 v1 v3", conditional: 2, requests: 3},
		{name: "stale-if-error", at: []int{0, 159, 160}, header: "Cache-Control: max-age=60, stale-if-error=100", statuses: []int{200, 500, 500}, want: "v1 v1 failed", requests: 3},
		{name: "no connection", at: []int{0, 70}, header: "Cache-Control: max-age=60, stale-if-error=100", statuses: []int{200, 0}, want: "v1 v1", requests: 2},
		{name: "a refusal is no failure", at: []int{0, 70}, header: "Cache-Control: max-age=60, stale-if-error=100", statuses: []int{200, 403}, want: "v1 failed", requests: 2},
		{name: "must-revalidate", at: []int{0, 70}, header: "Cache-Control: max-age=60, stale-if-error=100, must-revalidate", statuses: []int{200, 503}, want: "v1 failed", requests: 2},
		{name: "proxy-revalidate", at: []int{0, 70}, header: "Cache-Control: max-age=60, stale-if-error=100, proxy-revalidate", statuses: []int{200, 503}, want: "v1 failed", requests: 2},
		{name: "s-maxage revalidates too", at: []int{0, 70}, header: "Cache-Control: s-maxage=60, stale-if-error=100", statuses: []int{200, 503}, want: "v1 failed", requests: 2},
		{name: "no-cache revalidates too", at: []int{0, 1}, header: "Cache-Control: no-cache, stale-if-error=100", statuses: []int{200, 503}, want: "v1 failed", requests: 2},
		{name: "Age of the old response", at: []int{0, 20, 60, 79}, header: "Cache-Control: max-age=60\nEtag: \"a\"", first: "Age: 40", statuses: []int{200, 304}, want: "v1 v1 v1 v1", conditional: 1, requests: 2},
		{name: "gone", at: []int{0, 70, 71}, header: "Cache-Control: max-age=60, stale-if-error=100", statuses: []int{200, 404, 503}, want: "v1 failed failed", requests: 3},
		{name: "an error is not kept", at: []int{0, 1}, header: "Cache-Control: max-age=60", statuses: []int{500}, want: "failed v2", requests: 2},
		{name: "no JSON is not kept", at: []int{0, 1}, header: "Cache-Control: max-age=60", statuses: []int{-1}, want: "failed v2", requests: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				requests, conditional := 0, 0
				api := open(t, func(r *http.Request) (*http.Response, error) {
					requests++
					if r.Header.Get("If-None-Match") != "" || r.Header.Get("If-Modified-Since") != "" {
						conditional++
					}
					status := 200
					if requests <= len(tt.statuses) {
						status = tt.statuses[requests-1]
					}
					body := `{"name": "v` + string(rune('0'+requests)) + `"}`
					switch status {
					case 0:
						return nil, io.ErrUnexpectedEOF
					case -1:
						status, body = 200, "{"
					}
					response := respond(r, status, body, strings.Split(tt.header, "\n")...)
					if name, value, ok := strings.Cut(tt.first, ": "); ok && requests == 1 {
						response.Header.Set(name, value)
					}
					return response, nil
				}, proxy.Options{})
				var got []string
				start := time.Now()
				for _, second := range tt.at {
					time.Sleep(time.Until(start.Add(time.Duration(second) * time.Second)))
					user, err := api.GetUser(t.Context(), 1)
					if err != nil {
						user.Name = "failed"
					}
					got = append(got, user.Name)
				}
				if strings.Join(got, " ") != tt.want || requests != tt.requests || conditional != tt.conditional {
					t.Errorf("got %v by %d requests, %d of them conditional, want %s by %d, %d", got, requests, conditional, tt.want, tt.requests, tt.conditional)
				}
			})
		})
	}
}

// TestCacheWithAuthorization is that a shared cache keeps what needs a password only if it is marked as public.
func TestCacheWithAuthorization(t *testing.T) {
	for header, want := range map[string]int{"max-age=60": 2, "max-age=60, public": 1} {
		requests := 0
		api, err := proxy.New("http://ada:secret@upstream.invalid", &proxy.Options{Client: &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			requests++
			if user, password, _ := r.BasicAuth(); user != "ada" || password != "secret" || r.URL.User != nil {
				t.Errorf("the request has user %q, password %q, URL %v", user, password, r.URL)
			}
			return respond(r, 200, `[]`, "Cache-Control: "+header), nil
		})}})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := api.GetUsers(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if requests != want {
			t.Errorf("%s: %d requests, want %d", header, requests, want)
		}
	}
}

// TestRedirect is that a response is kept for its own URL only.
func TestRedirect(t *testing.T) {
	requests := 0
	api := open(t, func(r *http.Request) (*http.Response, error) {
		requests++
		if r.URL.Path == "/v1/users" {
			return respond(r, http.StatusFound, "", "Location: /v1/people"), nil
		}
		return respond(r, 200, `[{"id": 1}]`, "Cache-Control: max-age=60"), nil
	}, proxy.Options{})
	for range 2 {
		if users, err := api.GetUsers(t.Context()); err != nil || len(users) != 1 {
			t.Errorf("users %v, %v", users, err)
		}
	}
	if requests != 4 {
		t.Errorf("%d requests for two calls, want 4", requests)
	}
}

// TestSizeOfCache has room for three of four responses. Those for users from 100 on can never answer, and take none.
func TestSizeOfCache(t *testing.T) {
	var asked []string
	serve := func(r *http.Request) (*http.Response, error) {
		asked = append(asked, r.URL.Path[len("/v1/users/"):])
		lifetime := "Cache-Control: max-age=60"
		if len(asked[len(asked)-1]) == 3 {
			lifetime = "Cache-Control: public"
		}
		return respond(r, 200, `{"name": "`+strings.Repeat("a", 10_000)+`"}`, lifetime), nil
	}
	ask := func(api *proxy.API, ids ...int) []string {
		t.Helper()
		asked = nil
		for _, id := range ids {
			if _, err := api.GetUser(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		return asked
	}
	api := open(t, serve, proxy.Options{Cache: 35_000})
	for _, step := range []struct {
		ids  []int
		want []string
	}{
		{[]int{1, 2, 3}, []string{"1", "2", "3"}},
		{[]int{1, 2, 3}, nil},
		{[]int{1, 4}, []string{"4"}}, // 2 goes, the one used least recently
		{[]int{1, 3, 4}, nil},
		{[]int{100, 101, 102}, []string{"100", "101", "102"}},
		{[]int{1, 3, 4}, nil},
		{[]int{2}, []string{"2"}},
	} {
		if diff := cmp.Diff(step.want, ask(api, step.ids...)); diff != "" {
			t.Errorf("%v: requests (-want +got):\n%s", step.ids, diff)
		}
	}
	if got := ask(open(t, serve, proxy.Options{Cache: -1}), 1, 1); len(got) != 2 {
		t.Errorf("without a cache: requests %v for two calls", got)
	}
	if got := ask(open(t, serve, proxy.Options{Cache: 5_000}), 1, 1); len(got) != 2 {
		t.Errorf("with a cache that is too small: requests %v for two calls", got)
	}
}
