package interop_test

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/interop/js"
	"github.com/kkrpc-go/kkrpc/interop/typedclient"
	"github.com/kkrpc-go/kkrpc/superjson"
	"github.com/kkrpc-go/kkrpc/transport/ws"
)

// TestTypedClientIsCurrent has kkrpc gen go compare the client with api.ts, by the compilers of TypeScript 5 and 7.
func TestTypedClientIsCurrent(t *testing.T) {
	for _, compiler := range []string{"typescript", "typescript7"} {
		t.Run(compiler, func(t *testing.T) {
			api := filepath.Join(typedProject(t, compiler), "api.ts")
			cmd := exec.CommandContext(t.Context(), "go", "run", "../cmd/kkrpc", "gen", "go", "--ts", api, "--type", "Shop",
				"--package", "typedclient", "-o", "typedclient/client.gen.go", "--check")
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// typedProject returns a folder with copies of the files in testdata/typed and a compiler of the npm workspace.
func typedProject(t *testing.T, compiler string) string {
	t.Helper()
	dir := t.TempDir()
	modules := filepath.Join(js.Dir(t), "node_modules")
	err := os.CopyFS(dir, os.DirFS("testdata/typed"))
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, "node_modules"), 0o700)
	}
	if err == nil {
		err = os.Symlink(filepath.Join(modules, compiler), filepath.Join(dir, "node_modules", "typescript"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTypedClientOfKkrpcServer calls a server of kkrpc 0.2.2 that has the type which the client was generated from.
func TestTypedClientOfKkrpcServer(t *testing.T) {
	for _, rt := range []js.Runtime{js.Node, js.Bun} {
		for _, dialect := range []kkrpc.Dialect{kkrpc.Classic, kkrpc.ClassicSuperJSON} {
			t.Run(fmt.Sprint(rt, "/", dialect), func(t *testing.T) {
				dir := js.TempDir(t, "testdata/typed/api.ts", "testdata/typed/shop.ts", "testdata/typed/server.mts")
				codec := strings.TrimPrefix(dialect.String(), "classic-")
				url, _ := startProcess(t, rt.Command(t, filepath.Join(dir, "server.mts"), codec))
				ch, err := ws.Dial(t.Context(), url, &ws.DialOptions{RPC: kkrpc.Options{Dialect: dialect}})
				if err != nil {
					t.Fatal(err)
				}
				defer ch.Close()
				callShop(t, typedclient.NewShopClient(ch))
				if dialect == kkrpc.ClassicSuperJSON {
					callRich(t, typedclient.NewShopClient(ch))
				}
			})
		}
	}
}

// wants returns a function that reports a result which is not want.
func wants(t *testing.T) func(want, got any, err error) {
	return func(want, got any, err error) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(big.Int{})); err != nil || diff != "" {
			t.Errorf("%v, (-want +got)\n%s", err, diff)
		}
	}
}

// callShop calls all methods that any codec can carry.
func callShop(t *testing.T, shop *typedclient.ShopClient) {
	ctx := t.Context()
	want := wants(t)
	hi, twice, red, none := "Hi", 2.0, typedclient.ColorRed, (*typedclient.Article)(nil)
	text, err := shop.Greet(ctx, "Ada", nil, nil)
	want("Hello, Ada!", text, err)
	text, err = shop.Greet(ctx, "Ada", &hi, nil)
	want("Hi, Ada!", text, err)
	text, err = shop.Greet(ctx, "Ada", &hi, &twice)
	want("Hi, Ada!!", text, err)

	lamp := typedclient.Article{
		ID: "a1", Title: "Lamp", Price: 9.5, Stock: 1<<53 - 1, Size: typedclient.SizeLarge, Tags: []string{},
		Added: time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), Type: "article",
	}
	found, err := shop.Find(ctx, "a1")
	want(&lamp, found, err)
	found, err = shop.Find(ctx, "a2")
	want(none, found, err)
	found, err = shop.Missing(ctx)
	want(none, found, err)

	half := 0.5
	lamp.Color, lamp.Discount, lamp.Tags = &red, &half, []string{"light"}
	set := lamp
	set.Parts = []typedclient.Article{lamp}
	next := "red"
	page, err := shop.Put(ctx, lamp)
	want(typedclient.PageArticle{Items: []typedclient.Article{lamp, set}, Next: &next}, page, err)

	values := typedclient.Values{
		Flag: true, Bytes: []byte{1, 2, 3}, Counts: map[string]float64{"a b": 1}, Pair: [2]float64{1, 2},
		Nested: typedclient.ValuesNested{Deep: typedclient.ValuesNestedDeep{List: []*string{&hi, nil}}}, Anything: map[string]any{"x": []any{nil, 1.0}},
	}
	returned, err := shop.Values(ctx, values)
	want(values, returned, err)
	color, err := shop.Color(ctx, &red)
	want(typedclient.ColorRed, color, err)
	color, err = shop.Color(ctx, nil)
	want(typedclient.ColorDarkGreen, color, err)
	sum, err := shop.Sum(ctx, 1, 2, 3)
	want(int64(6), sum, err)
	text, err = shop.Sync(ctx, "a")
	want("type a", text, err)
	product, err := shop.Math.Multiply(ctx, 4, 6)
	want(24.0, product, err)
	text, err = shop.Math.Deep.Ping(ctx)
	want("pong", text, err)

	var steps []string
	err = shop.Copy(ctx, []string{"a", "b"}, func(done, total float64, name *string) {
		steps = append(steps, fmt.Sprint(done, "/", total, " ", name != nil && *name == "b"))
	})
	want([]string{"1/2 false", "2/2 true"}, steps, err)
	var remote *kkrpc.Error
	if err := shop.Fail(ctx, "range"); !errors.As(err, &remote) || remote.Message != "no range" {
		t.Errorf("fail: %v", err)
	}
	err = shop.Note("a line")
	notes, err2 := shop.Notes(ctx)
	want([]string{"a line"}, notes, errors.Join(err, err2))
}

// callRich calls the methods that need SuperJSON.
func callRich(t *testing.T, shop *typedclient.ShopClient) {
	ctx := t.Context()
	rich := typedclient.Rich{Big: new(big.Int).Lsh(big.NewInt(1), 100), Map: superjson.NewMap(), Set: superjson.NewSet("one"), Nan: math.NaN()}
	rich.Map.Set("one", 1)
	got, err := shop.Rich(ctx, rich)
	if err != nil {
		t.Fatal(err)
	}
	more, _ := got.Map.Get("more")
	if big.NewInt(1).Add(big.NewInt(1), rich.Big).Cmp(got.Big) != 0 || got.Map.Len() != 2 || fmt.Sprint(more) != "2" ||
		fmt.Sprint(got.Set.Values()) != "[one more]" || !math.IsNaN(got.Nan) {
		t.Errorf("got %+v", got)
	}
	// What is left out in the middle is undefined, which only SuperJSON has.
	twice := 2.0
	text, err := shop.Greet(ctx, "Ada", nil, &twice)
	wants(t)("Hello, Ada!!", text, err)
}
