// Command wasmbindings calls what Cloudflare binds to a Worker, as a program would:
//
//	go run ./cmd/kkrpc build hono ./interop/wasmbindings --runtime workers -o dist
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
)

type user struct {
	ID      int64  `json:"id"`
	Name    string `json:"name"`
	Picture []byte `json:"picture"`
}

var (
	db     = wasm.BindingOf("DB")
	bucket = wasm.BindingOf("BUCKET")
	kv     = wasm.BindingOf("KV")
	other  = wasm.BindingOf("SERVICE")
)

// users makes a table of a D1 database, writes the users there and returns those whose names come after a name.
func users(ctx context.Context, list []user, after string) ([]user, error) {
	if _, err := wasm.Do[any](ctx, db.Call("exec", "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, picture BLOB)")); err != nil {
		return nil, err
	}
	for _, u := range list {
		insert := db.Call("prepare", "INSERT INTO users (id, name, picture) VALUES (?, ?, ?)").Call("bind", u.ID, u.Name, u.Picture)
		done, err := wasm.Do[struct {
			Success bool `json:"success"`
			Meta    struct {
				Changes int `json:"changes"`
			} `json:"meta"`
		}](ctx, insert.Call("run"))
		if err != nil || !done.Success || done.Meta.Changes != 1 {
			return nil, fmt.Errorf("insert: %+v, %w", done, err)
		}
	}
	found, err := wasm.Do[struct {
		Results []user `json:"results"`
	}](ctx, db.Call("prepare", "SELECT * FROM users WHERE name > ? ORDER BY name").Call("bind", after).Call("all"))
	return found.Results, err
}

// count returns how many users a D1 database has.
func count(ctx context.Context) (int, error) {
	return wasm.Do[int](ctx, db.Call("prepare", "SELECT COUNT(*) AS n FROM users").Call("first", "n"))
}

// query returns what any statement finds.
func query(ctx context.Context, sql string) ([][]any, error) {
	return wasm.Do[[][]any](ctx, db.Call("prepare", sql).Call("raw"))
}

type object struct {
	Key  string `json:"key"`
	Size int    `json:"size"`
}

// file puts bytes into an R2 bucket, and returns them as they are there, and what the bucket says of them.
func file(ctx context.Context, key string, data []byte) (got []byte, about [3]object, err error) {
	type listing struct {
		Objects []object `json:"objects"`
	}
	if about[0], err = wasm.Do[object](ctx, bucket.Call("put", key, data)); err != nil {
		return nil, about, fmt.Errorf("put: %w", err)
	}
	if about[1], err = wasm.Do[object](ctx, bucket.Call("head", key)); err != nil {
		return nil, about, fmt.Errorf("head: %w", err)
	}
	list, err := wasm.Do[listing](ctx, bucket.Call("list", map[string]any{"prefix": key}))
	if err != nil || len(list.Objects) != 1 {
		return nil, about, fmt.Errorf("list: %v, %w", list, err)
	}
	about[2] = list.Objects[0]
	got, err = wasm.Do[[]byte](ctx, bucket.Call("get", key).Call("arrayBuffer"))
	return got, about, err
}

// remove deletes an object, and reports whether it is missing then.
func remove(ctx context.Context, key string) (bool, error) {
	if _, err := wasm.Do[any](ctx, bucket.Call("delete", key)); err != nil {
		return false, err
	}
	_, err := wasm.Do[[]byte](ctx, bucket.Call("get", key).Call("arrayBuffer"))
	return errors.Is(err, wasm.ErrNotSet), nil
}

// cache writes JSON and bytes to a KV namespace, reads them in all forms and deletes them.
func cache(ctx context.Context, key string, value map[string]any) (found map[string]any, err error) {
	text, err := wasm.Do[any](ctx, kv.Call("get", key))
	if err != nil || text != nil {
		return nil, fmt.Errorf("a key that is not there: %v, %w", text, err)
	}
	if _, err := wasm.Do[any](ctx, kv.Call("put", key, `{"n":1}`, map[string]any{"metadata": value, "expirationTtl": 3600})); err != nil {
		return nil, err
	}
	if _, err := wasm.Do[any](ctx, kv.Call("put", key+"-bytes", []byte{0, 1, 255})); err != nil {
		return nil, err
	}
	n, err := wasm.Do[struct {
		N int `json:"n"`
	}](ctx, kv.Call("get", key, "json"))
	if err != nil {
		return nil, err
	}
	kept, err := wasm.Do[struct {
		Value    string         `json:"value"`
		Metadata map[string]any `json:"metadata"`
	}](ctx, kv.Call("getWithMetadata", key, "text"))
	if err != nil {
		return nil, err
	}
	list, err := wasm.Do[struct {
		Keys []struct {
			Name string `json:"name"`
		} `json:"keys"`
	}](ctx, kv.Call("list", map[string]any{"prefix": key}))
	if err != nil {
		return nil, err
	}
	found = map[string]any{"n": n.N, "kept": kept.Value, "metadata": kept.Metadata, "list": fmt.Sprint(list.Keys)}
	bytes, err := wasm.Do[[]byte](ctx, kv.Call("get", key+"-bytes", "arrayBuffer"))
	if err != nil {
		return nil, err
	}
	found["bytes"] = fmt.Sprint(bytes)
	_, err = wasm.Do[any](ctx, kv.Call("delete", key))
	return found, err
}

// ask calls a method of another Worker, and fetches from it.
func ask(ctx context.Context, name string) (answers [2]string, err error) {
	if answers[0], err = wasm.Do[string](ctx, other.Call("greet", name)); err != nil {
		return answers, err
	}
	answers[1], err = wasm.Do[string](ctx, other.Call("fetch", "http://other/"+name).Call("text"))
	return answers, err
}

func main() {
	fmt.Fprintln(os.Stderr, wasm.Serve(kkrpc.Object{
		"users": users, "count": count, "query": query, "cache": cache, "ask": ask, "remove": remove,
		"file": func(ctx context.Context, key string, data []byte) (map[string]any, error) {
			got, about, err := file(ctx, key, data)
			return map[string]any{"data": got, "about": about}, err
		},
	}, nil))
	os.Exit(1)
}
