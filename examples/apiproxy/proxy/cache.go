package proxy

import (
	"container/list"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pquerna/cachecontrol/cacheobject"
)

// cache keeps responses by URL, up to a number of bytes.
type cache struct {
	max int64

	mu      sync.Mutex // guards what follows
	entries map[string]*list.Element
	used    *list.List // of *entry, the one used last in front
	size    int64
}

// entry is a response. It does not change.
type entry struct {
	url       string
	header    http.Header // of the fields in kept
	body      []byte
	fresh     time.Time // until then it answers without a request
	onFailure time.Time // until then it answers if the upstream fails
}

// kept are the fields of a response that decide how long it may answer.
var kept = []string{"Age", "Cache-Control", "Date", "Etag", "Expires", "Last-Modified", "Vary"}

func newCache(size int64) *cache {
	return &cache{max: size, entries: map[string]*list.Element{}, used: list.New()}
}

// get returns the response of a URL, or nil.
func (c *cache) get(url string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	element := c.entries[url]
	if element == nil {
		return nil
	}
	c.used.MoveToFront(element)
	return element.Value.(*entry)
}

// store keeps a response with status 200 if the headers allow it. Otherwise it removes the one that it replaces.
func (c *cache) store(request *http.Request, header http.Header, body []byte) {
	e := &entry{url: request.URL.String(), header: http.Header{}, body: body}
	for _, name := range kept {
		if values := header.Values(name); len(values) > 0 {
			e.header[name] = values
		}
	}
	c.put(e, e.judge(request))
}

// refresh keeps a response for longer, as the headers of a 304 say.
func (c *cache) refresh(request *http.Request, old *entry, header http.Header) {
	e := &entry{url: old.url, header: old.header.Clone(), body: old.body}
	e.header.Del("Age")
	for _, name := range kept {
		if values := header.Values(name); len(values) > 0 {
			e.header[name] = values
		}
	}
	c.put(e, e.judge(request))
}

func (c *cache) remove(url string) {
	c.put(&entry{url: url}, false)
}

// put replaces what is kept for a URL, by e if that may be kept.
func (c *cache) put(e *entry, keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.entries[e.url]; old != nil {
		c.dropLocked(old)
	}
	if !keep || e.size() > c.max {
		return
	}
	c.entries[e.url] = c.used.PushFront(e)
	c.size += e.size()
	for c.size > c.max {
		c.dropLocked(c.used.Back())
	}
}

func (c *cache) dropLocked(element *list.Element) {
	e := c.used.Remove(element).(*entry)
	delete(c.entries, e.url)
	c.size -= e.size()
}

// size is about what an entry takes, in bytes.
func (e *entry) size() int64 {
	size := 512 + 2*len(e.url) + len(e.body)
	for _, values := range e.header {
		for _, value := range values {
			size += len(value)
		}
	}
	return int64(size)
}

// validate makes a request conditional: the upstream need not send again what is kept. e may be nil.
func (e *entry) validate(request *http.Request) {
	if e == nil {
		return
	}
	if tag := e.header.Get("Etag"); tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	if modified := e.header.Get("Last-Modified"); modified != "" {
		request.Header.Set("If-Modified-Since", modified)
	}
}

// judge finds how long e may answer, by its headers, and whether it is worth keeping.
func (e *entry) judge(request *http.Request) (keep bool) {
	header := e.header.Clone()
	header.Set("Cache-Control", strings.Join(e.header.Values("Cache-Control"), ", ")) // cacheobject reads one line
	reasons, fresh, warnings, object, err := cacheobject.UsingRequestResponseWithObject(request, http.StatusOK, header, false)
	if err != nil || len(reasons) > 0 || slices.Contains(e.header.Values("Vary"), "*") {
		return false
	}
	now, may := object.NowUTC, object.RespDirectives
	switch {
	case fresh.IsZero(), len(warnings) > 0, may.NoCachePresent: // a warning says that the time is a guess
		fresh = now
	default:
		fresh = fresh.Add(-age(e.header, object)) // cacheobject counts from now
	}
	e.fresh, e.onFailure = fresh, fresh
	if seconds := may.StaleIfError; seconds > 0 && !may.MustRevalidate && !may.ProxyRevalidate && !may.NoCachePresent && may.SMaxAge < 0 {
		e.onFailure = fresh.Add(time.Duration(seconds) * time.Second)
	}
	validated := e.header.Get("Etag") != "" || e.header.Get("Last-Modified") != ""
	return validated || now.Before(e.onFailure)
}

// age is how old a response was when it came.
func age(header http.Header, object *cacheobject.Object) time.Duration {
	seconds, err := strconv.ParseInt(header.Get("Age"), 10, 32)
	if err != nil {
		seconds = 0
	}
	var apparent time.Duration
	if date := object.RespDateHeader; !date.IsZero() {
		apparent = object.NowUTC.Sub(date)
	}
	return max(time.Duration(seconds)*time.Second, apparent, 0)
}
