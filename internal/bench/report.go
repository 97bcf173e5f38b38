package main

import (
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"
)

// report prints a table for each scenario.
func report(w io.Writer, rows []*row, b *bench) {
	fmt.Fprintf(w, "%s/%s, %d runs of %v each", runtime.GOOS, runtime.GOARCH, b.runs, b.time)
	if b.pinned {
		fmt.Fprint(w, ", servers on one core, the generator on another")
	} else {
		fmt.Fprint(w, ", not pinned to cores")
	}
	fmt.Fprintln(w)
	for i := range scenarios {
		if of := rowsOf(rows, scenarios[i].name); len(of) > 0 {
			table(w, &scenarios[i], of)
		}
	}
}

func rowsOf(rows []*row, scenario string) (of []*row) {
	for _, r := range rows {
		if r.Scenario == scenario {
			of = append(of, r)
		}
	}
	return of
}

// table prints the rows of a scenario; ratios are of what the server costs.
func table(w io.Writer, s *scenario, rows []*row) {
	fmt.Fprintf(w, "\n%s: %s\n", s.name, s.about)
	base := against(rows)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	memory := s.kind == memory
	if memory {
		fmt.Fprint(t, "\tKB")
	}
	fmt.Fprintln(t, "\tµs CPU\t±\tratio\tper s\tp50\tp99\tp99/p50\tserver\tgenerator\t")
	for _, r := range rows {
		if len(r.Samples) == 0 {
			continue
		}
		m, spread := r.median()
		ratio, note := "", m.Note
		if base != nil {
			of, _ := base.median()
			ratio = fmt.Sprintf("%.2f", m.cost()/of.cost())
		}
		if m.starved() {
			note = "the generator was the bottleneck"
		}
		if m.Parsed > 0.01 {
			note = fmt.Sprintf("%.0f %% of the answers parsed", 100*m.Parsed)
		}
		tail := ""
		if m.P50 > 0 {
			tail = fmt.Sprintf("%.1f", float64(m.P99)/float64(m.P50))
		}
		name := r.name()
		if memory {
			name += fmt.Sprintf("\t%.1f", m.Bytes/1000)
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.0f %%\t%s\t%.0f\t%s\t%s\t%s\t%.0f %%\t%.0f %%\t%s\n", name, m.CPU, 100*spread, ratio, m.Rate,
			short(m.P50), short(m.P99), tail, 100*m.Server, 100*m.Generator, note)
	}
	t.Flush()
	for _, r := range rows {
		if r.Absent != "" {
			fmt.Fprintf(w, "  %s: not measured: %s\n", r.name(), r.Absent)
		}
	}
}

func short(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.3g ms", d.Seconds()*1e3)
}

// against is the row that ratios are to: kkrpc 2 on Bun with Hono, or without a checkout of it the kkrpc of npm.
func against(rows []*row) *row {
	for _, name := range []string{baseline, "kkrpc0.2-bun"} {
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
