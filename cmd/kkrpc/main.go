// Command kkrpc starts a demo server, builds Go programs for JavaScript servers, writes TypeScript types and Go clients of
// APIs, and runs servers while they are written.
//
//	kkrpc demo      start a server and print a TypeScript client for it
//	kkrpc build     build a Go program as the WebSocket handler of a Hono server
//	kkrpc dev       run a Go program again and write its TypeScript types whenever it changes
//	kkrpc gen       write the TypeScript types of a Go API, or a Go client of an API
//	kkrpc breaking  list what a Go API breaks for clients of an older one
//	kkrpc version   print the version
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

const usage = `kkrpc: Go and TypeScript call each other over one WebSocket.

usage: kkrpc <command>

commands:
  demo      start a server and say how to call it from TypeScript
  build     build a Go program as the WebSocket handler of a Hono server
  dev       run a Go program again and write its TypeScript types whenever it changes
  gen       write the TypeScript types of a Go API, or a Go client of an API
  breaking  list what a Go API breaks for clients of an older one
  version   print the version
  help      print this

kkrpc <command> -h lists the options of a command.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes the command line args until it is done or ctx ends, and returns the exit code. The code is 1 when the
// command failed, and 2 when args are invalid.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return 2
	}
	switch args[0] {
	case "demo":
		return demo(ctx, args[1:], stdout, stderr)
	case "build":
		return build(ctx, args[1:], stdout, stderr)
	case "dev":
		return dev(ctx, args[1:], stdout, stderr)
	case "gen":
		return gen(ctx, args[1:], stdout, stderr)
	case "breaking":
		return breaking(ctx, args[1:], stdout, stderr)
	case "version", "--version", "-version":
		fmt.Fprintf(stdout, "kkrpc %s, %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return 0
	case "help", "--help", "-help", "-h":
		fmt.Fprint(stdout, usage)
		return 0
	default:
		fmt.Fprintf(stderr, "kkrpc: unknown command %q\n\n%s", args[0], usage)
		return 2
	}
}

// version is the module's, or the commit of a build from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "devel " + s.Value[:min(12, len(s.Value))]
		}
	}
	return "devel"
}
