package wasm

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/kkrpc-go/kkrpc"
)

const greet = `{"t":"q","id":"1","op":"call","p":["greet"],"a":["you"]}`

// unknown is what the host tells of a request if createHonoWebSocketHandler was not given the context.
const unknown = "unknown"

// request is a request of no page.
const request = `{"url":"http://example.com/ws","params":{},"header":{}}`

// started is a server of an API, with a fake host whose sockets are read.
type started struct {
	*server
	host *fakeHost
	mu   sync.Mutex
	got  map[int32][]string
}

func start(api func(r *Request) (any, error), opts *Options) *started {
	s := &started{host: newFakeHost(), got: map[int32][]string{}}
	if api == nil {
		api = func(*Request) (any, error) {
			return kkrpc.Object{"greet": func(name string) string { return "Hello, " + name + "!" }}, nil
		}
	}
	server, err := newServer(s.host, api, opts)
	if err != nil {
		panic(err)
	}
	s.server = server
	return s
}

// connect opens a connection as the host does. about is what it tells of the request; "" is that of no page.
func (s *started) connect(id int32, about string) {
	switch about {
	case "":
		about = request
	case unknown:
		about = ""
	}
	s.host.open(id, func(msg []byte) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got[id] = append(s.got[id], string(msg))
	})
	s.open(id, []byte(about))
}

// hangUp ends a connection as the host does, if this side has not closed it.
func (s *started) hangUp(id int32, code int) {
	s.closed(id, code, "")
	s.host.close(id, code, "")
}

func (s *started) answers(id int32) []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got[id]
}

func (s *started) count() int {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	return len(s.conns)
}

func TestMessagesAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(nil, nil)
		s.connect(1, "")
		s.message(1, []byte(greet), true) // before the channel is there
		s.connect(2, "")
		s.message(2, []byte(greet), false)
		s.message(3, []byte(greet), true) // of no connection
		for id := range int32(2) {
			if got := s.answers(id + 1); len(got) != 1 || !strings.Contains(got[0], "Hello, you!") {
				t.Errorf("connection %d was answered %q", id+1, got)
			}
		}
		s.hangUp(1, closeNormal)
		s.hangUp(2, 0)
		synctest.Wait()
		if n := s.count(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// TestConnectionsThatAreClosed has all that a peer, or the host for it, may do that costs the connection.
func TestConnectionsThatAreClosed(t *testing.T) {
	for _, row := range []struct {
		name   string
		opts   Options
		api    func(r *Request) (any, error)
		slow   bool // the API comes when all is over
		about  string
		id     int32 // of the connection that is closed; 0 for the first
		does   func(s *started)
		code   int
		reason string
		report string // some of the error that OnError is given; "" for none
	}{
		{name: "binary that is not UTF-8", does: func(s *started) { s.message(1, []byte("{\"t\":\"\xff\"}"), false) },
			code: 1007, reason: "UTF-8"},
		{name: "a message over the limit", opts: Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 100}}},
			does: func(s *started) { s.message(1, make([]byte, 101), true) }, code: 1009, reason: "Limits.Frame"},
		{name: "a flood", slow: true, opts: Options{Inbox: 1000},
			does: func(s *started) {
				for range 1000 {
					s.message(1, []byte(greet), true)
				}
			}, code: 1013, reason: "wait to be read"},
		{name: "too many connections", opts: Options{MaxConns: 1}, does: func(s *started) { s.connect(2, "") },
			id: 2, code: 1013, reason: "too many"},
		{name: "a connection is refused", api: func(*Request) (any, error) { return nil, Reject(4401, "no token") },
			code: 4401, reason: "no token"},
		{name: "a refusal that is wrapped", api: func(*Request) (any, error) {
			return nil, errors.Join(errors.New("auth"), Reject(4403, "not here"))
		}, code: 4403, reason: "not here"},
		{name: "no API", api: func(*Request) (any, error) { return nil, errors.New("no database") },
			code: 1011, reason: "internal error", report: "no database"},
		{name: "an API that cannot be exposed", api: func(*Request) (any, error) { return make(chan int), nil },
			code: 1011, reason: "internal error", report: "chan int"},
		{name: "an account of the request that is not JSON", about: "{", code: 1011, reason: "internal error", report: "account of the request"},
		{name: "a dialect that is none", about: `{"url":"http://example.com/ws?kkrpc=soap"}`, code: 1008, reason: `unknown dialect "soap"`},
		{name: "a URL that Go refuses", about: `{"url":"http://example.com/%zz"}`, code: 1008, reason: "URL"},
		{name: "a panic of the function of ServeFor", api: func(*Request) (any, error) { panic("no API") },
			code: 1011, reason: "internal error", report: "panic while a connection was opened: no API"},
		{name: "a panic of OnOpen", opts: Options{OnOpen: func(*kkrpc.Channel, *Request) { panic("no room") }},
			code: 1011, reason: "internal error", report: "no room"},
		{name: "Reject with a code of no close frame", api: func(*Request) (any, error) { return nil, Reject(1006, "bye") },
			code: 1011, reason: "bye"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var reported []error
				row.opts.RPC.OnError = func(err error) { reported = append(reported, err) }
				over := make(chan struct{})
				if row.slow {
					row.api = func(*Request) (any, error) { <-over; return kkrpc.Object{}, nil }
				}
				s := start(row.api, &row.opts)
				s.connect(1, row.about)
				if row.does != nil {
					row.does(s)
				}
				synctest.Wait()
				code, reason := s.host.closedWith(max(row.id, 1))
				if code != row.code || !strings.Contains(reason, row.reason) {
					t.Errorf("closed with %d %q, want %d %q", code, reason, row.code, row.reason)
				}
				if got := errors.Join(reported...); (got == nil) != (row.report == "") || got != nil && !strings.Contains(got.Error(), row.report) {
					t.Errorf("OnError was given %v, want %q", got, row.report)
				}
				close(over)
				for id := range int32(2) {
					s.hangUp(id+1, closeNormal)
				}
				synctest.Wait()
				if n := s.count(); n != 0 {
					t.Errorf("%d connections are left", n)
				}
			})
		})
	}
}

