package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kkrpc-go/kkrpc/cmd/kkrpc/internal/source"
)

// session is one run of kkrpc dev. All is owned by run, but what its comment gives to a round.
type session struct {
	types          generation // out is empty without --ts
	args           []string   // of the program
	stopTimeout    time.Duration
	stdout, stderr io.Writer

	loader  *source.Loader // of the round that is under way
	watcher *watcher
	dir     string // for builds
	builds  int    // how many there were
	child   *child // nil if the program does not run
	round   round
	// The last texts about the types and of the compiler, each of which is said once.
	typesSaid, buildSaid string
}

// run returns nil when ctx ends, and an error if it cannot begin.
func (s *session) run(ctx context.Context) (err error) {
	seen := time.Now()
	s.loader = source.NewLoader(".", s.types.pkg)
	tree, err := s.loader.Tree(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil:
		return err
	case tree.WebAssembly:
		return fmt.Errorf("%s is built for js/wasm alone and cannot run here; see kkrpc build hono", s.types.pkg)
	case tree.Package != "main":
		return fmt.Errorf("%s is package %s: want a main package", s.types.pkg, tree.Package)
	}
	except := ""
	if s.types.out != "" {
		if except, err = filepath.Abs(s.types.out); err != nil {
			return err
		}
	}
	if s.dir, err = os.MkdirTemp("", "kkrpc-dev-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if s.watcher, err = watch(tree, except); err != nil {
		return err
	}
	defer s.watcher.Close()
	s.begin(ctx, seen)
	for {
		var ended <-chan struct{}
		if s.child != nil {
			ended = s.child.ended
		}
		select {
		case seen := <-s.watcher.changed:
			s.abandon()
			s.begin(ctx, seen)
		case t := <-s.round.typed:
			s.round.typed = nil
			s.tellTypes(t)
		case b := <-s.round.built:
			s.round.built = nil
			s.replace(ctx, b)
		case <-ended:
			fmt.Fprintf(s.stderr, "server ended: %s; waiting for a change\n", s.child.status())
			s.forget()
		case err := <-s.watcher.problems:
			failed(s.stderr, "kkrpc dev", err)
		case <-ctx.Done():
			s.abandon()
			s.stop()
			return nil
		}
	}
}

// tellTypes prints what became of the types.
func (s *session) tellTypes(t typed) {
	switch {
	case t.err == nil && t.api == nil, errors.Is(t.err, context.Canceled):
	case t.err == nil:
		unchanged := ""
		if t.unchanged {
			unchanged = ", unchanged"
		}
		s.say(&s.typesSaid, t.warnings)
		fmt.Fprintf(s.stderr, "%s: %s, %d types%s (%s)\n", s.types.out, t.api.Name, len(t.api.Types), unchanged, inShort(t.took))
	case !t.compiles && s.round.built != nil:
		s.round.failed = t.err
	case !t.compiles && s.buildSaid != "":
	default:
		s.say(&s.typesSaid, t.err.Error()+"\n")
	}
}

// say prints text, unless it is what was said last.
func (s *session) say(said *string, text string) {
	if *said != text {
		fmt.Fprint(s.stderr, text)
	}
	*said = text
}

// replace puts a program that was built in the place of the one that runs.
func (s *session) replace(ctx context.Context, b built) {
	old, verb := s.child, "restarted"
	if old == nil {
		verb = "started"
	}
	switch {
	case ctx.Err() != nil:
		discard(b)
		return
	case b.err != nil:
		failed(s.stderr, "kkrpc dev", b.err)
		return
	case b.problems != "":
		s.say(&s.buildSaid, b.problems)
		fmt.Fprintf(s.stderr, "server not %s: it does not compile (%s)\n", verb, inShort(time.Since(s.round.seen)))
		return
	}
	s.buildSaid = ""
	if s.round.failed != nil { // the compiler had nothing against it
		s.say(&s.typesSaid, s.round.failed.Error()+"\n")
	}
	if old != nil && isSame(old.file, b.file) {
		discard(b)
		fmt.Fprintf(s.stderr, "server unchanged (%s)\n", inShort(time.Since(s.round.seen)))
		return
	}
	s.stop()
	next, err := startChild(b.file, s.args, s.stdout, s.stderr)
	if err != nil {
		discard(b)
		failed(s.stderr, "kkrpc dev", err)
		return
	}
	s.child = next
	fmt.Fprintf(s.stderr, "server %s (%s)\n", verb, inShort(time.Since(s.round.seen)))
}

// isSame reports whether two files have the same content.
func isSame(a, b string) bool {
	first, err := os.ReadFile(a)
	second, err2 := os.ReadFile(b)
	return err == nil && err2 == nil && bytes.Equal(first, second)
}

// stop ends the program, if it runs.
func (s *session) stop() {
	if s.child == nil {
		return
	}
	if s.child.stop(s.stopTimeout) {
		fmt.Fprintf(s.stderr, "server killed: it had not ended %v after the interrupt\n", s.stopTimeout)
	}
	s.forget()
}

// forget drops a program that has ended.
func (s *session) forget() {
	os.RemoveAll(filepath.Dir(s.child.file))
	s.child = nil
}

// inShort is how long something took, as in 180 ms or 1.2 s.
func inShort(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
