package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/kkrpc-go/kkrpc/schema"
)

// round makes types and program anew after a change.
type round struct {
	seen   time.Time // when the change was
	cancel context.CancelFunc
	// Each gets one result, and is nil once run has taken it.
	typed <-chan typed
	built <-chan built
	// failed is that the types could not be made since the source does not compile. The compiler says it better.
	failed error
}

// typed is what became of the types.
type typed struct {
	api       *schema.API // nil if there are no types to make
	unchanged bool
	warnings  string // lines
	err       error
	compiles  bool // err is not that of a compiler
	took      time.Duration
}

// built is what became of the program.
type built struct {
	file     string // the program
	problems string // of the compiler, lines
	err      error  // of what else
}

// begin starts a round.
func (s *session) begin(ctx context.Context, seen time.Time) {
	ctx, cancel := context.WithCancel(ctx)
	types, program := make(chan typed, 1), make(chan built, 1)
	s.round = round{seen: seen, cancel: cancel, typed: types, built: program}
	s.builds++
	dir := filepath.Join(s.dir, fmt.Sprint(s.builds)) // a program that runs cannot be overwritten everywhere
	go func() { types <- s.generate(ctx, seen) }()    // ends soon after cancel, which abandon waits for
	go func() { program <- s.build(ctx, dir) }()      // likewise
}

// abandon ends the round and waits until it has ended. Types that were written meanwhile are told.
func (s *session) abandon() {
	s.round.cancel()
	if s.round.typed != nil {
		if t := <-s.round.typed; t.err == nil {
			s.tellTypes(t)
		}
	}
	if s.round.built != nil {
		discard(<-s.round.built)
	}
	s.round.typed, s.round.built = nil, nil
}

// generate makes the types. It is called by a round.
func (s *session) generate(ctx context.Context, seen time.Time) (t typed) {
	tree, err := s.loader.Tree(ctx)
	if err != nil {
		return typed{err: err}
	}
	select {
	case s.watcher.trees <- tree:
	case <-ctx.Done():
	}
	if s.types.out == "" {
		return typed{}
	}
	program, err := s.loader.Load(ctx)
	if err != nil {
		return typed{err: err}
	}
	t.compiles = true
	if t.api, t.err = choose(program, s.types.pkg, s.types.api); t.err != nil {
		return t
	}
	text, warnings, err := s.types.text(t.api)
	if err == nil {
		err = ctx.Err() // a newer source is there
	}
	if err == nil {
		t.unchanged, err = replaceFile(s.types.out, text)
	}
	t.err, t.warnings, t.took = err, warnings, time.Since(seen)
	return t
}

// replaceFile writes a file if that changes it. A development server that watches the file then has nothing to do.
func replaceFile(name string, text []byte) (unchanged bool, err error) {
	old, err := os.ReadFile(name)
	switch {
	case err == nil && bytes.Equal(old, text):
		return true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	}
	if err := mayReplace(name, old); err != nil {
		return false, err
	}
	return false, writeFile(name, text)
}

// build compiles the program into a folder, which goes if that fails. It is called by a round.
func (s *session) build(ctx context.Context, dir string) (b built) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return built{err: err}
	}
	defer func() {
		if b.file == "" {
			os.RemoveAll(dir)
		}
	}()
	// As with go run, the program does not know the revision of its source: git takes time.
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", dir+string(filepath.Separator), "--", s.types.pkg)
	setGroup(cmd) // Ctrl-C is for this process, which says what it means
	cmd.Cancel = func() error {
		if interruptGroup(cmd.Process) {
			return nil // then it removes what it has begun
		}
		return cmd.Process.Kill()
	}
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return built{err: ctx.Err()}
	case errors.As(err, &exit):
		return built{problems: cmp.Or(compilerLines(string(out)), "go build: "+err.Error()+"\n")}
	case err != nil:
		return built{err: fmt.Errorf("go build: %w", err)}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		return built{err: fmt.Errorf("go build %s made %d programs: want one", s.types.pkg, len(files))}
	}
	return built{file: files[0]}
}

// compilerLines is what the go command prints of a build that failed, each place as kkrpc gen writes it.
func compilerLines(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "# ") { // the package, which the places name
			b.WriteString(strings.TrimPrefix(line, "."+string(filepath.Separator)))
		}
	}
	return b.String()
}

// discard removes a program that will not run.
func discard(b built) {
	if b.file != "" {
		os.RemoveAll(filepath.Dir(b.file))
	}
}
