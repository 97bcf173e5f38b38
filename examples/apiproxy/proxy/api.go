// Package proxy is an API of functions in front of an HTTP API of users and posts, such as
// https://jsonplaceholder.typicode.com.
//
//	api, err := proxy.New("https://jsonplaceholder.typicode.com", nil)
//	http.Handle("/ws", ws.Handler(api, nil))
//
// The package needs nothing but net/http. It runs in a server of its own, and inside Hono as WebAssembly.
//
// # Concurrency
//
// Equal calls share one request to the upstream. A caller whose context ends does not disturb the others. When the last one
// leaves, the request ends. resenje.org/singleflight does that, golang.org/x/sync/singleflight does not.
// Options.Concurrency bounds the requests that run at the same time. Further ones wait for their turn.
//
// # Caching
//
// The cache serves all clients, so it is a shared cache of RFC 9111. github.com/pquerna/cachecontrol reads the headers and
// decides what a shared cache may keep, and for how long. It needs the standard library alone. The complete caches
// bartventer/httpcache and sandrolain/httpcache call themselves private caches. Those serve one user, and need not heed
// s-maxage, proxy-revalidate and private.
//
// The cache keeps responses with status 200. It revalidates them by If-None-Match and If-Modified-Since when they are
// stale. While the upstream fails, it serves them as long as stale-if-error allows. All requests for a URL have the same
// headers, so Vary matters only as "*", which forbids keeping the response. The cache does not guess how long a response
// without a lifetime is fresh.
//
// # Errors
//
// Each failure is one of the types in this package. A client of kkrpc 0.7 or 2 gets its name and fields.
package proxy

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"resenje.org/singleflight"
)

// Options configures an API. Nil and the zero value mean the defaults.
type Options struct {
	// Client sends the requests; nil means a client of its own. It may add headers, but the same ones to all requests,
	// because the cache keeps one response for a URL. It must not cache.
	Client *http.Client

	// Timeout bounds a request to the upstream, with the wait for its turn and with the whole response; 0 means 10 s.
	// Callers get a TimeoutError then.
	Timeout time.Duration

	// Concurrency is the number of requests to the upstream that run at the same time; 0 means 8. Further ones wait.
	Concurrency int

	// MaxBody is the size of a response of the upstream in bytes, decompressed; 0 means 1 MiB. Callers get a
	// ResponseError for a larger one.
	MaxBody int64

	// Cache is the size in bytes of all responses that are kept, with their headers; 0 means 16 MiB, negative keeps none.
	// Beyond it the least recently used ones are removed.
	Cache int64
}

// API is what clients may call: its exported methods. They may be called at the same time.
type API struct {
	base    *url.URL
	user    *url.Userinfo // of the URL, which goes into a header
	client  *http.Client
	timeout time.Duration
	maxBody int64
	turns   chan struct{} // holds one for each request that runs
	flights singleflight.Group[string, []byte]
	cache   *cache
}

// New returns an API in front of the upstream at the URL, which may have a path, and a user with a password.
func New(upstream string, opts *Options) (*API, error) {
	if opts == nil {
		opts = &Options{}
	}
	base, err := url.Parse(upstream)
	if err != nil {
		return nil, fmt.Errorf("proxy: the URL of the upstream: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("proxy: the URL of the upstream is %q: want one such as https://example.com/api", base.Redacted())
	}
	if base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("proxy: the URL of the upstream is %q: want it without a query and a fragment", base.Redacted())
	}
	if opts.Timeout < 0 || opts.Concurrency < 0 || opts.MaxBody < 0 {
		return nil, fmt.Errorf("proxy: Timeout, Concurrency and MaxBody must not be negative: got %v, %d and %d", opts.Timeout, opts.Concurrency, opts.MaxBody)
	}
	api := &API{
		base: base, user: base.User, client: opts.Client,
		timeout: cmp.Or(opts.Timeout, 10*time.Second),
		maxBody: cmp.Or(opts.MaxBody, 1<<20),
		turns:   make(chan struct{}, cmp.Or(opts.Concurrency, 8)),
		cache:   newCache(cmp.Or(opts.Cache, 16<<20)),
	}
	base.User = nil // so that no error has it
	if api.client == nil {
		api.client = &http.Client{}
	}
	return api, nil
}

type User struct {
	ID       int     `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Email    string  `json:"email"`
	Address  Address `json:"address"`
	Phone    string  `json:"phone"`
	Website  string  `json:"website"`
	Company  Company `json:"company"`
}

type Address struct {
	Street  string `json:"street"`
	Suite   string `json:"suite"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode"`
	Geo     Geo    `json:"geo"`
}

// Geo is a place in degrees, as the upstream writes them.
type Geo struct {
	Lat string `json:"lat"`
	Lng string `json:"lng"`
}

type Company struct {
	Name        string `json:"name"`
	CatchPhrase string `json:"catchPhrase"`
	BS          string `json:"bs"`
}

type Post struct {
	UserID int    `json:"userId"`
	ID     int    `json:"id"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

// PostQuery chooses posts.
type PostQuery struct {
	UserID int `json:"userId,omitzero"` // those of this user; 0 or absent for all
	Page   int `json:"page,omitzero"`   // from 1, which is the default
	Limit  int `json:"limit,omitzero"`  // posts of a page, at most 100; 0 or absent for all posts, or 10 if page is given
}

// GetUsers returns all users.
//
//kkrpc:throws UpstreamError TimeoutError UnavailableError ResponseError
func (a *API) GetUsers(ctx context.Context) ([]User, error) {
	return get[[]User](ctx, a, "users", nil)
}

// GetUser returns one user.
//
//kkrpc:throws NotFoundError UpstreamError TimeoutError UnavailableError ResponseError
func (a *API) GetUser(ctx context.Context, id int) (User, error) {
	return one[User](ctx, a, "users/"+strconv.Itoa(id))
}

// GetPosts returns all posts, or those that the query chooses.
//
//kkrpc:throws QueryError UpstreamError TimeoutError UnavailableError ResponseError
func (a *API) GetPosts(ctx context.Context, query *PostQuery) ([]Post, error) {
	values, err := query.values()
	if err != nil {
		return nil, err
	}
	return get[[]Post](ctx, a, "posts", values)
}

// GetPost returns one post.
//
//kkrpc:throws NotFoundError UpstreamError TimeoutError UnavailableError ResponseError
func (a *API) GetPost(ctx context.Context, id int) (Post, error) {
	return one[Post](ctx, a, "posts/"+strconv.Itoa(id))
}

// values checks the query and writes it as the upstream reads it.
func (q *PostQuery) values() (url.Values, error) {
	if q == nil {
		return nil, nil
	}
	limit := q.Limit
	if limit == 0 && q.Page > 0 {
		limit = 10
	}
	values := url.Values{}
	for _, p := range []struct {
		field, name string
		n, most     int
	}{{"userId", "userId", q.UserID, 1<<31 - 1}, {"page", "_page", q.Page, 1<<31 - 1}, {"limit", "_limit", limit, 100}} {
		if p.n < 0 || p.n > p.most {
			return nil, &QueryError{Field: p.field, Most: p.most}
		}
		if p.n > 0 {
			values.Set(p.name, strconv.Itoa(p.n))
		}
	}
	return values, nil
}