func TestRequestOfAConnection(t *testing.T) {
	const about = `{"url":"http://example.com/chat/7?a=b","params":{"room":"7"},"header":{"user-agent":"x"}}`
	for _, row := range []struct{ name, about, path, query, room, agent string }{
		{"with the context of Hono", about, "/chat/7", "a=b", "7", "x"},
		{"without", unknown, "", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var opened, asked *Request
				api := func(r *Request) (any, error) {
					asked = r
					return kkrpc.Object{"greet": func(ctx context.Context, _ string) string {
						r := RequestFromContext(ctx)
						return strings.Join([]string{r.URL.Path, r.URL.RawQuery, r.Params["room"], r.Header["user-agent"]}, " ")
					}}, nil
				}
				s := start(api, &Options{Origins: []string{"*"}, OnOpen: func(_ *kkrpc.Channel, r *Request) { opened = r }})
				s.connect(1, row.about)
				s.message(1, []byte(greet), true)
				want := strings.Join([]string{row.path, row.query, row.room, row.agent}, " ")
				if got := s.answers(1); len(got) != 1 || !strings.Contains(got[0], want) {
					t.Errorf("the handler answered %q, want %q", got, want)
				}
				if asked == nil || asked != opened || asked.URL.Path != row.path {
					t.Errorf("the API was asked for with %+v, OnOpen given %+v", asked, opened)
				}
				s.hangUp(1, closeNormal)
			})
		})
	}
	if r := RequestFromContext(t.Context()); r != nil {
		t.Errorf("a context of no connection has request %+v", r)
	}
}

