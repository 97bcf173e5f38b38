// Package upstream is a small HTTP API of users and posts, with the JSON of https://jsonplaceholder.typicode.com. It stands for
// a server that is not yours, so that the example needs no network.
//
//	GET /users, /users/{id}
//	GET /posts, /posts/{id}   ?userId=1 for those of a user, ?_page=2&_limit=10 for a part
//
// Its responses have an ETag and may be cached for a minute. A resource that does not exist is a 404.
package upstream

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

var (
	//go:embed users.json
	usersFile []byte
	//go:embed posts.json
	postsFile []byte
)

// cacheControl lets a cache keep a response for a minute, and for ten more while this server fails.
const cacheControl = "public, max-age=60, stale-if-error=600"

type resource struct {
	ID     int `json:"id"`
	UserID int `json:"userId"`
	text   json.RawMessage
}

// Handler serves the API.
func Handler() http.Handler {
	users, posts := parse(usersFile), parse(postsFile)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /users", func(w http.ResponseWriter, r *http.Request) { list(w, r, users) })
	mux.HandleFunc("GET /users/{id}", func(w http.ResponseWriter, r *http.Request) { one(w, r, users) })
	mux.HandleFunc("GET /posts", func(w http.ResponseWriter, r *http.Request) { list(w, r, posts) })
	mux.HandleFunc("GET /posts/{id}", func(w http.ResponseWriter, r *http.Request) { one(w, r, posts) })
	return mux
}

// parse panics if an embedded file is invalid.
func parse(file []byte) []resource {
	var texts []json.RawMessage
	if err := json.Unmarshal(file, &texts); err != nil {
		panic(err)
	}
	all := make([]resource, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal(text, &all[i]); err != nil {
			panic(err)
		}
		all[i].text = text
	}
	return all
}

// list serves all resources, those of a user, or a page of them. Parameters that are not numbers below 32768 do not count.
func list(w http.ResponseWriter, r *http.Request, all []resource) {
	if user, ok := number(r, "userId"); ok {
		all = slices.DeleteFunc(slices.Clone(all), func(each resource) bool { return each.UserID != user })
	}
	limit, limited := number(r, "_limit")
	page, paged := number(r, "_page")
	if limited || paged {
		if !limited {
			limit = 10
		}
		from := min(max(page-1, 0)*limit, len(all))
		all = all[from:min(from+limit, len(all))]
	}
	texts := make([]json.RawMessage, len(all))
	for i, each := range all {
		texts[i] = each.text
	}
	body, err := json.Marshal(texts)
	if err != nil {
		panic(err) // the texts are valid JSON
	}
	send(w, r, body)
}

func number(r *http.Request, name string) (n int, ok bool) {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	return n, err == nil && 0 <= n && n < 1<<15
}

func one(w http.ResponseWriter, r *http.Request, all []resource) {
	for _, each := range all {
		if strconv.Itoa(each.ID) == r.PathValue("id") {
			send(w, r, each.text)
			return
		}
	}
	http.NotFound(w, r)
}

// send answers with the body, or with 304 if the client has it already.
func send(w http.ResponseWriter, r *http.Request, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", cacheControl)
	header.Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
