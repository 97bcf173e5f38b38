package interop_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
)

// serveBindings serves wasmbindings by wrangler dev, which has the simulators of Cloudflare's services.
func serveBindings(t *testing.T, h host) server {
	t.Helper()
	have(t, h.runtime())
	from, dir := build(t, h, "wasmbindings", ""), js.TempDir(t)
	if err := os.Symlink(filepath.Join(from, "api.wasm"), filepath.Join(dir, "api.wasm")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(from, "*.*js*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		switch filepath.Base(name) {
		case "server.mjs":
			text = append(text, `
import { WorkerEntrypoint } from "cloudflare:workers"

export class Other extends WorkerEntrypoint {
	greet(name) {
		return "Hello, " + name + "!"
	}

	fetch(request) {
		return new Response("fetched " + new URL(request.url).pathname)
	}
}
`...)
		case "wrangler.jsonc":
			text = bytes.Replace(text, []byte("{"), []byte(`{
	"d1_databases": [{ "binding": "DB", "database_name": "db", "database_id": "db" }],
	"r2_buckets": [{ "binding": "BUCKET", "bucket_name": "bucket" }],
	"kv_namespaces": [{ "binding": "KV", "id": "kv" }],
	"services": [{ "binding": "SERVICE", "service": "kkrpc-api", "entrypoint": "Other" }],
`), 1)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	addr, out := js.StartWrangler(t, dir)
	return server{url: "ws://" + addr + "/ws", out: out}
}

// TestServicesOfCloudflare has Go call D1, R2, KV and another Worker.
func TestServicesOfCloudflare(t *testing.T) {
	for _, h := range []host{"workers", "workers-plain"} {
		t.Run(string(h), func(t *testing.T) {
			t.Parallel()
			ch := dial(t, serveBindings(t, h).url, kkrpc.Options{})
			asks := func(want any, function string, args ...any) {
				t.Helper()
				got, err := kkrpc.Call[any](t.Context(), ch, function, args...)
				if text := fmt.Sprint(err); err != nil {
					got = text
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s%v (-want +got):\n%s", function, args, diff)
				}
			}
			ada := map[string]any{"id": 1.0, "name": "Ada", "picture": "AAH/"}
			grace := map[string]any{"id": 2.0, "name": "Gräce 😀", "picture": ""}
			asks([]any{grace}, "users", []any{ada, grace}, "B")
			asks(2.0, "count")
			asks([]any{ada, grace}, "users", []any{}, "")
			asks("kkrpc: call query: wasm: binding \"DB\": D1_ERROR: no such table: nobody: SQLITE_ERROR", "query", "SELECT * FROM nobody")
			asks([]any{[]any{1.0, "a", nil, 1.5, 9007199254740992.0}}, "query", "SELECT 1, 'a', NULL, 1.5, 9007199254740993") // rounded

			about := map[string]any{"key": "a/b", "size": 300_000.0}
			data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0, 1, 255}, 100_000))
			asks(map[string]any{"data": data, "about": []any{about, about, about}}, "file", "a/b", data)
			asks(true, "remove", "a/b")
			asks(true, "remove", "a/b") // R2 does not tell

			asks(map[string]any{
				"n": 1.0, "kept": `{"n":1}`, "metadata": map[string]any{"a": 1.0}, "list": "[{k} {k-bytes}]", "bytes": "[0 1 255]",
			}, "cache", "k", map[string]any{"a": 1})
			asks([]any{"Hello, Ada!", "fetched /Ada"}, "ask", "Ada")
		})
	}
}
