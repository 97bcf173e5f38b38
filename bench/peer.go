package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/load"
)

// peer is a server that is measured.
type peer struct {
	name     string
	about    string
	dialects []string // the first is the one for scenarios that name none
	// can are the kinds of scenario that it offers besides calls of add and echo.
	can []kind
	// only are the names of the scenarios that it takes part in; nil means those of can.
	only []string
	// command returns what starts the server with a dialect, or why that is impossible here.
	command func(b *bench, dialect string) (*exec.Cmd, error)
	// load returns the peer's own generator, for those that do not speak over WebSockets; nil is ours.
	load func(b *bench, s *scenario, addr string) (*exec.Cmd, error)
	// tls says how the server is told about its certificate; nil if it has no TLS.
	tls func(cmd *exec.Cmd, cert, key string)
}

const baseline = "kkrpc2-bun-hono"

var (
	compactAndClassic = []string{"compact-json", "compact-superjson", "classic-json", "classic-superjson"}
	layerDialects     = []string{"compact-bytes", "compact-session"}
	ctxHandlers       = []string{"-handlers", "ctx"}
	everything        = []kind{calls, objects, blobs, layered, streams, callbacks, rooms, paced, members, shared, memory, resident, setup, jsClients, goClients}
	honos             = []kind{calls, objects, callbacks, rooms, members, memory, setup, jsClients}
	perConnection     = []string{"add-64x16", "orders", "users", "callbacks", "room-1000", "idle-5k", "idle-after-calls", "closed-after-calls"}
)

