package fetch_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/kkrpc-go/kkrpc"
	"github.com/kkrpc-go/kkrpc/wasm"
	"github.com/kkrpc-go/kkrpc/wasm/fetch"
)

func Example() {
	api := kkrpc.Object{"users": users}
	panic(wasm.Serve(api, nil))
}

// users returns the JSON of another server, up to 1 MiB.
func users(ctx context.Context) (string, error) {
	response, err := fetch.Get(ctx, "https://api.example.com/users")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.Status != 200 {
		return "", fmt.Errorf("users: %d %s", response.Status, response.StatusText)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(body), err
}

// TestGuideShowsTheExample keeps the code on the page about Hono what is compiled here.
func TestGuideShowsTheExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "\n// users ")
	code, _, _ = strings.Cut(code, "\n}\n")
	code = "    " + strings.ReplaceAll("// users "+code+"\n}", "\n", "\n    ")
	page, err := os.ReadFile("../../docs/guide/hono.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), code) {
		t.Errorf("docs/guide/hono.md does not show\n%s", code)
	}
}
