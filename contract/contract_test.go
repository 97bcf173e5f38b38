package contract_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/contract"
	"github.com/kkrpc-go/kkrpc/schema"
	"github.com/kkrpc-go/kkrpc/transport/kkhttp"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

type user struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

var api = kkrpc.Object{
	"find": func(id string) user { return user{ID: id} },
	"list": func() []user { return nil },
}

// release describes an earlier API.
func release(t *testing.T, api kkrpc.Object) *schema.API {
	t.Helper()
	compiled, err := kkrpc.Expose(api)
	if err != nil {
		t.Fatal(err)
	}
	described, err := schema.Of(compiled)
	if err != nil {
		t.Fatal(err)
	}
	return described
}

func TestGuard(t *testing.T) {
	broken := release(t, kkrpc.Object{"find": func(id int) user { return user{} }, "remove": func() {}})
	harmless := release(t, kkrpc.Object{"find": func(id string) user { return user{} }})
	changes := []string{"find: parameter 1: was an integer and is a string", "remove: is gone"}
	for _, refuse := range []bool{true, false} {
		var log bytes.Buffer
		guard, err := contract.New(api, &contract.Options{
			Previous: []*schema.API{broken, harmless}, Refuse: refuse, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		rpc := ws.HandlerFor(guard.API, nil)
		mux.Handle("/ws", rpc)
		mux.Handle("/rpc", kkhttp.HandlerFor(guard.API, nil))
		server := httptest.NewServer(mux)
		defer server.Close()
		defer rpc.Close()
		for _, client := range []struct {
			name, contract string
			logged         bool
			message        string // of the refusal
			changes        []any
		}{
			{"of this API", guard.Hash(), false, "", nil},
			{"that says nothing", "", false, "", nil},
			{"of an API that the new one contains", harmless.Hash(), false, "", nil},
			{"of an API that is broken", broken.Hash(), true,
				"this client was built for another version of the API; load it anew (" + strings.Join(changes, "; ") + ")", []any{changes[0], changes[1]}},
			{"of an API that nobody knows", "AAAAAAAAAAAA", true, "this client was built for another version of the API; load it anew", []any{}},
		} {
			log.Reset()
			check := func(what string, err error) {
				e, refused := errors.AsType[*kkrpc.Error](err)
				switch {
				case client.logged && refuse:
					want := &kkrpc.Error{Name: contract.ErrorName, Message: client.message, Fields: map[string]any{"contract": guard.Hash(), "changes": client.changes}}
					if diff := cmp.Diff(want, e); !refused || diff != "" {
						t.Errorf("%s, a client %s: %v:\n%s", what, client.name, err, diff)
					}
				case err != nil:
					t.Errorf("%s, a client %s: %v", what, client.name, err)
				}
				if logged := strings.Contains(log.String(), "contract="+client.contract+" known="); logged != client.logged {
					t.Errorf("%s, a client %s: logged %q", what, client.name, log.String())
				}
			}
			query := "?contract=" + client.contract
			ch, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"/ws"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = kkrpc.Call[user](t.Context(), ch, "find", "a")
			check("WebSocket", err)
			ch.Close()
			log.Reset()
			alone, err := kkhttp.NewClient(server.URL+"/rpc"+query, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = kkrpc.Call[user](t.Context(), alone, "find", "a")
			check("HTTP", err)
		}
	}
}

// A client of this very API has to send what its types require. Others may have been built before a member was added.
func TestGuardRequiresMembers(t *testing.T) {
	now := kkrpc.Object{"add": func(u user) string { return u.Name }}
	older := release(t, kkrpc.Object{"add": func(u struct {
		ID string `json:"id"`
	}) string {
		return ""
	}})
	guard, err := contract.New(now, &contract.Options{Previous: []*schema.API{older}, Refuse: true})
	if err != nil {
		t.Fatal(err)
	}
	rpc := ws.HandlerFor(guard.API, nil)
	server := httptest.NewServer(rpc)
	defer server.Close()
	defer rpc.Close()
	for _, client := range []struct {
		contract string
		refused  bool
	}{{guard.Hash(), true}, {older.Hash(), false}, {"", false}} {
		ch, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+"?contract="+client.contract, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = ch.Call(t.Context(), nil, "add", map[string]any{"id": "1"})
		e, refused := errors.AsType[*kkrpc.Error](err)
		if refused != client.refused || refused && e.Message != "add: argument 1.name: expected string, got undefined" {
			t.Errorf("a client of %q: %v", client.contract, err)
		}
		ch.Close()
	}
}

// A message has the first changes, the field all of them.
func TestManyChanges(t *testing.T) {
	old := kkrpc.Object{}
	for _, name := range strings.Split("abcdefgh", "") {
		old[name] = func() {}
	}
	before := release(t, old)
	guard, err := contract.New(api, &contract.Options{Previous: []*schema.API{before}, Refuse: true, Parameter: "v", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	e, _ := errors.AsType[*kkrpc.Error](guard.Check(httptest.NewRequest("GET", "/?v="+before.Hash(), nil)))
	if e == nil || !strings.HasSuffix(e.Message, "(a: is gone; b: is gone; c: is gone; d: is gone; e: is gone; and 3 changes more)") || len(e.Fields["changes"].([]string)) != 8 {
		t.Errorf("%+v", e)
	}
	if _, err := contract.New(5, nil); err == nil {
		t.Error("5 is an API")
	}
	if _, err := contract.New(api, &contract.Options{Previous: []*schema.API{before, nil}}); err == nil || err.Error() != "contract: Options.Previous[1] is nil" {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	described := release(t, kkrpc.Object{"describe": schema.Describe(api), "list": api["list"]})
	files, err := contract.Files(described, nil)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(files)
	defer server.Close()
	get := func(method, path, tag string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("If-None-Match", tag)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(body)
	}
	types, text := get("GET", "/api.d.ts", "")
	if types.StatusCode != 200 || types.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(text, "list(): Promise<User[]>") {
		t.Errorf("%v\n%s", types, text)
	}
	if again, _ := get("GET", "/api.d.ts", types.Header.Get("Etag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: %s", again.Status)
	}
	description, text := get("GET", "/api.json", types.Header.Get("Etag"))
	if parsed, err := schema.Parse([]byte(text)); err != nil || description.Header.Get("Content-Type") != "application/json" || parsed.Hash() != described.Hash() {
		t.Errorf("%v, %v\n%s", err, description, text)
	}
	if posted, _ := get("POST", "/api.json", ""); posted.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", posted.Status)
	}
}