var peers = []peer{
	{
		name: "go", about: "this project, handlers with a context and an error", dialects: slices.Concat(compactAndClassic, layerDialects), can: everything,
		command: goServer("server", ctxHandlers...), tls: tlsFlags,
	},
	{name: "go-typed", about: "this project, handlers of the values alone", dialects: compactAndClassic, command: goServer("server", "-handlers", "typed")},
	{name: "go-reflected", about: "this project, handlers called by reflection", dialects: compactAndClassic, command: goServer("server", "-handlers", "reflected")},
	{
		name: "go-per-connection", about: "this project, an API of 6 functions made for each connection", dialects: []string{"compact-json"}, only: perConnection,
		command: goServer("server", "-per-connection", "6"),
	},
	{
		name: "go-per-connection-40", about: "this project, an API of 40 functions made for each connection", dialects: []string{"compact-json"}, only: perConnection,
		command: goServer("server", "-per-connection", "40"),
	},
	{name: "raw-echo", about: "Go, frames without RPC, coalesced in the same way", dialects: []string{"echo", "echo-bytes"}, can: []kind{blobs}, command: goServer("rawecho")},

	{
		name: baseline, about: "kkrpc 2 on Bun with Hono", dialects: []string{"compact-json"}, can: append([]kind{resident}, honos...),
		command: script(bun, "KKRPC_V2", "hono.mjs", "2"), tls: tlsVariables,
	},
	{name: "kkrpc2-node-hono", about: "kkrpc 2 on Node with Hono", dialects: []string{"compact-json"}, can: honos, command: script(node, "KKRPC_V2", "hono.mjs", "2"), tls: tlsVariables},
	{name: "kkrpc2-deno-hono", about: "kkrpc 2 on Deno with Hono", dialects: []string{"compact-json"}, can: honos, command: script(deno, "KKRPC_V2", "hono.mjs", "2"), tls: tlsVariables},
	{name: "kkrpc2-workerd-hono", about: "kkrpc 2 on workerd with Hono", dialects: []string{"compact-json"}, command: kkrpcInWorker},
	{name: "go-in-bun-hono", about: "this project as WebAssembly on Bun with Hono", dialects: compactAndClassic, command: goInHono(bun)},
	{name: "go-in-node-hono", about: "this project as WebAssembly on Node with Hono", dialects: compactAndClassic, command: goInHono(node)},
	{name: "go-in-deno-hono", about: "this project as WebAssembly on Deno with Hono", dialects: compactAndClassic, command: goInHono(deno)},
	{name: "go-in-workerd-hono", about: "this project as WebAssembly on workerd with Hono", dialects: compactAndClassic, command: goInHono(workerd)},
	{name: "kkrpc2-bun", about: "kkrpc 2 on Bun, its streaming channel", dialects: []string{"compact-json", "compact-superjson"}, can: []kind{objects, streams, blobs}, command: script(bun, "KKRPC_V2", "kkrpc.mjs", "2-streaming")},
	{name: "kkrpc0.7-bun", about: "kkrpc 0.7 on Bun", dialects: []string{"classic-json", "classic-superjson"}, can: []kind{calls, objects, blobs, streams, memory, resident, setup, jsClients}, command: script(bun, "KKRPC_V07", "kkrpc.mjs", "0.7"), tls: tlsVariables},
	{name: "kkrpc0.7-bun-hono", about: "kkrpc 0.7 on Bun with Hono", dialects: []string{"classic-json", "classic-superjson"}, command: script(bun, "KKRPC_V07", "hono.mjs", "0.7")},
	{name: "kkrpc0.7-node-hono", about: "kkrpc 0.7 on Node with Hono", dialects: []string{"classic-json", "classic-superjson"}, command: script(node, "KKRPC_V07", "hono.mjs", "0.7")},
	{name: "kkrpc0.7-deno-hono", about: "kkrpc 0.7 on Deno with Hono", dialects: []string{"classic-json", "classic-superjson"}, command: script(deno, "KKRPC_V07", "hono.mjs", "0.7")},
	{name: "kkrpc0.2-bun", about: "kkrpc 0.2.2 of npm on Bun", dialects: []string{"classic-json", "classic-superjson"}, can: []kind{calls, objects, blobs, memory, resident, setup, jsClients}, command: script(bun, "", "kkrpc.mjs", "npm"), tls: tlsVariables},
	{name: "kkrpc0.2-node", about: "kkrpc 0.2.2 of npm on Node", dialects: []string{"classic-json", "classic-superjson"}, can: []kind{calls, objects, blobs, memory, setup}, command: script(node, "", "kkrpc.mjs", "npm"), tls: tlsVariables},

	{name: "capnweb-bun", about: "Cap'n Web on Bun", dialects: []string{"capnweb"}, can: []kind{calls}, command: script(bun, "", "capnweb.mjs")},
	{name: "go-one-node", about: "this project, a room of one node, messages published at once", dialects: []string{"compact-json"}, can: []kind{rooms}, only: []string{"room-1000", "room-10000"}, command: goPeer("nodes", "-n", "1")},
	{name: "go-three-nodes", about: "the same on three nodes in one process, over JetStream", dialects: []string{"compact-json"}, can: []kind{rooms}, only: []string{"room-1000", "room-10000"}, command: goPeer("nodes", "-n", "3")},
	{name: "centrifuge", about: "Centrifugo's library, RPC in JSON", dialects: []string{"centrifuge"}, can: []kind{rooms}, command: goPeer("centrifuge")},
	{name: "grpc-go", about: "gRPC, called by its own client", dialects: []string{"grpc"}, command: goPeer("grpc"), load: ownClient("grpc")},
	{name: "bun-echo", about: "Bun, frames without RPC, and its own publish", dialects: []string{"echo"}, can: []kind{rooms, members, shared, memory, resident, setup}, command: script(bun, "", "echo.mjs"), tls: tlsVariables},
}

// goServer runs a command of this module.
func goServer(dir string, args ...string) func(*bench, string) (*exec.Cmd, error) {
	return func(b *bench, dialect string) (*exec.Cmd, error) {
		exe, err := b.build(".", "./bench/"+dir)
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(exe, append([]string{"-child"}, args...)...)
		if b.profile != "" && slices.Equal(args, ctxHandlers) && dialect == b.profileOf {
			cmd.Args = append(cmd.Args, "-cpuprofile", b.profile)
		}
		return b.oneThread(cmd), nil
	}
}

// oneThread has a program of Go on one core use one thread for its code.
func (b *bench) oneThread(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = os.Environ()
	if b.pinned {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
	}
	return cmd
}

