package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress says what is being done: on a terminal in one line that changes, elsewhere in a line for each run.
type progress struct {
	w        io.Writer
	terminal bool
	elapsed  func() time.Duration
	of, at   int // how many scenarios there are, and which one it is
}

// newProgress is the progress of so many scenarios, on standard error.
func newProgress(scenarios int) *progress {
	began := time.Now()
	info, err := os.Stderr.Stat()
	return &progress{
		w: os.Stderr, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0,
		elapsed: func() time.Duration { return time.Since(began) }, of: scenarios,
	}
}

// scenario begins the next scenario.
func (p *progress) scenario() { p.at++ }

// run says which run begins, from 1.
func (p *progress) run(scenario string, run, runs int, peer string) {
	line := fmt.Sprintf("%6s  %*d/%d %s, run %d/%d, %s", p.elapsed().Round(time.Second), len(fmt.Sprint(p.of)), p.at, p.of, scenario, run, runs, peer)
	if p.terminal {
		fmt.Fprint(p.w, "\r\033[K"+line)
	} else {
		fmt.Fprintln(p.w, line)
	}
}

// end makes room for something else.
func (p *progress) end() {
	if p.terminal {
		fmt.Fprint(p.w, "\r\033[K")
	}
}
