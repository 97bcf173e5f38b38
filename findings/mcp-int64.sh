#!/usr/bin/env bash
# The Go SDK of the Model Context Protocol rounds an int64 argument of a typed tool beyond 2^53.
#
# One would guess: every digit survives the way into an int64 field, as with encoding/json.
# What happens: a tool added by the generic mcp.AddTool gets another number, without an error.
# The low-level Server.AddTool receives the raw JSON, which has all the digits.
# A bridge from RPC methods to MCP tools that handles 64-bit identifiers should use the low-level form.
# Versions: github.com/modelcontextprotocol/go-sdk v1.8.0, Go 1.26.8. Seen on 2026-11-28.
# Output:
#> client sends 9007199254740993
#> typed tool got 9007199254740992
#> raw tool got 9007199254740993
set -euo pipefail

self=$(realpath "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
export GOWORK=off GOFLAGS=
go mod init finding 2>/dev/null
go get github.com/modelcontextprotocol/go-sdk/mcp@v1.8.0

cat >main.go <<'EOF'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type order struct {
	ID int64 `json:"id"`
}

func main() {
	ctx := context.Background()
	server := mcp.NewServer(&mcp.Implementation{Name: "server", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "typed"}, func(_ context.Context, _ *mcp.CallToolRequest, in order) (*mcp.CallToolResult, any, error) {
		fmt.Println("typed tool got", in.ID)
		return nil, nil, nil
	})
	server.AddTool(&mcp.Tool{Name: "raw", InputSchema: json.RawMessage(`{"type": "object"}`)}, func(_ context.Context, request *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		var in order
		err := json.Unmarshal(request.Params.Arguments, &in)
		fmt.Println("raw tool got", in.ID)
		return &mcp.CallToolResult{}, err
	})

	near, far := mcp.NewInMemoryTransports()
	if _, err := server.Connect(ctx, near, nil); err != nil {
		log.Fatal(err)
	}
	client, err := mcp.NewClient(&mcp.Implementation{Name: "client", Version: "1"}, nil).Connect(ctx, far, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("client sends", int64(1<<53+1))
	for _, tool := range []string{"typed", "raw"} {
		if _, err := client.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: order{1<<53 + 1}}); err != nil {
			log.Fatal(err)
		}
	}
}
EOF
go run . | tee seen

diff <(sed -n 's/^#> //p' "$self") seen
