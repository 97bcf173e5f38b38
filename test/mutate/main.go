// Command mutate measures how much the tests notice. It changes one operator, constant, condition or statement at a
// time, runs the tests of the packages, and counts the changes that made them fail ("killed").
//
//	go run ./test/mutate -min 70 ./superjson ./internal/wire/... ./transport/ws:read.go,deflate.go
//
// Each argument is a group of packages with its own sample and its own result. Files after a colon are the only ones that
// are changed. A pattern after a second colon chooses tests, like -run of go test; ./pkg::Pattern changes all files. A file
// or a pattern that matches nothing is an error.
//
// A change in one package is tried against that package's tests and then against those of the group's packages that import
// it. Changes that do not compile count neither way. Nothing is written to the source tree: changes are overlays.
//
// A line that ends in a comment //mutate:skip with a reason is left alone: for changes that no test can see.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type config struct {
	min     float64
	sample  int
	budget  time.Duration
	workers int
	seed    uint64
	verbose bool
}

var errBelow = errors.New("mutate: too many changes went unnoticed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	var c config
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.Float64Var(&c.min, "min", 70, "the least `percentage` of changes each group's tests must notice")
	flags.IntVar(&c.sample, "n", 120, "how many `changes` to try per group; 0 tries all")
	flags.DurationVar(&c.budget, "time", 4*time.Minute, "stop after this `time`, shared by the groups")
	flags.IntVar(&c.workers, "p", 2, "how many changes to try at once")
	flags.Uint64Var(&c.seed, "seed", 1, "selects the sample")
	flags.BoolVar(&c.verbose, "v", false, "print every change, not only those that survive")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("mutate: no packages given (usage: mutate [flags] ./superjson)")
	}
	deadline := time.Now().Add(c.budget)
	var below bool
	for i, pattern := range flags.Args() {
		// Time that one group leaves goes to the next ones.
		share := time.Until(deadline) / time.Duration(flags.NArg()-i)
		res, err := c.group(ctx, pattern, share, out)
		if err != nil {
			return fmt.Errorf("mutate: %s: %w", pattern, err)
		}
		if res.percent() < c.min {
			below = true
			fmt.Fprintf(out, "%s: below the minimum of %g %%\n", pattern, c.min)
		}
	}
	if below {
		return errBelow
	}
	return nil
}

// result counts a group's changes by what became of them.
type result struct {
	killed, timedOut, survived, invalid int
}

func (r result) tried() int { return r.killed + r.timedOut + r.survived }

func (r result) percent() float64 {
	if r.tried() == 0 {
		return 0
	}
	return 100 * float64(r.killed+r.timedOut) / float64(r.tried())
}

// missingFiles returns the names that no package has among its files for this system, tests not counted.
func missingFiles(pkgs []*pkg, names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(pkgs, func(p *pkg) bool { return slices.Contains(p.GoFiles, name) })
	})
}

func (c config) group(ctx context.Context, pattern string, share time.Duration, out io.Writer) (result, error) {
	start := time.Now()
	packages, rest, _ := strings.Cut(pattern, ":")
	files, tests, _ := strings.Cut(rest, ":")
	pkgs, err := list(ctx, packages)
	if err != nil {
		return result{}, err
	}
	sites, err := findSites(pkgs)
	if err != nil {
		return result{}, err
	}
	if files != "" {
		names := strings.Split(files, ",")
		if missing := missingFiles(pkgs, names); len(missing) > 0 {
			return result{}, fmt.Errorf("no file %s", strings.Join(missing, ", "))
		}
		sites = slices.DeleteFunc(sites, func(s site) bool { return !slices.Contains(names, filepath.Base(s.file)) })
	}
	rand.New(rand.NewPCG(c.seed, c.seed)).Shuffle(len(sites), func(i, j int) { sites[i], sites[j] = sites[j], sites[i] })

	r, err := newRunner(ctx, pkgs, c.workers, tests)
	if err != nil {
		return result{}, err
	}
	defer r.close()
	want := c.sample
	if want <= 0 {
		want = len(sites)
	}
	ctx, cancel := context.WithTimeout(ctx, share-time.Since(start))
	defer cancel()
	var res result
	r.tryAll(ctx, sites, func(s site, o outcome) bool {
		switch o {
		case killed:
			res.killed++
		case timedOut:
			res.timedOut++
		case survived:
			res.survived++
		case invalid:
			res.invalid++
		}
		if o == survived || c.verbose {
			fmt.Fprintf(out, "%-9s %s\n", o, s)
		}
		return res.tried() < want
	})
	note := ""
	if res.tried() < want && ctx.Err() != nil {
		note = ", stopped by the time limit"
	}
	fmt.Fprintf(out, "%s: %.1f %% of %d changes noticed: %d killed (%d by timeout), %d survived, %d did not compile (of %d possible, seed %d; %s%s)\n",
		pattern, res.percent(), res.tried(), res.killed+res.timedOut, res.timedOut, res.survived, res.invalid, len(sites), c.seed,
		time.Since(start).Round(time.Second), note)
	return res, nil
}