// TestEndsAreTold has the host say how a socket closed.
func TestEndsAreTold(t *testing.T) {
	for _, row := range []struct {
		name   string
		code   int
		reason string // of a close by the host
		want   string // some of the error; "" for none
		limit  bool   // it is about a limit
	}{
		{"normal", 1000, "", "", false},
		{"going away", 1001, "", "", false},
		{"no code", 1005, "", "", false},
		{"no close frame", 0, "", "without a close frame", false},
		{"no close frame, as most runtimes say it", 1006, "", "without a close frame", false},
		{"a code", 4000, "", "the peer closed with code 4000", false},
		{"a code of a limit of the peer", 1009, "", "the peer closed with code 1009", false},
		{"a message that the host does not take", 1009, "the message is too large", "wasm: closed with code 1009: the message is too large", true},
		{"more than may wait in the host", 1013, "too many messages", "wasm: closed with code 1013: too many messages", true},
		{"a failure of the network", 0, "reset", "without a close frame: reset", false},
		{"a failure of the host", 1011, "the network", "wasm: closed with code 1011: the network", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ends []error
				var own bool
				s := start(nil, &Options{
					RPC:     kkrpc.Options{OnClose: func(*kkrpc.Channel, error) { own = true }},
					OnClose: func(_ *kkrpc.Channel, _ *Request, err error) { ends = append(ends, err) },
				})
				s.connect(1, "")
				s.message(1, []byte(greet), true)
				s.answers(1)
				s.closed(1, row.code, row.reason)
				s.closed(1, row.code, row.reason) // the host may say so again
				s.host.close(1, row.code, row.reason)
				synctest.Wait()
				if len(ends) != 1 || !own {
					t.Fatalf("OnClose was called %d times, that of RPC: %t", len(ends), own)
				}
				if err := ends[0]; err == nil || !strings.Contains(err.Error(), row.want) || errors.Is(err, kkrpc.ErrLimit) != row.limit {
					t.Errorf("the connection ended with %v, want %q, about a limit: %t", err, row.want, row.limit)
				}
			})
		})
	}
}