// goPeer runs somebody else's library. Each is a module that is not in the workspace, since what it requires would
// change the versions that everything else is built with.
func goPeer(module string, args ...string) func(*bench, string) (*exec.Cmd, error) {
	return func(b *bench, _ string) (*exec.Cmd, error) {
		exe, err := b.build(filepath.Join("bench", "_peers", module), ".")
		if err != nil {
			return nil, err
		}
		return b.oneThread(exec.Command(exe, args...)), nil
	}
}

func ownClient(module string) func(*bench, *scenario, string) (*exec.Cmd, error) {
	start := goPeer(module)
	return func(b *bench, s *scenario, addr string) (*exec.Cmd, error) {
		cmd, err := start(b, "")
		if err == nil {
			cmd.Args = append(cmd.Args, "-load", addr, "-conns", strconv.Itoa(s.conns), "-inflight", strconv.Itoa(s.inFlight),
				"-echo", strconv.Itoa(s.size), "-time", b.time.String())
		}
		return cmd, err
	}
}

func tlsFlags(cmd *exec.Cmd, cert, key string) {
	cmd.Args = append(cmd.Args, "-cert", cert, "-key", key)
}

func tlsVariables(cmd *exec.Cmd, cert, key string) {
	cmd.Env = append(cmd.Env, "TLS_CERT="+cert, "TLS_KEY="+key)
}

type runtimeName string

const (
	bun     runtimeName = "bun"
	node    runtimeName = "node"
	deno    runtimeName = "deno"
	workerd runtimeName = "workerd"
)

// script runs a file of js. Variable names the checkout that it needs, if any.
func script(rt runtimeName, variable, file string, args ...string) func(*bench, string) (*exec.Cmd, error) {
	return func(b *bench, dialect string) (*exec.Cmd, error) {
		modules := filepath.Join(b.jsDir, "node_modules")
		if _, err := os.Stat(filepath.Join(modules, "kkrpc")); err != nil {
			return nil, errors.New("its npm packages are not installed: make bench-js")
		}
		if variable != "" && os.Getenv(variable) == "" {
			return nil, noCheckout(variable)
		}
		exe, err := b.find(rt)
		if err != nil {
			return nil, err
		}
		var flags []string
		switch rt {
		case node:
			// The loader is for the sources of kkrpc, which are TypeScript.
			if variable != "" {
				flags = []string{"--import", "file://" + filepath.ToSlash(filepath.Join(modules, "tsx", "dist", "loader.mjs"))}
			}
		case deno:
			flags = []string{"run", "--quiet", "--allow-all", "--no-lock", "--no-check", "--node-modules-dir=manual"}
		case bun:
			flags = []string{"run"}
		}
		_, codec, _ := strings.Cut(dialect, "-")
		cmd := exec.Command(exe, slices.Concat(flags, []string{filepath.Join(b.jsDir, file)}, args, []string{codec})...)
		cmd.Dir = b.jsDir
		// The sources of kkrpc find what they import even where the checkout has installed nothing.
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "DENO_NO_UPDATE_CHECK=1", "NO_COLOR=1", "NODE_ENV=production")
		return cmd, nil
	}
}

func noCheckout(variable string) error {
	return fmt.Errorf("%s does not name a checkout of kkrpc, see CONTRIBUTING.md", variable)
}

// server is a peer that runs.
type server struct {
	*host.Process
	target load.Target
}

// start starts a peer that speaks a dialect.
func (b *bench) start(p *peer, dialect string, tls bool) (*server, error) {
	cmd, err := p.command(b, dialect)
	if err != nil {
		return nil, err
	}
	if tls {
		cert, key, err := b.certificate()
		if err != nil {
			return nil, err
		}
		p.tls(cmd, cert, key)
	}
	process, err := host.Start(cmd, b.serverCore)
	if err != nil {
		return nil, err
	}
	var line struct {
		Addr string
		Port int // of workerd
	}
	if err := process.Ready(&line); err != nil {
		process.Stop()
		return nil, fmt.Errorf("%s %w", cmd.Path, err)
	}
	if line.Addr == "" {
		line.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(line.Port))
		process.Patience = 0 // it does not look at its standard input
	}
	return &server{process, load.Target{Addr: line.Addr, Path: "/ws", TLS: tls}}, nil
}
