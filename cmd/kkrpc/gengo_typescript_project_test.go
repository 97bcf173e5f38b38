package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTypeScriptProjects finds the project of a file, and what it declares for all.
func TestTypeScriptProjects(t *testing.T) {
	const vite = `{"compilerOptions": {"strict": true, "target": "ES2022", "module": "ESNext", "moduleResolution": "bundler", "noEmit": true,
		"tsBuildInfoFile": "./node_modules/.tmp/app.tsbuildinfo", "paths": {"@/*": ["./src/*"]}, "types": []}, /* the page */ "include": ["src"],}`
	const api = `import type { User } from "@/types"
export interface API { find(id: Id): Promise<User | null>; brand(): Brand; kind(): "a" | "b" | null }`
	files := map[string]string{
		"tsconfig.json":      `{ "files": [], "references": [{ "path": "./tsconfig.node.json" }, /* // */ { "path": "./tsconfig.app.json" }, ], }`,
		"tsconfig.node.json": `{"compilerOptions": {"strict": true}, "files": ["vite.ts"]}`,
		"tsconfig.app.json":  vite,
		"vite.ts":            "export const wrong: string = 1",
		"src/api.ts":         api,
		"src/types.ts":       "export interface User { name: string }",
		"src/broken.ts":      "export const wrong: string = 1",
		"src/env.d.ts":       "export {}\ndeclare global { type Id = string }",
		"src/kinds.d.ts":     "type Kind = \"a\" | \"b\"",
		"src/lib.d.ts":       "interface Brand { logo: string }",
	}
	eachCompiler(t, func(t *testing.T, compiler string) {
		dir := typescriptFolder(t, compiler, nil)
		for name, text := range files {
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, stdout, stderr := runGo(t, "gen", "go", "--ts", filepath.Join(dir, "src", "api.ts"), "--type", "API", "--package", "api")
		if code != 0 || stderr != "" {
			t.Fatalf("exit %d, %s", code, stderr)
		}
		for _, want := range []string{"id string) (*User, error)", "(Brand, error)", "(*Kind, error)"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("there is no %q in\n%s", want, stdout)
			}
		}
	})
}