// TestAnnouncedDialect has the program call a client that has not said anything.
func TestAnnouncedDialect(t *testing.T) {
	for _, row := range []struct {
		name, url, header string
		fixed             kkrpc.Dialect
		want              string // how the call begins; "" for a call that waits
	}{
		{"none", "http://a.com/ws", "", 0, ""},
		{"by the URL", "http://a.com/ws?kkrpc=classic-json", "", 0, `{"id":"`},
		{"by a subprotocol", "http://a.com/ws", "token, kkrpc.compact-json", 0, `{"t":"q"`},
		{"by both", "http://a.com/ws?kkrpc=compact-superjson", "kkrpc.classic-json", 0, `{"json":{"t":"q"`},
		{"another than the program's", "http://a.com/ws", "kkrpc.compact-json", kkrpc.Classic, `{"t":"q"`},
		{"by the program", "http://a.com/ws", "", kkrpc.Compact, `{"t":"q"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(nil, &Options{
					RPC:    kkrpc.Options{Dialect: row.fixed},
					OnOpen: func(ch *kkrpc.Channel, _ *Request) { _, _ = kkrpc.Call[any](t.Context(), ch, "ask") },
				})
				s.connect(1, `{"url":"`+row.url+`","header":{"sec-websocket-protocol":"`+row.header+`"}}`)
				got := s.answers(1)
				if (row.want == "") != (len(got) == 0) || len(got) > 0 && !strings.HasPrefix(got[0], row.want) {
					t.Errorf("the client was sent %q, want %q", got, row.want)
				}
				s.hangUp(1, closeNormal)
			})
		})
	}
}

// TestOrigins has what a request says of the page that it comes from; internal/admission has the patterns.
func TestOrigins(t *testing.T) {
	listed := []string{"https://b.com"}
	for _, row := range []struct {
		name    string
		origins []string
		url     string // unknown: createHonoWebSocketHandler was not given the context
		header  string // JSON
		refused string // some of the reason; "" for none
	}{
		{"no page", nil, "http://a.com/ws", `{"host":"a.com"}`, ""},
		{"the same host", nil, "http://a.com/ws", `{"host":"a.com","origin":"https://a.com"}`, ""},
		{"the same host, by the URL", nil, "http://a.com:8080/ws", `{"origin":"http://a.com:8080"}`, ""},
		{"the host that the client named, not that of a rewritten URL", nil, "http://object/ws", `{"host":"a.com","origin":"https://a.com"}`, ""},
		{"another host", nil, "http://a.com/ws", `{"host":"a.com","origin":"https://b.com"}`, "https://b.com"},
		{"another port", nil, "http://a.com/ws", `{"host":"a.com","origin":"http://a.com:81"}`, "http://a.com:81"},
		{"a plain page where TLS ends here", nil, "https://a.com/ws", `{"host":"a.com","origin":"http://a.com"}`, "http://a.com"},
		{"null", nil, "http://a.com/ws", `{"host":"a.com","origin":"null"}`, "null"},
		{"empty", nil, "http://a.com/ws", `{"host":"a.com","origin":""}`, "origin"},
		{"two", listed, "http://a.com/ws", `{"host":"a.com","origin":"https://b.com, https://b.com"}`, "https://b.com"},
		{"listed", listed, "http://a.com/ws", `{"host":"a.com","origin":"https://b.com"}`, ""},
		{"everyone", []string{"*"}, "http://a.com/ws", `{"host":"a.com","origin":"https://b.com"}`, ""},
		{"unknown", nil, unknown, "", "context"},
		{"unknown, and some are listed", listed, unknown, "", "context"},
		{"unknown, and null is listed", []string{"null"}, unknown, "", "context"},
		{"unknown, and everyone is", []string{"*"}, unknown, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(nil, &Options{Origins: row.origins})
				about := unknown
				if row.url != unknown {
					about = `{"url":"` + row.url + `","params":{},"header":` + row.header + `}`
				}
				s.connect(1, about)
				s.message(1, []byte(greet), true)
				got := s.answers(1)
				code, reason := s.host.closedWith(1)
				switch {
				case row.refused == "" && (len(got) != 1 || code != 0):
					t.Errorf("answered %q, closed with %d %q", got, code, reason)
				case row.refused != "" && (len(got) != 0 || code != 1008 || !strings.Contains(reason, row.refused)):
					t.Errorf("answered %q, closed with %d %q, want 1008 %q", got, code, reason, row.refused)
				}
				s.hangUp(1, closeNormal)
			})
		})
	}
	if _, err := newServer(newFakeHost(), nil, &Options{Origins: []string{"b.com"}}); err == nil || !strings.Contains(err.Error(), `Options.Origins: "b.com"`) {
		t.Errorf("a malformed one: %v", err)
	}
}

// TestOnCloseWaitsForOnOpen has the peer leave while OnOpen runs.
func TestOnCloseWaitsForOnOpen(t *testing.T) {
	for _, row := range []struct {
		name   string
		panics bool
	}{{"returns", false}, {"panics", true}} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened, done := make(chan struct{}), false
				var closes []bool // whether OnOpen was over
				var request *Request
				s := start(nil, &Options{
					RPC: kkrpc.Options{OnError: func(error) {}},
					OnOpen: func(_ *kkrpc.Channel, r *Request) {
						request = r
						<-opened
						done = true
						if row.panics {
							panic("no room")
						}
					},
					OnClose: func(_ *kkrpc.Channel, r *Request, _ error) {
						closes = append(closes, done)
						if r == nil || r != request {
							t.Errorf("OnClose got the request %p, OnOpen %p", r, request)
						}
					},
				})
				s.connect(1, "")
				synctest.Wait()
				s.hangUp(1, closeNormal)
				synctest.Wait()
				if len(closes) != 0 {
					t.Error("OnClose was called while OnOpen ran")
				}
				close(opened)
				synctest.Wait()
				if len(closes) != 1 || !closes[0] {
					t.Errorf("OnClose was called %d times", len(closes))
				}
			})
		})
	}
}

// TestUserCodeOffTheHost has the user's functions block for ever: the host's calls return.
func TestUserCodeOffTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := make(chan struct{})
		s := start(nil, &Options{RPC: kkrpc.Options{OnError: func(error) { <-never }}})
		s.connect(1, "{")
		s.connect(2, "")
		s.message(2, []byte(greet), true)
		if got := s.answers(2); len(got) != 1 {
			t.Errorf("another connection was answered %q", got)
		}
		close(never)
		s.hangUp(1, closeNormal)
		s.hangUp(2, closeNormal)
	})
}

// TestLargeHeader has a request that is larger than a message may be.
func TestLargeHeader(t *testing.T) {
	s := start(nil, &Options{RPC: kkrpc.Options{Limits: kkrpc.Limits{Frame: 100}}})
	if s.frame() < 64<<10 {
		t.Errorf("the host may hand over %d bytes, want what a header may have", s.frame())
	}
}

func TestServeOutsideOfAHost(t *testing.T) {
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"not GOOS=js", Serve(kkrpc.Object{}, nil), "kkrpc build hono"},
		{"an API that cannot be exposed", Serve(make(chan int), nil), "wasm: Serve: "},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.name, row.err, row.want)
		}
	}
}
