// Command instr counts the instructions that a request or a call takes, and compares them with baseline.json. Unlike times
// they are nearly the same in every run and on every machine, so that a change that costs more is seen at once:
//
//	go run ./bench/instr          fails if one differs by more than 5 % from the baseline
//	go run ./bench/instr -write   makes what is counted now the baseline
//
// Valgrind does the counting. Where it is missing, or where the baseline is of another version of Go or another kind of
// processor, the command says so and succeeds. The instructions of the kernel are not counted.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"text/tabwriter"
)

func main() {
	file := flag.String("baseline", "bench/instr/baseline.json", "the `FILE` to compare with")
	write := flag.Bool("write", false, "write the file instead")
	only := flag.String("only", "", "count only the cases whose names contain `TEXT`")
	work := flag.String("case", "", "do the work of the case with this `NAME`, and count nothing")
	n := flag.Int("n", 1, "how often -case does it")
	flag.Parse()
	var err error
	switch {
	case *work != "":
		err = perform(*work, *n)
	case *write && *only != "":
		err = errors.New("-write counts all cases: it goes without -only")
	default:
		err = run(*file, *only, *write)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "instr:", err)
		os.Exit(1)
	}
}

func perform(name string, n int) error {
	for _, c := range cases {
		if c.name == name {
			return c.run(n)
		}
	}
	return fmt.Errorf("no case is called %q", name)
}

func run(file, only string, write bool) error {
	valgrind, err := exec.LookPath("valgrind")
	if err != nil {
		fmt.Println("skipped: instructions are counted by valgrind, which is not installed (apt-get install valgrind)")
		return nil
	}
	base, err := readBaseline(file)
	if err != nil && !write {
		return err
	}
	if here := platform(); base.Platform != here && !write {
		fmt.Printf("skipped: the baseline is of %s, this is %s\n", base.Platform, here)
		return nil
	}
	now, err := countAll(valgrind, only, func(name string, got int64) bool {
		return !write && judge(base.Instructions[name], got) != dearer
	})
	if err != nil {
		return err
	}
	if write {
		return now.write(file)
	}
	return compare(base, now)
}

// attempts is how often a case is counted at most.
const attempts = 3

// countAll counts the cases whose names contain only, some at once. Whatever disturbs a run adds to it, so that a case is
// counted again until what it got is good enough, and the least is what counts.
func countAll(valgrind, only string, enough func(name string, got int64) bool) (baseline, error) {
	now := baseline{Platform: platform(), Instructions: map[string]int64{}}
	var (
		mu    sync.Mutex // guards now and errs
		errs  []error
		wg    sync.WaitGroup
		slots = make(chan struct{}, runtime.NumCPU())
	)
	for _, c := range cases {
		if !strings.Contains(c.name, only) {
			continue
		}
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			least, err := c.least(valgrind, enough)
			mu.Lock()
			defer mu.Unlock()
			now.Instructions[c.name] = least
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			}
		})
	}
	wg.Wait()
	return now, errors.Join(errs...)
}

func (c *testCase) least(valgrind string, enough func(name string, got int64) bool) (least int64, err error) {
	for range attempts {
		got, err := c.count(valgrind)
		if err != nil {
			return 0, err
		}
		if least == 0 || got < least {
			least = got
		}
		if enough(c.name, least) {
			break
		}
	}
	return least, nil
}

// compare prints all cases and fails if one is too far from the baseline.
func compare(base, now baseline) error {
	off := 0
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, c := range cases {
		got, ok := now.Instructions[c.name]
		if !ok {
			continue
		}
		want := base.Instructions[c.name]
		v := judge(want, got)
		if v != same {
			off++
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t\n", c.name, want, got, describe(want, got, v))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if off > 0 {
		return fmt.Errorf("%d of them are not within %d %% of the baseline: if that is meant, make instr-baseline", off, tolerance)
	}
	return nil
}
