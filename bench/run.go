package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/kkrpc-go/kkrpc/bench/host"
)

// choose returns the entries of all that list names, in the order of all.
func choose[T any](what, list string, all []T, name func(*T) string) ([]*T, error) {
	var chosen []*T
	names := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
	for i := range all {
		if list == "" || slices.Contains(names, name(&all[i])) {
			chosen = append(chosen, &all[i])
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(chosen, func(t *T) bool { return name(t) == n }) {
			return nil, fmt.Errorf("no %s is called %q: -list prints the names", what, n)
		}
	}
	return chosen, nil
}

// prepare builds what the peers need, on all cores, and then keeps this process on one.
func (b *bench) prepare(scenarios []*scenario, peers []*peer) error {
	server, generator, ok := host.Cores()
	b.pinned = ok
	if name, err := run(".", "git", "describe", "--always", "--dirty", "--tags"); err == nil {
		b.versions["kkrpc-go"] = name
	}
	b.versions["go"] = strings.TrimPrefix(runtime.Version(), "go")
	for name, variable := range map[string]string{"kkrpc 2": "KKRPC_V2", "kkrpc 0.7": "KKRPC_V07"} {
		if version := checkoutVersion(os.Getenv(variable)); version != "" {
			b.versions[name] = version
		}
	}
	for _, p := range peers {
		_, _ = p.command(b, p.dialects[0]) // what is missing is reported with the scenarios
	}
	if slices.ContainsFunc(scenarios, func(s *scenario) bool { return s.kind == goClients }) {
		_, _ = b.build(".", "./bench/client")
	}
	if !ok {
		return nil
	}
	b.serverCore, b.generatorCore = server, generator
	return host.Pin(generator)
}

// build compiles a command once, in the module in dir, and remembers it if that is impossible.
func (b *bench) build(dir, pkg string) (string, error) {
	id := filepath.Join(dir, pkg)
	if done, ok := b.built[id]; ok {
		return done.exe, done.err
	}
	exe := filepath.Join(b.outDir, filepath.Base(id)+exeSuffix())
	cmd := exec.Command("go", "build", "-o", exe, pkg)
	cmd.Dir = dir
	if dir != "." {
		cmd.Env = append(os.Environ(), "GOWORK=off")
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build in %s: %w: %s", dir, err, bytes.Join(bytes.Fields(out), []byte{' '}))
	}
	b.built[id] = built{exe, err}
	return exe, err
}

type built struct {
	exe string
	err error
}

func exeSuffix() string {
	if os.PathSeparator == '\\' {
		return ".exe"
	}
	return ""
}

// checkoutVersion is what version of kkrpc a checkout has, or "".
func checkoutVersion(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "packages", "kkrpc", "package.json"))
	var pkg struct{ Version string }
	if err != nil || json.Unmarshal(text, &pkg) != nil {
		return ""
	}
	return pkg.Version
}

// find finds a JavaScript runtime: Node is the machine's, the others come from npm. npm may have installed builds for
// another processor or C library, so each is tried.
func (b *bench) find(rt runtimeName) (string, error) {
	if exe := b.runtimes[rt]; exe != "" {
		return exe, nil
	}
	var candidates []string
	for _, pattern := range map[runtimeName][]string{
		bun: {"@oven/bun-*/bin/bun*"}, deno: {"@deno/*/deno*"}, workerd: {"@cloudflare/workerd-*/bin/workerd*"},
	}[rt] {
		names, err := filepath.Glob(filepath.Join(b.jsDir, "node_modules", pattern))
		if err != nil {
			return "", err
		}
		slices.Sort(names)
		candidates = append(candidates, names...)
	}
	if exe, err := exec.LookPath(string(rt)); err == nil {
		candidates = append(candidates, exe)
	}
	for _, exe := range candidates {
		if out, err := exec.Command(exe, "--version").Output(); err == nil {
			b.runtimes[rt] = exe
			line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			version, _, _ := strings.Cut(strings.TrimPrefix(line, string(rt)+" "), " ")
			b.versions[string(rt)] = strings.TrimPrefix(version, "v")
			return exe, nil
		}
	}
	return "", fmt.Errorf("no %s runs here: make bench-js", rt)
}

// scenario measures all subjects, each in every round, so that what else the machine does hits all of them.
func (b *bench) scenario(s *scenario, peers []*peer) []*row {
	var rows []*row
	subjects := s.subjects(peers)
	for _, sub := range subjects {
		rows = append(rows, &row{Scenario: s.name, Peer: sub.peer.name, Dialect: sub.dialect})
	}
	runs := b.runs
	if s.once {
		runs = 1
	}
	b.progress.scenario()
	for i := range runs {
		for j, sub := range subjects {
			if rows[j].Absent != "" {
				continue
			}
			b.progress.run(s.name, i+1, runs, sub.String())
			got, err := b.sample(s, sub)
			if err != nil {
				rows[j].Absent = err.Error()
				b.drop(sub)
				continue
			}
			rows[j].Samples = append(rows[j].Samples, got)
		}
	}
	b.progress.end()
	return rows
}

func (b *bench) sample(s *scenario, sub subject) (sample, error) {
	switch s.kind {
	case rooms, paced, members, shared, memory, resident:
		return b.fresh(s, sub)
	}
	srv, err := b.running(sub, s.tls)
	if err != nil {
		return sample{}, err
	}
	switch s.kind {
	case streams, callbacks:
		return b.pushes(s, srv, sub.dialect)
	case jsClients, goClients:
		return b.clients(s, sub, srv)
	case setup:
		return b.connects(srv, sub.dialect)
	default:
		if sub.peer.load != nil {
			cmd, err := sub.peer.load(b, s, srv.target.Addr)
			if err != nil {
				return sample{}, err
			}
			return b.external(cmd, srv, false)
		}
		return b.calls(s, srv, sub.dialect)
	}
}

// fresh measures with a server that has done nothing before.
func (b *bench) fresh(s *scenario, sub subject) (sample, error) {
	srv, err := b.start(sub.peer, sub.dialect, s.tls)
	if err != nil {
		return sample{}, err
	}
	stop := b.keep(srv)
	defer stop()
	switch s.kind {
	case rooms, members, shared:
		return b.room(s, srv, sub.dialect)
	case paced:
		return b.paced(s, srv, sub.dialect)
	case resident:
		return b.resident(s, srv, sub.dialect)
	}
	return b.memory(s, srv, sub.dialect)
}

// served is a server that goes on from one scenario to the next.
type served struct {
	subject
	tls bool
}

// running returns the server of a subject. It goes on until drop or stopAll.
func (b *bench) running(sub subject, tls bool) (*server, error) {
	if srv := b.servers[served{sub, tls}]; srv != nil {
		return srv, nil
	}
	srv, err := b.start(sub.peer, sub.dialect, tls)
	if err != nil {
		return nil, err
	}
	b.servers[served{sub, tls}] = srv
	b.keep(srv)
	return srv, nil
}

// drop ends the servers of a subject, of which one has failed.
func (b *bench) drop(sub subject) {
	for _, tls := range []bool{false, true} {
		if srv := b.servers[served{sub, tls}]; srv != nil {
			delete(b.servers, served{sub, tls})
			b.forget(srv)
			srv.Stop()
		}
	}
}

// keep remembers a server until it is stopped, by stop or by stopAll.
func (b *bench) keep(srv *server) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.alive[srv] = true
	return func() {
		b.forget(srv)
		srv.Stop()
	}
}

func (b *bench) forget(srv *server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.alive, srv)
}

func (b *bench) stopAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for srv := range b.alive {
		srv.Stop()
	}
	clear(b.alive)
}
