// Package tsread describes APIs that TypeScript files declare. It asks the compiler of the project that a file is in.
package tsread

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/schema"
)

//go:embed *.mjs
var scripts embed.FS

// API is what a type of a TypeScript file declares.
type API struct {
	*schema.API `json:"api"`
	// Notify are the paths of the methods whose comment says @kkrpc notify.
	Notify [][]string `json:"notify"`
	// Warnings say what has no type in Go, each with its place.
	Warnings []string `json:"warnings"`
}

// OneWay reports whether a path is one of Notify.
func (a *API) OneWay(path []string) bool {
	return slices.ContainsFunc(a.Notify, func(p []string) bool { return slices.Equal(p, path) })
}

// Read describes the exported type, or the type of the exported constant, that file has under this name. The error has a
// line for each problem, with its place as seen from the folder in which the program runs.
func Read(ctx context.Context, file, name string) (*API, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, errors.New("no node in PATH: install Node.js 20 or newer, which runs the TypeScript compiler")
	}
	dir, err := os.MkdirTemp("", "kkrpc-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, scripts); err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, node, filepath.Join(dir, "read.mjs"), file, name)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("read %s: %w: %s", file, err, lastLines(stderr.String()))
	}
	var answer struct {
		API
		Errors []string `json:"errors"`
	}
	if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("read %s: node printed no description: %w", file, err)
	}
	if len(answer.Errors) > 0 {
		return nil, errors.New(strings.Join(answer.Errors, "\n"))
	}
	return &answer.API, nil
}

// lastLines is what Node prints of an exception on one line, without the stack.
func lastLines(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "at ") && !strings.HasPrefix(line, "Node.js v") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, " ")
}
