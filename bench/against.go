package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/kkrpc-go/kkrpc/bench/results"
)

// againstScenarios are those of -against if -scenarios names none.
const againstScenarios = "add-64x16,add-64x1,echo-1k,echo-64k,stream-100k,add-1x1,struct-20"

// tolerance is by how much the server may have become dearer.
const tolerance = 0.05

// comparison has what both servers cost in a scenario, run by run.
type comparison struct {
	scenario    *scenario
	before, now row
}

// against measures this project's server as it was at a revision and as it is in the working tree, by turns.
func (b *bench) against(w io.Writer, rev, which string) error {
	if which == "" {
		which = againstScenarios
	}
	chosen, err := choose("scenario", which, scenarios, func(s *scenario) string { return s.name })
	if err != nil {
		return err
	}
	end, err := b.open()
	if err != nil {
		return err
	}
	defer end()
	old, name, err := b.serverAt(rev)
	if err != nil {
		return err
	}
	before := &peer{name: name, dialects: []string{"compact-json"}, command: func(b *bench, _ string) (*exec.Cmd, error) {
		return b.oneThread(exec.Command(old, append([]string{"-child"}, ctxHandlers...)...)), nil
	}, tls: tlsFlags}
	now := &peer{name: "now", dialects: before.dialects, command: goServer("server", ctxHandlers...), tls: tlsFlags}
	if err := b.prepare(chosen, []*peer{before, now}); err != nil {
		return err
	}
	var all []*comparison
	b.progress = newProgress(len(chosen))
	for _, s := range chosen {
		dialect := s.against()
		c, err := b.compare(s, subject{before, dialect}, subject{now, dialect})
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	b.progress.end()
	b.head(w)
	printComparisons(w, name, all)
	return nil
}

// against is the dialect in which two servers of this project are compared: the first one, if it is of this project alone.
func (s *scenario) against() string {
	if s.dialects != nil && slices.Contains(layerDialects, s.dialects[0]) {
		return s.dialects[0]
	}
	return "compact-json"
}

// compare takes a new process for each run, so that no single one's luck with memory decides, and changes who is first.
func (b *bench) compare(s *scenario, before, now subject) (*comparison, error) {
	c := &comparison{scenario: s}
	b.progress.scenario()
	for i := range b.runs {
		turns := []subject{before, now}
		if i%2 == 1 {
			slices.Reverse(turns)
		}
		for _, sub := range turns {
			b.progress.run(s.name, i+1, b.runs, sub.peer.name)
			got, err := b.sample(s, sub)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.name, sub.peer.name, err)
			}
			b.drop(sub)
			r := &c.now
			if sub == before {
				r = &c.before
			}
			r.Samples = append(r.Samples, got)
		}
	}
	return c, nil
}

// ratios are those of the runs that followed each other, in ascending order.
func (c *comparison) ratios() []float64 {
	var all []float64
	for i, s := range c.now.Samples {
		all = append(all, s.Cost()/c.before.Samples[i].Cost())
	}
	slices.Sort(all)
	return all
}

// bounds are those of the median, with a confidence of 95 %: of so few runs as to have none, the lowest and the highest.
func bounds(sorted []float64) (low, high float64) {
	n := len(sorted)
	outside := 0 // how many may be left out on either side
	p := math.Pow(0.5, float64(n))
	for sum := p; sum <= 0.025; sum += p {
		outside++
		p *= float64(n-outside+1) / float64(outside)
	}
	outside = max(outside, 1)
	return sorted[outside-1], sorted[n-outside]
}

// verdict tells whether the server of the working tree costs at most tolerance more.
func (c *comparison) verdict() (ratio, low, high float64, verdict string) {
	ratios := c.ratios()
	low, high = bounds(ratios)
	switch {
	case high <= 1+tolerance:
		verdict = fmt.Sprintf("within %.0f %%", 100*tolerance)
	case low > 1+tolerance:
		verdict = "dearer"
	default:
		verdict = "unclear, measure more runs"
	}
	return results.Middle(ratios), low, high, verdict
}

func printComparisons(w io.Writer, name string, all []*comparison) {
	fmt.Fprint(w, "\nthe server's µs of CPU for a call or an item; the median of the runs' ratios with its bounds, 95 %\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\t%s\t±\tnow\t±\tratio\tbounds\t\n", name)
	var rows []*row
	for _, c := range all {
		before, beforeSpread := c.before.Median()
		now, nowSpread := c.now.Median()
		ratio, low, high, verdict := c.verdict()
		fmt.Fprintf(t, "%s\t%.2f\t%.0f %%\t%.2f\t%.0f %%\t%.3f\t%.3f–%.3f\t  %s\n", c.scenario.name, before.Cost(), 100*beforeSpread,
			now.Cost(), 100*nowSpread, ratio, low, high, verdict)
		rows = append(rows, &c.before, &c.now)
	}
	t.Flush()
	noise(w, rows)
}

// serverAt builds the server of a revision in a working tree of its own, which it removes, and returns it with the
// revision's short name.
func (b *bench) serverAt(rev string) (exe, name string, err error) {
	name, err = run(".", "git", "rev-parse", "--short", "--verify", rev+"^{commit}")
	if err != nil {
		return "", "", err
	}
	tree := filepath.Join(b.outDir, "before")
	remove := func() error {
		_, err := run(".", "git", "worktree", "remove", "--force", tree)
		return err
	}
	if _, err := os.Stat(tree); err == nil { // left by a run that was interrupted
		if err := remove(); err != nil {
			return "", "", err
		}
	}
	if _, err := run(".", "git", "worktree", "add", "--detach", tree, name); err != nil {
		return "", "", err
	}
	defer func() { err = errors.Join(err, remove()) }()
	exe = filepath.Join(b.outDir, "server-before"+exeSuffix())
	for _, dir := range []string{"bench/server", "internal/bench/server"} { // where it is, and where it was
		if _, err := os.Stat(filepath.Join(tree, filepath.FromSlash(dir))); err != nil {
			continue
		}
		_, err := run(tree, "go", "build", "-o", exe, "./"+dir)
		return exe, name, err
	}
	return "", "", fmt.Errorf("%s has no server to measure", rev)
}

// run runs a command in a folder and returns what it printed.
func run(dir, command string, args ...string) (string, error) {
	cmd := exec.Command(command, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", command, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return string(bytes.TrimSpace(out)), nil
}
