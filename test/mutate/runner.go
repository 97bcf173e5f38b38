package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

// pkg is what go list says of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

func (p *pkg) hasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// uses reports whether p or its tests import the package path, in the group or directly.
func (p *pkg) uses(path string, group map[string]*pkg) bool {
	if slices.Contains(p.Deps, path) {
		return true
	}
	for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
		if imp == path || group[imp] != nil && slices.Contains(group[imp].Deps, path) {
			return true
		}
	}
	return false
}

func list(ctx context.Context, pattern string) ([]*pkg, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles,Deps,TestImports,XTestImports", pattern)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, stderr.Bytes())
	}
	var pkgs []*pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		p := new(pkg)
		if err := dec.Decode(p); err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
	if !slices.ContainsFunc(pkgs, (*pkg).hasTests) {
		return nil, errors.New("no tests")
	}
	return pkgs, nil
}

// outcome is what became of a change.
type outcome string

const (
	killed   outcome = "killed"
	timedOut outcome = "timed out"
	survived outcome = "SURVIVED"
	invalid  outcome = "invalid"
	unknown  outcome = "stopped" // the time limit came first
)

// runner tries changes on the tests of a group of packages.
type runner struct {
	tmp     string
	workers int
	tests   map[*pkg][]*pkg // the packages whose tests can see a change in the key, its own first
	timeout time.Duration
	only    string // pattern of the tests that run; "" for all
}

// newRunner runs the unchanged tests, which must pass, and takes the time limit of the others from them.
func newRunner(ctx context.Context, pkgs []*pkg, workers int, only string) (*runner, error) {
	tmp, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	r := &runner{tmp: tmp, workers: max(workers, 1), tests: map[*pkg][]*pkg{}, timeout: time.Minute, only: only}
	group := map[string]*pkg{}
	for _, p := range pkgs {
		group[p.ImportPath] = p
	}
	for _, p := range pkgs {
		if p.hasTests() {
			r.tests[p] = append(r.tests[p], p)
		}
		for _, q := range pkgs {
			if q != p && q.hasTests() && q.uses(p.ImportPath, group) {
				r.tests[p] = append(r.tests[p], q)
			}
		}
	}
	var slowest time.Duration
	none := true // no test has run
	for _, p := range pkgs {
		if !p.hasTests() {
			continue
		}
		bin := filepath.Join(tmp, "base.test")
		if msg, err := build(ctx, p, bin, ""); err != nil {
			r.close()
			return nil, fmt.Errorf("%s does not build: %w\n%s", p.ImportPath, err, msg)
		}
		start := time.Now()
		msg, err := r.test(ctx, p, bin)
		if err != nil {
			r.close()
			return nil, fmt.Errorf("the tests of %s fail unchanged: %w\n%s", p.ImportPath, err, msg)
		}
		none = none && bytes.Contains(msg, []byte("testing: warning: no tests to run"))
		slowest = max(slowest, time.Since(start))
	}
	if none {
		r.close()
		return nil, fmt.Errorf("no test matches %s", only)
	}
	r.timeout = 5*time.Second + 5*slowest
	return r, nil
}

func (r *runner) close() { _ = os.RemoveAll(r.tmp) }

// tryAll tries the changes in order, several at once, until report returns false or ctx ends. Reports come one at a
// time and in the order of the changes, so that the same sample prints the same.
func (r *runner) tryAll(ctx context.Context, sites []site, report func(site, outcome) bool) {
	ctx, cancel := context.WithCancel(ctx)
	results := make([]chan outcome, len(sites))
	for i := range results {
		results[i] = make(chan outcome, 1)
	}
	next := make(chan int)
	var wg sync.WaitGroup
	for range r.workers {
		wg.Go(func() {
			for i := range next {
				results[i] <- r.try(ctx, i, sites[i])
			}
		})
	}
	wg.Go(func() {
		defer close(next)
		for i := range sites {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	})
	defer wg.Wait()
	defer cancel()
	for i := range sites {
		select {
		case o := <-results[i]:
			if o == unknown || !report(sites[i], o) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func (r *runner) try(ctx context.Context, i int, s site) outcome {
	dir := filepath.Join(r.tmp, fmt.Sprint(i))
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, s)
	if err != nil {
		return unknown
	}
	for _, p := range r.tests[s.pkg] {
		bin := filepath.Join(dir, "changed.test")
		if _, err := build(ctx, p, bin, overlay); err != nil {
			if ctx.Err() != nil {
				return unknown
			}
			return invalid
		}
		out, err := r.test(ctx, p, bin)
		switch {
		case ctx.Err() != nil:
			return unknown
		case bytes.Contains(out, []byte("panic: test timed out")) || errors.Is(err, errTimeout):
			return timedOut
		case err != nil:
			return killed
		}
	}
	return survived
}

func writeOverlay(dir string, s site) (string, error) {
	src, err := os.ReadFile(s.file)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(s.file))
	text := slices.Concat(src[:s.start], []byte(s.text), src[s.end:])
	if err := os.WriteFile(changed, text, 0o644); err != nil {
		return "", err
	}
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{s.file: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, data, 0o644)
}

func build(ctx context.Context, p *pkg, bin, overlay string) ([]byte, error) {
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-o", bin}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir = p.Dir
	return cmd.CombinedOutput()
}

var errTimeout = errors.New("no end in time")

// test runs a test binary without live tests, fuzzing and benchmarks. A changed loop may never end or allocate
// without bound, so both are limited from outside.
func (r *runner) test(ctx context.Context, p *pkg, bin string) ([]byte, error) {
	hard, cancel := context.WithTimeoutCause(ctx, r.timeout+5*time.Second, errTimeout)
	defer cancel()
	flags := []string{"-test.short", "-test.failfast", "-test.timeout", r.timeout.String(), "-test.run", r.only}
	cmd := exec.CommandContext(hard, bin, flags...)
	if runtime.GOOS != "windows" {
		const limit = `ulimit -v 4194304 2>/dev/null; exec "$0" "$@"`
		cmd = exec.CommandContext(hard, "sh", append([]string{"-c", limit, bin}, flags...)...)
	}
	cmd.Dir = p.Dir
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil && context.Cause(hard) == errTimeout {
		err = errTimeout
	}
	return out, err
}
