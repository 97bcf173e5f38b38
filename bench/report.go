package main

import (
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/kkrpc-go/kkrpc/bench/host"
	"github.com/kkrpc-go/kkrpc/bench/results"
)

// report prints a table for each scenario.
func report(w io.Writer, rows []*row, b *bench) {
	b.head(w)
	for i := range scenarios {
		if of := rowsOf(rows, scenarios[i].name); len(of) > 0 {
			table(w, &scenarios[i], of)
		}
	}
	printGoals(w, rows)
	noise(w, rows)
}

// noise says so if the machine was not quiet.
func noise(w io.Writer, rows []*row) {
	if share := others(rows); share > results.Quiet {
		fmt.Fprintf(w, "\nThis machine was not quiet: other programs had %.0f %% of the two cores.\n", 100*share)
	}
}

// head prints on what was measured, and how.
func (b *bench) head(w io.Writer) {
	fmt.Fprintf(w, "%s, %s/%s, %s\n", time.Now().UTC().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, host.Processor())
	for _, name := range slices.Sorted(maps.Keys(b.versions)) {
		fmt.Fprintf(w, "%s %s, ", name, b.versions[name])
	}
	fmt.Fprintf(w, "%d runs of %v each", b.runs, b.time)
	if b.pinned {
		fmt.Fprint(w, ", servers on one core, the generator on another")
	} else {
		fmt.Fprint(w, ", not pinned to cores")
	}
	if b.each {
		fmt.Fprint(w, ", every request written by itself")
	}
	fmt.Fprintf(w, "; %v in all\n", time.Since(b.began).Round(time.Second))
}

// others is the share of the cores that other programs had, in the middle of all runs.
func others(rows []*row) float64 {
	var all []sample
	for _, r := range rows {
		all = append(all, r.Samples...)
	}
	if len(all) == 0 {
		return 0
	}
	return results.Median(all, func(s sample) float64 { return s.Others })
}

func rowsOf(rows []*row, scenario string) (of []*row) {
	for _, r := range rows {
		if r.Scenario == scenario {
			of = append(of, r)
		}
	}
	return of
}

// ratio is how much m costs, where of costs 1, or how many calls it gets in the same time.
func (s *scenario) ratio(m, of sample) float64 {
	if s.byRate {
		return m.Rate / of.Rate
	}
	return m.Cost() / of.Cost()
}

// table prints the rows of a scenario; ratios are of what the server costs.
func table(w io.Writer, s *scenario, rows []*row) {
	fmt.Fprintf(w, "\n%s: %s", s.name, s.about)
	base := against(rows)
	if base != nil {
		fmt.Fprintf(w, "; ratios to %s", base.Peer)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	switch s.kind {
	case memory:
		fmt.Fprint(t, "\tKB")
	case resident:
		fmt.Fprint(t, "\tMB\tcollected")
	}
	fmt.Fprintln(t, "\tµs CPU\t±\tratio\tper s\tp50\tp99\tp99/p50\tserver\tgenerator\t")
	for _, r := range rows {
		if len(r.Samples) == 0 {
			continue
		}
		m, spread := r.Median()
		ratio, note := "", m.Note
		if base != nil {
			of, _ := base.Median()
			ratio = fmt.Sprintf("%.2f", s.ratio(m, of))
		}
		if m.Starved() {
			note = "the generator was the bottleneck"
		}
		if m.Parsed > 0.01 {
			note = fmt.Sprintf("%.0f %% of the answers parsed", 100*m.Parsed)
		}
		if note == "" && m.Others > results.Quiet {
			note = fmt.Sprintf("others had %.0f %% of the cores", 100*m.Others)
		}
		if note != "" {
			note = "  " + note
		}
		tail := ""
		if m.P50 > 0 {
			tail = fmt.Sprintf("%.1f", float64(m.P99)/float64(m.P50))
		}
		name := r.Name()
		switch s.kind {
		case memory:
			name += fmt.Sprintf("\t%.1f", m.Bytes/1000)
		case resident:
			name += fmt.Sprintf("\t%.1f\t%.1f", m.Resident/1e6, m.Collected/1e6)
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.0f %%\t%s\t%.0f\t%s\t%s\t%s\t%.0f %%\t%.0f %%\t%s\n", name, m.CPU, 100*spread, ratio, m.Rate,
			short(m.P50), short(m.P99), tail, 100*m.Server, 100*m.Generator, note)
	}
	t.Flush()
	for _, r := range rows {
		switch {
		case r.Absent != "" && len(r.Samples) > 0:
			fmt.Fprintf(w, "  %s: run %d failed: %s\n", r.Name(), len(r.Samples)+1, r.Absent)
		case r.Absent != "":
			fmt.Fprintf(w, "  %s: not measured: %s\n", r.Name(), r.Absent)
		}
	}
}

func short(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g ms", d.Seconds()*1e3)
}

// against is the row that ratios are to: kkrpc 2 on Bun with Hono; if it has no part in a scenario, or there is no
// checkout of it, what is nearest.
func against(rows []*row) *row {
	for _, name := range []string{baseline, "kkrpc2-bun", "kkrpc0.2-bun", "bun-echo"} {
		for _, r := range rows {
			if r.Peer == name && len(r.Samples) > 0 {
				return r
			}
		}
	}
	return nil
}

func printNames(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scenarios:\t")
	for _, s := range scenarios {
		fmt.Fprintf(t, "  %s\t%s\n", s.name, s.about)
	}
	fmt.Fprintln(t, "peers:\t")
	for _, p := range peers {
		fmt.Fprintf(t, "  %s\t%s\n", p.name, p.about)
	}
	t.Flush()
}

// document is all that was measured.
func (b *bench) document(rows []*row) *results.Document {
	d := &results.Document{
		Date: time.Now().UTC().Truncate(time.Second), System: runtime.GOOS + "/" + runtime.GOARCH, Processor: host.Processor(), Cores: runtime.NumCPU(),
		Versions: b.versions, Runs: b.runs, Seconds: b.time.Seconds(), Each: b.each, Pinned: b.pinned, Others: others(rows), Rows: rows, Goals: []results.Goal{},
	}
	for i := range scenarios {
		s := &scenarios[i]
		if of := rowsOf(rows, s.name); len(of) > 0 {
			base := ""
			if r := against(of); r != nil {
				base = r.Peer
			}
			d.Scenarios = append(d.Scenarios, results.Scenario{Name: s.name, About: s.about, Base: base, Rate: s.byRate})
		}
	}
	for i := range goals {
		g := &goals[i]
		if len(rowsOf(rows, g.scenario)) == 0 {
			continue
		}
		v := g.judge(rows)
		r := results.Goal{Goal: g.about, Most: g.most, Got: v.got, Met: v.met, Why: v.why}
		if g.least {
			r.Most, r.Least = 0, g.most
		}
		d.Goals = append(d.Goals, r)
	}
	return d
}
