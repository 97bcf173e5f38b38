package interop_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// found is what the program says of a value.
type found struct {
	Value  any
	Err    string
	NotSet bool
}

// settings is the environment of the servers, as Workers have it and as processes do.
var settings = struct {
	bindings []string
	process  []string
}{
	[]string{
		`(name = "TOKEN", text = "s3cret")`, `(name = "PORTS", text = "80")`, `(name = "EMPTY", text = "")`,
		`(name = "LIMITS", json = "{\"max\":3}")`, `(name = "TEXT_LIMITS", text = "{\"max\":4}")`,
	},
	[]string{"TOKEN=s3cret", "PORTS=80", "EMPTY=", `LIMITS={"max":3}`, `TEXT_LIMITS={"max":4}`},
}

// serveVariables serves wasmvalues behind the middleware of hono-variables.mjs. forwards replaces forward(c, …) of a Worker
// before a Durable Object, unless it is empty.
func serveVariables(t *testing.T, h host, forwards string) server {
	t.Helper()
	dir := build(t, h, "wasmvalues", "")
	text, err := os.ReadFile(filepath.Join(dir, "server.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if forwards == "" {
		forwards = `forward(c, ["user", "passed", "none"])`
	}
	edits := []string{"\napp.get(", "\napp.use(own)\napp.get("}
	if h == "workers" {
		edits = []string{
			"\napp.get(", "\napp.use(passing)\napp.get(",
			"\t\tthis.#app.get(", "\t\tthis.#app.use(own)\n\t\tthis.#app.get(",
			"fetch(forward(c))", "fetch(" + forwards + ")",
		}
	}
	changed := string(text)
	for i := 0; i < len(edits); i += 2 {
		if strings.Count(changed, edits[i]) != 1 {
			t.Fatalf("no %q, or several, in\n%s", edits[i], text)
		}
		changed = strings.Replace(changed, edits[i], edits[i+1], 1)
	}
	// Beside the others, since these are shared by tests.
	script := filepath.Join(dir, strings.ReplaceAll(t.Name(), "/", "-")+".mjs")
	imports := fmt.Sprintf("import { own, passing } from %q\n", filepath.Join(js.Dir(t), "hono-variables.mjs"))
	if h.runtime() == js.Workerd {
		imports += fmt.Sprintf("export { Service, Store } from %q\n", filepath.Join(js.Dir(t), "hono-bindings.mjs"))
	}
	if err := os.WriteFile(script, []byte(imports+changed), 0o666); err != nil {
		t.Fatal(err)
	}
	if h.runtime() != js.Workerd {
		cmd := js.Runtime(h).Command(t, script)
		cmd.Env = append(cmd.Env, settings.process...)
		return serveCommand(t, cmd)
	}
	w := js.Worker{Script: script, Wasm: []string{"api.wasm"}, Date: "2026-10-01", Bindings: append(
		settings.bindings, `(name = "BUCKET", r2Bucket = "main")`, `(name = "KV", kvNamespace = (name = "main", entrypoint = "Store"))`,
		`(name = "SERVICE", service = (name = "main", entrypoint = "Service"))`)}
	if h == "workers" {
		w.Object = "Rpc"
	}
	if strings.HasPrefix(forwards, "forward(") {
		w.CfHeader = "MF-CF-Blob" // as wrangler dev has it: a client writes request.cf of the Worker
	}
	addr, out := w.Start(t)
	return server{url: "ws://" + addr + "/ws", out: out}
}

// asks calls a function of wasmvalues.
func asks(t *testing.T, ch *kkrpc.Channel, function string, args ...any) found {
	t.Helper()
	got, err := kkrpc.Call[found](t.Context(), ch, function, args...)
	if err != nil {
		t.Fatalf("%s%q: %v", function, args, err)
	}
	return got
}

// TestVariablesOfHono has a Go function read what middleware has set.
func TestVariablesOfHono(t *testing.T) {
	ada := map[string]any{"name": "Ada", "roles": []any{"admin"}}
	noUser := map[string]any{"name": "", "roles": []any{}}
	eachHost(t, func(t *testing.T, h host) {
		ch := dial(t, serveVariables(t, h, "").url, kkrpc.Options{})
		if got := asks(t, ch, "first"); !reflect.DeepEqual(got, found{Value: ada}) {
			t.Errorf("when the connection was opened: %v", got)
		}
		for _, row := range []struct {
			function, name string
			want           any
			err            string // some of it
			notSet         bool
		}{
			{"user", "user", ada, "", false},
			{"any", "user", ada, "", false},
			{"number", "number", 7.0, "", false},
			{"any", "text", "héllo 😀", "", false},
			{"any", "list", []any{1.0, "two", nil}, "", false},
			{"any", "nothing", nil, "", false},
			{"bytes", "bytes", "AQL/", "", false},
			{"any", "date", "1970-01-01T00:00:00.000Z", "", false},
			{"any", "__proto__", "a name", "", false},
			{"any", "none", nil, `wasm: variable "none": not set: no middleware`, true},
			{"any", "never", nil, `wasm: variable "never": not set`, true},
			{"any", "late", nil, `wasm: variable "late": not set`, true},
			{"any", "inside", map[string]any{"changed": true}, "", false},
			{"any", "constructor", nil, "not set", true},
			{"any", "", nil, "not set", true},
			{"user", "number", noUser, `wasm: variable "number": superjson: expected object, got number`, false},
			{"user", "list", noUser, "expected object, got array", false},
			{"number", "text", 0.0, "expected integer, got string", false},
			{"number", "nothing", 0.0, "expected integer, got null", false},
			{"any", "f", nil, `wasm: variable "f": it has no JSON: a function`, false},
			{"any", "nested", nil, `it has no JSON: a function in "f"`, false},
			{"any", "map", nil, "it has no JSON: a value of type Map", false},
			{"any", "request", nil, "it has no JSON: a value of type Request", false},
			{"any", "failure", nil, "it has no JSON: a value of type Error", false},
			{"any", "native", map[string]any{"size": 1.0}, "", false},
			{"any", "big", nil, "it has no JSON: a bigint", false},
			{"any", "payload", map[string]any{"id": 9007199254740992.0, "text": "9007199254740993"}, "", false}, // JavaScript has rounded it
			{"any", "nan", nil, `it has no JSON: NaN in "x"`, false},
			{"any", "cycle", nil, `wasm: variable "cycle": `, false},
			{"any", "throws", nil, `wasm: variable "throws": no thanks`, false},
			{"any", "fits", strings.Repeat("x", 998), "", false},
			{"any", "large", nil, "the value has 1001 bytes of JSON, over the limit of 1000 (MaxValue in wasm.Options)", false},
		} {
			got := asks(t, ch, row.function, row.name)
			if !reflect.DeepEqual(got.Value, row.want) || got.NotSet != row.notSet || (got.Err == "") != (row.err == "") || !strings.Contains(got.Err, row.err) {
				t.Errorf("%s %q: got %v, want %v and an error with %q", row.function, row.name, got, row.want, row.err)
			}
		}
		if got := asks(t, ch, "detached"); !strings.Contains(got.Err, "of no connection in Hono") {
			t.Errorf("with another context: %v", got)
		}
		if got, err := kkrpc.Call[string](t.Context(), ch, "readOften", "fits", 20_000); err != nil || got != strings.Repeat("x", 998) {
			t.Errorf("read often: %.20q, %v", got, err)
		}
	})
}

// TestEnvironmentOfHono has a Go function read the environment of each runtime alike.
func TestEnvironmentOfHono(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		ch := dial(t, serveVariables(t, h, "").url, kkrpc.Options{})
		for _, row := range []struct {
			function, name string
			want           any
			err            string
		}{
			{"envText", "TOKEN", "s3cret", ""},
			{"envText", "EMPTY", "", ""},
			{"envText", "PORTS", "80", ""},
			{"envNumber", "PORTS", 80.0, ""},
			{"envLimits", "LIMITS", map[string]any{"max": 3.0}, ""},
			{"envLimits", "TEXT_LIMITS", map[string]any{"max": 4.0}, ""},
			{"envNumber", "TOKEN", 0.0, `wasm: environment variable "TOKEN": superjson: expected integer, got string`},
			{"envNumber", "LIMITS", 0.0, `expected integer, got `},
			{"envText", "MISSING", "", `wasm: environment variable "MISSING": not set: the server has none of this name`},
			{"envText", "__proto__", "", "not set"},
			{"envText", "toString", "", "not set"},
		} {
			got := asks(t, ch, row.function, row.name)
			if !reflect.DeepEqual(got.Value, row.want) || (got.Err == "") != (row.err == "") || !strings.Contains(got.Err, row.err) || strings.Contains(got.Err, "s3c") {
				t.Errorf("%s %q: got %v, want %v and an error with %q", row.function, row.name, got, row.want, row.err)
			}
		}
		if h.runtime() != js.Workerd {
			return
		}
		for _, name := range []string{"KV", "BUCKET", "SERVICE"} {
			if got := asks(t, ch, "envText", name); !strings.Contains(got.Err, "it is a binding of objects and functions, which is no value") {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

// forged dials as a client that would like to set variables.
func forged(t *testing.T, url string) *kkrpc.Channel {
	t.Helper()
	const value = `{"kkrpcVariables":{"passed":"{\"name\":\"Eve\"}","jwtPayload":"{}"},"passed":{"name":"Eve"}}`
	header := http.Header{"Cookie": {"passed=Eve; jwtPayload=Eve"}}
	for _, name := range []string{
		"cf", "request.cf", "Cf-Blob", "MF-CF-Blob", "CF-Worker", "X-Kkrpc-Variables", "kkrpcVariables", "passed", "jwtPayload",
	} {
		header[name] = []string{value}
	}
	return dialWith(t, url+"?passed=Eve&jwtPayload=Eve&mine=Eve&cf=%7B%22kkrpcVariables%22%3A%7B%7D%7D", &ws.DialOptions{Header: header})
}

// TestClientsSetNoVariables has a client send everything that might be taken for a variable.
func TestClientsSetNoVariables(t *testing.T) {
	eachHost(t, func(t *testing.T, h host) {
		// A Worker before an object that passes nothing on.
		ch := forged(t, serveVariables(t, h, "c.req.raw").url)
		for _, name := range []string{"passed", "jwtPayload", "kkrpcVariables", "cf"} {
			if got := asks(t, ch, "any", name); !got.NotSet {
				t.Errorf("%s: got %v, want it not set", name, got)
			}
		}
		if got := asks(t, ch, "any", "mine"); got.Value != "Eve" { // the request did arrive
			t.Errorf("what middleware has read of the query: %v", got)
		}
		if got := asks(t, ch, "user", "user"); got.Err != "" || got.Value.(map[string]any)["name"] != "Ada" {
			t.Errorf("user: %v", got)
		}
	})
}

// TestVariablesForADurableObject has a Worker pass variables on, beside a client that tries to, and that even writes the
// Worker's request.cf.
func TestVariablesForADurableObject(t *testing.T) {
	have(t, js.Workerd)
	ch := forged(t, serveVariables(t, "workers", "").url)
	grace := map[string]any{"name": "Grace", "roles": []any{"worker"}}
	if got := asks(t, ch, "user", "passed"); !reflect.DeepEqual(got, found{Value: grace}) {
		t.Errorf("passed on: %v", got)
	}
	if got := asks(t, ch, "user", "user"); got.Value.(map[string]any)["name"] != "Ada" {
		t.Errorf("set in the object too: %v", got)
	}
	for _, name := range []string{"kept", "jwtPayload", "none"} {
		if got := asks(t, ch, "any", name); !got.NotSet {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestBindingsOfWorkers has Go call the objects of a Worker's environment.
func TestBindingsOfWorkers(t *testing.T) {
	for _, h := range []host{"workers", "workers-plain"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			s := serveVariables(t, h, "")
			ch := dial(t, s.url, kkrpc.Options{})
			for i := range 3 {
				text := fmt.Sprint("héllo ", i)
				got, err := kkrpc.Call[[]found](t.Context(), ch, "kv", fmt.Sprint("a key ", i), text, []byte{1, 2, 255})
				want := []found{
					{Value: text}, {Value: "AQL/"}, {}, {Value: "", Err: `wasm: binding "KV": superjson: expected string, got null`},
					{Value: "", Err: `wasm: binding "KV": it is 3 bytes: want a []byte, not a *string`},
					{Value: 0.0, Err: `wasm: binding "KV": superjson: expected integer, got string`},
				}
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("KV: %v, %v; want %v", got, err, want)
				}
			}
			if got := asks(t, ch, "service", "http://x/path"); got != (found{Value: "fetched /path"}) {
				t.Errorf("a service: %v", got)
			}
			for _, row := range []struct {
				binding string
				methods []string
				want    any
				err     string // some of it
				notSet  bool
			}{
				{"SERVICE", []string{"user"}, map[string]any{"name": "Ada", "since": "1970-01-01T00:00:00.000Z"}, "", false},
				{"SERVICE", []string{"nothing"}, nil, "", false},
				{"SERVICE", []string{"nothing", "more"}, nil, `wasm: binding "SERVICE": not set: nothing has given undefined`, true},
				{"SERVICE", []string{"large", "more"}, nil, `more is called on a string`, false},
				{"SERVICE", []string{"large"}, nil, "the value has 1001 bytes of JSON, over the limit of 1000 (MaxValue in wasm.Options)", false},
				{"SERVICE", []string{"map"}, nil, "it has no JSON: a value of type Map", false},
				{"SERVICE", []string{"fails"}, nil, `wasm: binding "SERVICE": too far`, false},
				{"SERVICE", nil, nil, "no method is called", false},
				{"SERVICE", []string{"constructor"}, nil, "there is no method constructor", false},
				{"SERVICE", []string{"__proto__"}, nil, "there is no method __proto__", false},
				{"KV", []string{"nosuch"}, nil, "there is no method nosuch", false},
				{"KV", []string{"toString"}, nil, "there is no method toString", false},
				{"TOKEN", []string{"trim"}, nil, "trim is called on a string", false},
				{"MISSING", []string{"get"}, nil, `wasm: binding "MISSING": not set: the server has none of this name`, true},
				{"constructor", []string{"get"}, nil, "not set", true},
			} {
				args := []any{row.binding}
				for _, method := range row.methods {
					args = append(args, method)
				}
				got := asks(t, ch, "chain", args...)
				if !reflect.DeepEqual(got.Value, row.want) || got.NotSet != row.notSet || (got.Err == "") != (row.err == "") || !strings.Contains(got.Err, row.err) {
					t.Errorf("%s%q: got %v, want %v and an error with %q", row.binding, row.methods, got, row.want, row.err)
				}
			}

			// Two connections at once, and a call that its caller leaves.
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan error, 1)
			go func() {
				_, err := kkrpc.Call[found](ctx, ch, "chain", "SERVICE", "later")
				left <- err
			}()
			other := dial(t, s.url, kkrpc.Options{})
			if got := asks(t, other, "service", "http://x/other"); got != (found{Value: "fetched /other"}) {
				t.Errorf("from another connection: %v", got)
			}
			if got := asks(t, other, "after", 50, "http://x/late"); got != (found{Value: "fetched /late"}) {
				t.Errorf("behind a timer: %v", got)
			}
			cancel()
			select {
			case err := <-left:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("the call that was left ended with %v", err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the call that was left did not end")
			}
		})
	}
}

// TestBindingsElsewhere has a program ask for bindings where there are none.
func TestBindingsElsewhere(t *testing.T) {
	for _, h := range []host{"node", "deno", "bun"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			have(t, h.runtime())
			ch := dial(t, serveVariables(t, h, "").url, kkrpc.Options{})
			if got := asks(t, ch, "chain", "KV", "get"); !got.NotSet || !strings.Contains(got.Err, `wasm: binding "KV": not set: the server has none of this name`) {
				t.Errorf("got %v", got)
			}
			if got := asks(t, ch, "chain", "TOKEN", "trim"); !strings.Contains(got.Err, "trim is called on a string") {
				t.Errorf("a string: %v", got)
			}
		})
	}
}

// TestValuesWithoutContext asks the host without Hono's context, and on Deno without the permission for a variable.
func TestValuesWithoutContext(t *testing.T) {
	values, err := filepath.Abs("../npm/values.mjs")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(js.Dir(t), "hono-values.mjs")
	for _, row := range []struct {
		rt     js.Runtime
		secret string // what is said of a variable that the process may not have
		bad    string // likewise, of one whose name is none
	}{
		{js.Node, "1\"s3cret\"", "0"},
		{js.Bun, "1\"s3cret\"", "0"},
		{js.Deno, `2Requires env access to "SECRET"`, "2"},
	} {
		t.Run(string(row.rt), func(t *testing.T) {
			have(t, row.rt)
			cmd := row.rt.Command(t, script, "file://"+filepath.ToSlash(values))
			if row.rt == js.Deno {
				i := slices.Index(cmd.Args, "--allow-all")
				cmd.Args = slices.Replace(cmd.Args, i, i+1, "--allow-read", "--allow-env=ALLOWED")
			}
			cmd.Env = append(cmd.Env, "ALLOWED=yes", "SECRET=s3cret")
			out, err := cmd.Output()
			got := strings.Split(strings.TrimSpace(string(out)), "\n")
			const unknown = "0createHonoWebSocketHandler was not given the Hono context"
			none := "0the server has none of this name, and " + unknown[1:]
			want := []string{unknown, "1\"yes\"", none, none, row.secret, row.bad}
			if err != nil || !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("got\n%s, %v, want\n%s", out, err, strings.Join(want, "\n"))
			}
		})
	}
}
